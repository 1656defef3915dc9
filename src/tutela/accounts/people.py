"""The people who work here: adding them, finding them, and what is known of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from tutela.accounts.model import PersonId
from tutela.accounts.permissions import Permission, Role, permissions_of
from tutela.accounts.tables import people
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock

_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here, or did.

    Attributes:
        id: The person's number, which is all that the ledger has.
        name: What the others call them.
        email: The address they sign in by, in small letters; ``None`` once the account is closed.
        roles: In which capacities they work.
        language: The tag of the language that they chose, or ``None`` for the browser's.
        added_at: When they came.
        closed_at: When their account was closed, or ``None``.
    """

    id: PersonId
    name: str
    email: str | None
    roles: frozenset[Role]
    language: str | None
    added_at: datetime
    closed_at: datetime | None

    @property
    def permissions(self) -> frozenset[Permission]:
        """What they may do: nothing once their account is closed."""
        return frozenset() if self.closed_at else permissions_of(self.roles)

    @property
    def actor_id(self) -> str:
        """What the ledger calls them: ``person:3``."""
        return f"person:{self.id}"


def add_person(
    connection: Connection,
    name: str,
    email: str,
    roles: Iterable[Role],
    *,
    actor: Actor,
    clock: Clock,
) -> Person:
    """Add somebody.

    Args:
        connection: The transaction.
        name: What the others call them.
        email: The address that they sign in by.
        roles: In which capacities they work.
        actor: Who adds them.
        clock: The time.

    Raises:
        AlreadyExistsError: Somebody has this address.
        InvalidInputError: The name or the address is empty or malformed.
    """
    try:
        number = connection.execute(
            insert(people)
            .values(
                name=tidy_name(name),
                email=tidy_email(email),
                roles=roles_text(roles),
                added_at=clock(),
                added_by=actor.id,
            )
            .returning(people.c.id)
        ).scalar_one()
    except IntegrityError:
        raise AlreadyExistsError(
            "somebody with this address works here already: change their roles instead"
        ) from None
    added = find_person(connection, number)
    append(
        connection,
        actor,
        Act.PERSON_ADDED,
        clock,
        thing=added.actor_id,
        reason=roles_text(added.roles),
    )
    return added


def find_person(connection: Connection, number: int) -> Person:
    """Somebody by their number, also one whose account is closed.

    Raises:
        NotFoundError: There is nobody of this number.
    """
    row = connection.execute(select(people).where(people.c.id == number)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f'there is no person {number}: see "tutela user ls"')
    return person_of(row)


def person_called(connection: Connection, email: str) -> Person | None:
    """Who signs in by this address, if anybody does."""
    row = (
        connection.execute(select(people).where(people.c.email == email.strip().casefold()))
        .mappings()
        .one_or_none()
    )
    return person_of(row) if row else None


def find_named(connection: Connection, text: str) -> Person:
    """Somebody by their number or their address, as people type it.

    Raises:
        NotFoundError: There is nobody like that.
    """
    number = text.removeprefix("person:")
    if number.isascii() and number.isdigit() and len(number) < 19:
        return find_person(connection, int(number))
    found = person_called(connection, text)
    if found is None:
        raise NotFoundError(f'nobody here has the address "{text}": see "tutela user ls"')
    return found


def all_people(connection: Connection) -> list[Person]:
    """Everybody, also those who left, in the order in which they came."""
    rows = connection.execute(select(people).order_by(people.c.id)).mappings()
    return [person_of(row) for row in rows]


def names_of_people(connection: Connection) -> Mapping[PersonId, str]:
    """What everybody is called, also those who left."""
    rows = connection.execute(select(people.c.id, people.c.name))
    return {PersonId(row.id): row.name for row in rows}


def is_anybody_here(connection: Connection) -> bool:
    """Whether there is any person at all, also one who left."""
    return connection.execute(select(people.c.id).limit(1)).first() is not None


def count_with(connection: Connection, role: Role) -> int:
    """How many people with open accounts have a role."""
    rows = connection.execute(select(people.c.roles).where(people.c.closed_at.is_(None)))
    return sum(role in roles.split() for roles in rows.scalars())


def is_alone(connection: Connection) -> bool:
    """Whether only one person works here."""
    rows = connection.execute(select(people.c.id).where(people.c.closed_at.is_(None)).limit(2))
    return len(rows.all()) == 1


def choose_language(connection: Connection, person: Person, language: str | None) -> None:
    """Write down which language somebody wants the pages in; ``None`` for the browser's."""
    connection.execute(update(people).where(people.c.id == person.id).values(language=language))


def lock_people(connection: Connection) -> None:
    """Let no other transaction change who may do what until this one ends.

    SQLite has one writer anyway; PostgreSQL waits here, so that of two who remove the last two
    administrators at once, one finds that there is only one.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock(_PEOPLE_LOCK)))


# Any number will do, so long as nobody else locks by it in the same database.
_PEOPLE_LOCK = 0x7065_6F70_6C65


def tidy_name(name: str) -> str:
    """A name without spaces too many.

    Raises:
        InvalidInputError: It is empty, too long, or has letters that cannot be seen.
    """
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > 200 or not tidy.isprintable():
        raise InvalidInputError("a person needs a name of 1 to 200 letters that can be seen")
    return tidy


def tidy_email(email: str) -> str:
    """An address as it is kept: in small letters.

    Raises:
        InvalidInputError: It is none.
    """
    tidy = email.strip().casefold()
    if len(tidy) > 320 or not tidy.isprintable() or not _EMAIL.fullmatch(tidy):
        raise InvalidInputError("this is no mail address: write it as name@organisation.example")
    return tidy


def roles_text(roles: Iterable[Role]) -> str:
    """Roles as they are kept."""
    return " ".join(sorted(set(roles)))


def read_roles(text: str) -> frozenset[Role]:
    """Roles as they were kept."""
    return frozenset(Role(role) for role in text.split())


def person_of(row: RowMapping) -> Person:
    """The person of a row of ``people``."""
    return Person(
        id=PersonId(row["id"]),
        name=row["name"],
        email=row["email"],
        roles=read_roles(row["roles"]),
        language=row["language"],
        added_at=row["added_at"],
        closed_at=row["closed_at"],
    )
