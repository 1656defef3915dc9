"""Queueing a signed report: from here on it is tried until the authority has it."""

from sqlalchemy import ColumnElement, Connection, String, cast, exists, literal, select

from tutela.accounts.model import Caller
from tutela.errors import NotPermittedError, OutOfTurnError
from tutela.reporting.delivery.resting import DELIVER, channel_state
from tutela.reporting.model import ChannelKind, Environment, ReportId
from tutela.reporting.moving import change_state, enter_move, lock_report
from tutela.reporting.states import Move, State, after
from tutela.reporting.tables import reports
from tutela.storage.clock import Clock
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job, JobId
from tutela.storage.jobs.tables import jobs
from tutela.storage.settings import Settings


class NotLiveError(NotPermittedError):
    """The settings lead to the authority itself, and nobody has said yet that this is meant."""


class OtherEnvironmentError(OutOfTurnError):
    """It was signed for another environment than the one that the settings have now."""


def queue(
    connection: Connection, settings: Settings, report: ReportId, caller: Caller, clock: Clock
) -> None:
    """Have a report sent, if this transaction commits. Do it last in the transaction.

    Whether it has to be signed or agreed to first is the table's of moves and the caller's to say.

    Args:
        connection: A transaction that writes.
        settings: The configuration, which says how real it is.
        report: The report.
        caller: Who has it sent.
        clock: The time.

    Raises:
        NotFoundError: There is no such report.
        ReportMoveError: It is not signed, or is queued or sent already.
        OtherEnvironmentError: It was signed for another environment.
        NotLiveError: It would go to the authority itself, which nobody has confirmed yet.
    """
    row = lock_report(connection, report)
    channel = ChannelKind(row.channel)
    environment = environment_of(settings, channel)
    if row.environment not in (None, environment) and after(Move.QUEUE, State(row.state)):
        raise OtherEnvironmentError(
            "report {report} was signed for the {before} environment, and the settings have "
            "{environment} now: return it, read it again, and sign it for this one",
            report=report,
            before=row.environment,
            environment=environment,
        )
    require_live(connection, channel, row.authority, environment)
    change_state(connection, report, Move.QUEUE, caller, clock, environment=environment)
    have_delivered(connection, report, clock)
    enter_move(connection, report, Move.QUEUE, caller, clock)


def environment_of(settings: Settings, channel: ChannelKind) -> Environment:
    """How real what goes by a channel is, as the settings have it now."""
    if channel is ChannelKind.CYBERTIPLINE:
        return Environment(settings.reporting.cybertipline.environment)
    return Environment.LIVE


def require_live(
    connection: Connection, channel: ChannelKind, authority: str, environment: Environment
) -> None:
    """See that somebody has confirmed, once, that the CyberTipline's reports are real.

    Raises:
        NotLiveError: Nobody has.
    """
    if channel is not ChannelKind.CYBERTIPLINE or environment is not Environment.LIVE:
        return
    if channel_state(connection, channel, authority).live_at is None:
        raise NotLiveError(
            "reports would go to the authority itself, and nobody has confirmed yet that this is "
            'meant: run "tutela report go-live" once'
        )


def have_delivered(connection: Connection, report: ReportId, clock: Clock) -> JobId:
    """Enqueue the one job of a report."""
    return enqueue(connection, DELIVER, {"report": report}, clock, dedupe=job_key(report))


def have_all_delivered(connection: Connection, clock: Clock) -> int:
    """Give each queued report that has lost its job a new one; counts them."""
    waiting = select(reports.c.id).where(reports.c.state == State.QUEUED, ~has_job(_KEY))
    found = list(connection.execute(waiting.order_by(reports.c.id)).scalars())
    for report in found:
        have_delivered(connection, ReportId(report), clock)
    return len(found)


def has_job(prefix: str) -> ColumnElement[bool]:
    """That there is a job whose key is the number of the report of a row, after a prefix."""
    return exists().where(jobs.c.dedupe == literal(prefix) + cast(reports.c.id, String))


def report_of_job(connection: Connection, job: Job) -> ReportId | None:
    """The report that a job is the one job of; ``None`` if it is no report's own.

    What its payload says may have been mended by a person, and two jobs of one report would send it
    twice. The key is nobody's to change.
    """
    key = connection.execute(select(jobs.c.dedupe).where(jobs.c.id == job.id)).scalar_one_or_none()
    number = (key or "").removeprefix(_KEY)
    if key is None or number == key or not number.isdecimal():
        return None
    return ReportId(int(number))


def job_key(report: ReportId) -> str:
    """The key by which there is one job a report."""
    return f"{_KEY}{report}"


_KEY = "report:"
