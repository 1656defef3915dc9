"""Signing in, from the password to the open door: each try counted before it is looked at.

What is wrong and what is nobody's look alike from outside: the same words after the same time.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from tutela.accounts.changing import change_roles
from tutela.accounts.identities import bind, is_behind, person_behind
from tutela.accounts.invitations import accept, find_invitation
from tutela.accounts.locking import (
    Subject,
    account_called,
    address_of,
    begin_try,
    note_failure,
    note_success,
    second_step_of,
)
from tutela.accounts.model import Caller, PersonId
from tutela.accounts.passwords import (
    hash_password,
    is_outdated,
    is_right,
    kept_password,
    set_password,
)
from tutela.accounts.people import Person, find_person, lock_people, person_called
from tutela.accounts.permissions import Role
from tutela.accounts.second_factors import second_factors_of, still_due
from tutela.accounts.sessions import Session, begin_session, complete_session, mark_proved
from tutela.accounts.single_sign_on import Identity
from tutela.errors import NotProvedError
from tutela.ledger.model import OPERATOR, Actor
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings


def sign_in_by_password(
    database: Database,
    email: str,
    password: str,
    *,
    address: str,
    device: str,
    settings: Settings,
    clock: Clock,
) -> str:
    """Let somebody in by their password, or as far as their second step.

    Args:
        database: The database.
        email: What was typed as the address of the account.
        password: What was typed as its password.
        address: From where.
        device: By what they will know the session again.
        settings: The configuration.
        clock: The time.

    Returns:
        The session's token.

    Raises:
        LockedOutError: Too many tries have failed.
        NotProvedError: There is no such account, or this is not its password.
    """
    subjects = (account_called(email), address_of(address))
    with database.writing() as connection:
        begun = begin_try(connection, subjects, clock)
    with database.reading() as connection:
        person = person_called(connection, email)
        # Nobody has this number: what is nobody's costs no less.
        kept = kept_password(connection, person.id if person else PersonId(0))
    right = is_right(password, kept)
    if person is None or person.closed_at is not None or not right:
        with database.writing() as connection:
            note_failure(connection, subjects, person.id if person else None, clock)
        raise NotProvedError("this address and password do not belong together")
    renewed = hash_password(password) if kept and is_outdated(kept) else None
    with database.writing() as connection:
        note_success(connection, subjects, clock, begun=begun)
        if renewed:
            set_password(connection, person, renewed, clock)
        return let_in(connection, person, settings, clock, device=device)


def let_in(
    connection: Connection, person: Person, settings: Settings, clock: Clock, *, device: str
) -> str:
    """Let somebody in as far as their second step, or wholly if none is due.

    Returns:
        The session's token.
    """
    due = still_due(second_factors_of(connection, person.id), settings)
    return begin_session(connection, person, clock, proved=due is None, awaits=due, device=device)


def sign_in_by_passkey(
    database: Database,
    check: Callable[[Connection], Person],
    *,
    address: str | None,
    device: str,
    clock: Clock,
) -> str:
    """Let somebody in by a passkey, which is both steps in one.

    Args:
        database: The database.
        check: Says whose passkey answered, or raises ``NotProvedError``.
        address: Where a try was counted when the passkey was asked for; ``None`` if none was, so
            that no success makes good what somebody else got wrong there.
        device: By what they will know the session again.
        clock: The time.

    Returns:
        The session's token.

    Raises:
        NotProvedError: The passkey was not accepted.
    """

    def enter(connection: Connection) -> str:
        person = check(connection)
        return begin_session(connection, person, clock, proved=True, device=device)

    counted = () if address is None else (address_of(address),)
    return _tried(database, counted, None, enter, clock)


def sign_in_from_elsewhere(
    database: Database,
    identity: Identity,
    roles: frozenset[Role] | None,
    *,
    invitation: str | None,
    device: str,
    settings: Settings,
    clock: Clock,
) -> str:
    """Let somebody in whom the organisation's sign-on vouches for.

    Args:
        database: The database.
        identity: Who it says it is.
        roles: The roles that the settings give to their groups there; ``None`` if given here.
        invitation: The token of an invitation that they follow, if they do.
        device: By what they will know the session again.
        settings: The configuration.
        clock: The time.

    Returns:
        The session's token.

    Raises:
        NotFoundError: The invitation is gone.
        NotProvedError: They are nobody here, or none of their groups has a role here.
        InvalidInputError: They are the last administrator here, and have another role there.
    """
    if roles is not None and not roles:
        raise NotProvedError("none of your groups has a role here: ask an administrator")
    with database.writing() as connection:
        # Before the ledger's first entry: later ones wait for what others hold meanwhile.
        lock_people(connection)
        if invitation is None:
            person = person_behind(connection, identity, clock)
        else:
            person = _accept(connection, identity, invitation, clock)
        if roles is not None and roles != person.roles:
            # The one who wrote the settings has given them.
            giver = Caller(Actor("single sign-on", "tutela", OPERATOR, "console"), frozenset())
            change_roles(connection, person.id, roles, caller=giver, clock=clock)
            person = find_person(connection, person.id)
        if settings.single_sign_on.counts_as_second_factor:
            return begin_session(connection, person, clock, proved=True, device=device)
        return let_in(connection, person, settings, clock, device=device)


def _accept(connection: Connection, identity: Identity, token: str, clock: Clock) -> Person:
    invitation = find_invitation(connection, token, clock)
    address = invitation.email or identity.email
    if identity.email is None or address is None or address.casefold() != identity.email.casefold():
        raise NotProvedError("this invitation is for another address than the one you have there")
    person = accept(connection, token, clock, email=identity.email, name=invitation.name or address)
    if not is_behind(connection, person.id, identity):
        bind(connection, person, identity, clock)
    return person


def take_second_step(
    database: Database,
    session: Session,
    check: Callable[[Connection], object],
    *,
    address: str,
    clock: Clock,
) -> str:
    """Let somebody in whose password was right, by their second factor.

    Args:
        database: The database.
        session: The one that awaits it.
        check: Raises ``NotProvedError`` if the factor is not right.
        address: From where.
        clock: The time.

    Returns:
        The session's new token.

    Raises:
        LockedOutError: Too many tries have failed.
        NotProvedError: The factor is not right.
    """

    def complete(connection: Connection) -> str:
        check(connection)
        return complete_session(connection, session, clock)

    return _counted(database, _subjects(session, address), session.person.id, complete, clock)


def prove_again(
    database: Database,
    session: Session,
    check: Callable[[Connection], object],
    *,
    address: str,
    clock: Clock,
) -> str:
    """Have somebody who is signed in show that it is still them.

    Args:
        database: The database.
        session: Theirs.
        check: Raises ``NotProvedError`` if what they show is not right.
        address: From where.
        clock: The time.

    Returns:
        The session's new token.

    Raises:
        LockedOutError: Too many tries have failed.
        NotProvedError: What they show is not right.
    """

    def prove(connection: Connection) -> str:
        check(connection)
        return mark_proved(connection, session, clock)

    return _counted(database, _subjects(session, address), session.person.id, prove, clock)


def _subjects(session: Session, address: str) -> tuple[Subject, ...]:
    return second_step_of(session.person.id), address_of(address)


def _counted(
    database: Database,
    subjects: Sequence[Subject],
    person: PersonId | None,
    attempt: Callable[[Connection], str],
    clock: Clock,
) -> str:
    with database.writing() as connection:
        begun = begin_try(connection, subjects, clock)
    return _tried(database, subjects, person, attempt, clock, begun=begun)


def _tried(
    database: Database,
    subjects: Sequence[Subject],
    person: PersonId | None,
    attempt: Callable[[Connection], str],
    clock: Clock,
    *,
    begun: datetime | None = None,
) -> str:
    try:
        with database.writing() as connection:
            note_success(connection, subjects, clock, begun=begun)
            return attempt(connection)
    except NotProvedError:
        with database.writing() as connection:
            note_failure(connection, subjects, person, clock)
        raise
