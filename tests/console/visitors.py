"""People who are signed in, for tests of the pages."""

import secrets

import httpx

from tests.actors import actor_called
from tests.house import House
from tutela.accounts.people import Person, add_person, choose_language, find_person
from tutela.accounts.permissions import Role
from tutela.accounts.sessions import begin_session
from tutela.storage.clock import Clock
from tutela.storage.database import Database

COOKIE = "tutela"


def new_person(
    database: Database, clock: Clock, *roles: Role, name: str = "Sam", language: str | None = None
) -> Person:
    """Somebody with these roles."""
    with database.writing() as connection:
        person = add_person(
            connection,
            name,
            f"{secrets.token_hex(8)}@example.org",
            roles,
            actor=actor_called("test"),
            clock=clock,
        )
        if language:
            choose_language(connection, person, language)
        return find_person(connection, person.id)


def new_session(database: Database, clock: Clock, person: Person, *, proved: bool = True) -> str:
    """A session's token, as it lies in the cookie."""
    with database.writing() as connection:
        return begin_session(connection, person, clock, proved=proved)


def signed_in(
    house: House,
    *roles: Role,
    name: str = "Sam",
    language: str | None = None,
    proved: bool = True,
) -> tuple[httpx.Client, Person]:
    """A person with these roles, and the browser that they are signed in with.

    Args:
        house: The running house.
        roles: Their roles.
        name: What they are called.
        language: The language that they chose.
        proved: Whether they have shown lately that it is them.
    """
    database, clock = house.service.database, house.service.clock
    person = new_person(database, clock, *roles, name=name, language=language)
    return browser_of(house, new_session(database, clock, person, proved=proved)), person


def browser_of(house: House, token: str | None = None) -> httpx.Client:
    """A caller that asks as a browser does; signed in if a session's token is given."""
    client = house.stranger({"Accept": "text/html", "Origin": house.address})
    if token is not None:
        client.cookies.set(COOKIE, token)
    return client
