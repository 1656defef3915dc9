"""Moving cases: the only place that changes where a case stands, and who holds it.

A case that a person works on is held by that person until a moment that others see. Each hold has a
number, greater than the one before it: whoever comes back too late, when another one has the case
already, is told so, and nothing of what they do counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection, Row, select, update

from tutela.accounts.model import Caller, PersonId
from tutela.accounts.permissions import Permission
from tutela.cases.model import CaseId
from tutela.cases.states import MOVES, Move, State, is_allowed
from tutela.cases.tables import case_decisions, cases
from tutela.errors import NotFoundError, NotPermittedError, OutOfTurnError
from tutela.ledger.appending import append
from tutela.ledger.model import SYSTEM, Act
from tutela.storage.clock import Clock

BY_ITSELF = Caller(SYSTEM, frozenset())
"""Tutela itself, for the moves that no person makes."""

_HELD_STATES = frozenset(MOVES[Move.GIVE_BACK])
# A lead looks at these before settling them; they stay where they are meanwhile.
_LOOKED_AT_IN_PLACE = frozenset({State.DISPUTED, State.UNDER_APPEAL})
_DECIDED = frozenset({Move.CONFIRM, Move.NOT_CONFIRM, Move.GRANT})
_NOT_DECIDED = frozenset({Move.UNDO, Move.REOPEN})
_RAN_OUT = "the hold ran out"


class MoveNotAllowedError(OutOfTurnError):
    """The case cannot go from where it stands to there."""


class AlreadyHeldError(OutOfTurnError):
    """Somebody else has the case.

    Attributes:
        holder: The person; ``None`` for the machine's operator.
        until: When their hold runs out unless they go on.
    """

    def __init__(self, case: CaseId, holder: PersonId | None, until: datetime) -> None:
        who = "the machine's operator" if holder is None else f"person {holder}"
        super().__init__(
            f"{who} is working on {case} until {until:%H:%M} UTC: take another one, or wait"
        )
        self.holder = holder
        self.until = until


class HoldLostError(OutOfTurnError):
    """The case is not one's own any more: what one does must not count."""


@dataclass(frozen=True, slots=True)
class Hold:
    """That somebody has a case, and until when.

    Attributes:
        case: The case.
        number: The how many'th hold of this case it is. Whatever is done with the case by its
            holder names it.
        until: When others may have it, unless the holder goes on.
        state: Where the case stands meanwhile.
    """

    case: CaseId
    number: int
    until: datetime
    state: State


def move(
    connection: Connection,
    case: CaseId,
    by: Move,
    after: State,
    caller: Caller,
    clock: Clock,
    *,
    reason: str = "",
) -> None:
    """Move a case, and say so in the ledger. Do it last in the transaction.

    Args:
        connection: A transaction that writes.
        case: The case.
        by: The move.
        after: Where the case stands then.
        caller: Who moves it.
        clock: The time.
        reason: Why, in a person's own words.

    Raises:
        NotFoundError: There is no such case.
        MoveNotAllowedError: It cannot go there from where it stands.
    """
    change_state(connection, case, by, after, clock)
    enter_move(connection, case, by, caller, clock, reason=reason)


def change_state(
    connection: Connection, case: CaseId, by: Move, after: State, clock: Clock
) -> None:
    """The first half of ``move``; ``enter_move`` has to follow in the same transaction.

    They are apart for whoever moves several cases: all rows come before the first entry of the
    ledger, for which everybody waits.
    """
    row = lock_case(connection, case)
    before = State(row.state)
    if not is_allowed(by, before, after):
        raise MoveNotAllowedError(
            "{case} is {state}, so this cannot be done: look at it once more",
            case=case,
            state=before,
        )
    values: dict[str, object] = {"state": after}
    if after not in _HELD_STATES:
        values |= {"held_by": None, "held_until": None}
    if by in _DECIDED:
        values["decided_at"] = clock()
    elif by in _NOT_DECIDED:
        values["decided_at"] = None
    if by is Move.APPEAL:
        values["state_before"] = before
    elif before is State.UNDER_APPEAL:
        if by is Move.UPHOLD and after != row.state_before:
            raise MoveNotAllowedError(
                "{case} was {state} before the appeal", case=case, state=State(row.state_before)
            )
        values["state_before"] = None
    connection.execute(update(cases).where(cases.c.id == case).values(values))


def become_reported(connection: Connection, case: CaseId, clock: Clock) -> bool:
    """Note that an authority has been told of a case: the first half of a move.

    A confirmed case is reported from here on. One that is under appeal meanwhile is so as soon as
    the appeal is settled, if it stands then. Others stay where they are.

    Returns:
        Whether ``enter_move`` with ``Move.REPORT`` has to follow in the same transaction.
    """
    row = lock_case(connection, case)
    if row.state == State.CONFIRMED:
        change_state(connection, case, Move.REPORT, State.REPORTED, clock)
        return True
    if row.state == State.UNDER_APPEAL and row.state_before == State.CONFIRMED:
        mine = update(cases).where(cases.c.id == case)
        connection.execute(mine.values(state_before=State.REPORTED))
        return True
    return False


def enter_move(
    connection: Connection,
    case: CaseId,
    by: Move,
    caller: Caller,
    clock: Clock,
    *,
    reason: str = "",
) -> None:
    """Say in the ledger that somebody moved a case."""
    append(
        connection,
        caller.actor,
        Act.CASE_MOVED,
        clock,
        case=case,
        thing=f"move:{by}",
        reason=reason,
    )


def take(
    connection: Connection,
    case: CaseId,
    caller: Caller,
    clock: Clock,
    minutes: int,
    *,
    undo_seconds: int = 0,
) -> Hold:
    """Have a case to oneself. One that the caller has already is kept for longer.

    Args:
        connection: A transaction that writes.
        case: The case.
        caller: Who takes it: a person, or the machine's operator.
        clock: The time.
        minutes: For how long.
        undo_seconds: So long a second look waits for whoever may still take the first one back.

    Raises:
        NotFoundError: There is no such case.
        AlreadyHeldError: Another one has it.
        OutOfTurnError: It needs no work, is another person's, or waits for a second person.
        NotPermittedError: The caller is a program, or it is a lead's to settle.
    """
    row = lock_case(connection, case)
    state, now = State(row.state), clock()
    holder = holder_of(caller)
    overdue = row.held_until is not None and row.held_until <= now
    if row.held_until is not None and row.held_by == holder and not overdue:
        return _hold(connection, case, state, holder, row.hold, now + timedelta(minutes=minutes))
    if row.held_until is not None and not overdue:
        raise AlreadyHeldError(case, row.held_by, row.held_until)
    waiting = _waiting_state(state)
    _check_turn(connection, case, waiting, row.assigned_to, caller)
    if waiting is State.SECOND_LOOK:
        check_final(connection, case, caller, clock, undo_seconds)
    until = now + timedelta(minutes=minutes)
    if waiting in _LOOKED_AT_IN_PLACE:
        looked_at = _hold(connection, case, waiting, holder, row.hold + 1, until)
        if overdue:
            enter_let_go(connection, case, state, BY_ITSELF, clock, reason=_RAN_OUT)
        append(connection, caller.actor, Act.CASE_TAKEN, clock, case=case)
        return looked_at
    (after,) = MOVES[Move.TAKE][waiting]
    if overdue:
        let_go(connection, case, state, clock)
    change_state(connection, case, Move.TAKE, after, clock)
    taken = _hold(connection, case, after, holder, row.hold + 1, until)
    if overdue:
        enter_let_go(connection, case, state, BY_ITSELF, clock, reason=_RAN_OUT)
    enter_move(connection, case, Move.TAKE, caller, clock)
    return taken


def keep_hold(
    connection: Connection, case: CaseId, caller: Caller, clock: Clock, hold: int, minutes: int
) -> Hold:
    """Go on having a case for so many minutes from now.

    Raises:
        NotFoundError: There is no such case.
        HoldLostError: The caller does not have it any more.
    """
    state = check_hold(connection, case, caller, hold)
    until = clock() + timedelta(minutes=minutes)
    return _hold(connection, case, state, holder_of(caller), hold, until)


def give_back(
    connection: Connection,
    case: CaseId,
    caller: Caller,
    clock: Clock,
    hold: int,
    *,
    reason: str = "",
) -> None:
    """Put a case back to where it was taken from.

    Raises:
        NotFoundError: There is no such case.
        HoldLostError: The caller does not have it any more.
    """
    state = check_hold(connection, case, caller, hold)
    let_go(connection, case, state, clock)
    enter_let_go(connection, case, state, caller, clock, reason=reason)


def let_go(connection: Connection, case: CaseId, state: State, clock: Clock) -> None:
    """End the hold of a case that stands so; ``enter_let_go`` has to follow."""
    if state in _HELD_STATES:
        change_state(connection, case, Move.GIVE_BACK, _waiting_state(state), clock)
    else:
        connection.execute(
            update(cases).where(cases.c.id == case).values(held_by=None, held_until=None)
        )


def enter_let_go(
    connection: Connection,
    case: CaseId,
    state: State,
    caller: Caller,
    clock: Clock,
    *,
    reason: str,
) -> None:
    """Say in the ledger that nobody holds a case any more that stood so while it was held."""
    if state in _HELD_STATES:
        enter_move(connection, case, Move.GIVE_BACK, caller, clock, reason=reason)
    else:
        append(connection, caller.actor, Act.CASE_GIVEN_BACK, clock, case=case, reason=reason)


def check_hold(connection: Connection, case: CaseId, caller: Caller, hold: int) -> State:
    """See that a case is the caller's by this hold, and keep everybody else from it meanwhile.

    A hold that has run out counts for as long as nobody else has taken the case.

    Raises:
        NotFoundError: There is no such case.
        HoldLostError: The caller does not have it any more.
    """
    row = lock_case(connection, case)
    if row.held_until is None or row.hold != hold or row.held_by != holder_of(caller):
        raise HoldLostError(
            "your time with {case} ran out, or you gave it back: nothing was changed; take "
            "it again if it is still there",
            case=case,
        )
    return State(row.state)


def hold_again(
    connection: Connection, case: CaseId, caller: Caller, clock: Clock, minutes: int
) -> Hold:
    """Give a case that was moved back to its holder to that person anew."""
    row = lock_case(connection, case)
    until = clock() + timedelta(minutes=minutes)
    return _hold(connection, case, State(row.state), holder_of(caller), row.hold + 1, until)


def release_overdue(connection: Connection, clock: Clock, most: int = 100) -> list[CaseId]:
    """Put back what was held too long.

    Args:
        connection: A transaction that writes.
        clock: The time.
        most: How many cases at most.
    """
    overdue = (
        select(cases.c.id, cases.c.state)
        .where(cases.c.held_until <= clock())
        .order_by(cases.c.held_until)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(overdue).all()
    states = {CaseId(row.id): State(row.state) for row in rows}
    for case, state in states.items():
        let_go(connection, case, state, clock)
    for case, state in states.items():
        enter_let_go(connection, case, state, BY_ITSELF, clock, reason=_RAN_OUT)
    return [case for case, state in states.items() if state in _HELD_STATES]


def holder_of(caller: Caller) -> PersonId | None:
    """Who holds what this caller takes: a person, or ``None`` for the machine's operator.

    Raises:
        NotPermittedError: The caller is a program: cases are for people.
    """
    if not caller.is_human:
        raise NotPermittedError(
            "cases are decided by people: use a key that belongs to a person "
            '("tutela key add NAME --owner PERSON"), or sign in'
        )
    return caller.person


def lock_case(connection: Connection, case: CaseId) -> Row[*tuple[Any, ...]]:
    """A case's row, which nobody else changes until the end of the transaction.

    Raises:
        NotFoundError: There is no such case.
    """
    row = connection.execute(
        select(cases).where(cases.c.id == case).with_for_update()
    ).one_or_none()
    if row is None:
        raise absent(case)
    return row


def state_of(connection: Connection, case: CaseId) -> State:
    """Where a case stands.

    Raises:
        NotFoundError: There is no such case.
    """
    found = connection.execute(select(cases.c.state).where(cases.c.id == case))
    state = found.scalar_one_or_none()
    if state is None:
        raise absent(case)
    return State(state)


def absent(case: CaseId) -> NotFoundError:
    """What whoever names a case that is not there is told."""
    return NotFoundError(f'there is no case {case}: see "tutela case ls"')


def _waiting_state(state: State) -> State:
    """Where a case waits that is held in this state."""
    if state in _HELD_STATES:
        (waiting,) = MOVES[Move.GIVE_BACK][state]
        return waiting
    return state


def _check_turn(
    connection: Connection,
    case: CaseId,
    waiting: State,
    assigned_to: PersonId | None,
    caller: Caller,
) -> None:
    """See that a case needs work, and that it is this caller's to do."""
    leads = Permission.CASES_LEAD in caller.permissions
    if waiting in _LOOKED_AT_IN_PLACE:
        if not leads:
            raise NotPermittedError(
                "{case} is {state}: a lead settles it", case=case, state=waiting
            )
        return
    if waiting not in MOVES[Move.TAKE]:
        raise MoveNotAllowedError(
            "{case} is {state}: there is nothing to decide", case=case, state=waiting
        )
    if assigned_to is not None and assigned_to != caller.person and not leads:
        raise OutOfTurnError("{case} is assigned to somebody else: take another one", case=case)
    if waiting is State.SECOND_LOOK and has_decided(connection, case, caller):
        raise OutOfTurnError(
            "you have decided on {case} already: another person takes the second look", case=case
        )


def has_decided(connection: Connection, case: CaseId, caller: Caller) -> bool:
    """Whether a person has a decision on this case that counts."""
    found = select(case_decisions.c.id).where(
        case_decisions.c.case_id == case,
        case_decisions.c.person.is_not_distinct_from(holder_of(caller)),
        case_decisions.c.undone_at.is_(None),
    )
    return connection.execute(found.limit(1)).scalar_one_or_none() is not None


def last_decision(connection: Connection, case: CaseId) -> Row[Any] | None:
    """The row of what was decided last of a case and not taken back; ``None`` if nothing was."""
    return connection.execute(
        select(case_decisions)
        .where(case_decisions.c.case_id == case, case_decisions.c.undone_at.is_(None))
        .order_by(case_decisions.c.id.desc())
        .limit(1)
    ).one_or_none()


def check_final(
    connection: Connection, case: CaseId, caller: Caller, clock: Clock, undo_seconds: int
) -> None:
    """See that nobody else may take back what they decided on a case that is locked already.

    Raises:
        OutOfTurnError: Somebody may.
    """
    last = last_decision(connection, case)
    if last is None or last.person == caller.person:
        return
    left = undo_seconds - (clock() - last.decided_at).total_seconds()
    if left > 0:
        raise OutOfTurnError(
            "whoever decided on {case} may still take it back: try again in {seconds} seconds",
            case=case,
            seconds=ceil(left),
        )


def _hold(
    connection: Connection,
    case: CaseId,
    state: State,
    holder: PersonId | None,
    number: int,
    until: datetime,
) -> Hold:
    connection.execute(
        update(cases)
        .where(cases.c.id == case)
        .values(held_by=holder, held_until=until, hold=number)
    )
    return Hold(case, number, until, state)
