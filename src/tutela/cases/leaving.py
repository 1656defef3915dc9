"""Somebody leaves: what they hold of cases goes back, and then their account is closed."""

from sqlalchemy import Connection, select, update

from tutela.accounts import changing
from tutela.accounts.model import Caller, PersonId
from tutela.accounts.people import Person
from tutela.cases.model import CaseId
from tutela.cases.moving import change_state, enter_move
from tutela.cases.states import MOVES, Move, State
from tutela.cases.tables import cases
from tutela.storage.clock import Clock


def close_account(
    connection: Connection, number: int, *, caller: Caller, clock: Clock, reason: str = ""
) -> Person:
    """Close an account for good, and give back every case that the person has.

    Raises:
        InvalidInputError: It is closed already, or it is the last administrator's.
        NotFoundError: There is nobody of this number.
    """
    moved = _let_go(connection, PersonId(number), clock)
    closed = changing.close_account(connection, number, caller=caller, clock=clock, reason=reason)
    for case in moved:
        enter_move(connection, case, Move.GIVE_BACK, caller, clock, reason="the holder left")
    return closed


def _let_go(connection: Connection, person: PersonId, clock: Clock) -> list[CaseId]:
    """Put back what somebody holds, and what was assigned to them; the ledger is not told yet."""
    held = select(cases.c.id, cases.c.state).where(cases.c.held_by == person).with_for_update()
    moved = []
    for row in connection.execute(held).all():
        state = State(row.state)
        if state in MOVES[Move.GIVE_BACK]:
            (waiting,) = MOVES[Move.GIVE_BACK][state]
            change_state(connection, CaseId(row.id), Move.GIVE_BACK, waiting, clock)
            moved.append(CaseId(row.id))
    connection.execute(
        update(cases).where(cases.c.held_by == person).values(held_by=None, held_until=None)
    )
    # What was assigned to them is everybody's again.
    connection.execute(update(cases).where(cases.c.assigned_to == person).values(assigned_to=None))
    return moved
