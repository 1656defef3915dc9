"""What became of a letter after the mail server took it: entered by people, kept in the ledger."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from tutela.accounts.model import Caller
from tutela.errors import InvalidInputError, NotFoundError, OutOfTurnError
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.reporting.finding import find_report
from tutela.reporting.letters.bounces import Bounce, Fate
from tutela.reporting.model import ChannelKind, ReportId
from tutela.reporting.states import State
from tutela.reporting.tables import delivery_attempts, delivery_notices
from tutela.storage.clock import Clock

_LONGEST = 300
# One that waits or is stopped may have arrived without the house knowing.
_MAY_HAVE_ARRIVED = {State.SENT, State.QUEUED, State.STOPPED}


@dataclass(frozen=True, slots=True)
class Notice:
    """That something was heard of a letter.

    Attributes:
        report: The report.
        at: When it was entered.
        by: By whom, as the ledger calls them.
        fate: What became of the letter.
        code: The status by RFC 3463; empty if none was given.
        words: What was said of it.
        number: What the authority calls the report, if it has said so.
    """

    report: ReportId
    at: datetime
    by: str
    fate: Fate
    code: str
    words: str
    number: str

    def as_fields(self) -> dict[str, object]:
        """The notice by names, as programs are given it."""
        return {
            "report": self.report,
            "at": self.at.isoformat(),
            "by": self.by,
            "fate": self.fate,
            "code": self.code,
            "words": self.words,
            "number": self.number,
        }


def notices_of(connection: Connection, report: ReportId) -> list[Notice]:
    """What was heard of a report after it was sent, the newest first.

    Raises:
        NotFoundError: There is no such report.
    """
    find_report(connection, report)
    rows = connection.execute(
        select(delivery_notices)
        .where(delivery_notices.c.report_id == report)
        .order_by(delivery_notices.c.id.desc())
    )
    return [
        Notice(
            report=report,
            at=row.at,
            by=row.by,
            fate=Fate(row.fate),
            code=row.code,
            words=row.words,
            number=row.number,
        )
        for row in rows
    ]


def report_of(connection: Connection, bounce: Bounce) -> ReportId:
    """Which report a mail server writes of.

    Raises:
        NotFoundError: No report was ever sent under that ``Message-ID``.
    """
    found = connection.execute(
        select(delivery_attempts.c.report_id)
        .where(delivery_attempts.c.remote_id == bounce.message)
        .limit(1)
    ).scalar_one_or_none()
    if found is None:
        raise NotFoundError("no report of this house was sent as the mail that the notice is about")
    return ReportId(found)


def enter_notice(
    connection: Connection,
    report: ReportId,
    fate: Fate,
    caller: Caller,
    clock: Clock,
    *,
    code: str = "",
    words: str = "",
    number: str = "",
) -> None:
    """Note what became of a letter, and say so in the ledger. Do it last in the transaction.

    Args:
        connection: A transaction that writes.
        report: The report.
        fate: What became of it.
        caller: Who says so.
        clock: The time.
        code: The status by RFC 3463.
        words: What else is known: no personal data.
        number: What the authority calls the report.

    Raises:
        NotFoundError: There is no such report.
        InvalidInputError: The words or the number cannot be used.
        OutOfTurnError: It was not sent as a letter.
    """
    found = find_report(connection, report)
    if found.channel is ChannelKind.CYBERTIPLINE or found.state not in _MAY_HAVE_ARRIVED:
        raise OutOfTurnError(
            "report {report} was not sent as a letter: it is {state}, by {channel}",
            report=report,
            state=found.state,
            channel=found.channel,
        )
    for each in (words, number):
        if len(each) > _LONGEST or not each.isprintable():
            raise InvalidInputError(
                "words and numbers are printable, of at most {longest} letters", longest=_LONGEST
            )
    connection.execute(
        insert(delivery_notices).values(
            report_id=report,
            at=clock(),
            by=caller.actor.id,
            fate=fate,
            code=code,
            words=words.strip(),
            number=number.strip(),
        )
    )
    append(
        connection, caller.actor, Act.REPORT_FOLLOWED, clock, case=found.case, thing=found.thing,
        reason=fate,
    )  # fmt: skip
