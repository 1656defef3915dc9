"""What follows from a decision outside, once it can no longer be undone."""

from datetime import datetime

from sqlalchemy import Connection, select

from tutela.cases.model import CaseId
from tutela.cases.tables import case_decisions
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job, Kind

TAKE_EFFECT = "case.take-effect"
"""The job that tells the outside of a decision."""


def effect_later(
    connection: Connection, case: CaseId, decision: int, at: datetime, clock: Clock
) -> None:
    """Have a decision take effect when it can no longer be undone."""
    enqueue(connection, TAKE_EFFECT, {"case": case, "decision": decision}, clock, at=at)


def taking_effect(database: Database) -> Kind:
    """The kind of job that has decisions take effect."""

    def take_effect(job: Job) -> None:
        with database.writing() as connection:
            if not _stands(connection, int(str(job.payload["decision"]))):
                return
            # Here, and nowhere else, the outside is told.

    return Kind(TAKE_EFFECT, take_effect, attempts=None)


def _stands(connection: Connection, decision: int) -> bool:
    """Whether a decision was not taken back."""
    found = select(case_decisions.c.id).where(
        case_decisions.c.id == decision, case_decisions.c.undone_at.is_(None)
    )
    return connection.execute(found).scalar_one_or_none() is not None
