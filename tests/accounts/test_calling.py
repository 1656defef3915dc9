"""A key that belongs to somebody never allows more than they may do, from one use to the next."""

import pytest
from sqlalchemy import update

from tests.actors import actor_called
from tutela.accounts.calling import caller_of_key, caller_of_person, need
from tutela.accounts.keys import add_key, check_key, require
from tutela.accounts.known_keys import KnownKeys
from tutela.accounts.people import add_person
from tutela.accounts.permissions import Permission, Role
from tutela.accounts.tables import people
from tutela.errors import NotPermittedError

ACTOR = actor_called("cli:test")
SCOPES = (Permission.CASES_REVIEW, Permission.PEOPLE_WRITE)


@pytest.fixture
def rosa(database, clock):
    with database.writing() as connection:
        return add_person(
            connection, "Rosa", "rosa@house.example", [Role.REVIEWER], actor=ACTOR, clock=clock
        )


@pytest.fixture
def secret(database, clock, rosa) -> str:
    with database.writing() as connection:
        return add_key(connection, "rosas", SCOPES, ACTOR, clock, owner=rosa.id)


def test_a_key_allows_what_both_its_scopes_and_its_owner_do(database, rosa, secret) -> None:
    with database.reading() as connection:
        key = check_key(connection, secret)
    caller = caller_of_key(key)
    assert key.scopes == set(SCOPES)
    assert caller.permissions == {Permission.CASES_REVIEW}
    assert caller.person == rosa.id
    assert caller.actor.id == "key:1"
    require(key, Permission.CASES_REVIEW)
    with pytest.raises(NotPermittedError, match="belongs to somebody who may not"):
        require(key, Permission.PEOPLE_WRITE)


def test_a_key_in_memory_follows_its_owner(database, secret) -> None:
    known = KnownKeys(database)
    known.refresh()
    assert known.check(secret).permissions == {Permission.CASES_REVIEW}
    with database.writing() as connection:
        connection.execute(update(people).values(roles=Role.ADMINISTRATOR))
    known.refresh()
    assert known.check(secret).permissions == {Permission.PEOPLE_WRITE}


def test_a_programs_key_allows_its_scopes(database, clock) -> None:
    with database.writing() as connection:
        secret = add_key(connection, "forum", SCOPES, ACTOR, clock)
        caller = caller_of_key(check_key(connection, secret))
    assert (caller.permissions, caller.person) == (set(SCOPES), None)


def test_a_person_may_do_what_their_roles_say(rosa) -> None:
    caller = caller_of_person(rosa, "console")
    assert (caller.actor.id, caller.actor.role, caller.actor.face) == (
        "person:1", "person", "console",
    )  # fmt: skip
    for permission in Permission:
        if permission in Role.REVIEWER.permissions:
            need(caller, permission)
        else:
            with pytest.raises(NotPermittedError, match=f'lacks the permission "{permission}"'):
                need(caller, permission)
