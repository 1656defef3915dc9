"""When somebody has to rest, and when they are asked to. Deciding is pure: see ``rest_for``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from tutela.accounts.model import PersonId
from tutela.cases.comfort import comfort_of
from tutela.cases.exposure import Exposure, exposure_of, start_of_day, start_of_next_day
from tutela.cases.pauses import paused_since
from tutela.cases.viewings import Look, looks_since
from tutela.errors import OutOfTurnError
from tutela.storage.clock import Clock
from tutela.storage.settings import Care, Settings


class RestKind(StrEnum):
    """Why somebody rests."""

    PAUSED = "paused"
    """They asked for a break."""
    BREAK = "break"
    """They have looked for a long time, or at much that is severe."""
    DAY_OVER = "day-over"
    """They have seen as much as anybody should in a day."""


@dataclass(frozen=True, slots=True)
class Rest:
    """That somebody gets no next case, and is shown nothing, for now.

    Attributes:
        kind: Why.
        until: When it ends; ``None`` for when they say so.
        since: Since when.
    """

    kind: RestKind
    until: datetime | None
    since: datetime


class RestDueError(OutOfTurnError):
    """Whoever asks for something to look at has to rest first.

    Attributes:
        rest: Until when, and why.
    """

    def __init__(self, rest: Rest) -> None:
        super().__init__(_WORDS[rest.kind], until=rest.until)
        self.rest = rest


_WORDS = {
    RestKind.PAUSED: "you are on a break: come back when you are ready, and say so first",
    RestKind.BREAK: "a break is due, until {until:%H:%M} UTC: step away from the screen; whatever "
    "you hold can be given back, and nothing is lost",
    RestKind.DAY_OVER: "you have seen as much today as anybody should: nothing more is shown "
    "until {until:%Y-%m-%d %H:%M} UTC; thank you for today",
}


def rest_due(
    connection: Connection, person: PersonId | None, clock: Clock, settings: Settings
) -> Rest | None:
    """The rest that somebody has to take now. Ask before giving anybody a next case.

    Args:
        connection: Where to read.
        person: Who; nobody else than people needs rest.
        clock: The time.
        settings: What the operator set in ``care``.
    """
    if person is None:
        return None
    now = clock()
    since = paused_since(connection, person)
    if since is not None:
        return Rest(RestKind.PAUSED, None, since)
    zone = comfort_of(connection, person).zone
    today = start_of_day(now, zone)
    # A stretch of work may have begun before midnight.
    earlier = now - timedelta(minutes=2 * settings.care.break_after_minutes)
    looks = looks_since(connection, person, min(today, earlier))
    exposure = exposure_of(today.date(), (look for look in looks if look.began_at >= today))
    return rest_for(looks, exposure, settings.care, now, start_of_next_day(now, zone))


def see_rested(
    connection: Connection, person: PersonId | None, clock: Clock, settings: Settings
) -> None:
    """See that somebody may go on.

    Raises:
        RestDueError: They have to rest first.
    """
    rest = rest_due(connection, person, clock, settings)
    if rest is not None:
        raise RestDueError(rest)


def rest_for(
    looks: Sequence[Look], today: Exposure, care: Care, now: datetime, tomorrow: datetime
) -> Rest | None:
    """The rest that follows from what somebody looked at.

    Args:
        looks: What they looked at lately, in that order.
        today: What it comes to today.
        care: The limits.
        now: The present moment.
        tomorrow: When the next day begins.
    """
    if today.items >= care.most_items or today.minutes >= care.most_minutes:
        return Rest(RestKind.DAY_OVER, tomorrow, now)
    stretch = stretch_of(looks, now, timedelta(minutes=care.break_minutes))
    if not stretch:
        return None
    ended = max(_end(look) for look in stretch)
    long = now - stretch[0].began_at >= timedelta(minutes=care.break_after_minutes)
    severe = len({look.thing for look in stretch if look.severe and look.reveals})
    if long or severe >= care.break_after_severe:
        return Rest(RestKind.BREAK, ended + timedelta(minutes=care.break_minutes), ended)
    return None


def is_much(today: Exposure, care: Care) -> bool:
    """Whether somebody is kindly asked to stop for today; nothing is kept from them."""
    return today.items >= care.enough_items or today.minutes >= care.enough_minutes


def stretch_of(looks: Sequence[Look], now: datetime, rest: timedelta) -> list[Look]:
    """The looks since somebody last rested; none if they are resting since long enough."""
    stretch: list[Look] = []
    later = now
    for look in reversed(looks):
        if later - _end(look) >= rest:
            break
        stretch.append(look)
        later = look.began_at
    return stretch[::-1]


def _end(look: Look) -> datetime:
    return look.began_at + timedelta(seconds=look.seconds)
