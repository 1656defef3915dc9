"""A session is one secret that ends: by silence, by age, by its person, and by what is due."""

import pytest
from sqlalchemy import select

from tests.actors import actor_called
from tutela.accounts.people import Person, add_person
from tutela.accounts.sessions import (
    Awaits,
    begin_session,
    complete_session,
    end_session,
    end_sessions_of,
    find_session,
    forget_ended,
    mark_proved,
    mark_seen,
    sessions_of,
)
from tutela.accounts.tables import sessions
from tutela.errors import NotFoundError
from tutela.ledger.tables import ledger_entries

ACTOR = actor_called("cli:test")


@pytest.fixture
def rosa(database, clock) -> Person:
    with database.writing() as connection:
        return add_person(connection, "Rosa", "rosa@house.example", [], actor=ACTOR, clock=clock)


@pytest.fixture
def found(database, settings, clock):
    def find(token: str):
        with database.reading() as connection:
            return find_session(connection, token, settings, clock)

    return find


def begin(database, rosa, clock, **options) -> str:
    with database.writing() as connection:
        return begin_session(connection, rosa, clock, **{"proved": True} | options)


def test_the_token_finds_the_person_and_is_nowhere_in_the_database(
    database, rosa, clock, found, data
) -> None:
    token = begin(database, rosa, clock, device="Firefox on Linux")
    session = found(token)
    assert (session.person, session.device, session.awaits) == (rosa, "Firefox on Linux", None)
    assert found(token + "x") is None
    assert found("") is None
    assert found("\udcff") is None
    database.close()
    for file in data.rglob("*"):
        assert not file.is_file() or token.encode() not in file.read_bytes()


def test_who_knows_the_password_alone_sets_no_second_step_up_beside_the_persons_own(
    database, rosa, clock, found
) -> None:
    own, thief = (
        begin(database, rosa, clock, proved=False, awaits=Awaits.SET_UP) for _ in range(2)
    )
    late = found(thief)
    with database.writing() as connection:
        own = complete_session(connection, found(own), clock)
    assert found(own).awaits is None
    assert found(thief) is None
    with pytest.raises(NotFoundError), database.writing() as connection:
        complete_session(connection, late, clock)


def test_silence_ends_a_session(database, rosa, clock, found, settings) -> None:
    token = begin(database, rosa, clock)
    clock.turn(minutes=settings.console.session_idle_minutes - 1)
    session = found(token)
    assert session.is_stale(clock)
    with database.writing() as connection:
        mark_seen(connection, session, clock)
    clock.turn(minutes=settings.console.session_idle_minutes - 1)
    assert found(token)
    clock.turn(minutes=1)
    assert found(token) is None


def test_a_session_ends_after_a_day_however_busy_it_is(
    database, rosa, clock, found, settings
) -> None:
    token = begin(database, rosa, clock)
    for _ in range(settings.console.session_hours * 3 - 1):
        clock.turn(minutes=20)
        with database.writing() as connection:
            mark_seen(connection, found(token), clock)
    clock.turn(minutes=20)
    assert found(token) is None
    with database.writing() as connection:
        forget_ended(connection, settings, clock)
        assert connection.execute(select(sessions.c.id)).all() == []


def test_the_second_step_makes_a_new_token_and_has_to_come_soon(
    database, rosa, clock, found
) -> None:
    token = begin(database, rosa, clock, proved=False, awaits=Awaits.SECOND_STEP)
    session = found(token)
    assert session.awaits is Awaits.SECOND_STEP
    with database.writing() as connection:
        other = complete_session(connection, session, clock)
    assert found(token) is None
    assert found(other).awaits is None
    late = begin(database, rosa, clock, proved=False, awaits=Awaits.SECOND_STEP)
    clock.turn(minutes=15)
    assert found(late) is None


def test_a_proof_lasts_a_while_and_makes_a_new_token(
    database, rosa, clock, found, settings
) -> None:
    token = begin(database, rosa, clock)
    assert found(token).is_proved(settings, clock)
    clock.turn(minutes=settings.console.proof_minutes)
    assert not found(token).is_proved(settings, clock)
    with database.writing() as connection:
        other = mark_proved(connection, found(token), clock)
    assert found(token) is None
    assert found(other).is_proved(settings, clock)


def test_sessions_are_listed_and_ended_one_by_one_or_all_but_this(
    database, rosa, clock, found, settings
) -> None:
    tokens = [begin(database, rosa, clock, device=str(each)) for each in range(3)]
    with database.writing() as connection:
        listed = sessions_of(connection, rosa.id, settings, clock)
        assert [each.device for each in listed] == ["2", "1", "0"]
        end_session(connection, rosa.id, listed[0].id, ACTOR, clock)
    assert [found(token) is None for token in tokens] == [False, False, True]
    with database.writing() as connection:
        with pytest.raises(NotFoundError):
            end_session(connection, rosa.id, listed[0].id, ACTOR, clock)
        assert end_sessions_of(connection, rosa.id, ACTOR, clock, but=listed[1].id) == 1
    assert [found(token) is None for token in tokens] == [True, False, True]


def test_nobody_ends_anothers_session(database, rosa, clock, found, settings) -> None:
    token = begin(database, rosa, clock)
    with database.writing() as connection, pytest.raises(NotFoundError):
        end_session(connection, rosa.id + 1, found(token).id, ACTOR, clock)
    assert found(token)


def test_a_session_that_ended_is_not_renewed(database, rosa, clock, found) -> None:
    session = found(begin(database, rosa, clock))
    with database.writing() as connection:
        end_sessions_of(connection, rosa.id, ACTOR, clock)
        with pytest.raises(NotFoundError, match="sign in again"):
            mark_proved(connection, session, clock)


def test_coming_and_going_is_in_the_ledger_by_number_alone(
    database, rosa, clock, found, settings
) -> None:
    token = begin(database, rosa, clock, proved=False, awaits=Awaits.SECOND_STEP)
    with database.writing() as connection:
        token = complete_session(connection, found(token), clock)
    with database.writing() as connection:
        mark_proved(connection, found(token), clock)
        end_sessions_of(connection, rosa.id, ACTOR, clock)
    with database.reading() as connection:
        rows = connection.execute(select(ledger_entries.c.act, ledger_entries.c.thing)).all()
    assert [tuple(row) for row in rows][-3:] == [
        ("person.signed-in", "person:1"),
        ("person.proved-again", "person:1"),
        ("person.signed-out", "person:1"),
    ]
