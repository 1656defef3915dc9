"""Looking at what a case is about: written down first, shown second.

``begin`` commits who looks, at what, how clearly and why, in the table and in the ledger. Only then
may ``showing`` let anything leave the house, once, to the session that asked. The page says every
few seconds that it is still in sight, and at last that it is not; where it falls silent, the
viewing ends with the last that was heard of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, insert, or_, select, update

from tutela.accounts.calling import need
from tutela.accounts.model import Caller, PersonId
from tutela.accounts.permissions import Permission
from tutela.cases.model import CaseId
from tutela.cases.resting import see_rested
from tutela.cases.tables import case_items, cases, viewings
from tutela.cases.viewings import Viewing, ViewingId, find_viewing, viewing_of
from tutela.errors import InvalidInputError, NotFoundError, NotPermittedError
from tutela.ledger.appending import append
from tutela.ledger.model import SYSTEM, Act
from tutela.sandbox.model import Level, Rendering, Shown
from tutela.sandbox.packets import as_told
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows
from tutela.storage.settings import Settings

HEARD_EVERY_SECONDS = 5
"""So often a page says that something is still in sight."""

LOST_AFTER = timedelta(seconds=20)
"""After such a silence nothing is in sight any more."""

_SHOWN_WITHIN = timedelta(seconds=60)


class NotProvedError(NotPermittedError):
    """Whoever asks has to show first, once more, that it is them."""


class Why(StrEnum):
    """Why somebody looks. A word once used is never given another meaning."""

    OPENED = "opened"
    """The case was opened; for a veil alone."""
    DECIDE = "decide"
    LABEL = "label"
    DESCRIBE = "describe"
    """To describe it to an authority."""
    SECOND_LOOK = "second-look"
    SETTLE = "settle"
    """Two people disagree."""
    APPEAL = "appeal"
    DOUBT = "doubt"
    """A list has this very file, and something speaks against it."""


ASKED = tuple(why for why in Why if why is not Why.OPENED)
"""The reasons that a person chooses from."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see.

    Attributes:
        case: A case.
        item: One of its items.
        level: How clearly.
        why: The reason.
        colour: Whether in colour.
        place: Which part of it, as ``Part`` has it; ``None`` is the item as a whole.
        of: A viewing of theirs whose part is meant instead, or one beside that.
        step: 1 for the part after that, -1 for the one before it, 0 for the same once more.
    """

    case: CaseId
    item: int
    level: Level
    why: Why
    colour: bool = False
    place: str | None = None
    of: int | None = None
    step: int = 0


def begin(
    connection: Connection,
    wish: Wish,
    caller: Caller,
    clock: Clock,
    settings: Settings,
    *,
    session: int,
    proved: bool,
    stays: timedelta = timedelta(0),
) -> Viewing:
    """Write down that a person is about to be shown something, before it is.

    Args:
        connection: A transaction that writes. This does what has to be done last in it.
        wish: What they want to see; they hold the case.
        caller: The person.
        clock: The time.
        settings: The configuration.
        session: The session in which it will be shown, and no other one.
        proved: Whether they showed lately that it is them; a veil does not ask for it.
        stays: For how long it is in sight where no page says so.

    Raises:
        NotPermittedError: The caller may not look, is no person, or does not hold the case.
        NotFoundError: The case has no such item, or nothing of it was sealed.
        NotProvedError: They have to show first that it is them.
        RestDueError: They have to rest first.
        InvalidInputError: The reason is none for this level, or there is no part further on.
    """
    need(caller, Permission.EVIDENCE_VIEW)
    person = _person(caller)
    if (wish.why is Why.OPENED) != (wish.level is Level.VEIL):
        raise InvalidInputError("choose why you want to see more of it")
    evidence = connection.execute(
        select(case_items.c.evidence_id).where(
            case_items.c.id == wish.item, case_items.c.case_id == wish.case
        )
    ).scalar_one_or_none()
    if evidence is None:
        raise NotFoundError("nothing of this item was sealed, so there is nothing to be shown")
    check_holder(connection, wish.case, person, clock)
    if wish.level is not Level.VEIL:
        if not proved:
            raise NotProvedError("show once more that it is you, and then look")
        see_rested(connection, person, clock, settings)
    now = clock()
    place = _place_of(connection, wish, person, session)
    ended = _end_others(connection, person, session, wish.item, now)
    row = connection.execute(
        insert(viewings)
        .values(
            case_id=wish.case,
            item_id=wish.item,
            evidence_id=evidence,
            person=person,
            session=session,
            level=wish.level,
            colour=wish.colour and wish.level is not Level.VEIL,
            reason=wish.why,
            began_at=now,
            heard_at=now + stays,
            place=place,
            # How long light and dark were in sight is not counted.
            seconds=0.0 if wish.level is Level.VEIL else None,
        )
        .returning(*viewings.c)
    ).one()
    viewing = viewing_of(row)
    for each in ended:
        _enter_ended(connection, each, caller, clock)
    enter_viewed(connection, viewing, caller, clock)
    return viewing


def enter_viewed(connection: Connection, viewing: Viewing, caller: Caller, clock: Clock) -> None:
    """Say in the ledger that somebody looks at something. Do it last in the transaction."""
    append(
        connection,
        caller.actor,
        Act.EVIDENCE_VIEWED,
        clock,
        case=viewing.case,
        item=viewing.evidence,
        thing=f"viewing:{viewing.id}:{viewing.level}",
        reason=viewing.why,
    )


def check_holder(
    connection: Connection, case: CaseId, person: PersonId | None, clock: Clock
) -> None:
    """See that a person holds a case now.

    Raises:
        NotPermittedError: They do not.
    """
    row = connection.execute(
        select(cases.c.held_by, cases.c.held_until).where(cases.c.id == case)
    ).one_or_none()
    holds = (
        row is not None
        and person is not None
        and row.held_by == person
        and row.held_until is not None
        and row.held_until > clock()
    )
    if not holds:
        raise NotPermittedError(
            "only whoever holds a case is shown what it is about: take it first"
        )


def mark_shown(
    connection: Connection, viewing: Viewing, rendering: Rendering, clock: Clock
) -> None:
    """Write down what is about to leave the house. It does so once for each viewing.

    Args:
        connection: A transaction that writes.
        viewing: The viewing.
        rendering: What is shown, of which the places are kept.
        clock: The time.

    Raises:
        NotFoundError: It has been shown already, is over, or was asked for too long ago.
        NotPermittedError: The person does not hold the case any more.
    """
    now = clock()
    check_holder(connection, viewing.case, viewing.person, clock)
    over = viewings.c.seconds.is_not(None)
    marked = changed_rows(
        connection,
        update(viewings)
        .where(
            viewings.c.id == viewing.id,
            viewings.c.shown.is_(None),
            viewings.c.began_at > now - _SHOWN_WITHIN,
            # A veil is over when it begins.
            or_(~over, viewings.c.level == Level.VEIL),
        )
        .values(
            shown=rendering.shown,
            # Later than now where it stays in sight although no page says so.
            heard_at=max(now, viewing.heard_at or now),
            # Of what cannot be shown, it is what was asked for.
            place=viewing.place if rendering.shown is Shown.NOTHING else rendering.place,
            place_before=rendering.before,
            place_after=rendering.after,
        ),
    )
    if not marked:
        raise NotFoundError("there is nothing to see here: go back to the case and ask again")


def hear(connection: Connection, viewing: int, caller: Caller, session: int, clock: Clock) -> bool:
    """The page says that something is still in sight.

    Returns:
        Whether it may stay so: not where the viewing is over, or the case another one's.

    Raises:
        NotFoundError: It is no viewing of this person in this session.
    """
    found = find_viewing(connection, viewing, caller.person, session)
    now = clock()
    if found.seconds is not None or found.heard_at is None or now - found.heard_at > LOST_AFTER:
        return False
    try:
        check_holder(connection, found.case, caller.person, clock)
    except NotPermittedError:
        return False
    connection.execute(update(viewings).where(viewings.c.id == found.id).values(heard_at=now))
    return True


def end(
    connection: Connection, viewing: int, caller: Caller, session: int, clock: Clock
) -> Viewing:
    """It is out of sight. Said twice, the first time counts.

    Raises:
        NotFoundError: It is no viewing of this person in this session.
    """
    found = find_viewing(connection, viewing, caller.person, session)
    if found.seconds is not None or not _end(connection, found, clock()):
        return found
    ended = find_viewing(connection, viewing, caller.person, session)
    _enter_ended(connection, ended, caller, clock)
    return ended


def end_lost(connection: Connection, clock: Clock, most: int = 100) -> int:
    """End what no page speaks of any more, by the moment when it was last heard of.

    Args:
        connection: A transaction that writes.
        clock: The time.
        most: How many at most.

    Returns:
        How many.
    """
    now = clock()
    rows = connection.execute(
        select(viewings)
        .where(viewings.c.seconds.is_(None), viewings.c.heard_at < now - LOST_AFTER)
        .order_by(viewings.c.heard_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    lost = [viewing_of(row) for row in rows]
    ended = [each for each in lost if _end(connection, each, now)]
    for each in ended:
        append(
            connection,
            SYSTEM,
            Act.EVIDENCE_VIEW_ENDED,
            clock,
            case=each.case,
            item=each.evidence,
            thing=_length(each.id, _seconds(each, now)),
        )
    return len(ended)


def _place_of(connection: Connection, wish: Wish, person: PersonId, session: int) -> str | None:
    """Which part somebody wants to see."""
    if wish.of is None:
        if wish.place is not None and as_told(wish.place) != wish.place:
            # No place that the house hears of has letters that steer something.
            raise InvalidInputError("there is no such part: go back to the case and ask again")
        return wish.place
    seen = find_viewing(connection, wish.of, person, session)
    if (seen.case, seen.item) != (wish.case, wish.item):
        raise NotFoundError("there is nothing to see here: go back to the case and ask again")
    if wish.step == 0:
        return seen.place
    place = seen.after if wish.step > 0 else seen.before
    if place is None:
        raise InvalidInputError("there is no part further on")
    return place


def _end_others(
    connection: Connection, person: PersonId, session: int, item: int, now: datetime
) -> list[Viewing]:
    """End what this session shows of an item, since it is about to show it otherwise."""
    rows = connection.execute(
        select(viewings).where(
            viewings.c.item_id == item,
            viewings.c.person == person,
            viewings.c.session == session,
            viewings.c.seconds.is_(None),
        )
    ).all()
    ended = [each for each in map(viewing_of, rows) if _end(connection, each, now)]
    return [find_viewing(connection, each.id, person, session) for each in ended]


def _end(connection: Connection, viewing: Viewing, now: datetime) -> bool:
    return bool(
        changed_rows(
            connection,
            update(viewings)
            .where(viewings.c.id == viewing.id, viewings.c.seconds.is_(None))
            .values(seconds=_seconds(viewing, now)),
        )
    )


def _seconds(viewing: Viewing, now: datetime) -> float:
    """For how long it was in sight, if it is out of sight now."""
    heard = viewing.heard_at or viewing.began_at
    until = now if now - heard <= LOST_AFTER else heard
    return max(0.0, (until - viewing.began_at).total_seconds())


def _enter_ended(connection: Connection, viewing: Viewing, caller: Caller, clock: Clock) -> None:
    append(
        connection,
        caller.actor,
        Act.EVIDENCE_VIEW_ENDED,
        clock,
        case=viewing.case,
        item=viewing.evidence,
        thing=_length(viewing.id, viewing.seconds or 0.0),
    )


def _length(viewing: ViewingId, seconds: float) -> str:
    return f"viewing:{viewing}:{seconds:.1f}s"


def _person(caller: Caller) -> PersonId:
    if caller.person is None:
        raise NotPermittedError("only people look at evidence, signed in to the pages")
    return caller.person
