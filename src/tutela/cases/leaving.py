"""Somebody leaves: what they hold of cases goes back, and then their account is closed."""

from sqlalchemy import Connection, select, update

from tutela.accounts import changing
from tutela.accounts.model import Caller, PersonId
from tutela.accounts.people import Person
from tutela.cases.model import CaseId
from tutela.cases.moving import enter_let_go, let_go
from tutela.cases.states import State
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
    held = _leave(connection, PersonId(number), clock)
    closed = changing.close_account(connection, number, caller=caller, clock=clock, reason=reason)
    for case, state in held.items():
        enter_let_go(connection, case, state, caller, clock, reason="the holder left")
    return closed


def _leave(connection: Connection, person: PersonId, clock: Clock) -> dict[CaseId, State]:
    """Put back what somebody holds, and what was assigned to them; the ledger is not told yet."""
    theirs = select(cases.c.id, cases.c.state).where(cases.c.held_by == person).with_for_update()
    held = {CaseId(row.id): State(row.state) for row in connection.execute(theirs).all()}
    for case, state in held.items():
        let_go(connection, case, state, clock)
    # What was assigned to them is everybody's again.
    connection.execute(update(cases).where(cases.c.assigned_to == person).values(assigned_to=None))
    return held
