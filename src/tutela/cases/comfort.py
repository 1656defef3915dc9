"""How each person wants to be shown things: never more clearly than the gentlest way by itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Connection, Row, delete, insert, select

from tutela.accounts.model import PersonId
from tutela.cases.tables import comforts
from tutela.errors import InvalidInputError

SHORTEST_PEEK, LONGEST_PEEK = 2, 60


class Size(StrEnum):
    """How large something is shown once it is revealed."""

    SMALL = "small"
    MIDDLE = "middle"
    LARGE = "large"

    @property
    def side(self) -> int:
        """The longer side, in pixels."""
        return {Size.SMALL: 400, Size.MIDDLE: 720, Size.LARGE: 1200}[self]


class Reveal(StrEnum):
    """How something is revealed."""

    HOLD = "hold"
    """It is in sight for as long as a key or button is held."""
    TOGGLE = "toggle"
    """It is in sight until it is hidden again, for whoever cannot hold a key."""


@dataclass(frozen=True, slots=True)
class Comfort:
    """How somebody wants to be shown things. There is never any sound.

    Attributes:
        veils: Whether a case is opened with its veils; else with nothing at all.
        grey: Whether what is revealed is grey until colour is asked for.
        size: How large it is.
        reveal: How it is revealed.
        longest_peek: After so many seconds it is hidden again by itself.
        time_zone: By whose days their looking is counted, such as ``Europe/Luxembourg``.
    """

    veils: bool = True
    grey: bool = True
    size: Size = Size.SMALL
    reveal: Reveal = Reveal.HOLD
    longest_peek: int = 10
    time_zone: str = "UTC"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone, or UTC where the machine does not know it any more."""
        return ZoneInfo(self.time_zone if self.time_zone in time_zones() else "UTC")


GENTLE = Comfort()
"""What holds for whoever has chosen nothing."""


@cache
def time_zones() -> tuple[str, ...]:
    """Every time zone that the machine knows. They are files, and take long to look for."""
    return tuple(sorted(available_timezones()))


def comfort_of(connection: Connection, person: PersonId) -> Comfort:
    """How somebody wants to be shown things."""
    return comforts_of(connection, [person]).get(person, GENTLE)


def comforts_of(connection: Connection, people: Iterable[PersonId]) -> Mapping[PersonId, Comfort]:
    """How each of these wants to be shown things; who has chosen nothing is left out."""
    rows = connection.execute(select(comforts).where(comforts.c.person.in_(list(people))))
    return {PersonId(row.person): _comfort(row) for row in rows}


def choose_comfort(connection: Connection, person: PersonId, comfort: Comfort) -> None:
    """Write down how somebody wants to be shown things.

    Raises:
        InvalidInputError: The longest peek or the time zone is none.
    """
    if not SHORTEST_PEEK <= comfort.longest_peek <= LONGEST_PEEK:
        raise InvalidInputError(
            "a peek lasts {shortest_peek} to {longest_peek} seconds at most: choose such a number",
            shortest_peek=SHORTEST_PEEK,
            longest_peek=LONGEST_PEEK,
        )
    if comfort.time_zone not in time_zones():
        raise InvalidInputError(
            '"{zone}" is no time zone: choose one such as Europe/Luxembourg',
            zone=comfort.time_zone[:60],
        )
    connection.execute(delete(comforts).where(comforts.c.person == person))
    connection.execute(
        insert(comforts).values(
            person=person,
            veils=comfort.veils,
            grey=comfort.grey,
            size=comfort.size,
            reveal=comfort.reveal,
            longest_peek=comfort.longest_peek,
            time_zone=comfort.time_zone,
        )
    )


def _comfort(row: Row[Any]) -> Comfort:
    return Comfort(
        veils=row.veils,
        grey=row.grey,
        size=Size(row.size),
        reveal=Reveal(row.reveal),
        longest_peek=row.longest_peek,
        time_zone=row.time_zone,
    )
