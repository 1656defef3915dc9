"""How long authorities wait for reports: counted in the background, a row a day and authority.

No page counts reports. Each day keeps how many waited for about how long, in steps that grow by a
twenty-fifth: from any number of days the middle is known to two parts in a hundred. A day is one of
UTC. They tell of the work, and of no person.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from tutela.cases.states import State as CaseState
from tutela.cases.tables import cases
from tutela.reporting.delivery.queueing import environment_of
from tutela.reporting.following.tables import report_days, report_waits
from tutela.reporting.model import ChannelKind, Environment
from tutela.reporting.overview import is_begun
from tutela.reporting.states import State
from tutela.reporting.tables import reports
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.model import Job, Kind
from tutela.storage.settings import Settings

COUNT_LEVELS = "report.count-levels"
"""The kind of job that counts."""

_NOBODY_YET = ""
_DAY = timedelta(days=1)
# What was counted last was counted before the day ended.
_COUNTED_AGAIN = 2 * _DAY
_FURTHEST_BACK = 400 * _DAY
_STEP = math.log(1.04)
_SLOW = 0.95
_WAITING = (State.DRAFT, State.SIGNED, State.APPROVED, State.QUEUED, State.STOPPED)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long some reports waited, in seconds; ``None`` where there were none.

    Attributes:
        median: In the middle.
        slow: The time within which 95 of 100 of them were with the authority.
    """

    median: int | None
    slow: int | None


@dataclass(frozen=True, slots=True)
class Level:
    """How long an authority waited in some days.

    Attributes:
        authority: Its id in the directory.
        environment: How real these reports were.
        sent: How many there were; what corrects an earlier one is left out.
        from_opened: From the case's opening to the authority's having it.
        from_confirmed: From its confirmation.
    """

    authority: str
    environment: Environment
    sent: int
    from_opened: Waits
    from_confirmed: Waits


@dataclass(frozen=True, slots=True)
class DayLevel:
    """One day, over all authorities that were told in earnest."""

    day: date
    sent: int
    from_opened: Waits
    from_confirmed: Waits


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits to be reported.

    Attributes:
        authority: To whom; ``None``: of confirmed cases of which no report is begun.
        count: How many.
        oldest_at: When the oldest of these cases was confirmed, or its report begun where nobody
            knows that.
    """

    authority: str | None
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Levels:
    """What is known of how long authorities wait.

    Attributes:
        authorities: Each, by how real its reports were.
        waiting: What waits now, what waits longest first.
        days: Each day on which something was sent that counts, the oldest first. What is live
            counts, or, in a house that has nothing live, all.
        counted_at: When it was counted last; ``None`` if it never was.
    """

    authorities: Sequence[Level]
    waiting: Sequence[Waiting]
    days: Sequence[DayLevel]
    counted_at: datetime | None


def read_levels(connection: Connection, days: int, clock: Clock) -> Levels:
    """What was counted of the last days, today's among them.

    Args:
        connection: Where to read.
        days: How many days.
        clock: The time.
    """
    first = clock().astimezone(UTC).date() - (days - 1) * _DAY
    rows = connection.execute(
        select(report_days).where(report_days.c.day >= first).order_by(report_days.c.day)
    ).all()
    waits = connection.execute(select(report_waits).order_by(report_waits.c.oldest_at)).all()
    keys = sorted({(row.authority, row.environment) for row in rows})
    live = [row for row in rows if row.environment == Environment.LIVE]
    counting = live or rows
    counted = connection.execute(select(func.max(report_days.c.counted_at))).scalar_one_or_none()
    moments = [row.counted_at for row in waits] + ([] if counted is None else [counted])
    return Levels(
        authorities=[
            Level(
                authority,
                Environment(environment),
                *_summed(
                    row
                    for row in rows
                    if (row.authority, row.environment) == (authority, environment)
                ),
            )
            for authority, environment in keys
            if authority != _NOBODY_YET
        ],
        waiting=[Waiting(row.authority or None, row.waiting, row.oldest_at) for row in waits],
        days=[
            DayLevel(day, *_summed(row for row in counting if row.day == day))
            for day in sorted({row.day for row in counting if row.authority != _NOBODY_YET})
        ],
        counted_at=max(moments, default=None),
    )


def counting_levels(settings: Settings, database: Database, clock: Clock) -> Kind:
    """The kind of job that counts, every five minutes."""
    environment = environment_of(settings, ChannelKind.CYBERTIPLINE)

    def run(_job: Job) -> None:
        count_levels(database, environment, clock)

    return Kind(COUNT_LEVELS, run, attempts=3, schedule="2-59/5 * * * *")


def count_levels(database: Database, environment: Environment, clock: Clock) -> None:
    """Count what has changed since it was last done: most often today and yesterday."""
    with database.reading() as connection:
        day = _first_to_count(connection, clock)
    today = clock().astimezone(UTC).date()
    while day <= today:
        with database.reading() as connection:
            counted = _count(connection, day, clock)
        with database.writing() as connection:
            connection.execute(delete(report_days).where(report_days.c.day == day))
            connection.execute(insert(report_days), counted)
        day += _DAY
    with database.reading() as connection:
        waiting = _count_waiting(connection, environment, clock)
    with database.writing() as connection:
        connection.execute(delete(report_waits))
        if waiting:
            connection.execute(insert(report_waits), waiting)


def _first_to_count(connection: Connection, clock: Clock) -> date:
    today = clock().astimezone(UTC).date()
    newest: date | None = connection.execute(
        select(func.max(report_days.c.day))
    ).scalar_one_or_none()
    if newest is not None:
        return min(newest - _COUNTED_AGAIN + _DAY, today)
    oldest = connection.execute(select(func.min(reports.c.sent_at))).scalar_one_or_none()
    begin = today if oldest is None else oldest.astimezone(UTC).date()
    return max(begin, today - _FURTHEST_BACK)


def _count(connection: Connection, day: date, clock: Clock) -> list[dict[str, object]]:
    begin = datetime.combine(day, time(), UTC)
    sent = connection.execute(
        select(
            reports.c.authority,
            reports.c.environment,
            reports.c.sent_at,
            cases.c.opened_at,
            cases.c.decided_at,
        )
        .join(cases, cases.c.id == reports.c.case_id)
        .where(
            reports.c.sent_at >= begin,
            reports.c.sent_at < begin + _DAY,
            reports.c.corrects.is_(None),
        )
    )
    numbers: Counter[tuple[str, str]] = Counter()
    opened: dict[tuple[str, str], Counter[str]] = {}
    confirmed: dict[tuple[str, str], Counter[str]] = {}
    for row in sent:
        key = (row.authority, row.environment or Environment.SANDBOX)
        numbers[key] += 1
        for since, counts in ((row.opened_at, opened), (row.decided_at, confirmed)):
            # A case that was decided anew since then says nothing of how long this one waited.
            if since is not None and since <= row.sent_at:
                step = _step_of((row.sent_at - since).total_seconds())
                counts.setdefault(key, Counter())[str(step)] += 1
    # One for nobody: by it the day is known to be counted.
    keys = [*sorted(numbers), (_NOBODY_YET, _NOBODY_YET)]
    return [
        {
            "day": day,
            "authority": key[0],
            "environment": key[1],
            "sent": numbers[key],
            "from_opened": dict(opened.get(key, {})),
            "from_confirmed": dict(confirmed.get(key, {})),
            "counted_at": clock(),
        }
        for key in keys
    ]


def _count_waiting(
    connection: Connection, environment: Environment, clock: Clock
) -> list[dict[str, object]]:
    rows = connection.execute(
        select(
            reports.c.authority,
            func.count().label("waiting"),
            func.min(cases.c.decided_at).label("confirmed"),
            func.min(reports.c.made_at).label("made"),
        )
        .join(cases, cases.c.id == reports.c.case_id)
        .where(reports.c.state.in_(_WAITING), reports.c.corrects.is_(None))
        .group_by(reports.c.authority)
    ).all()
    begun = is_begun(environment)
    unbegun = connection.execute(
        select(func.count().label("waiting"), func.min(cases.c.decided_at).label("oldest")).where(
            cases.c.state == CaseState.CONFIRMED, cases.c.decided_at.is_not(None), ~begun
        )
    ).one()
    counted: list[dict[str, object]] = [
        {
            "authority": row.authority,
            "waiting": row.waiting,
            "oldest_at": row.confirmed or row.made,
            "counted_at": clock(),
        }
        for row in rows
    ]
    if unbegun.waiting:
        counted.append(
            {
                "authority": _NOBODY_YET,
                "waiting": unbegun.waiting,
                "oldest_at": unbegun.oldest,
                "counted_at": clock(),
            }
        )
    return counted


def _summed(rows: Iterable[Row[Any]]) -> tuple[int, Waits, Waits]:
    sent, opened, confirmed = 0, Counter[int](), Counter[int]()
    for row in rows:
        sent += row.sent
        _add(opened, row.from_opened)
        _add(confirmed, row.from_confirmed)
    return sent, _waits(opened), _waits(confirmed)


def _add(counts: Counter[int], kept: Mapping[str, int]) -> None:
    for step, count in kept.items():
        counts[int(step)] += count


def _waits(counts: Counter[int]) -> Waits:
    return Waits(_at(counts, 0.5), _at(counts, _SLOW))


def _at(counts: Counter[int], part: float) -> int | None:
    """The time below which this part of them lies, by the nearest rank."""
    total = counts.total()
    passed = 0
    for step in sorted(counts):
        passed += counts[step]
        if passed > min(total - 1, int(part * total)):
            return _seconds_of(step)
    return None


def _step_of(seconds: float) -> int:
    return 0 if seconds < 1 else 1 + int(math.log(seconds) / _STEP)


def _seconds_of(step: int) -> int:
    """The middle of a step."""
    return 0 if step == 0 else round(math.exp((step - 0.5) * _STEP))
