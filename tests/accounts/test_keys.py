"""API keys are shown once, kept as hashes, limited by scope, and revoked for good."""

import pytest

from tests.actors import actor_called
from tutela.accounts.keys import add_key, all_keys, check_key, require, revoke_key
from tutela.accounts.permissions import Permission
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
    NotSignedInError,
)
from tutela.storage.clock import Clock
from tutela.storage.database import Database

ACTOR = actor_called("cli:test")


def make(database: Database, clock: Clock, name: str = "forum", *scopes: Permission) -> str:
    with database.writing() as connection:
        return add_key(connection, name, scopes or [Permission.SCREEN], ACTOR, clock)


def test_a_key_opens_what_its_scopes_say_and_nothing_else(database, clock) -> None:
    secret = make(database, clock, "forum", Permission.SCREEN, Permission.LISTS_READ)
    with database.reading() as connection:
        key = check_key(connection, secret)
    for scope in Permission:
        if scope in (Permission.SCREEN, Permission.LISTS_READ):
            require(key, scope)
        else:
            with pytest.raises(NotPermittedError, match=f'lacks the scope "{scope}"'):
                require(key, scope)


def test_the_secret_is_nowhere_in_the_database(database, clock, data) -> None:
    secret = make(database, clock)
    database.close()
    for file in data.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes()
    assert secret not in repr(_all(database))


def test_a_revoked_key_no_longer_works_and_its_name_is_free(database, clock) -> None:
    secret = make(database, clock)
    with database.writing() as connection:
        revoke_key(connection, "forum", ACTOR, clock)
    with database.reading() as connection, pytest.raises(NotSignedInError):
        check_key(connection, secret)
    assert make(database, clock) != secret
    assert [key.revoked_at is None for key in _all(database)] == [False, True]


def test_an_unknown_key_is_refused(database) -> None:
    with database.reading() as connection, pytest.raises(NotSignedInError, match="tutela key add"):
        check_key(connection, "tutela_guess")


def test_a_name_in_use_is_refused(database, clock) -> None:
    make(database, clock)
    with pytest.raises(AlreadyExistsError, match='a key "forum" already'):
        make(database, clock)


def test_revoking_what_is_not_there_says_so(database, clock) -> None:
    with database.writing() as connection, pytest.raises(NotFoundError, match='no key "x"'):
        revoke_key(connection, "x", ACTOR, clock)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_a_key_needs_a_name(database, clock, name: str) -> None:
    with pytest.raises(InvalidInputError):
        make(database, clock, name)


def test_a_key_needs_a_scope(database, clock) -> None:
    with pytest.raises(InvalidInputError, match="--scope screen"), database.writing() as connection:
        add_key(connection, "forum", [], ACTOR, clock)


def _all(database: Database):
    with database.reading() as connection:
        return all_keys(connection)
