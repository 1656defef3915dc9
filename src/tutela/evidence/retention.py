"""How long a piece of evidence is kept: the rule, what moves its clock, and when it is due.

Pure: ``due`` is told everything and touches nothing. Every doubt is decided for keeping, since what
was destroyed cannot be had again: days are counted so that no time zone cuts a period short, a
hold stops everything, and a rule that nobody stands for is never carried out.
"""

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Self

from tutela.errors import InvalidInputError

# Where a moment's day is the earliest and the latest on earth.
_WESTERNMOST, _EASTERNMOST = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time by the calendar: a year is a year, whether it has 365 days or 366."""

    years: int = 0
    months: int = 0
    days: int = 0

    @classmethod
    def read(cls, text: str) -> Self:
        """Understand a period as people write it: ``1y``, ``6m``, ``90d``, ``1y6m``.

        Raises:
            InvalidInputError: It is no period, or it is empty.
        """
        written = re.fullmatch(r"(?:(\d{1,2})y)?(?:(\d{1,3})m)?(?:(\d{1,5})d)?", text.strip())
        period = cls(*(int(number or 0) for number in written.groups())) if written else cls()
        if period == cls():
            raise InvalidInputError(
                '"{text}" is not a period: write years, months and days as 1y, 6m, 90d or 1y6m',
                text=text,
            )
        return period

    def after(self, day: date) -> date:
        """The same day so much later; where the calendar lacks it, the first day after."""
        month, day_of_month = self._month_after(day)
        missing = day_of_month > calendar.monthrange(month.year, month.month)[1]
        counted = _first_of_next(month) if missing else month.replace(day=day_of_month)
        return counted + timedelta(days=self.days)

    def no_later_than(self, day: date) -> date:
        """The same day so much later; where the calendar lacks it, the last day before."""
        month, day_of_month = self._month_after(day)
        last = calendar.monthrange(month.year, month.month)[1]
        return month.replace(day=min(day_of_month, last)) + timedelta(days=self.days)

    def _month_after(self, day: date) -> tuple[date, int]:
        months = day.month - 1 + self.months
        year = day.year + self.years + months // 12
        return date(year, months % 12 + 1, 1), day.day

    def __str__(self) -> str:
        parts = [
            f"{number} {unit}{'' if number == 1 else 's'}"
            for number, unit in ((self.years, "year"), (self.months, "month"), (self.days, "day"))
            if number
        ]
        return " and ".join(parts) or "no time"


class EventKind(StrEnum):
    """What can happen in law to a piece of evidence."""

    REPORT_FINISHED = "report-finished"
    """A report to an authority that contains it is complete."""
    PRESERVATION_LETTER = "preservation-letter"
    """An authority asks that it be kept, until a date or for a period."""
    DESTRUCTION_REQUESTED = "destruction-requested"
    """Law enforcement asks that it be destroyed, as 18 U.S.C. 2258B(c)(2) has it."""
    DESTRUCTION_ORDERED = "destruction-ordered"
    """The operator orders it destroyed at once. It moves no clock: it is carried out right away."""


class Start(StrEnum):
    """What starts a rule's clock."""

    SEALED = "sealed"
    REPORT_FINISHED = "report-finished"


class Bound(StrEnum):
    """Which side of the period the law is on."""

    AT_LEAST = "at-least"
    """It must not be destroyed before."""
    AT_MOST = "at-most"
    """It must not be kept after."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one jurisdiction has evidence kept.

    Attributes:
        id: Its name, such as ``us-2258a``.
        version: Which wording of it; what was sealed under one stays under it.
        jurisdiction: Whose rule: a country's two letters, or ``EU``.
        starts: What starts the clock.
        period: How long after that.
        bound: Whether it must be kept for that long at least, or at most.
        extended_by: What makes the period begin anew, besides what starts it. A preservation letter
            extends every rule and is not named here.
        source: Where the law says so, or empty: then nobody has looked, and it is unverified.
        checked_on: When that source was read.
        notes: What an operator should know before relying on it.
        digest: SHA-256 of the terms in hex: of all that decides when something is due.
    """

    id: str
    version: int
    jurisdiction: str
    starts: Start
    period: Period
    bound: Bound
    extended_by: frozenset[EventKind]
    source: str
    checked_on: date | None
    notes: str
    digest: str

    @property
    def name(self) -> str:
        """The id and the version: ``us-2258a@1``."""
        return f"{self.id}@{self.version}"

    @property
    def is_verified(self) -> bool:
        """Whether somebody read the source that it names."""
        return bool(self.source) and self.checked_on is not None


@dataclass(frozen=True, slots=True)
class LegalEvent:
    """Something that happened in law.

    Attributes:
        kind: What happened.
        at: When: the report's end, the letter's date, the request's date.
        reference: What the authority calls it.
        until: For a letter: the last day on which it asks for keeping.
        period: For a letter: how long from its date it asks for keeping.
    """

    kind: EventKind
    at: datetime
    reference: str
    until: date | None = None
    period: Period | None = None

    @property
    def last_day(self) -> date | None:
        """For a letter: the last day on which it asks for keeping, by its date and its period."""
        days = [] if self.until is None else [self.until]
        if self.period is not None:
            days.append(self.period.after(_last_day_of(self.at)))
        return max(days, default=None)


@dataclass(frozen=True, slots=True)
class Due:
    """When a piece of evidence is due to be destroyed.

    Attributes:
        at: From when on it is due, or ``None`` if no day can be named.
        why: The same in words, for people.
    """

    at: datetime | None
    why: str

    def is_due(self, now: datetime) -> bool:
        """Whether it is due already."""
        return self.at is not None and self.at <= now


def due(
    rule: Rule | None,
    confirmed: bool,
    sealed_at: datetime,
    events: Iterable[LegalEvent],
    holds: Iterable[str],
    *,
    now: datetime,
    unruled: str = "no rule: it is kept until it is given one",
) -> Due:
    """When a piece of evidence is due to be destroyed, and why.

    Args:
        rule: The rule that it is kept under, if any.
        confirmed: Whether an operator has confirmed the rule as it reads now.
        sealed_at: When it was sealed.
        events: What happened to it in law, in any order.
        holds: The references of the holds that are on it.
        now: The present moment.
        unruled: What to say where there is no rule.
    """
    events = sorted(events, key=lambda event: (event.at, event.kind, event.reference))
    held = sorted(set(holds))
    if held:
        return Due(None, f"held: {', '.join(held)}")
    wish = next((each for each in events if each.kind is EventKind.DESTRUCTION_REQUESTED), None)
    if rule is None:
        return Due(None, unruled + _by_hand(wish))
    if not rule.is_verified and not confirmed:
        unsure = f"the rule {rule.name} is unverified and nobody has confirmed it"
        return Due(None, unsure + _by_hand(wish))
    own = _by_request(wish) if wish else _by_clock(rule, sealed_at, events)
    return _unless_a_letter_runs(own, events, now if wish else None)


def stands_against(events: Iterable[LegalEvent], holds: Iterable[str], now: datetime) -> str | None:
    """What forbids destroying it now even by an explicit order, in words; ``None`` if nothing."""
    held = sorted(set(holds))
    if held:
        return f"it is held: {', '.join(held)}"
    running = Due(now, "")
    letter = _unless_a_letter_runs(running, list(events), None)
    return None if letter is running else letter.why.removeprefix("; but ")


def kept_through(day: date) -> datetime:
    """The first midnight in UTC at which this day is over in every time zone."""
    return datetime.combine(day + timedelta(days=2), time(), UTC)


def gone_before(day: date) -> datetime:
    """The last midnight in UTC at which this day has begun in no time zone."""
    return datetime.combine(day - timedelta(days=1), time(), UTC)


def _by_request(wish: LegalEvent) -> Due:
    return Due(
        wish.at.astimezone(UTC), f"law enforcement asked for its destruction: {wish.reference}"
    )


def _by_clock(rule: Rule, sealed_at: datetime, events: list[LegalEvent]) -> Due:
    counting = set(rule.extended_by)
    if rule.starts is Start.REPORT_FINISHED:
        counting.add(EventKind.REPORT_FINISHED)
    starts = [(sealed_at, "its sealing")] if rule.starts is Start.SEALED else []
    starts += [
        (each.at, f"the report {each.reference}") for each in events if each.kind in counting
    ]
    if not starts:
        return Due(None, f"{rule.name}: the clock starts when a report of it is finished")
    # The last one: each finished report is a new duty to keep what it contains.
    moment, what = max(starts, key=lambda start: start[0])
    bound = "at least" if rule.bound is Bound.AT_LEAST else "at most"
    day = f"{moment.astimezone(UTC):%Y-%m-%d}"
    return Due(_end(rule, moment), f"{rule.name}: {bound} {rule.period} from {what} on {day}")


def _end(rule: Rule, start: datetime) -> datetime:
    if rule.bound is Bound.AT_LEAST:
        return kept_through(rule.period.after(_last_day_of(start)))
    return gone_before(rule.period.no_later_than(_first_day_of(start)))


def _unless_a_letter_runs(own: Due, events: list[LegalEvent], now: datetime | None) -> Due:
    letters = [each for each in events if each.kind is EventKind.PRESERVATION_LETTER]
    if own.at is None or not letters:
        return own
    letter = max(letters, key=_asked_until)
    until = _asked_until(letter)
    last_day = f"{until - timedelta(days=2):%Y-%m-%d}"
    if until <= (own.at if now is None else max(own.at, now)):
        return own
    return Due(
        until,
        f"{own.why}; but the preservation letter {letter.reference} asks for keeping it through "
        f"{last_day}",
    )


def _asked_until(letter: LegalEvent) -> datetime:
    last_day = letter.last_day
    return letter.at.astimezone(UTC) if last_day is None else kept_through(last_day)


def _first_day_of(moment: datetime) -> date:
    return moment.astimezone(_WESTERNMOST).date()


def _last_day_of(moment: datetime) -> date:
    return moment.astimezone(_EASTERNMOST).date()


def _by_hand(wish: LegalEvent | None) -> str:
    if wish is None:
        return ""
    return (
        f"; law enforcement asked for its destruction: {wish.reference}: a person has to carry "
        'that out with "tutela evidence destroy ITEM --ordered-by"'
    )


def _first_of_next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)
