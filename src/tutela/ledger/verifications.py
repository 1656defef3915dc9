"""Having the whole ledger verified in the background, and keeping what came of it.

It shows what this machine sees. Whoever trusts neither it nor its administrator runs
``tutela ledger verify`` elsewhere, with the checkpoints of the second place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from sqlalchemy import Connection, RowMapping, insert, select, update

from tutela.errors import NotFoundError
from tutela.ledger.checking import Finding
from tutela.ledger.model import Actor
from tutela.ledger.places.choosing import second_place
from tutela.ledger.signing import key_to_sign, public_bytes
from tutela.ledger.tables import ledger_verifications
from tutela.ledger.timestamping import StampVerifier
from tutela.ledger.verifying import Verification, verifier_of, verify
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job, Kind, Never
from tutela.storage.settings import Settings

VERIFY = "ledger.verify"
"""The kind of job that verifies the ledger."""

KEPT_FINDINGS = 50

VerificationId = NewType("VerificationId", int)


@dataclass(frozen=True, slots=True)
class KeptVerification:
    """A verification that somebody asked for.

    Attributes:
        id: Its number.
        asked_at: When it was asked for.
        asked_by: By whom, as the ledger calls them.
        ended_at: When it was through; ``None`` while it is not.
        entries: How many entries were checked.
        checkpoints: How many checkpoints were found.
        covered: How many entries are below the newest sound checkpoint.
        findings: How much is not as it was written; 0: the ledger is sound.
        first_findings: The first of that.
    """

    id: VerificationId
    asked_at: datetime
    asked_by: str
    ended_at: datetime | None
    entries: int | None
    checkpoints: int | None
    covered: int | None
    findings: int | None
    first_findings: Sequence[Mapping[str, object]]


def ask_for_verification(connection: Connection, actor: Actor, clock: Clock) -> KeptVerification:
    """Have the ledger verified soon; one that waits already is given back instead."""
    waiting = _newest(connection, 1)
    if waiting and waiting[0].ended_at is None:
        number = waiting[0].id
    else:
        number = connection.execute(
            insert(ledger_verifications)
            .values(asked_at=clock(), asked_by=actor.id)
            .returning(ledger_verifications.c.id)
        ).scalar_one()
    enqueue(connection, VERIFY, {"verification": number}, clock, dedupe=f"{VERIFY}:{number}")
    return find_verification(connection, number)


def find_verification(connection: Connection, number: int) -> KeptVerification:
    """One verification.

    Raises:
        NotFoundError: There is none of this number.
    """
    row = (
        connection.execute(select(ledger_verifications).where(ledger_verifications.c.id == number))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFoundError(f"there is no verification {number} of the ledger")
    return _kept(row)


def newest_verifications(connection: Connection, limit: int) -> list[KeptVerification]:
    """The verifications that were asked for last, the newest first."""
    return _newest(connection, limit)


def verifying(settings: Settings, database: Database, clock: Clock) -> Kind:
    """The kind of job that verifies the ledger."""

    def run(job: Job) -> None:
        number = job.payload.get("verification")
        if not isinstance(number, int):
            raise Never("no verification is named")
        verified = _verify(settings, database, clock)
        with database.writing() as connection:
            connection.execute(
                update(ledger_verifications)
                .where(ledger_verifications.c.id == number)
                .values(
                    ended_at=clock(),
                    entries=verified.entries,
                    checkpoints=verified.checkpoints,
                    covered=verified.covered,
                    findings=len(verified.findings),
                    first_findings=[
                        _finding_fields(each) for each in verified.findings[:KEPT_FINDINGS]
                    ],
                )
            )

    return Kind(VERIFY, run, attempts=3)


def _verify(settings: Settings, database: Database, clock: Clock) -> Verification:
    place = second_place(settings)
    own = key_to_sign(settings.keys_folder, place, database, clock)
    roots = settings.ledger_timestamp_certificates
    return verify(
        database,
        settings,
        place,
        verifier_of(database, place, public_bytes(own)),
        # One, so that the house goes on answering meanwhile.
        processes=1,
        stamps=StampVerifier.read(roots) if roots else None,
    )


def _finding_fields(finding: Finding) -> dict[str, object]:
    return {
        "trouble": finding.trouble,
        "first": finding.first,
        "last": finding.last,
        "what": finding.what,
    }


def _newest(connection: Connection, limit: int) -> list[KeptVerification]:
    rows = connection.execute(
        select(ledger_verifications).order_by(ledger_verifications.c.id.desc()).limit(limit)
    ).mappings()
    return [_kept(row) for row in rows]


def _kept(row: RowMapping) -> KeptVerification:
    return KeptVerification(
        **{name: value for name, value in row.items() if name != "first_findings"},
        first_findings=row["first_findings"] or (),
    )
