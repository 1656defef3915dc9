"""Each night: what reports said is taken out of the database's files, and nothing is left behind.

What a report says is erased when it is sent or discarded. One that is still written of a case whose
evidence has all been destroyed meanwhile has lost its ground, and is discarded here: so its words
go with the case's evidence.
"""

from sqlalchemy import Connection, exists, select

from tutela.cases.moving import BY_ITSELF
from tutela.evidence.model import State as EvidenceState
from tutela.evidence.tables import evidence_items
from tutela.reporting.delivery.queueing import have_all_delivered
from tutela.reporting.model import ReportId
from tutela.reporting.moving import move
from tutela.reporting.states import MOVES, Move
from tutela.reporting.tables import delivery_documents, report_files, reports
from tutela.storage.clock import Clock
from tutela.storage.database import Database, overwrite_erased
from tutela.storage.jobs.model import Job, Kind

FORGET = "report.forget"
"""The daily job that does so."""

_AT_NIGHT = "15 4 * * *"
_KEPT = (EvidenceState.SEALED, EvidenceState.DESTROYING)


def forgetting(database: Database, clock: Clock) -> Kind:
    """The kind of job that does so, and that finds queued reports which have lost their job."""

    def forget(_job: Job) -> None:
        for report in _groundless(database):
            with database.writing() as connection:
                if _is_groundless(connection, report):
                    reason = "all the evidence of its case is destroyed"
                    move(connection, report, Move.DISCARD, BY_ITSELF, clock, reason=reason)
        with database.writing() as connection:
            have_all_delivered(connection, clock)
        for table in (reports, report_files, delivery_documents):
            overwrite_erased(database, table)

    return Kind(FORGET, forget, schedule=_AT_NIGHT)


def _groundless(database: Database) -> list[ReportId]:
    with database.reading() as connection:
        return [ReportId(each) for each in connection.execute(_GROUNDLESS).scalars()]


def _is_groundless(connection: Connection, report: ReportId) -> bool:
    return connection.execute(_GROUNDLESS.where(reports.c.id == report)).first() is not None


_OF_ITS_CASE = exists().where(evidence_items.c.case_id == reports.c.case_id)
_GROUNDLESS = select(reports.c.id).where(
    reports.c.state.in_(tuple(MOVES[Move.DISCARD])),
    _OF_ITS_CASE.where(evidence_items.c.state == EvidenceState.DESTROYED),
    ~_OF_ITS_CASE.where(evidence_items.c.state.in_(_KEPT)),
)
