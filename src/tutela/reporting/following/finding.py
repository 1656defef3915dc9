"""Finding what authorities said: of one report, of a case, or all that waits for a person."""

from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from tutela.accounts.model import Caller
from tutela.cases.model import CaseId
from tutela.errors import NotFoundError
from tutela.evidence.retention import Period
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.reporting.following.model import Feedback, FeedbackId, FeedbackKind, thing_of
from tutela.reporting.following.tables import report_feedback
from tutela.reporting.model import ReportId
from tutela.reporting.tables import reports
from tutela.storage.clock import Clock
from tutela.storage.kept_secrets import KeptSecrets

IS_OPEN = report_feedback.c.is_task & report_feedback.c.settled_at.is_(None)
"""What still waits for a person."""


def find_feedback(connection: Connection, feedback: FeedbackId) -> Feedback:
    """What was said once, without its words.

    Raises:
        NotFoundError: Nothing of this number is there.
    """
    row = connection.execute(_shown().where(report_feedback.c.id == feedback)).one_or_none()
    if row is None:
        raise NotFoundError(f'there is no feedback {feedback}: see "tutela report feedback ls"')
    return _feedback(row)


def find_all_feedback(
    connection: Connection,
    *,
    report: ReportId | None = None,
    case: CaseId | None = None,
    only_open: bool = False,
    before: FeedbackId | None = None,
    limit: int = 50,
) -> list[Feedback]:
    """What was said, the newest first, without its words.

    Args:
        connection: A transaction.
        report: Only of this report.
        case: Only of reports of this case.
        only_open: Only what still waits for a person.
        before: Only what has a smaller number: how the next page is asked for.
        limit: How many at most.
    """
    wanted = _shown().order_by(report_feedback.c.id.desc()).limit(limit)
    if report is not None:
        wanted = wanted.where(report_feedback.c.report_id == report)
    if case is not None:
        wanted = wanted.where(reports.c.case_id == case)
    if only_open:
        wanted = wanted.where(IS_OPEN)
    if before is not None:
        wanted = wanted.where(report_feedback.c.id < before)
    return [_feedback(row) for row in connection.execute(wanted)]


def count_open(connection: Connection) -> int:
    """How much waits for a person."""
    wanted = select(func.count()).select_from(report_feedback).where(IS_OPEN)
    return connection.execute(wanted).scalar_one()


def read_words(
    connection: Connection,
    secrets: KeptSecrets,
    feedback: FeedbackId,
    caller: Caller,
    clock: Clock,
) -> str:
    """What was said in the authority's words; empty if none are kept. Do it last: it is entered.

    Raises:
        NotFoundError: Nothing of this number is there.
        StorageError: The sealing key is missing or another one, or what was sealed is altered.
    """
    found = find_feedback(connection, feedback)
    sealed = connection.execute(
        select(report_feedback.c.words).where(report_feedback.c.id == feedback)
    ).scalar_one()
    if sealed is None:
        return ""
    words = secrets.open(sealed, thing_of(feedback)).decode()
    append(
        connection,
        caller.actor,
        Act.REPORT_FEEDBACK_READ,
        clock,
        case=found.case,
        thing=found.thing,
    )
    return words


def _shown() -> Select[Any]:
    columns = [each for each in report_feedback.c if each.name != "words"]
    has_words = report_feedback.c.words.is_not(None).label("has_words")
    return select(*columns, has_words, reports.c.case_id).outerjoin_from(report_feedback, reports)


def _feedback(row: Row[Any]) -> Feedback:
    return Feedback(
        id=FeedbackId(row.id),
        authority=row.authority,
        report=None if row.report_id is None else ReportId(row.report_id),
        case=None if row.case_id is None else CaseId(row.case_id),
        named=row.named,
        kind=FeedbackKind(row.kind),
        at=row.at,
        reference=row.reference,
        number=row.number,
        until=row.until,
        period=Period.read(row.period) if row.period else None,
        has_words=bool(row.has_words),
        received_at=row.received_at,
        received_by=row.received_by,
        is_task=row.is_task,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
    )
