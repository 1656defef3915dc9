"""Passwords are long, not one's own name, kept as argon2id, and right or wrong in equal time."""

import pytest
from argon2 import PasswordHasher

from tests.actors import actor_called
from tutela.accounts.passwords import (
    LONGEST,
    forget_password,
    hash_password,
    is_outdated,
    is_right,
    kept_password,
    refuse_weak,
    set_password,
)
from tutela.accounts.people import add_person
from tutela.errors import InvalidInputError

GOOD = "lamp river cotton seven"


def test_the_right_password_is_right_and_no_other() -> None:
    kept = hash_password(GOOD)
    assert kept.startswith("$argon2id$")
    assert GOOD not in kept
    assert is_right(GOOD, kept)
    assert not is_right(GOOD + " ", kept)
    assert not is_right("", kept)
    assert not is_right("x" * (LONGEST + 1), kept)
    assert not is_outdated(kept)


def test_two_people_with_one_password_have_two_hashes() -> None:
    assert hash_password(GOOD) != hash_password(GOOD)


def test_letters_count_and_not_the_code_points_that_a_keyboard_makes_of_them() -> None:
    assert is_right("fenêtre ouverte", hash_password("fene\u0302tre ouverte"))


def test_of_somebody_who_does_not_exist_no_password_is_right() -> None:
    assert not is_right("a password that nobody has", None)
    assert not is_right(GOOD, "")
    assert not is_right(GOOD, "not a hash")


def test_a_hash_by_weaker_parameters_is_outdated_and_still_right() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    assert is_right(GOOD, weak)
    assert is_outdated(weak)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "12 letters or more"),
        ("x" * (LONGEST + 1), "letters at most"),
        ("aaaaaaaaaaaaaa", "repeats itself"),
        ("rosa.ochre@house.example", "your own name"),
        ("RosaOchre2026", "your own name"),
        ("ochre rosa ochre", "your own name"),
    ],
)
def test_a_weak_password_is_refused_and_said_why(password: str, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        refuse_weak(password, "Rosa Ochre", "rosa.ochre@house.example")


@pytest.mark.parametrize(
    "password", [GOOD, "Rosa likes lamps by the river", "十二个字的密码也是可以用的啊"]
)
def test_a_good_password_is_taken(password: str) -> None:
    refuse_weak(password, "Rosa Ochre", "rosa.ochre@house.example")
    refuse_weak(password, "Rosa Ochre", None)


def test_a_password_is_kept_replaced_and_forgotten(database, clock) -> None:
    with database.writing() as connection:
        rosa = add_person(
            connection, "Rosa", "rosa@house.example", [], actor=actor_called("x"), clock=clock
        )
        assert kept_password(connection, rosa.id) is None
        set_password(connection, rosa, "one", clock)
        set_password(connection, rosa, "two", clock)
        assert kept_password(connection, rosa.id) == "two"
        forget_password(connection, rosa.id)
        assert kept_password(connection, rosa.id) is None
