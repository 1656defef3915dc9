"""People for the tests of this room."""

import secrets

from tests.actors import actor_called
from tutela.accounts.people import Person, add_person
from tutela.accounts.permissions import Role
from tutela.storage.clock import Clock
from tutela.storage.database import Database


def someone(database: Database, clock: Clock, *roles: Role, email: str | None = None) -> Person:
    """Somebody who works here."""
    address = email or f"{secrets.token_hex(6)}@example.org"
    with database.writing() as connection:
        return add_person(
            connection, "Ada", address, roles, actor=actor_called("test"), clock=clock
        )
