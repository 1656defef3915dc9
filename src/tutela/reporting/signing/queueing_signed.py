"""What is signed is queued by itself, once nobody has to agree or may take the decision back.

A job does so for each signature. What has lost its job, or waited for somebody whom the settings
ask for no more, is found every hour.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from tutela.cases.grounds import Ground, ground_of
from tutela.cases.model import CaseId
from tutela.cases.moving import BY_ITSELF, last_decision, lock_case
from tutela.errors import OutOfTurnError
from tutela.reporting.delivery.queueing import (
    NotLiveError,
    OtherEnvironmentError,
    has_job,
    queue,
)
from tutela.reporting.desk import Desk
from tutela.reporting.finding import find_report
from tutela.reporting.grounds import StillStands, ground_of_report
from tutela.reporting.model import ReportId
from tutela.reporting.moving import lock_report, move
from tutela.reporting.states import Move, State
from tutela.reporting.tables import reports
from tutela.storage.clock import Clock
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job, Kind, Later
from tutela.storage.settings import Approval, Settings

QUEUE = "report.queue"
"""The job that has a signed report sent, once the decision on its case is final."""

FIND = "report.queue-forgotten"
"""The hourly job that finds what is signed and has no such job."""

_AGAIN = timedelta(minutes=10)
_HOURLY = "20 * * * *"
_KEY = "queue:"
_MOST_AT_ONCE = 500


def queue_later(
    connection: Connection, case: CaseId, report: ReportId, settings: Settings, clock: Clock
) -> None:
    """Have a report sent once the decision on its case is final."""
    at = max(clock(), final_at(connection, case, settings))
    enqueue(connection, QUEUE, {"report": report}, clock, at=at)


def needs_approval(connection: Connection, case: CaseId, settings: Settings) -> bool:
    """Whether the settings want a second person to agree to the reports of a case."""
    match settings.reporting.approval:
        case Approval.ALWAYS:
            return True
        case Approval.UNLISTED:
            return Ground.LISTED not in ground_of(connection, case, elsewhere=False)
        case Approval.NEVER:
            return False


def final_at(connection: Connection, case: CaseId, settings: Settings) -> datetime:
    """From when nobody can take the decision on a case back any more."""
    last = last_decision(connection, case)
    if last is None:
        raise OutOfTurnError("nobody has decided on {case}", case=case)
    decided_at: datetime = last.decided_at
    return decided_at + timedelta(seconds=settings.review.undo_seconds)


def queueing(desk: Desk) -> Kind:
    """The kind of job that has a signed report sent."""

    def queue_signed(job: Job) -> None:
        report = ReportId(int(str(job.payload["report"])))
        with desk.database.writing() as connection:
            row, case = locked(connection, report)
            if not _needs_nobody_more(connection, case, State(row.state), desk.settings):
                return
            stands = ground_of_report(connection, case)
            if stands is StillStands.NO:
                # Whoever signed it stands for it no more. If the case is confirmed again, it is
                # read and signed anew; if not, the night discards it.
                reason = f"{case} was taken back before it went"
                move(connection, report, Move.RETURN, BY_ITSELF, desk.clock, reason=reason)
                return
            if stands is StillStands.NOT_NOW:
                raise Later(desk.clock() + _AGAIN, f"{case} is under appeal: it waits for that")
            left = final_at(connection, case, desk.settings)
            if left > desk.clock():
                raise Later(left, "the decision can still be taken back")
            try:
                queue(connection, desk.settings, report, BY_ITSELF, desk.clock)
            except OtherEnvironmentError as error:
                # Nobody stands for it there: it is read and signed anew.
                move(
                    connection,
                    report,
                    Move.RETURN,
                    BY_ITSELF,
                    desk.clock,
                    reason=error.message,
                )
            except NotLiveError as error:
                raise Later(desk.clock() + _AGAIN, error.message) from None

    return Kind(QUEUE, queue_signed, at_once=4, attempts=None)


def finding_forgotten(desk: Desk) -> Kind:
    """The kind of job that finds what is signed, waits for nobody, and has no job."""

    def find(_job: Job) -> None:
        queue_forgotten(desk)

    return Kind(FIND, find, schedule=_HOURLY)


def queue_forgotten(desk: Desk) -> int:
    """See that whatever is signed, and waits for nobody, has a job that queues it; counts those.

    One that was signed while somebody had to agree has none, if the settings ask for that no more.
    A job of ``queue_later`` bears no key. So what only waits for its moment gets a second job,
    which then finds nothing left to do.
    """
    waiting = (
        select(reports.c.id, reports.c.case_id, reports.c.state)
        .where(reports.c.state.in_((State.SIGNED, State.APPROVED)), ~has_job(_KEY))
        .order_by(reports.c.id)
    )
    with desk.database.reading() as connection:
        found = [
            ReportId(row.id)
            for row in connection.execute(waiting).all()
            if _needs_nobody_more(connection, CaseId(row.case_id), State(row.state), desk.settings)
        ][:_MOST_AT_ONCE]
    with desk.database.writing() as connection:
        for report in found:
            key = f"{_KEY}{report}"
            enqueue(connection, QUEUE, {"report": report}, desk.clock, dedupe=key)
    return len(found)


def _needs_nobody_more(
    connection: Connection, case: CaseId, state: State, settings: Settings
) -> bool:
    """Whether a report is signed, and agreed to where the settings ask for that."""
    return state is State.APPROVED or (
        state is State.SIGNED and not needs_approval(connection, case, settings)
    )


def locked(connection: Connection, report: ReportId) -> tuple[Row[Any], CaseId]:
    """A report's row, and its case: nobody changes either until the end of the transaction.

    The case first, as everywhere, so that no two wait for each other.
    """
    case = find_report(connection, report).case
    lock_case(connection, case)
    return lock_report(connection, report), case
