"""Each night: what authorities said is erased where all evidence of its case is destroyed."""

from sqlalchemy import Connection, exists, select, update

from tutela.evidence.model import State as EvidenceState
from tutela.evidence.tables import evidence_items
from tutela.reporting.following.tables import report_feedback
from tutela.reporting.tables import reports
from tutela.storage.database import Database, changed_rows, overwrite_erased
from tutela.storage.jobs.model import Job, Kind

FORGET = "report.forget-feedback"
"""The daily job that does so."""

_AT_NIGHT = "35 4 * * *"


def forgetting(database: Database) -> Kind:
    """The kind of job that does so."""

    def forget(_job: Job) -> None:
        with database.writing() as connection:
            erase_words(connection)
        # Also what was erased with a message that belonged to no report.
        overwrite_erased(database, report_feedback)

    return Kind(FORGET, forget, schedule=_AT_NIGHT)


def erase_words(connection: Connection) -> int:
    """Erase the words of what was said of cases whose evidence is all destroyed; counts those."""
    of_its_case = exists().where(evidence_items.c.case_id == reports.c.case_id)
    kept = evidence_items.c.state.in_((EvidenceState.SEALED, EvidenceState.DESTROYING))
    gone = select(reports.c.id).where(
        of_its_case.where(evidence_items.c.state == EvidenceState.DESTROYED),
        ~of_its_case.where(kept),
    )
    return changed_rows(
        connection,
        update(report_feedback)
        .where(report_feedback.c.words.is_not(None), report_feedback.c.report_id.in_(gone))
        .values(words=None),
    )
