"""Guessers wait, longer each time, by account and address; and learn of nobody who works here."""

import threading

import pytest
from sqlalchemy import select

from tests.actors import actor_called
from tutela.accounts.locking import (
    LONGEST_WAIT,
    account_called,
    address_of,
    begin_try,
    is_locked,
    note_failure,
    note_success,
    second_step_of,
    unlock,
)
from tutela.accounts.people import add_person
from tutela.accounts.tables import sign_in_failures
from tutela.errors import LockedOutError
from tutela.ledger.tables import ledger_entries

ACTOR = actor_called("cli:test")
ROSA = account_called("rosa@house.example")


@pytest.fixture
def rosa(database, clock):
    with database.writing() as connection:
        return add_person(connection, "Rosa", "rosa@house.example", [], actor=ACTOR, clock=clock)


@pytest.fixture
def fail(database, clock):
    def one(*subjects, person=None) -> None:
        with database.writing() as connection:
            begin_try(connection, subjects, clock)
        with database.writing() as connection:
            note_failure(connection, subjects, person, clock)

    return one


@pytest.fixture
def succeed(database, clock):
    def one(*subjects) -> None:
        with database.writing() as connection:
            begin_try(connection, subjects, clock)
            note_success(connection, subjects, clock)

    return one


def things(database) -> list[tuple[str, str]]:
    with database.reading() as connection:
        rows = connection.execute(
            select(ledger_entries.c.act, ledger_entries.c.thing).order_by(ledger_entries.c.number)
        )
        return [tuple(row) for row in rows if row.act.startswith("person.") and row.thing]


def test_after_five_failures_an_account_waits_longer_and_longer(clock, fail) -> None:
    waits = []
    for _ in range(4):
        fail(ROSA)
    for _ in range(8):
        fail(ROSA)
        with pytest.raises(LockedOutError) as refused:
            fail(ROSA)
        waits.append(refused.value.seconds)
        clock.turn(seconds=refused.value.seconds)
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    assert LONGEST_WAIT.total_seconds() == 900


def test_success_makes_an_accounts_failures_good(fail, succeed) -> None:
    for _ in range(3):
        for _ in range(4):
            fail(ROSA)
        succeed(ROSA)


def test_failures_are_forgotten_after_a_day(clock, fail) -> None:
    for _ in range(4):
        fail(ROSA)
    clock.turn(hours=24)
    for _ in range(5):
        fail(ROSA)


def test_an_address_that_tries_many_names_waits_and_success_is_no_way_round(fail, succeed) -> None:
    address = address_of("192.0.2.7")
    for number in range(30):
        fail(account_called(f"person{number}@house.example"), address)
        if number < 29:
            succeed(ROSA, address)
    with pytest.raises(LockedOutError):
        succeed(ROSA, address)
    succeed(ROSA, address_of("192.0.2.8"))


def test_success_does_not_end_a_wait_that_others_mistakes_brought_about(
    database, clock, fail
) -> None:
    address = address_of("192.0.2.7")
    for number in range(30):
        fail(account_called(f"person{number}@house.example"), address)
    clock.turn(seconds=30)
    # Somebody's own try is under way, such as with a passkey, and meanwhile another one is wrong.
    with database.writing() as connection:
        begun = begin_try(connection, [address], clock)
    clock.turn(seconds=60)
    fail(account_called("another@house.example"), address)
    for known in (begun, None):
        with database.writing() as connection:
            note_success(connection, [address], clock, begun=known)
        with pytest.raises(LockedOutError):
            fail(address)


def test_success_ends_a_wait_that_it_brought_about_itself(database, clock, fail) -> None:
    address = address_of("192.0.2.7")
    for number in range(30):
        fail(account_called(f"person{number}@house.example"), address)
    clock.turn(seconds=30)
    for _ in range(3):
        clock.turn(seconds=1)
        with database.writing() as connection:
            begun = begin_try(connection, [address], clock)
        with database.writing() as connection:
            note_success(connection, [address], clock, begun=begun)


def test_one_household_is_one_address(fail) -> None:
    assert address_of("2001:db8::1") == address_of("2001:db8::2:3")
    assert address_of("2001:db8::1") != address_of("2001:db8:0:1::1")
    assert address_of("not an address") == address_of("not an address")


def test_a_name_that_is_nobodys_is_treated_alike(database, clock, fail, rosa) -> None:
    nobody = account_called("nobody@house.example")
    for _ in range(5):
        fail(ROSA, person=rosa.id)
        fail(nobody)
    messages = []
    for subject in (ROSA, nobody):
        with pytest.raises(LockedOutError) as refused:
            fail(subject)
        messages.append(refused.value.message)
    assert messages[0] == messages[1]
    assert things(database)[-2:] == [
        ("person.locked-out", "person:1"),
        ("person.locked-out", "nobody"),
    ]


def test_what_strangers_type_is_not_kept(database, fail) -> None:
    fail(account_called("secret-typed-into-the-wrong-field"), address_of("192.0.2.7"))
    with database.reading() as connection:
        kept = repr(connection.execute(select(sign_in_failures)).all())
    assert "secret" not in kept
    assert "192" not in kept


def test_an_administrator_unlocks(database, clock, fail, rosa) -> None:
    for subject in (ROSA, second_step_of(rosa.id)):
        for _ in range(5):
            fail(subject, person=rosa.id)
        with database.writing() as connection:
            assert is_locked(connection, rosa, clock)
            unlock(connection, rosa, ACTOR, clock)
            assert not is_locked(connection, rosa, clock)
        fail(subject, person=rosa.id)


def test_many_at_once_are_no_way_round(database, clock) -> None:
    allowed: list[bool] = []

    def guess() -> None:
        try:
            with database.writing() as connection:
                begin_try(connection, [ROSA, address_of("192.0.2.7")], clock)
            allowed.append(True)
        except LockedOutError:
            allowed.append(False)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 7 + [True] * 5
