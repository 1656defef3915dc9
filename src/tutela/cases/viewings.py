"""What was looked at: reading the record that ``viewing`` writes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NewType

from sqlalchemy import Connection, Row, func, select

from tutela.accounts.model import PersonId
from tutela.cases.model import CaseId
from tutela.cases.tables import cases, viewings
from tutela.errors import NotFoundError
from tutela.evidence.model import ItemId
from tutela.fingerprints.model import file_of
from tutela.sandbox.model import Level, Shown

ViewingId = NewType("ViewingId", int)

# More than anybody does in a day. Each person has as many: no one's are cut for another one's.
_MOST_LOOKS = 10_000


@dataclass(frozen=True, slots=True)
class Viewing:
    """That a person is shown something, or was.

    Attributes:
        id: The viewing's number, which is written all over what is shown.
        case: The case.
        item: The case's item.
        evidence: What was sealed of it.
        person: Who looks.
        session: In which session.
        level: How clearly.
        colour: Whether in colour.
        why: The person's reason.
        began_at: When it was asked for.
        shown: What left the house; ``None`` until something does.
        heard_at: When the page last said that it is in sight.
        seconds: For how long it was in sight; ``None`` while it is.
        place: Which part of the item was asked for, and later, which was shown; ``None`` is the
            item as a whole.
        before: The part before it, where there is one; known once it was shown.
        after: The part after it, likewise.
    """

    id: ViewingId
    case: CaseId
    item: int
    evidence: ItemId
    person: PersonId
    session: int | None
    level: Level
    colour: bool
    why: str
    began_at: datetime
    shown: Shown | None
    heard_at: datetime | None
    seconds: float | None
    place: str | None
    before: str | None
    after: str | None

    @property
    def mark(self) -> str:
        """What is written all over it."""
        return f"person {self.person} · view {self.id}"


@dataclass(frozen=True, slots=True)
class Look:
    """One look of somebody, as far as it matters for their wellbeing.

    Attributes:
        item: The case's item.
        level: How clearly.
        severe: Whether the case is a severe one.
        began_at: When it began.
        seconds: For how long it was in sight, as far as that is known.
        shown: Whether anything was shown.
        within: Which of the files in the item, if it is an archive.
    """

    item: int
    level: Level
    severe: bool
    began_at: datetime
    seconds: float
    shown: bool
    within: str = ""

    @property
    def thing(self) -> tuple[int, str]:
        """What was looked at: each file in an archive is one more, each frame of one is not."""
        return self.item, self.within

    @property
    def reveals(self) -> bool:
        """Whether more than a veil was seen."""
        return self.shown and self.level is not Level.VEIL


def find_viewing(
    connection: Connection, viewing: int, person: PersonId | None, session: int
) -> Viewing:
    """Somebody's own viewing in this very session.

    Raises:
        NotFoundError: There is none, or it is another one's.
    """
    row = connection.execute(
        select(viewings).where(
            viewings.c.id == viewing,
            viewings.c.person == person,
            viewings.c.session == session,
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError("there is nothing to see here: go back to the case and ask again")
    return viewing_of(row)


def viewings_of_case(connection: Connection, case: CaseId, most: int = 1000) -> list[Viewing]:
    """Who looked at what of a case, the latest first."""
    rows = connection.execute(
        select(viewings)
        .where(viewings.c.case_id == case)
        .order_by(viewings.c.id.desc())
        .limit(most)
    )
    return [viewing_of(row) for row in rows]


def how_viewed(connection: Connection, evidence: Iterable[ItemId]) -> Mapping[ItemId, Level]:
    """How clearly each of these was seen by anybody at most; what nobody saw is left out."""
    rows = connection.execute(
        select(viewings.c.evidence_id, viewings.c.level)
        .where(
            viewings.c.evidence_id.in_(list(evidence)),
            viewings.c.shown.is_not(None),
            viewings.c.shown != Shown.NOTHING,
        )
        .distinct()
    )
    seen: dict[ItemId, Level] = {}
    for row in rows:
        item, level = ItemId(row.evidence_id), Level(row.level)
        seen[item] = max(seen.get(item, Level.VEIL), level, key=list(Level).index)
    return seen


def was_viewed(connection: Connection, evidence: ItemId) -> bool:
    """Whether a person has seen the entire content: what ``fileViewedByEsp`` of a report says.

    A veil or a blurred look is not the entire content, nor is a sheet of a few moments of a video,
    nor one of several pictures: so neither what moves nor an archive ever counts, and an authority
    is not told more than is true.
    """
    found = select(viewings.c.id).where(
        viewings.c.evidence_id == evidence,
        viewings.c.level == Level.WHOLE,
        viewings.c.shown.in_((Shown.PICTURE, Shown.TEXT)),
    )
    return connection.execute(found.limit(1)).scalar_one_or_none() is not None


def looks_since(connection: Connection, person: PersonId, moment: datetime) -> list[Look]:
    """What somebody looked at from a moment on, in that order."""
    return looks_of(connection, [person], moment).get(person, [])


def looks_of(
    connection: Connection, people: Iterable[PersonId], moment: datetime
) -> Mapping[PersonId, list[Look]]:
    """What each of these looked at from a moment on, in that order; who did not is left out."""
    place = func.row_number().over(
        partition_by=viewings.c.person, order_by=viewings.c.began_at.desc()
    )
    lately = (
        select(
            viewings.c.person,
            viewings.c.case_id,
            viewings.c.item_id,
            viewings.c.level,
            viewings.c.began_at,
            viewings.c.heard_at,
            viewings.c.seconds,
            viewings.c.shown,
            viewings.c.place.label("part"),
            place.label("place"),
        )
        .where(viewings.c.person.in_(list(people)), viewings.c.began_at >= moment)
        .subquery()
    )
    rows = connection.execute(
        select(lately, cases.c.severe)
        .join(cases, cases.c.id == lately.c.case_id)
        .where(lately.c.place <= _MOST_LOOKS)
        .order_by(lately.c.began_at)
    )
    found: dict[PersonId, list[Look]] = {}
    for row in rows:
        heard = (row.heard_at - row.began_at).total_seconds() if row.heard_at else 0.0
        look = Look(
            item=row.item_id,
            level=Level(row.level),
            severe=bool(row.severe),
            began_at=row.began_at,
            seconds=heard if row.seconds is None else row.seconds,
            shown=row.shown not in (None, Shown.NOTHING),
            within=file_of(row.part or ""),
        )
        found.setdefault(PersonId(row.person), []).append(look)
    return found


def viewing_of(row: Row[Any]) -> Viewing:
    """The viewing of a row of ``viewings``."""
    return Viewing(
        id=ViewingId(row.id),
        case=CaseId(row.case_id),
        item=row.item_id,
        evidence=ItemId(row.evidence_id),
        person=PersonId(row.person),
        session=row.session,
        level=Level(row.level),
        colour=row.colour,
        why=row.reason,
        began_at=row.began_at,
        shown=Shown(row.shown) if row.shown else None,
        heard_at=row.heard_at,
        seconds=row.seconds,
        place=row.place,
        before=row.place_before,
        after=row.place_after,
    )
