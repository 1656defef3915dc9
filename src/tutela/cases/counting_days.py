"""The figures of each day: what came in, what was decided, how long it took, what waits.

They are counted in the background and kept, a row a day, so that no page ever counts a million
cases. A day is one of UTC. They tell of the work, and of no person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from tutela.cases.deciding import Decision, Stage
from tutela.cases.states import State
from tutela.cases.tables import case_ages, case_days, case_decisions, cases
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.model import Job, Kind

COUNT_DAYS = "cases.count-days"
"""The kind of job that counts."""

WAITING = (
    State.OPEN,
    State.IN_REVIEW,
    State.SECOND_LOOK,
    State.IN_SECOND_LOOK,
    State.DISPUTED,
    State.UNDER_APPEAL,
)
"""The states in which a case waits for a person's decision."""

_DAY = timedelta(days=1)
# What was decided today may be undone, and what was counted last was counted before the day ended.
_COUNTED_AGAIN = 2 * _DAY
_FURTHEST_BACK = 400 * _DAY
_SLOW = 0.95
_CASES_AT_ONCE = 500


class Age(StrEnum):
    """For how long a case has waited."""

    HOUR = "hour"
    """Less than an hour."""
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    OLDER = "older"

    @property
    def at_most(self) -> timedelta | None:
        """The age at which it ends."""
        return _AGES[self]


_AGES = {
    Age.HOUR: timedelta(hours=1),
    Age.DAY: _DAY,
    Age.WEEK: timedelta(days=7),
    Age.MONTH: timedelta(days=30),
    Age.OLDER: None,
}


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day.

    Attributes:
        day: Which.
        opened: Cases that were opened.
        confirmed: Decisions that it is what it was taken for; those that were undone left out.
        not_confirmed: Decisions that it is not.
        not_sure: Decisions of people who were not sure.
        second_looks: Cases that a second person decided on.
        agreed: Those of them on which the second person decided as the first one had.
        median_seconds: From a case's opening to its first decision, in the middle.
        slow_seconds: The same for the one in twenty that took longest.
    """

    day: date
    opened: int
    confirmed: int
    not_confirmed: int
    not_sure: int
    second_looks: int
    agreed: int
    median_seconds: int | None
    slow_seconds: int | None

    @property
    def decisions(self) -> int:
        """All decisions."""
        return self.confirmed + self.not_confirmed + self.not_sure


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of the work.

    Attributes:
        days: The days that are asked for, the oldest first, without a gap from the first counted.
        ages: How many cases wait, by how long they do.
        counted_at: When that was counted last; ``None`` if it never was.
    """

    days: Sequence[DayFigures]
    ages: dict[Age, int]
    counted_at: datetime | None

    @property
    def agreement(self) -> float | None:
        """The part of second looks that agreed with the first, in all these days."""
        looks = sum(day.second_looks for day in self.days)
        return sum(day.agreed for day in self.days) / looks if looks else None


def read_figures(connection: Connection, days: int, clock: Clock) -> Figures:
    """The figures of the last days, today's among them.

    Args:
        connection: Where to read.
        days: How many days.
        clock: The time.
    """
    first = clock().astimezone(UTC).date() - (days - 1) * _DAY
    rows = connection.execute(
        select(case_days).where(case_days.c.day >= first).order_by(case_days.c.day)
    ).mappings()
    known = [
        DayFigures(**{name: value for name, value in row.items() if name != "counted_at"})
        for row in rows
    ]
    ages = connection.execute(select(case_ages)).all()
    waiting = {Age(row.age): row.waiting for row in ages}
    return Figures(
        days=known,
        ages={age: waiting.get(age, 0) for age in Age} if ages else {},
        counted_at=max((row.counted_at for row in ages), default=None),
    )


def counting_days(database: Database, clock: Clock) -> Kind:
    """The kind of job that counts, every five minutes."""

    def run(_job: Job) -> None:
        count_days(database, clock)

    return Kind(COUNT_DAYS, run, attempts=3, schedule="*/5 * * * *")


def count_days(database: Database, clock: Clock) -> None:
    """Count what has changed since it was last done: most often today and yesterday."""
    with database.reading() as connection:
        first = _first_to_count(connection, clock)
    today = clock().astimezone(UTC).date()
    day = first
    while day <= today:
        with database.reading() as connection:
            figures = _count(connection, day)
        with database.writing() as connection:
            connection.execute(delete(case_days).where(case_days.c.day == day))
            connection.execute(
                insert(case_days).values(
                    **{name: getattr(figures, name) for name in DayFigures.__slots__},
                    counted_at=clock(),
                )
            )
        day += _DAY
    with database.reading() as connection:
        ages = _count_ages(connection, clock())
    with database.writing() as connection:
        connection.execute(delete(case_ages))
        connection.execute(
            insert(case_ages),
            [
                {"age": age, "waiting": waiting, "counted_at": clock()}
                for age, waiting in ages.items()
            ],
        )


def _first_to_count(connection: Connection, clock: Clock) -> date:
    today = clock().astimezone(UTC).date()
    newest: date | None = connection.execute(select(func.max(case_days.c.day))).scalar_one_or_none()
    if newest is not None:
        return min(newest - _COUNTED_AGAIN + _DAY, today)
    oldest = connection.execute(select(func.min(cases.c.opened_at))).scalar_one_or_none()
    begin = today if oldest is None else oldest.astimezone(UTC).date()
    return max(begin, today - _FURTHEST_BACK)


def _count(connection: Connection, day: date) -> DayFigures:
    begin = datetime.combine(day, time(), UTC)
    opened = connection.execute(
        select(func.count())
        .select_from(cases)
        .where(cases.c.opened_at >= begin, cases.c.opened_at < begin + _DAY)
    ).scalar_one()
    taken = connection.execute(
        select(
            case_decisions.c.case_id,
            case_decisions.c.stage,
            case_decisions.c.decision,
            case_decisions.c.decided_at,
            cases.c.opened_at,
        )
        .join(cases, cases.c.id == case_decisions.c.case_id)
        .where(
            case_decisions.c.decided_at >= begin,
            case_decisions.c.decided_at < begin + _DAY,
            case_decisions.c.undone_at.is_(None),
        )
    ).all()
    kinds = [Decision(each.decision) for each in taken]
    seconds = sorted(
        (each.decided_at - each.opened_at).total_seconds()
        for each in taken
        if each.stage == Stage.FIRST
    )
    second = {each.case_id: each.decision for each in taken if each.stage == Stage.SECOND}
    first = dict(_first_decisions(connection, sorted(second)))
    return DayFigures(
        day=day,
        opened=opened,
        confirmed=kinds.count(Decision.CONFIRMED),
        not_confirmed=kinds.count(Decision.NOT_CONFIRMED),
        not_sure=kinds.count(Decision.NOT_SURE),
        second_looks=len(second),
        agreed=sum(first.get(case) == decision for case, decision in second.items()),
        median_seconds=_at(seconds, 0.5),
        slow_seconds=_at(seconds, _SLOW),
    )


def _first_decisions(connection: Connection, chosen: Sequence[str]) -> Iterator[tuple[str, str]]:
    for start in range(0, len(chosen), _CASES_AT_ONCE):
        rows = connection.execute(
            select(case_decisions.c.case_id, case_decisions.c.decision)
            .where(
                case_decisions.c.case_id.in_(chosen[start : start + _CASES_AT_ONCE]),
                case_decisions.c.stage == Stage.FIRST,
                case_decisions.c.undone_at.is_(None),
            )
            .order_by(case_decisions.c.id)
        )
        yield from ((row.case_id, row.decision) for row in rows)


def _count_ages(connection: Connection, now: datetime) -> dict[Age, int]:
    found = {}
    later = None
    for age in Age:
        conditions: list[ColumnElement[bool]] = [cases.c.state.in_(WAITING)]
        if later is not None:
            conditions.append(cases.c.opened_at <= now - later)
        if age.at_most is not None:
            conditions.append(cases.c.opened_at > now - age.at_most)
        later = age.at_most
        found[age] = connection.execute(
            select(func.count()).select_from(cases).where(*conditions)
        ).scalar_one()
    return found


def _at(ordered: Sequence[float], part: float) -> int | None:
    """The value below which this part of the values lies, by the nearest rank."""
    return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))]) if ordered else None
