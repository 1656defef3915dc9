"""A break whenever somebody needs one: one key, no questions, and nothing that they hold is lost.

The ledger says that the cases were given back, and not that somebody felt unwell: who takes breaks
is kept here alone, where it can be erased.
"""

from sqlalchemy import Connection, select, update

from tutela.accounts.model import Caller, PersonId
from tutela.cases.model import CaseId
from tutela.cases.moving import check_hold, give_back
from tutela.cases.tables import cases, pauses
from tutela.errors import InvalidInputError
from tutela.storage.clock import Clock
from tutela.storage.database import insert_or_ignore


def take_break(connection: Connection, caller: Caller, clock: Clock) -> list[CaseId]:
    """Give back whatever a person holds, and give them nothing more until they come back.

    Whoever is on a break already stays on it.

    Args:
        connection: A transaction that writes. This does what has to be done last in it.
        caller: The person.
        clock: The time.

    Returns:
        The cases that were given back.

    Raises:
        InvalidInputError: The caller is no person.
    """
    person = _person(caller)
    connection.execute(insert_or_ignore(connection, pauses).values(person=person, began_at=clock()))
    held = connection.execute(
        select(cases.c.id, cases.c.hold).where(cases.c.held_by == person).order_by(cases.c.id)
    ).all()
    # All rows come before the first entry of the ledger, for which everybody waits.
    for row in held:
        check_hold(connection, CaseId(row.id), caller, row.hold)
    for row in held:
        give_back(connection, CaseId(row.id), caller, clock, row.hold)
    return [CaseId(row.id) for row in held]


def come_back(connection: Connection, caller: Caller, clock: Clock) -> None:
    """End a person's break. Whoever is on none just goes on.

    Raises:
        InvalidInputError: The caller is no person.
    """
    connection.execute(
        update(pauses)
        .where(pauses.c.person == _person(caller), pauses.c.ended_at.is_(None))
        .values(ended_at=clock())
    )


def _person(caller: Caller) -> PersonId:
    if caller.person is None:
        raise InvalidInputError("only people take breaks: use a key that belongs to a person")
    return caller.person
