"""What remains of destroyed evidence: a proof of what it was, attested by the ledger."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from tutela.errors import DamagedEvidenceError
from tutela.evidence.tables import blobs, destructions, evidence_items
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.ledger.tables import ledger_entries
from tutela.storage.clock import Clock


@dataclass(frozen=True, slots=True)
class Tombstone:
    """That evidence was destroyed.

    Attributes:
        destroyed_at: When.
        ordered_by: Who ordered it, if it was not simply due.
        begun_entry: The ledger's entry that said beforehand that it would be.
        destroyed_entry: The ledger's entry that attests it.
    """

    destroyed_at: datetime
    ordered_by: str | None
    begun_entry: int
    destroyed_entry: int | None

    def as_fields(self) -> dict[str, object]:
        """The tombstone by names, as programs are given it."""
        return {
            "destroyed_at": self.destroyed_at.isoformat(),
            "ordered_by": self.ordered_by,
            "begun_entry": self.begun_entry,
            "destroyed_entry": self.destroyed_entry,
        }


def attest(connection: Connection, item: Any, clock: Clock) -> None:
    """Write the tombstone of a row of ``evidence_items``, in the caller's transaction.

    The proof says what the content was, and which entry of the ledger said beforehand that it
    would be destroyed. The entry made here names the proof's SHA-256.

    Raises:
        DamagedEvidenceError: No row says who began it.
    """
    begun = beginning_of(connection, item.id)
    blob = connection.execute(select(blobs).where(blobs.c.id == item.blob_id)).one()
    now = clock()
    proof = json.dumps(
        {
            "item": item.id,
            "case": item.case_id,
            "blob": blob.id,
            "sha256": blob.sha256.hex(),
            "size": blob.size,
            "sealed_at": item.sealed_at.isoformat(),
            "begun_entry": begun.begun_entry,
            "destroyed_at": now.isoformat(),
        },
        sort_keys=True,
    )
    # Other rows first: whoever appends is the only one who may until the transaction ends.
    buried = update(destructions).where(destructions.c.item_id == item.id)
    connection.execute(buried.values(destroyed_at=now, proof=proof))
    entry = append(
        connection,
        Actor("", begun.actor_id, begun.actor_role, begun.actor_face),
        Act.EVIDENCE_DESTROYED,
        clock,
        case=item.case_id,
        item=item.id,
        thing=_named(proof),
        reason=proof,
    )
    connection.execute(buried.values(destroyed_entry=entry))


def tombstone_of(connection: Connection, item: str) -> Tombstone | None:
    """The tombstone of destroyed evidence; ``None`` if it is not destroyed."""
    row = connection.execute(
        select(destructions).where(destructions.c.item_id == item)
    ).one_or_none()
    if row is None or row.destroyed_at is None:
        return None
    return Tombstone(row.destroyed_at, row.ordered_by, row.begun_entry, row.destroyed_entry)


def beginning_of(connection: Connection, item: str) -> Any:
    """The row of ``destructions`` that says who began to destroy a piece of evidence.

    Raises:
        DamagedEvidenceError: There is none, as only another program can leave it.
    """
    row = connection.execute(
        select(destructions).where(destructions.c.item_id == item)
    ).one_or_none()
    if row is None:
        raise DamagedEvidenceError(
            f"the evidence {item} is marked as being destroyed, but no row says who began it: "
            "another program changed the database; compare it with a backup"
        )
    return row


def check_tombstone(connection: Connection, item: str) -> str | None:
    """What is wrong with the tombstone of destroyed evidence, in words; ``None`` if nothing.

    That the ledger's entries are what they were is for ``tutela ledger verify`` to say.
    """
    evidence = connection.execute(
        select(evidence_items).where(evidence_items.c.id == item)
    ).one_or_none()
    row = connection.execute(
        select(destructions).where(destructions.c.item_id == item)
    ).one_or_none()
    if evidence is None or row is None or row.proof is None or row.destroyed_entry is None:
        return "it has no tombstone"
    if evidence.wrapped_key is not None:
        return "its key is there again"
    if not _says(connection, row.begun_entry, Act.DESTRUCTION_BEGUN, item, None):
        return f"entry {row.begun_entry} of the ledger does not say that it was to be destroyed"
    if not _says(connection, row.destroyed_entry, Act.EVIDENCE_DESTROYED, item, _named(row.proof)):
        return f"entry {row.destroyed_entry} of the ledger does not attest its tombstone"
    return _contradiction(connection, evidence, row)


def _contradiction(connection: Connection, evidence: Any, row: Any) -> str | None:
    proof = json.loads(row.proof)
    blob = connection.execute(select(blobs).where(blobs.c.id == evidence.blob_id)).one_or_none()
    if proof["begun_entry"] != row.begun_entry or row.begun_entry >= row.destroyed_entry:
        return "its tombstone names another entry of the ledger"
    if (proof["item"], proof["case"]) != (evidence.id, evidence.case_id):
        return "its tombstone is another one's"
    if blob is None or (proof["sha256"], proof["size"]) != (blob.sha256.hex(), blob.size):
        return "its tombstone tells of another content"
    return None


def _says(connection: Connection, entry: int, act: Act, item: str, thing: str | None) -> bool:
    row = connection.execute(
        select(ledger_entries).where(ledger_entries.c.number == entry)
    ).one_or_none()
    if row is None or (row.act, row.item) != (act, item):
        return False
    return thing is None or row.thing == thing


def _named(proof: str) -> str:
    return f"tombstone:{hashlib.sha256(proof.encode()).hexdigest()}"
