"""Who here is who elsewhere: the identities that single sign-on has bound to people."""

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from tutela.accounts.model import PersonId
from tutela.accounts.people import Person, find_person, person_called
from tutela.accounts.single_sign_on import Identity
from tutela.accounts.tables import outside_identities
from tutela.errors import NotProvedError
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock

# The same words for each reason: who works here is nobody's business outside.
_NOBODY = (
    "nobody here is known by this sign-in: ask an administrator of this house to invite you, with "
    "the address that you have there"
)


def person_behind(connection: Connection, identity: Identity, clock: Clock) -> Person:
    """The person whom the provider means.

    The first time it is found by the address that the provider has verified, and the provider's own
    name for the person is remembered. From then on that name alone counts: an address that is given
    to somebody else there opens nothing here.

    Raises:
        NotProvedError: Nobody here has this address, it is not verified, this person is bound to
            another identity of this provider already, or their account is closed.
    """
    bound = connection.execute(
        select(outside_identities.c.person).where(
            outside_identities.c.issuer == identity.issuer,
            outside_identities.c.subject == identity.subject,
        )
    ).scalar_one_or_none()
    if bound is not None:
        person = find_person(connection, bound)
        if person.closed_at is not None:
            raise NotProvedError(_NOBODY)
        return person
    found = None if identity.email is None else person_called(connection, identity.email)
    if found is None or found.closed_at is not None:
        raise NotProvedError(_NOBODY)
    bind(connection, found, identity, clock)
    return found


def bind(connection: Connection, person: Person, identity: Identity, clock: Clock) -> None:
    """Remember that this person is that identity, from now on.

    Raises:
        NotProvedError: The person has another one at this provider, or it is another person's.
    """
    try:
        connection.execute(
            insert(outside_identities).values(
                person=person.id,
                issuer=identity.issuer,
                subject=identity.subject,
                bound_at=clock(),
            )
        )
    except IntegrityError:
        raise NotProvedError(_NOBODY) from None
    who = Actor(person.name, person.actor_id, "person", "console")
    append(
        connection,
        who,
        Act.SIGN_IN_CHANGED,
        clock,
        thing=person.actor_id,
        reason="bound to single sign-on",
    )


def is_behind(connection: Connection, person: PersonId, identity: Identity) -> bool:
    """Whether this person is that identity."""
    return (
        connection.execute(
            select(outside_identities.c.id).where(
                outside_identities.c.person == person,
                outside_identities.c.issuer == identity.issuer,
                outside_identities.c.subject == identity.subject,
            )
        ).first()
        is not None
    )


def is_bound(connection: Connection, person: PersonId) -> bool:
    """Whether somebody signs in from elsewhere."""
    return (
        connection.execute(
            select(outside_identities.c.id).where(outside_identities.c.person == person)
        ).first()
        is not None
    )
