"""Closing a case with which nothing is left to do, and opening it again."""

from sqlalchemy import Connection, update

from tutela.accounts.model import Caller
from tutela.cases.model import CaseId
from tutela.cases.moving import change_state, check_final, enter_move, lock_case
from tutela.cases.states import Move, State
from tutela.cases.tables import cases
from tutela.errors import InvalidInputError
from tutela.storage.clock import Clock


def close(
    connection: Connection,
    case: CaseId,
    caller: Caller,
    clock: Clock,
    *,
    reason: str,
    undo_seconds: int = 0,
) -> None:
    """Close a case that was decided. Do it last in the transaction.

    Args:
        connection: A transaction that writes.
        case: The case.
        caller: Who closes it.
        clock: The time.
        reason: Why, in the caller's own words.
        undo_seconds: So long it waits for another person who may still take the decision back.

    Raises:
        NotFoundError: There is no such case.
        OutOfTurnError: The decision is another person's, who may still take it back.
        MoveNotAllowedError: It is not decided, or closed already.
        InvalidInputError: There is no reason.
    """
    lock_case(connection, case)
    check_final(connection, case, caller, clock, undo_seconds)
    change_state(connection, case, Move.CLOSE, State.CLOSED, clock)
    enter_move(connection, case, Move.CLOSE, caller, clock, reason=_given(reason))


def reopen(
    connection: Connection,
    case: CaseId,
    caller: Caller,
    clock: Clock,
    *,
    reason: str,
    undo_seconds: int = 0,
) -> None:
    """Have a case decided anew, by whoever comes next. Do it last in the transaction.

    What was decided before stays on record, and counts no more.

    Args:
        connection: A transaction that writes.
        case: The case.
        caller: Who reopens it.
        clock: The time.
        reason: Why, in the caller's own words.
        undo_seconds: So long it waits for another person who may still take the decision back.

    Raises:
        NotFoundError: There is no such case.
        OutOfTurnError: The decision is another person's, who may still take it back.
        MoveNotAllowedError: It is not decided, or the authority has it already.
        InvalidInputError: There is no reason.
    """
    lock_case(connection, case)
    check_final(connection, case, caller, clock, undo_seconds)
    change_state(connection, case, Move.REOPEN, State.OPEN, clock)
    connection.execute(update(cases).where(cases.c.id == case).values(assigned_to=None))
    enter_move(connection, case, Move.REOPEN, caller, clock, reason=_given(reason))


def _given(reason: str) -> str:
    if not reason.strip():
        raise InvalidInputError("say why: others will read it in the ledger")
    return reason.strip()
