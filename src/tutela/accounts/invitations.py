"""Invitations: a link that works once, for whoever it was given to.

It says in which roles they will work. The first administrator comes by one that is printed when the
service starts and nobody works here. One who has lost all ways to sign in starts anew by one.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

from sqlalchemy import Connection, RowMapping, delete, insert, select

from tutela.accounts.model import PersonId
from tutela.accounts.passwords import forget_password
from tutela.accounts.people import (
    Person,
    add_person,
    find_person,
    is_anybody_here,
    lock_people,
    person_called,
    read_roles,
    roles_text,
    tidy_email,
    tidy_name,
)
from tutela.accounts.permissions import Role
from tutela.accounts.second_factors import forget_second_factors
from tutela.accounts.tables import invitations, sessions
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from tutela.ledger.appending import append
from tutela.ledger.model import SYSTEM, Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows

InvitationId = NewType("InvitationId", int)

VALIDITY = timedelta(days=7)
FIRST_VALIDITY = timedelta(days=1)
"""The first one is printed where others may read it, so it is short-lived; each start makes one."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What somebody is invited to.

    Attributes:
        id: Its number.
        name: Whom, as the others will call them; empty for the first administrator.
        email: The address they will sign in by, or ``None`` to let them choose.
        roles: In which capacities they will work.
        person: One who is here already and starts anew, or ``None``.
        invited_at: When.
        invited_by: The actor's id.
        expires_at: Until when the link works.
    """

    id: InvitationId
    name: str
    email: str | None
    roles: frozenset[Role]
    person: PersonId | None
    invited_at: datetime
    invited_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was just made, and the token of its link, which cannot be had again."""

    invitation: Invitation
    token: str

    @property
    def path(self) -> str:
        """The link's path on this service."""
        return f"/welcome/{self.token}"


def invite(
    connection: Connection,
    name: str,
    email: str,
    roles: Iterable[Role],
    *,
    actor: Actor,
    clock: Clock,
) -> Invited:
    """Invite somebody.

    Raises:
        AlreadyExistsError: They work here already.
        InvalidInputError: The name or the address is none, or no role is given.
    """
    text = roles_text(roles)
    if not text:
        raise InvalidInputError("choose at least one role: {roles}", roles=", ".join(Role))
    address = tidy_email(email)
    if person_called(connection, address):
        raise AlreadyExistsError(
            "somebody with this address works here already: change their roles instead"
        )
    return _make(connection, actor, clock, name=tidy_name(name), email=address, roles=text)


def invite_anew(connection: Connection, person: Person, *, actor: Actor, clock: Clock) -> Invited:
    """Let one who is here set up anew how they sign in. Until they do, nothing changes.

    Raises:
        InvalidInputError: Their account is closed.
    """
    if person.closed_at:
        raise InvalidInputError(
            "the account of {name} is closed: invite them again", name=person.name
        )
    connection.execute(delete(invitations).where(invitations.c.person == person.id))
    return _make(
        connection,
        actor,
        clock,
        name=person.name,
        email=person.email,
        roles=roles_text(person.roles),
        person=person.id,
    )


def invite_first(connection: Connection, clock: Clock) -> Invited | None:
    """Invite the first administrator, if nobody works here. An earlier such link works no more."""
    if is_anybody_here(connection):
        return None
    connection.execute(delete(invitations).where(invitations.c.invited_by == SYSTEM.id))
    return _make(
        connection,
        SYSTEM,
        clock,
        name="",
        email=None,
        roles=roles_text([Role.ADMINISTRATOR]),
        lasts=FIRST_VALIDITY,
    )


def find_invitation(connection: Connection, token: str, clock: Clock) -> Invitation:
    """What a link invites to. It is not used up by this.

    Raises:
        NotFoundError: It never was one, was used already, or has expired.
    """
    row = (
        connection.execute(
            select(invitations).where(
                invitations.c.token_sha256 == _digest(token), invitations.c.expires_at > clock()
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise _gone()
    return _invitation(row)


def accept(
    connection: Connection,
    token: str,
    clock: Clock,
    *,
    name: str | None = None,
    email: str | None = None,
) -> Person:
    """Use a link up: somebody works here from now on, or starts anew.

    Whoever calls it writes down in the same transaction how they sign in.

    Args:
        connection: The transaction.
        token: The link's.
        clock: The time.
        name: What they want to be called, if not as the invitation has it.
        email: The address they sign in by, if the invitation has none.

    Raises:
        AlreadyExistsError: Somebody with this address works here.
        InvalidInputError: The name or the address is none.
        NotFoundError: The link never was one, was used already, or has expired.
    """
    # Whoever changes people waits here, and not behind the ledger's head, which is held from the
    # first entry on.
    lock_people(connection)
    invitation = find_invitation(connection, token, clock)
    used = delete(invitations).where(invitations.c.id == invitation.id)
    if not changed_rows(connection, used):
        raise _gone()
    actor = Actor("an invitation", f"invitation:{invitation.id}", "person", "console")
    if invitation.person is not None:
        return _start_anew(connection, invitation.person, actor, clock)
    if invitation.invited_by == SYSTEM.id:
        # One that was printed for the first of all, when others are here meanwhile.
        if is_anybody_here(connection):
            raise _gone()
        connection.execute(delete(invitations).where(invitations.c.invited_by == SYSTEM.id))
    return add_person(
        connection,
        name if name is not None else invitation.name,
        invitation.email or email or "",
        invitation.roles,
        actor=actor,
        clock=clock,
    )


def open_invitations(connection: Connection, clock: Clock) -> list[Invitation]:
    """The links that still work, the newest first."""
    rows = connection.execute(
        select(invitations)
        .where(invitations.c.expires_at > clock())
        .order_by(invitations.c.id.desc())
    ).mappings()
    return [_invitation(row) for row in rows]


def forget_expired(connection: Connection, clock: Clock) -> None:
    """Remove what nobody has taken up in time: it holds a name and an address."""
    connection.execute(delete(invitations).where(invitations.c.expires_at <= clock()))


def withdraw_invitation(connection: Connection, number: int, actor: Actor, clock: Clock) -> None:
    """Make a link stop working.

    Raises:
        NotFoundError: There is no such invitation.
    """
    gone = delete(invitations).where(invitations.c.id == number)
    if not changed_rows(connection, gone):
        raise NotFoundError(f"there is no invitation {number}: it may have been used already")
    append(connection, actor, Act.INVITATION_WITHDRAWN, clock, thing=f"invitation:{number}")


def _make(
    connection: Connection,
    actor: Actor,
    clock: Clock,
    *,
    name: str,
    email: str | None,
    roles: str,
    person: PersonId | None = None,
    lasts: timedelta = VALIDITY,
) -> Invited:
    now = clock()
    token = secrets.token_urlsafe(32)
    row = (
        connection.execute(
            insert(invitations)
            .values(
                token_sha256=_digest(token),
                name=name,
                email=email,
                roles=roles,
                person=person,
                invited_at=now,
                invited_by=actor.id,
                expires_at=now + lasts,
            )
            .returning(*invitations.c)
        )
        .mappings()
        .one()
    )
    made = _invitation(row)
    append(
        connection,
        actor,
        Act.PERSON_INVITED,
        clock,
        thing=f"invitation:{made.id}" if person is None else f"person:{person}",
        reason=roles,
    )
    return Invited(made, token)


def _start_anew(connection: Connection, number: PersonId, actor: Actor, clock: Clock) -> Person:
    person = find_person(connection, number)
    if person.closed_at:
        raise _gone()
    forget_password(connection, person.id)
    connection.execute(delete(sessions).where(sessions.c.person == person.id))
    forget_second_factors(connection, person.id, actor, clock)
    return person


def _invitation(row: RowMapping) -> Invitation:
    return Invitation(
        id=InvitationId(row["id"]),
        name=row["name"],
        email=row["email"],
        roles=read_roles(row["roles"]),
        person=PersonId(row["person"]) if row["person"] is not None else None,
        invited_at=row["invited_at"],
        invited_by=row["invited_by"],
        expires_at=row["expires_at"],
    )


def _gone() -> NotFoundError:
    return NotFoundError(
        "this invitation was used already, has expired, or never was one: ask for a new one"
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
