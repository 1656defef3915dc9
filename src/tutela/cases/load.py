"""How much each person has to carry today, for whoever looks after them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from tutela.accounts.people import Person
from tutela.accounts.permissions import Permission
from tutela.cases.comfort import GENTLE, comforts_of
from tutela.cases.exposure import Exposure, exposure_of, start_of_day, start_of_next_day
from tutela.cases.pauses import pauses_of
from tutela.cases.resting import Rest, RestKind, is_much, rest_for
from tutela.cases.viewings import looks_of
from tutela.storage.clock import Clock
from tutela.storage.settings import Settings

_LONGEST_DAY = timedelta(hours=26)
_LONGEST_PAUSE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Load:
    """What one person has to carry today.

    Attributes:
        person: Who.
        today: What they looked at, as days are where they are.
        breaks: How many breaks they asked for today.
        rest: The rest that they take or have to take now, if any.
        much: Whether they are kindly asked to stop looking for today.
    """

    person: Person
    today: Exposure
    breaks: int
    rest: Rest | None
    much: bool


def load_of(
    connection: Connection, people: Iterable[Person], clock: Clock, settings: Settings
) -> list[Load]:
    """What each of these who may look has to carry today, in the order of their names."""
    lookers = [person for person in people if Permission.EVIDENCE_VIEW in person.permissions]
    ids = [person.id for person in lookers]
    now = clock()
    wishes = comforts_of(connection, ids)
    looks = looks_of(connection, ids, now - _LONGEST_DAY)
    pauses = pauses_of(connection, ids, now - _LONGEST_PAUSE)
    loads = []
    for person in sorted(lookers, key=lambda person: person.name.casefold()):
        zone = wishes.get(person.id, GENTLE).zone
        start = start_of_day(now, zone)
        lately = looks.get(person.id, [])
        today = exposure_of(start.date(), (look for look in lately if look.began_at >= start))
        taken = pauses.get(person.id, [])
        away = next((each for each in taken if each.ended_at is None), None)
        rest = (
            Rest(RestKind.PAUSED, None, away.began_at)
            if away
            else rest_for(lately, today, settings.care, now, start_of_next_day(now, zone))
        )
        breaks = sum(each.began_at >= start for each in taken)
        loads.append(Load(person, today, breaks, rest, is_much(today, settings.care)))
    return loads
