"""Proving an entry to a stranger, who needs nothing but the proof and the ledger's public key."""

import base64
from dataclasses import dataclass

from sqlalchemy import Connection, select

from tutela.errors import NotFoundError
from tutela.ledger.checkpointing import Checkpoints, Signed
from tutela.ledger.encoding import leaf
from tutela.ledger.merkle import includes, inclusion_proof, leaf_hash
from tutela.ledger.model import AlteredLedgerError
from tutela.ledger.notes import VerifierKey
from tutela.ledger.reading import find_entry, kept_hashes
from tutela.ledger.tables import ledger_entries, ledger_reasons
from tutela.storage.database import Database

FORM = "tutela-ledger-proof-1"


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that an entry is in the ledger of which a checkpoint was signed.

    Attributes:
        number: The entry's number.
        leaf: The entry's very bytes.
        inclusion: The hashes that lead from it to the root.
        signed: The checkpoint that has this root.
        key: By what the checkpoint is verified.
        words: The words that say why, and their salt, if they are to be shown.
    """

    number: int
    leaf: bytes
    inclusion: tuple[bytes, ...]
    signed: Signed
    key: VerifierKey
    words: tuple[str, bytes] | None = None

    def as_fields(self) -> dict[str, object]:
        """The proof by names, as it is written and as ``docs/verify_proof.py`` reads it."""
        fields: dict[str, object] = {
            "form": FORM,
            "number": self.number,
            "leaf": self.leaf.decode(),
            "inclusion": [base64.b64encode(each).decode() for each in self.inclusion],
            "checkpoint": self.signed.note.decode(),
            "key": str(self.key),
        }
        if self.words is not None:
            words, salt = self.words
            fields |= {"words": words, "salt": base64.b64encode(salt).decode()}
        return fields


def prove(
    database: Database, checkpoints: Checkpoints, number: int, *, with_words: bool = False
) -> Proof:
    """Prove an entry. Makes a checkpoint first, if the newest does not cover it.

    Args:
        database: The ledger's.
        checkpoints: Its checkpoints.
        number: The entry's number.
        with_words: Whether the words that say why are to be shown too.

    Raises:
        NotFoundError: There is no such entry, or the words wanted were never there or are erased.
        AlteredLedgerError: The ledger is not the one that was signed.
        StorageError: The database, the key or the second place cannot be used.
    """
    with database.reading() as connection:
        find_entry(connection, number)
    checkpoints.make()
    signed, key = checkpoints.newest(), checkpoints.verifier()
    if signed is None or signed.checkpoint.size <= number:
        raise AlteredLedgerError(
            'no checkpoint covers entry {number}: see "tutela ledger verify"', number=number
        )
    checkpoint = signed.checkpoint
    with database.reading() as connection:
        said = _leaf(connection, checkpoint.origin, number)
        proof = inclusion_proof(number, checkpoint.size, kept_hashes(connection))
        words = _words(connection, number) if with_words else None
    if not includes(checkpoint.root, checkpoint.size, number, leaf_hash(said), proof):
        raise AlteredLedgerError(
            'entry {number} is not as it was when it was signed: see "tutela ledger verify"',
            number=number,
        )
    return Proof(number, said, tuple(proof), signed, key, words)


def _leaf(connection: Connection, origin: str, number: int) -> bytes:
    row = connection.execute(select(ledger_entries).where(ledger_entries.c.number == number)).one()
    *said, reason, _ = row
    try:
        return leaf(origin, (*said, reason.hex() if reason is not None else None))
    except (TypeError, ValueError, AttributeError):
        raise AlteredLedgerError(
            'entry {number} holds what no entry holds: see "tutela ledger verify"', number=number
        ) from None


def _words(connection: Connection, number: int) -> tuple[str, bytes]:
    row = connection.execute(
        select(ledger_reasons.c.words, ledger_reasons.c.salt).where(
            ledger_reasons.c.entry == number
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            f"entry {number} has no words that say why, or they are erased: leave out --with-words"
        )
    return row.words, row.salt
