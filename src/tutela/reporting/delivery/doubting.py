"""What may have been sent since a backup, after the house was restored from it.

A backup does not know what was sent after it was made. So whatever it knows of that was not sent
is in doubt after a restore, and so is each report that is begun later of a case that it knows: it
is not sent before somebody has said that the authority does not have it. Whoever knows the
authority's number for it says so; where the authority can be asked (ADR 37), that answers, and
nothing is sent again.
"""

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from tutela.accounts.model import Caller
from tutela.cases.moving import holder_of
from tutela.errors import AlreadyExistsError, InvalidInputError, OutOfTurnError
from tutela.ledger.model import Act
from tutela.reporting.delivery.channel import Step
from tutela.reporting.delivery.notebook import add_attempt, being_sent_as
from tutela.reporting.delivery.queueing import environment_of
from tutela.reporting.delivery.resting import DELIVER
from tutela.reporting.finding import SHOWN, report_numbered, report_of
from tutela.reporting.model import ChannelKind, Environment, Report, ReportId
from tutela.reporting.moving import enter, lock_report
from tutela.reporting.states import ENDED
from tutela.reporting.tables import house_restorations, reports
from tutela.storage.clock import Clock
from tutela.storage.jobs.tending import hurry
from tutela.storage.settings import Settings

LONGEST_NUMBER = 200
"""How many characters an authority's number for a report may have."""


def doubt_unsent(connection: Connection, backup_at: datetime) -> int:
    """Have nothing sent unasked that may have been sent since a backup; gives how many reports.

    Args:
        connection: The transaction in which the house is restored.
        backup_at: The backup's moment.
    """
    connection.execute(insert(house_restorations).values(backup_at=backup_at))
    unsent = update(reports).where(reports.c.state.not_in(ENDED)).returning(reports.c.id)
    return len(connection.execute(unsent.values(doubted_since=backup_at)).all())


def doubted(
    connection: Connection, *, after: ReportId | None = None, limit: int = 50
) -> list[Report]:
    """The reports that may have been sent already, what was begun first at the beginning.

    Args:
        connection: A transaction.
        after: Only those that come after this one: how the next page is asked for.
        limit: How many at most.
    """
    wanted = select(*SHOWN).where(reports.c.doubted_since.is_not(None)).order_by(reports.c.id)
    if after is not None:
        wanted = wanted.where(reports.c.id > after)
    return [report_of(row) for row in connection.execute(wanted.limit(limit))]


def count_doubted(connection: Connection) -> int:
    """How many reports may have been sent already."""
    wanted = select(func.count()).where(reports.c.doubted_since.is_not(None))
    return connection.execute(wanted).scalar_one()


def say_sent(
    connection: Connection,
    settings: Settings,
    report: ReportId,
    number: str,
    caller: Caller,
    clock: Clock,
) -> None:
    """Say that the authority has a report that is in doubt, by this number. Do it last.

    The CyberTipline is asked whether it has: if so, the report is recorded as sent when its turn
    comes, and if not, it stays in doubt. By mail and webhook nobody can be asked: what is said
    counts.

    Raises:
        NotFoundError: There is no such report.
        OutOfTurnError: It is not in doubt.
        InvalidInputError: There is no number, or it is none.
        AlreadyExistsError: It is another report's.
        NotPermittedError: The caller is a program: people stand for it.
    """
    holder_of(caller)
    number = number.strip()
    if not number or len(number) > LONGEST_NUMBER:
        raise InvalidInputError(
            "give the authority's number: {longest} characters at most", longest=LONGEST_NUMBER
        )
    row = lock_report(connection, report)
    _require_doubt(report, row.doubted_since)
    channel = ChannelKind(row.channel)
    can_be_asked = channel is ChannelKind.CYBERTIPLINE
    if can_be_asked and not (number.isascii() and number.isdigit()):
        raise InvalidInputError("the CyberTipline's numbers are digits alone")
    environment = Environment(row.environment or environment_of(settings, channel))
    there = report_numbered(connection, row.authority, environment, number) or being_sent_as(
        connection, row.authority, environment, number, but=report
    )
    if there is not None:
        raise AlreadyExistsError(
            "{number} is the number of report {there} already", number=number, there=there
        )
    now = clock()
    step = Step.FINISHING if can_be_asked else Step.FINISHED
    add_attempt(connection, report, environment, now, step=step, remote_id=number, heard_at=now)
    hurry(connection, DELIVER, clock)
    said = f"the authority calls it {number}"
    enter(connection, report, row.case_id, Act.REPORT_SAID_SENT, caller, clock, reason=said)


def say_unsent(
    connection: Connection, report: ReportId, caller: Caller, clock: Clock, *, reason: str
) -> None:
    """Say that the authority does not have a report that is in doubt: it goes on. Do it last.

    Raises:
        NotFoundError: There is no such report.
        OutOfTurnError: It is not in doubt.
        InvalidInputError: It is not said how that is known.
        NotPermittedError: The caller is a program: people stand for it.
    """
    holder_of(caller)
    if not reason.strip():
        raise InvalidInputError("say how you know that it was not sent: the ledger keeps it")
    row = lock_report(connection, report)
    _require_doubt(report, row.doubted_since)
    connection.execute(update(reports).where(reports.c.id == report).values(doubted_since=None))
    hurry(connection, DELIVER, clock)
    enter(connection, report, row.case_id, Act.REPORT_SAID_UNSENT, caller, clock, reason=reason)


def _require_doubt(report: ReportId, since: datetime | None) -> None:
    if since is None:
        raise OutOfTurnError("report {report} is not in doubt: look at it again", report=report)
