"""Who takes a break, and since when: reading the record that ``pausing`` writes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from tutela.accounts.model import PersonId
from tutela.cases.tables import pauses


@dataclass(frozen=True, slots=True)
class Pause:
    """A break that somebody took because they wanted one.

    Attributes:
        began_at: When it began.
        ended_at: When they came back; ``None`` while they are away.
    """

    began_at: datetime
    ended_at: datetime | None


def paused_since(connection: Connection, person: PersonId) -> datetime | None:
    """Since when somebody is on a break that they asked for, if they are."""
    return connection.execute(
        select(pauses.c.began_at).where(pauses.c.person == person, pauses.c.ended_at.is_(None))
    ).scalar_one_or_none()


def pauses_of(
    connection: Connection, people: Iterable[PersonId], moment: datetime
) -> Mapping[PersonId, list[Pause]]:
    """The breaks of each of these that began from a moment on, in that order."""
    rows = connection.execute(
        select(pauses.c.person, pauses.c.began_at, pauses.c.ended_at)
        .where(pauses.c.person.in_(list(people)), pauses.c.began_at >= moment)
        .order_by(pauses.c.began_at)
    )
    found: dict[PersonId, list[Pause]] = {}
    for row in rows:
        found.setdefault(PersonId(row.person), []).append(Pause(row.began_at, row.ended_at))
    return found
