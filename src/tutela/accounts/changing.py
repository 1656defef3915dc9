"""Changing who may do what: roles, invitations, closing accounts. Never the last administrator.

Nobody is made an administrator or a custodian by one administrator alone, where there are two, and
no administrator gives further roles to themselves: it is asked for, and done once another one
agrees (``agreeing``). The machine's operator needs nobody:
who can change the database has no use for being asked.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, update

from tutela.accounts.agreeing import Agreement, Matter, ask, give, note_given
from tutela.accounts.invitations import Invited, invite, invite_anew
from tutela.accounts.keys import revoke_keys_of
from tutela.accounts.model import Caller
from tutela.accounts.passwords import forget_password
from tutela.accounts.people import (
    Person,
    count_with,
    find_person,
    lock_people,
    person_called,
    roles_text,
    tidy_email,
    tidy_name,
)
from tutela.accounts.permissions import WEIGHTY, Role
from tutela.accounts.second_factors import forget_second_factors
from tutela.accounts.sessions import end_sessions_of
from tutela.accounts.tables import invitations, people, sessions
from tutela.errors import AlreadyExistsError, InvalidInputError, NotPermittedError
from tutela.ledger.appending import append
from tutela.ledger.model import OPERATOR, Act
from tutela.storage.clock import Clock


def change_roles(
    connection: Connection,
    number: int,
    roles: Iterable[Role],
    *,
    caller: Caller,
    clock: Clock,
    reason: str = "",
) -> Agreement | None:
    """Let somebody work in other roles; they are signed out, and sign in to the new ones.

    Returns:
        What another administrator has to agree to first, or ``None`` if it is done.

    Raises:
        InvalidInputError: No role is given, their account is closed, or they are the last
            administrator and would be none.
        NotFoundError: There is nobody of this number.
        NotPermittedError: A program wants to make an administrator or custodian.
    """
    wanted = frozenset(roles)
    lock_people(connection)
    person = _open_account(find_person(connection, number))
    if not wanted:
        raise InvalidInputError("choose at least one role, or close the account")
    if wanted == person.roles:
        return None
    _keep_an_administrator(connection, person, wanted)
    gained = wanted - person.roles
    # Whoever gives roles to others takes none by themselves.
    weighty = gained if person.id == caller.person else gained & WEIGHTY
    if _needs_two(connection, weighty, caller):
        return ask(
            connection,
            Matter.ROLES,
            {"roles": sorted(wanted)},
            person=person.id,
            reason=reason,
            caller=caller,
            clock=clock,
        )
    _set_roles(connection, person, wanted, caller, clock)
    return None


def invite_person(
    connection: Connection,
    name: str,
    email: str,
    roles: Iterable[Role],
    *,
    caller: Caller,
    clock: Clock,
    reason: str = "",
) -> Invited | Agreement:
    """Invite somebody, or ask for it where it needs two.

    Raises:
        AlreadyExistsError: They work here already.
        InvalidInputError: The name or the address is none, or no role is given.
        NotPermittedError: A program invites an administrator or custodian.
    """
    wanted = frozenset(roles)
    if not _needs_two(connection, wanted & WEIGHTY, caller):
        return invite(connection, name, email, wanted, actor=caller.actor, clock=clock)
    address = tidy_email(email)
    details = {"name": tidy_name(name), "email": address, "roles": sorted(wanted)}
    if person_called(connection, address):
        raise AlreadyExistsError(
            "somebody with this address works here already: change their roles instead"
        )
    return ask(
        connection,
        Matter.INVITATION,
        details,
        person=None,
        reason=reason,
        caller=caller,
        clock=clock,
    )


def let_start_anew(
    connection: Connection, number: int, *, caller: Caller, clock: Clock, reason: str = ""
) -> Invited | Agreement:
    """Let somebody set up anew how they sign in, or ask for it where it needs two.

    Raises:
        InvalidInputError: Their account is closed.
        NotFoundError: There is nobody of this number.
        NotPermittedError: A program lets an administrator or custodian do so.
    """
    person = _open_account(find_person(connection, number))
    if not _needs_two(connection, person.roles & WEIGHTY, caller):
        return invite_anew(connection, person, actor=caller.actor, clock=clock)
    return ask(
        connection,
        Matter.START_ANEW,
        {},
        person=person.id,
        reason=reason,
        caller=caller,
        clock=clock,
    )


def agree(connection: Connection, number: int, *, caller: Caller, clock: Clock) -> Invited | None:
    """Agree to what another administrator asked for, and do it.

    Returns:
        The invitation, if that is what it was.

    Raises:
        As ``agreeing.give``, and as what was asked for.
    """
    lock_people(connection)
    asked = give(connection, number, caller, clock)
    invited = _do(connection, asked, caller, clock)
    note_given(connection, asked, caller, clock)
    return invited


def close_account(
    connection: Connection, number: int, *, caller: Caller, clock: Clock, reason: str = ""
) -> Person:
    """Close an account for good: nobody signs in to it, its keys are revoked, its address erased.

    The name stays, since cases and the ledger tell of what they did. What they hold of cases is
    given back by ``tutela.cases.leaving``, which calls this.

    Raises:
        InvalidInputError: It is closed already, or it is the last administrator's.
        NotFoundError: There is nobody of this number.
    """
    lock_people(connection)
    person = _open_account(find_person(connection, number))
    _keep_an_administrator(connection, person, frozenset())
    forget_password(connection, person.id)
    connection.execute(delete(invitations).where(invitations.c.person == person.id))
    connection.execute(
        update(people)
        .where(people.c.id == person.id)
        .values(closed_at=clock(), closed_by=caller.actor.id, email=None)
    )
    # With the account they end, and are not told of one by one.
    connection.execute(delete(sessions).where(sessions.c.person == person.id))
    revoke_keys_of(connection, person.id, caller.actor, clock)
    forget_second_factors(connection, person.id, caller.actor, clock)
    append(
        connection,
        caller.actor,
        Act.PERSON_CLOSED,
        clock,
        thing=person.actor_id,
        reason=reason,
    )
    return find_person(connection, person.id)


def _do(connection: Connection, agreed: Agreement, caller: Caller, clock: Clock) -> Invited | None:
    details = agreed.details
    if agreed.person is None:
        roles = [Role(role) for role in details["roles"]]
        name, email = details["name"], details["email"]
        return invite(connection, name, email, roles, actor=caller.actor, clock=clock)
    person = _open_account(find_person(connection, agreed.person))
    if agreed.matter is Matter.START_ANEW:
        return invite_anew(connection, person, actor=caller.actor, clock=clock)
    wanted = frozenset(Role(role) for role in details["roles"])
    _keep_an_administrator(connection, person, wanted)
    _set_roles(connection, person, wanted, caller, clock)
    return None


def _set_roles(
    connection: Connection, person: Person, roles: frozenset[Role], caller: Caller, clock: Clock
) -> None:
    text = roles_text(roles)
    connection.execute(update(people).where(people.c.id == person.id).values(roles=text))
    end_sessions_of(connection, person.id, caller.actor, clock)
    append(
        connection,
        caller.actor,
        Act.PERSON_CHANGED,
        clock,
        thing=person.actor_id,
        reason=f"{roles_text(person.roles)} -> {text}",
    )


def _needs_two(connection: Connection, weighty: frozenset[Role], caller: Caller) -> bool:
    if not weighty or caller.actor.role == OPERATOR:
        return False
    if caller.person is None:
        raise NotPermittedError(
            "only a person makes somebody an administrator or a custodian: sign in, or use an API "
            "key that belongs to you"
        )
    return count_with(connection, Role.ADMINISTRATOR) > 1


def _keep_an_administrator(connection: Connection, person: Person, roles: frozenset[Role]) -> None:
    loses = Role.ADMINISTRATOR in person.roles and Role.ADMINISTRATOR not in roles
    if loses and count_with(connection, Role.ADMINISTRATOR) == 1:
        raise InvalidInputError(
            "{name} is the last administrator: make somebody else one first", name=person.name
        )


def _open_account(person: Person) -> Person:
    if person.closed_at:
        raise InvalidInputError(
            "the account of {name} was closed on {closed_at:%Y-%m-%d}: invite them again",
            name=person.name,
            closed_at=person.closed_at,
        )
    return person
