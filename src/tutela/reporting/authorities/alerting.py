"""Saying once of a case that it has to be reported soon."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select, tuple_

from tutela.cases.model import CaseId
from tutela.cases.states import State
from tutela.cases.tables import cases
from tutela.ledger.appending import append
from tutela.ledger.model import SYSTEM, Act
from tutela.reporting.authorities.clocks import clocks
from tutela.reporting.authorities.model import Binding, Directory
from tutela.reporting.authorities.routing import Circumstances, Route, route
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.authorities.tables import clock_alerts
from tutela.reporting.authorities.told import told_of
from tutela.reporting.authorities.weighing import circumstances_of_cases
from tutela.reporting.states import ENDED
from tutela.reporting.states import State as ReportState
from tutela.reporting.tables import reports
from tutela.storage.clock import Clock
from tutela.storage.database import Database, insert_or_ignore
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job, Kind
from tutela.storage.mailing import send_words
from tutela.storage.settings import Settings

WATCH = "report.watch-clocks"
"""The job that looks, every ten minutes, which cases have to be reported soon."""

ALERT = "report.clock-alert"
"""The job that tells people of them by mail, if they want that."""

_AT_ONCE = 200
_LISTED = 50
# A case is reported as soon as one authority has it. Another one may still wait for its report.
_UNSENT = select(reports.c.case_id).where(
    reports.c.state.in_(tuple(each for each in ReportState if each not in ENDED)),
    reports.c.corrects.is_(None),
)


@dataclass(frozen=True, slots=True)
class NearClock:
    """A case that has to be reported soon, or should have been.

    Attributes:
        case: The case.
        confirmed_at: When it was confirmed.
        due_at: Until when it has to be reported.
    """

    case: CaseId
    confirmed_at: datetime
    due_at: datetime


def kinds_of_clocks(settings: Settings, database: Database, clock: Clock) -> Iterator[Kind]:
    """Watching the clocks, and telling people of those that are near."""

    def watch(_job: Job) -> None:
        raise_alerts(settings, database, clock)

    def alert(job: Job) -> None:
        cases_told = job.payload["cases"]
        recipient = settings.reporting.alert_to
        if recipient is None or not isinstance(cases_told, list):
            return  # The page of authorities has them, and the ledger.
        subject, words = _subject_and_words([str(case) for case in cases_told])
        send_words(settings.mail, recipient, subject, words)

    yield Kind(WATCH, watch, schedule="*/10 * * * *")
    yield Kind(ALERT, alert, attempts=20)


def raise_alerts(settings: Settings, database: Database, clock: Clock) -> list[CaseId]:
    """Raise an alert for each case whose clock is near and for which there was none.

    Returns:
        The cases.
    """
    now = clock()
    with database.reading() as connection:
        near = list(_near_clocks(connection, settings, now))
    raised: list[CaseId] = []
    for start in range(0, len(near), _AT_ONCE):
        with database.writing() as connection:
            new = [
                each.case for each in near[start : start + _AT_ONCE] if _keep(connection, each, now)
            ]
            if new:
                enqueue(connection, ALERT, {"cases": list(new)}, clock)
            for case in new:
                append(connection, SYSTEM, Act.CASE_CLOCK_NEAR, clock, case=case)
        raised += new
    return raised


def alerted_cases(connection: Connection, most: int = _LISTED) -> list[NearClock]:
    """The cases of which people were told, and of which a report is still owed; first due first.

    Args:
        connection: A transaction.
        most: How many at most.
    """
    rows = connection.execute(
        select(clock_alerts)
        .join(
            cases,
            and_(
                cases.c.id == clock_alerts.c.case_id,
                cases.c.decided_at == clock_alerts.c.confirmed_at,
            ),
        )
        # As an expression, so that no index of states is taken for a way in: few have an alert,
        # and many are confirmed.
        .where(
            or_(
                cases.c.state.concat("") == State.CONFIRMED,
                and_(cases.c.state.concat("") == State.REPORTED, cases.c.id.in_(_UNSENT)),
            )
        )
        .order_by(clock_alerts.c.due_at, clock_alerts.c.case_id)
        .limit(most)
    )
    return [NearClock(CaseId(row.case_id), row.confirmed_at, row.due_at) for row in rows]


def _near_clocks(connection: Connection, settings: Settings, now: datetime) -> Iterator[NearClock]:
    directory = directory_now(connection, settings)
    first = _first_hours(settings, directory)
    if first is None:
        return
    before = timedelta(hours=settings.reporting.alert_before_hours)
    own = settings.reporting.within_hours
    routes: dict[Circumstances, tuple[Route, ...]] = {}
    latest = now + before - timedelta(hours=first)
    confirmed = cases.c.state == State.CONFIRMED
    elsewhere = and_(cases.c.state == State.REPORTED, cases.c.id.in_(_UNSENT))
    for rows in chain(*(_pages(connection, latest, those) for those in (confirmed, elsewhere))):
        known = circumstances_of_cases(
            connection, settings, {CaseId(row.id): row.facts for row in rows}
        )
        for row in rows:
            case = CaseId(row.id)
            if known[case] not in routes:
                routes[known[case]] = route(directory, known[case])
            owed = clocks(routes[known[case]], row.decided_at, own)
            if not owed or owed[0].due_at > now + before:
                continue
            # Only now it matters who has been told, and what that makes unnecessary.
            told = told_of(connection, case)
            running = clocks(route(directory, known[case], told), row.decided_at, own, told)
            if running and running[0].due_at <= now + before:
                yield NearClock(case, row.decided_at, running[0].due_at)


def _pages(
    connection: Connection, latest: datetime, those: ColumnElement[bool]
) -> Iterator[Sequence[Any]]:
    """Of those cases the ones without an alert, confirmed until a moment, the oldest first."""
    order = (cases.c.decided_at, cases.c.id)
    alerted = select(clock_alerts.c.case_id).where(
        clock_alerts.c.case_id == cases.c.id, clock_alerts.c.confirmed_at == cases.c.decided_at
    )
    wanted = (
        select(cases.c.id, cases.c.decided_at, cases.c.facts)
        .where(
            those,
            cases.c.decided_at <= latest,
            ~alerted.exists(),
        )
        .order_by(*order)
        .limit(_AT_ONCE)
    )
    page = connection.execute(wanted).all()
    while page:
        yield page
        last = page[-1]
        page = connection.execute(
            wanted.where(tuple_(*order) > tuple_(last.decided_at, last.id))
        ).all()


def _first_hours(settings: Settings, directory: Directory) -> int | None:
    """The fewest hours that any duty leaves, or ``None`` if nobody has to be told of anything."""
    hours = [
        duty.within_hours or settings.reporting.within_hours
        for duty in directory.duties.values()
        if duty.counts and duty.binding is Binding.MUST
    ]
    return min(hours, default=None)


def _keep(connection: Connection, near: NearClock, now: datetime) -> bool:
    kept = insert_or_ignore(connection, clock_alerts).values(
        case_id=near.case, confirmed_at=near.confirmed_at, due_at=near.due_at, raised_at=now
    )
    return connection.execute(kept.returning(clock_alerts.c.case_id)).first() is not None


def _subject_and_words(numbers: Sequence[str]) -> tuple[str, str]:
    count = len(numbers)
    what = "1 case has" if count == 1 else f"{count} cases have"
    more = [f"and {count - _LISTED} more"] if count > _LISTED else []
    listed = "\n".join([*numbers[:_LISTED], *more])
    return f"Tutela: {what} to be reported soon", (
        f"{what} been confirmed and not been reported, and the time for it is nearly up, "
        f"or over:\n\n{listed}\n\n"
        'See /authorities or "tutela authority route --case CASE" for whom each goes to, until '
        "when, and why.\n\n"
        "You get no further mail of these cases.\n"
    )
