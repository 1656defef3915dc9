"""The queue: which case is next, and whose turn it is.

A person is given first what is assigned to them, then whatever has waited longest, put forward by
its facts. After a severe case comes one that is not, as long as one waits. Two people who ask at
once never get the same case: SQLite lets one writer in at a time, and PostgreSQL passes over the
rows that another one has locked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
)

from tutela.accounts.model import Caller, PersonId
from tutela.cases.model import CaseId, read_case_id
from tutela.cases.moving import Hold, holder_of, release_overdue, take
from tutela.cases.states import State
from tutela.cases.tables import case_decisions, case_items, cases, viewings
from tutela.errors import InvalidInputError
from tutela.storage.clock import Clock
from tutela.storage.settings import Settings

QUEUED = (State.OPEN, State.SECOND_LOOK)
"""The states in which a case waits for whoever comes next."""

MOST_COUNTED = 1000
"""More than so many are not counted, since it would take long and nobody needs to know."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A case as a list of cases shows it.

    Attributes:
        case: Its number.
        state: Where it stands.
        opened_at: When it was opened.
        rank_at: The moment that it is queued by.
        severe: Whether it is hard on whoever looks.
        due_at: When it has to be decided, if the law or the operator says so.
        facts: The names of the facts that are true of it.
        assigned_to: Whose it is, if it is not everybody's.
        held_by: Who holds it; ``None`` for nobody, and for the machine's operator.
        held_until: Until when somebody holds it.
        decided_at: When it was decided, if it is.
        items: How many items it has.
        kind: What its first item is.
    """

    case: CaseId
    state: State
    opened_at: datetime
    rank_at: datetime
    severe: bool
    due_at: datetime | None
    facts: tuple[str, ...]
    assigned_to: PersonId | None
    held_by: PersonId | None
    held_until: datetime | None
    decided_at: datetime | None
    items: int
    kind: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the queue ends, so that the next one begins behind it."""

    rank_at: datetime
    case: CaseId

    @property
    def text(self) -> str:
        """The same for an address."""
        return f"{self.case}.{(self.rank_at - _EPOCH) // timedelta(microseconds=1)}"

    @classmethod
    def read(cls, text: str) -> "Place":
        """Understand what ``text`` gave.

        Raises:
            InvalidInputError: It is something else.
        """
        case, _, moment = text.partition(".")
        try:
            since = timedelta(microseconds=int(moment))
            return cls(_EPOCH + since, read_case_id(case))
        except (ValueError, OverflowError):
            raise InvalidInputError(
                '"{text}" is no place in a list: take the one that the page before gave', text=text
            ) from None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def next_case(
    connection: Connection, caller: Caller, clock: Clock, settings: Settings, *, calm: bool = True
) -> Hold | None:
    """Give a person the case that is theirs to do next, and have them hold it.

    Args:
        connection: A transaction that writes; this comes last in it.
        caller: Who asks.
        clock: The time.
        settings: The configuration.
        calm: Whether a severe case is followed by one that is not, if one waits.

    Returns:
        The hold, or ``None`` if nothing waits for this person.

    Raises:
        NotPermittedError: The caller is a program.
    """
    holder = holder_of(caller)
    spare = calm and last_was_severe(connection, holder)
    minutes = settings.review.hold_minutes
    found = _first_free(connection, holder, clock, settings, spare=spare)
    if found is None and release_overdue(connection, clock):
        found = _first_free(connection, holder, clock, settings, spare=spare)
    return take(connection, found, caller, clock, minutes) if found else None


def last_was_severe(connection: Connection, person: PersonId | None) -> bool:
    """Whether the case that a person looked at or decided on last is a severe one."""
    if person is None:
        return False
    seen = _last(viewings.c.began_at, viewings.c.case_id, viewings.c.person == person)
    decided = _last(
        case_decisions.c.decided_at, case_decisions.c.case_id, case_decisions.c.person == person
    )
    known = [row for each in (seen, decided) if (row := connection.execute(each).one_or_none())]
    return bool(max(known, key=lambda row: row[0])[1]) if known else False


def waiting(
    connection: Connection,
    *,
    state: State,
    limit: int = 50,
    after: Place | None = None,
    severe: bool | None = None,
) -> list[Queued]:
    """A page of the cases in one state, those that are next first.

    Args:
        connection: Where to read.
        state: The state.
        limit: How many at most.
        after: The end of the page before.
        severe: Only those that are hard on whoever looks, or only those that are not.
    """
    page = select(cases).where(cases.c.state == state)
    if severe is not None:
        page = page.where(cases.c.severe.is_(severe))
    if after is not None:
        place = tuple_(cases.c.rank_at, cases.c.id)
        page = page.where(place > tuple_(after.rank_at, after.case))
    page = page.order_by(cases.c.rank_at, cases.c.id).limit(limit)
    return list(queued(connection, page))


def held_by(connection: Connection, person: PersonId) -> list[Queued]:
    """The cases that a person holds, the one that runs out first at the top."""
    mine = select(cases).where(cases.c.held_by == person).order_by(cases.c.held_until)
    return list(queued(connection, mine))


def assigned_to(connection: Connection, person: PersonId, limit: int = 50) -> list[Queued]:
    """The cases that wait for one person, those that are next first."""
    theirs = select(cases).where(cases.c.assigned_to == person, cases.c.state.in_(QUEUED))
    return list(queued(connection, theirs.order_by(cases.c.rank_at).limit(limit)))


def counted(connection: Connection, state: State) -> int:
    """How many cases are in a state: ``MOST_COUNTED`` if there are as many or more."""
    some = select(cases.c.id).where(cases.c.state == state).limit(MOST_COUNTED).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def queued(connection: Connection, page: Select[*tuple[Any, ...]]) -> Iterator[Queued]:
    """Read a page of rows of ``cases``, with a word on the items of each."""
    rows = connection.execute(page).all()
    items = connection.execute(
        select(case_items.c.case_id, case_items.c.kind)
        .where(case_items.c.case_id.in_([row.id for row in rows]))
        .order_by(case_items.c.id)
    ).all()
    kinds: dict[str, list[str]] = {}
    for item in items:
        kinds.setdefault(item.case_id, []).append(item.kind)
    for row in rows:
        of_case = kinds.get(row.id, [])
        yield Queued(
            case=CaseId(row.id),
            state=State(row.state),
            opened_at=row.opened_at,
            rank_at=row.rank_at,
            severe=row.severe,
            due_at=row.due_at,
            facts=tuple(row.facts.split()),
            assigned_to=row.assigned_to,
            held_by=row.held_by,
            held_until=row.held_until,
            decided_at=row.decided_at,
            items=len(of_case),
            kind=of_case[0] if of_case else "",
        )


def _first_free(
    connection: Connection,
    holder: PersonId | None,
    clock: Clock,
    settings: Settings,
    *,
    spare: bool,
) -> CaseId | None:
    """The first case that this person may have, locked for them."""
    final = clock() - timedelta(seconds=settings.review.undo_seconds)
    theirs = [] if holder is None else [cases.c.assigned_to == holder]
    for whose in (*theirs, cases.c.assigned_to.is_(None)):
        for kind in ([cases.c.severe.is_(False)], []) if spare else ([],):
            found = _first_of(connection, and_(whose, *kind), holder, final)
            if found is not None:
                return found
    return None


def _first_of(
    connection: Connection,
    which: ColumnElement[bool],
    holder: PersonId | None,
    final: datetime,
) -> CaseId | None:
    # The two states are asked one after the other, since a union cannot be locked: first the one
    # whose first case has waited longer.
    turns: list[tuple[datetime, Select[str]]] = []
    for state in QUEUED:
        of_state = (
            select(cases.c.id)
            .where(cases.c.state == state, which, _may_have(state, holder, final))
            .order_by(cases.c.rank_at, cases.c.id)
            .limit(1)
        )
        first = connection.execute(of_state.add_columns(cases.c.rank_at)).one_or_none()
        if first is not None:
            turns.append((first.rank_at, of_state))
    for _, of_state in sorted(turns, key=lambda turn: turn[0]):
        locked = of_state.with_for_update(skip_locked=True)
        found = connection.execute(locked).scalar_one_or_none()
        if found is not None:
            return CaseId(found)
    return None


def _may_have(state: State, holder: PersonId | None, final: datetime) -> ColumnElement[bool]:
    if state is not State.SECOND_LOOK:
        return cases.c.state == state
    # Neither what this person decided on, nor what can still be undone by whoever did.
    counting = and_(
        case_decisions.c.case_id == cases.c.id,
        case_decisions.c.undone_at.is_(None),
        or_(
            case_decisions.c.person.is_not_distinct_from(holder),
            case_decisions.c.decided_at > final,
        ),
    )
    return ~exists(select(case_decisions.c.id).where(counting))


def _last(
    moment: ColumnElement[datetime], case: ColumnElement[str], which: ColumnElement[bool]
) -> Select[datetime, bool]:
    last = select(moment, cases.c.severe).join(cases, cases.c.id == case)
    return last.where(which).order_by(moment.desc()).limit(1)
