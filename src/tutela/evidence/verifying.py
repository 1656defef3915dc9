"""Seeing that evidence is still as it was sealed."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tutela.errors import DamagedEvidenceError, NotFoundError
from tutela.evidence.comparing import compare_with_ledger
from tutela.evidence.model import Evidence, State
from tutela.evidence.reading import all_evidence, evidence_of
from tutela.evidence.tombstones import check_tombstone
from tutela.evidence.vault import Vault
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.blobs.model import BlobId


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of verifying one piece of evidence.

    Attributes:
        case: Its case.
        item: Which one; ``None`` for what is wrong about a case as a whole.
        size: How many bytes it has.
        problem: What is wrong and what to do, or ``None`` if it is as it was sealed.
    """

    case: str
    item: str | None
    size: int
    problem: str | None

    def as_fields(self) -> dict[str, object]:
        """The outcome by names, as programs are given it."""
        return {
            "item": self.item,
            "case": self.case,
            "sound": self.problem is None,
            **({"problem": self.problem} if self.problem else {}),
        }


def verify_all(vault: Vault, actor: Actor) -> Iterator[Verified]:
    """As ``verify``, of all evidence, and compare what there is with what the ledger says.

    Raises:
        StorageError: The blob store, the key provider or the database fails.
    """
    return _told(vault, _all_verified(vault), actor)


def verify(vault: Vault, evidence: Iterable[Evidence], actor: Actor) -> Iterator[Verified]:
    """Read some of it, and see that each bit is as it was sealed.

    A blob that several items share is read once; of the others it is seen that their keys are the
    same. Of what is destroyed the tombstone is compared with the ledger's entries. What was missed,
    or is being destroyed, is passed over. The ledger is told of each damage as it is found, and at
    the end of how much was verified.

    Raises:
        StorageError: The blob store, the key provider or the database fails.
    """
    return _told(vault, _verified(vault, evidence), actor)


def _told(vault: Vault, verified: Iterable[Verified], actor: Actor) -> Iterator[Verified]:
    checked = damaged = 0
    for each in verified:
        checked += 1
        if each.problem is not None:
            damaged += 1
            with vault.database.writing() as connection:
                append(
                    connection,
                    actor,
                    Act.EVIDENCE_DAMAGED,
                    vault.clock,
                    case=each.case,
                    item=each.item,
                )
        yield each
    with vault.database.writing() as connection:
        append(
            connection,
            actor,
            Act.EVIDENCE_VERIFIED,
            vault.clock,
            thing=f"sound:{checked - damaged}/{checked}",
        )


def _all_verified(vault: Vault) -> Iterator[Verified]:
    doubtful: set[str | None] = set()
    for each in compare_with_ledger(vault.database):
        # Of one that has several faults the first says enough, but each hold and event counts.
        if each.item not in doubtful or not each.of_row:
            yield Verified(each.case, each.item, 0, each.problem)
        if each.of_row:
            doubtful.add(each.item)
    yield from _verified(
        vault, (each for each in all_evidence(vault.database) if each.id not in doubtful)
    )


def _verified(vault: Vault, evidence: Iterable[Evidence]) -> Iterator[Verified]:
    sound: dict[BlobId, bytes] = {}
    for each in evidence:
        if each.state not in (State.SEALED, State.DESTROYED):
            continue
        try:
            problem = _problem_with(vault, each, sound)
        except NotFoundError:
            # It has been destroyed since it was looked for, unless it says that it is there.
            with vault.database.reading() as connection:
                now = evidence_of(connection, [each.case]).get(each.case, ())
            if not any(one.id == each.id and one.state is State.SEALED for one in now):
                continue
            problem = (
                f"the evidence {each.id} is sealed, but its key is gone: "
                "restore the database from a backup"
            )
        yield Verified(each.case, each.id, each.size or 0, problem)


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
