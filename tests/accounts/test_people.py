"""People are added once, found by number and address, and may do what their roles say."""

import pytest

from tests.actors import actor_called
from tutela.accounts.people import (
    add_person,
    all_people,
    choose_language,
    find_person,
    names_of_people,
    person_called,
)
from tutela.accounts.permissions import Permission, Role
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from tutela.storage.clock import Clock
from tutela.storage.database import Database

ACTOR = actor_called("cli:test")


def add(database: Database, clock: Clock, name: str = "Rosa Ochre", *roles: Role):
    with database.writing() as connection:
        email = f"{name.split(maxsplit=1)[0]}@house.example"
        return add_person(connection, name, email, roles, actor=ACTOR, clock=clock)


def test_a_person_is_found_by_number_and_by_address_in_any_letters(database, clock) -> None:
    rosa = add(database, clock, "Rosa Ochre", Role.REVIEWER, Role.LEAD)
    with database.reading() as connection:
        assert find_person(connection, rosa.id) == rosa
        assert person_called(connection, " ROSA@House.Example ") == rosa
        assert person_called(connection, "nobody@house.example") is None
        assert all_people(connection) == [rosa]
        assert names_of_people(connection) == {rosa.id: "Rosa Ochre"}
    assert rosa.email == "rosa@house.example"
    assert rosa.permissions == Role.REVIEWER.permissions | Role.LEAD.permissions
    assert Permission.PEOPLE_WRITE not in rosa.permissions


def test_an_address_is_one_persons(database, clock) -> None:
    add(database, clock)
    with pytest.raises(AlreadyExistsError, match="works here already"):
        add(database, clock)


def test_nobody_is_found_where_nobody_is(database) -> None:
    with database.reading() as connection, pytest.raises(NotFoundError, match="no person 7"):
        find_person(connection, 7)


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("", "a@b.example"),
        ("x" * 201, "a@b.example"),
        ("Rosa\u202eOchre", "a@b.example"),
        ("Rosa", "rosa"),
        ("Rosa", "a b@c.example"),
        ("Rosa", "a@b@c"),
        ("Rosa", "x" * 320 + "@c"),
    ],
)
def test_what_is_no_name_or_address_is_refused(database, clock, name: str, email: str) -> None:
    with database.writing() as connection, pytest.raises(InvalidInputError):
        add_person(connection, name, email, [], actor=ACTOR, clock=clock)


def test_a_language_is_remembered(database, clock) -> None:
    rosa = add(database, clock)
    assert rosa.language is None
    with database.writing() as connection:
        choose_language(connection, rosa, "ar")
        assert find_person(connection, rosa.id).language == "ar"
