"""Seeing that evidence is still as it was sealed."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tutela.errors import DamagedEvidenceError, NotFoundError
from tutela.evidence.model import Evidence, State
from tutela.evidence.tombstones import check_tombstone
from tutela.evidence.vault import Vault
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.blobs.model import BlobId


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of verifying one piece of evidence.

    Attributes:
        evidence: Which one.
        problem: What is wrong and what to do, or ``None`` if it is as it was sealed.
    """

    evidence: Evidence
    problem: str | None

    def as_fields(self) -> dict[str, object]:
        """The outcome by names, as programs are given it."""
        return {
            "item": self.evidence.id,
            "case": self.evidence.case,
            "sound": self.problem is None,
            **({"problem": self.problem} if self.problem else {}),
        }


def verify(vault: Vault, evidence: Iterable[Evidence], actor: Actor) -> Iterator[Verified]:
    """Read all of it, and see that each bit is as it was sealed.

    A blob that several items share is read once; of the others it is seen that their keys are the
    same. Of what is destroyed the tombstone is compared with the ledger's entries. What was missed,
    or is being destroyed, is passed over. The ledger is told of each damage as it is found, and at
    the end of how much was verified.

    Raises:
        StorageError: The blob store, the key provider or the database fails.
    """
    sound: dict[BlobId, bytes] = {}
    checked = damaged = 0
    for each in evidence:
        if each.state not in (State.SEALED, State.DESTROYED):
            continue
        try:
            problem = _problem_with(vault, each, sound)
        except NotFoundError:
            # It has been destroyed since it was looked for.
            continue
        checked += 1
        if problem is not None:
            damaged += 1
            with vault.database.writing() as connection:
                append(
                    connection,
                    actor,
                    Act.EVIDENCE_DAMAGED,
                    vault.clock,
                    case=each.case,
                    item=each.id,
                )
        yield Verified(each, problem)
    with vault.database.writing() as connection:
        append(
            connection,
            actor,
            Act.EVIDENCE_VERIFIED,
            vault.clock,
            thing=f"sound:{checked - damaged}/{checked}",
        )


def _problem_with(vault: Vault, evidence: Evidence, sound: dict[BlobId, bytes]) -> str | None:
    if evidence.state is State.DESTROYED:
        with vault.database.reading() as connection:
            complaint = check_tombstone(connection, evidence.id)
        return complaint and f"the evidence {evidence.id} is destroyed, but {complaint}"
    if evidence.blob is None:
        return f"the evidence {evidence.id} has no blob"
    try:
        key = hashlib.sha256(vault.data_key(evidence.id)).digest()
        if sound.get(evidence.blob) != key:
            for _ in vault.open(evidence.id):
                pass
            sound[evidence.blob] = key
    except DamagedEvidenceError as error:
        return error.message
    return None
