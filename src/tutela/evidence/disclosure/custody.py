"""What the ledger says of a case, with proofs that a stranger can check."""

import json
from importlib.resources import files as files_of

from tutela.errors import StorageError
from tutela.evidence.disclosure.model import Extract
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.proving import prove
from tutela.ledger.reading import newest_entries
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings

SCRIPT, KEY = "verify_proof.py", "verifier.key"
# A copy of docs/verify_proof.py; a test sees that it stays one.
_SCRIPT = files_of(__package__) / "verify_proof.txt"

HOW_TO_CHECK = f'for p in entry-*.json; do python3 {SCRIPT} $p "$(cat {KEY})" || echo BAD; done'

_MANY = 1_000_000


def extract_of(database: Database, settings: Settings, case: str, clock: Clock) -> Extract:
    """Every entry about a case up to now, each with the proof that it is in a signed ledger.

    Raises:
        AlteredLedgerError: The ledger is not the one that was signed before.
        StorageError: The database, the key or the place of checkpoints cannot be used.
    """
    checkpoints = Checkpoints(database, settings, clock)
    with database.reading() as connection:
        entries = newest_entries(connection, _MANY, case=case)[::-1]
    files, newest = {}, None
    for entry in entries:
        proof = prove(database, checkpoints, entry.number)
        # Their names sort as their numbers do.
        files[f"entry-{entry.number:012d}.json"] = _json(proof.as_fields())
        newest = proof
    if newest is None:
        raise StorageError(
            f"the ledger knows nothing of the case {case}, which cannot be: "
            'see "tutela ledger verify"'
        )
    files["checkpoint.txt"] = newest.signed.note
    files[KEY] = f"{newest.key}\n".encode()
    files[SCRIPT] = _SCRIPT.read_bytes()
    return Extract(tuple(entries), files, HOW_TO_CHECK)


def _json(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, indent=1).encode() + b"\n"
