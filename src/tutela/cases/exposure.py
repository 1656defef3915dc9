"""How much somebody had to look at, counted from what they were shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from tutela.accounts.model import PersonId
from tutela.cases.comfort import comfort_of
from tutela.cases.viewings import Look, looks_since
from tutela.sandbox.model import Level
from tutela.storage.clock import Clock


@dataclass(frozen=True, slots=True)
class Exposure:
    """What somebody looked at on a day.

    Attributes:
        day: The day, in the person's own time zone.
        items: How many items were revealed, in part or whole; each once, and of an archive each
            file in it.
        severe: How many of these are of severe cases.
        peeks: How often something was revealed.
        seconds: For how long something was in sight, by how clearly.
    """

    day: date
    items: int = 0
    severe: int = 0
    peeks: int = 0
    seconds: Mapping[Level, float] = field(default_factory=dict)

    @property
    def minutes(self) -> float:
        """For how long something more than a veil was in sight."""
        return sum(self.seconds.get(level, 0.0) for level in (Level.PART, Level.WHOLE)) / 60


def exposure_today(connection: Connection, person: PersonId, clock: Clock) -> Exposure:
    """What somebody looked at today, as days are where they are."""
    zone = comfort_of(connection, person).zone
    start = start_of_day(clock(), zone)
    return exposure_of(start.date(), looks_since(connection, person, start))


def exposure_by_day(
    connection: Connection, person: PersonId, clock: Clock, days: int = 7
) -> list[Exposure]:
    """What somebody looked at on each of the last days, today first."""
    zone = comfort_of(connection, person).zone
    today = start_of_day(clock(), zone).date()
    wanted = [today - timedelta(days=back) for back in range(days)]
    since = datetime.combine(wanted[-1], datetime.min.time(), zone)
    by_day: dict[date, list[Look]] = {day: [] for day in wanted}
    for look in looks_since(connection, person, since):
        by_day.setdefault(look.began_at.astimezone(zone).date(), []).append(look)
    return [exposure_of(day, by_day[day]) for day in wanted]


def exposure_of(day: date, looks: Iterable[Look]) -> Exposure:
    """What these looks come to."""
    items: set[tuple[int, str]] = set()
    severe: set[tuple[int, str]] = set()
    peeks = 0
    seconds: dict[Level, float] = {}
    for look in looks:
        seconds[look.level] = seconds.get(look.level, 0.0) + look.seconds
        if look.reveals:
            peeks += 1
            items.add(look.thing)
            if look.severe:
                severe.add(look.thing)
    return Exposure(day, len(items), len(severe), peeks, seconds)


def start_of_day(now: datetime, zone: ZoneInfo) -> datetime:
    """When the day of this moment began in a time zone."""
    return datetime.combine(now.astimezone(zone).date(), datetime.min.time(), zone)


def start_of_next_day(now: datetime, zone: ZoneInfo) -> datetime:
    """When the day after that of this moment begins in a time zone."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, datetime.min.time(), zone)
