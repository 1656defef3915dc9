"""The keys in memory are those of the database, as of the last reading; new ones work at once."""

import pytest

from tests.actors import actor_called
from tutela.accounts.keys import add_key, revoke_key
from tutela.accounts.known_keys import KnownKeys
from tutela.accounts.permissions import Permission
from tutela.errors import NotSignedInError
from tutela.storage.clock import Clock
from tutela.storage.database import Database

ACTOR = actor_called("cli:test")


def make(database: Database, clock: Clock, name: str = "forum") -> str:
    with database.writing() as connection:
        return add_key(connection, name, [Permission.SCREEN], ACTOR, clock)


def test_a_key_is_found_without_the_database_once_it_was_read(database, clock) -> None:
    key = make(database, clock)
    known = KnownKeys(database)
    assert known.find(key) is None
    known.refresh()
    found = known.find(key)
    assert found
    assert (found.name, found.scopes) == ("forum", {Permission.SCREEN})


def test_a_key_that_was_made_since_works_at_once(database, clock) -> None:
    known = KnownKeys(database)
    known.refresh()
    assert known.check(make(database, clock)).name == "forum"


def test_a_revoked_key_works_no_more_after_the_next_reading(database, clock) -> None:
    key, other = make(database, clock), make(database, clock, "game")
    known = KnownKeys(database)
    known.refresh()
    with database.writing() as connection:
        revoke_key(connection, "forum", ACTOR, clock)
    known.refresh()
    assert known.find(key) is None
    with pytest.raises(NotSignedInError):
        known.check(key)
    assert known.check(other).name == "game"


@pytest.mark.parametrize("key", ["", "guess", "tutela_" + "A" * 43, "\u00ff\u20ac"])
def test_a_key_that_never_was_is_refused(database, key: str) -> None:
    known = KnownKeys(database)
    known.refresh()
    with pytest.raises(NotSignedInError):
        known.check(key)
