"""Seeing that evidence is still as it was sealed."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tutela.errors import DamagedEvidenceError
from tutela.evidence.model import Evidence, State
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
    same. What was missed or destroyed is passed over. The ledger is told of each damage as it is
    found, and at the end of how much was verified.

    Raises:
        StorageError: The blob store, the key provider or the database fails.
    """
    sound: dict[BlobId, bytes] = {}
    checked = damaged = 0
    for each in evidence:
        if each.state is not State.SEALED or each.blob is None:
            continue
        checked += 1
        try:
            key = hashlib.sha256(vault.data_key(each.id)).digest()
            if sound.get(each.blob) != key:
                for _ in vault.open(each.id):
                    pass
                sound[each.blob] = key
        except DamagedEvidenceError as error:
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
            yield Verified(each, error.message)
        else:
            yield Verified(each, None)
    with vault.database.writing() as connection:
        append(
            connection,
            actor,
            Act.EVIDENCE_VERIFIED,
            vault.clock,
            thing=f"sound:{checked - damaged}/{checked}",
        )
