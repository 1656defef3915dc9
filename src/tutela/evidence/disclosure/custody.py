"""What the ledger says of a case, with proofs that a stranger can check."""

from tutela.errors import StorageError
from tutela.evidence.disclosure.model import Extract
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.merkle import inclusion_proof
from tutela.ledger.reading import kept_hashes, newest_entries
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings


def extract_of(database: Database, settings: Settings, case: str, clock: Clock) -> Extract:
    """Every entry about a case up to now, each with the proof that it is in a signed ledger.

    Raises:
        AlteredLedgerError: The ledger is not the one that was signed before.
        StorageError: The database, the key or the place of checkpoints cannot be used.
    """
    checkpoints = Checkpoints(database, settings, clock)
    checkpoints.make()
    signed = checkpoints.newest()
    if signed is None:
        raise StorageError("the ledger is empty: there is nothing that could be disclosed")
    size = signed.checkpoint.size
    with database.reading() as connection:
        entries = newest_entries(connection, size, case=case, before=size)[::-1]
        subtree = kept_hashes(connection)
        files = {
            f"entry-{entry.number}.proof": b"\n".join(
                h.hex().encode() for h in inclusion_proof(entry.number, size, subtree)
            )
            for entry in entries
        }
    files |= {
        "checkpoint.txt": signed.note,
        "verifier.key": f"{checkpoints.verifier()}\n".encode(),
    }
    return Extract(tuple(entries), files, "python3 verify_proof.py")
