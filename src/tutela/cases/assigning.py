"""Saying whose a case is."""

from sqlalchemy import Connection, update

from tutela.accounts.model import Caller, PersonId
from tutela.accounts.people import find_person
from tutela.accounts.permissions import Permission
from tutela.cases.model import CaseId
from tutela.cases.moving import lock_case
from tutela.cases.states import State
from tutela.cases.tables import cases
from tutela.errors import InvalidInputError, OutOfTurnError
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.storage.clock import Clock

_ASSIGNABLE = frozenset(
    {State.OPEN, State.IN_REVIEW, State.SECOND_LOOK, State.IN_SECOND_LOOK, State.DISPUTED}
)


def assign(
    connection: Connection,
    case: CaseId,
    person: PersonId | None,
    caller: Caller,
    clock: Clock,
    *,
    reason: str = "",
) -> None:
    """Say whose a case is: they are given it first, and nobody else is. Do it last.

    Args:
        connection: A transaction that writes.
        case: The case.
        person: Whose it is; ``None`` for everybody's.
        caller: Who says so.
        clock: The time.
        reason: Why, in the caller's own words.

    Raises:
        NotFoundError: There is no such case, or no such person.
        InvalidInputError: The person decides no cases.
        OutOfTurnError: The case is decided already.
    """
    if person is not None:
        found = find_person(connection, person)
        if Permission.CASES_REVIEW not in found.permissions:
            raise InvalidInputError(
                "{name} does not decide cases: choose a reviewer", name=found.name
            )
    state = State(lock_case(connection, case).state)
    if state not in _ASSIGNABLE:
        raise OutOfTurnError(
            "{case} is {state}: there is nothing to assign", case=case, state=state
        )
    connection.execute(update(cases).where(cases.c.id == case).values(assigned_to=person))
    append(
        connection,
        caller.actor,
        Act.CASE_ASSIGNED,
        clock,
        case=case,
        thing=f"person:{person}" if person is not None else "nobody",
        reason=reason,
    )
