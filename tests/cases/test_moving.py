"""A case is in one pair of hands at a time, and every move is in the ledger."""

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.cases.world import (
    ANNA,
    BEN,
    LEAD,
    OPERATOR,
    OTHER_LEAD,
    PROGRAM,
    a_case,
    moves_of,
    state_of,
    taken,
)
from tutela.cases.moving import (
    AlreadyHeldError,
    HoldLostError,
    MoveNotAllowedError,
    check_hold,
    give_back,
    keep_hold,
    move,
    release_overdue,
    take,
)
from tutela.cases.states import Move, State
from tutela.cases.tables import cases
from tutela.errors import NotFoundError, NotPermittedError, OutOfTurnError
from tutela.ledger.tables import ledger_entries
from tutela.storage.database import Database
from tutela.storage.settings import Settings, load_settings


@pytest.fixture
def settings(data: Path) -> Settings:
    """On SQLite: ``test_deciding_at_random`` does the same on both."""
    return load_settings(data=data)


def test_a_case_is_taken_and_given_back(database: Database, clock) -> None:
    case = a_case(database, clock)
    hold = taken(database, clock, case, ANNA)
    assert state_of(database, case) is State.IN_REVIEW
    with database.writing() as connection:
        give_back(connection, case, ANNA, clock, hold.number)
    assert state_of(database, case) is State.OPEN
    assert moves_of(database, case) == ["take person:1", "give-back person:1"]


def test_what_somebody_holds_nobody_else_takes_and_all_are_told_until_when(database, clock) -> None:
    case = a_case(database, clock)
    taken(database, clock, case, ANNA)
    for other in (BEN, OPERATOR, LEAD):
        with pytest.raises(AlreadyHeldError, match=r"person 1 is working on .* until 12:15 UTC"):
            taken(database, clock, case, other)


def test_taking_again_what_one_has_keeps_it_for_longer(database: Database, clock) -> None:
    case = a_case(database, clock)
    first = taken(database, clock, case, ANNA)
    clock.turn(minutes=5)
    again = taken(database, clock, case, ANNA)
    assert again.number == first.number
    assert again.until > first.until
    assert moves_of(database, case) == ["take person:1"]


def test_what_was_held_too_long_may_be_taken_and_the_first_one_is_told(database, clock) -> None:
    case = a_case(database, clock)
    first = taken(database, clock, case, ANNA)
    clock.turn(minutes=16)
    second = taken(database, clock, case, BEN)
    assert second.number > first.number
    for late in (keep_hold, give_back):
        with database.writing() as connection, pytest.raises(HoldLostError, match="ran out"):
            more = (15,) if late is keep_hold else ()
            late(connection, case, ANNA, clock, first.number, *more)
    assert moves_of(database, case) == ["take person:1", "give-back tutela", "take person:2"]


def test_who_comes_back_late_but_first_still_has_it(database: Database, clock) -> None:
    case = a_case(database, clock)
    hold = taken(database, clock, case, ANNA)
    clock.turn(minutes=16)
    with database.writing() as connection:
        kept = keep_hold(connection, case, ANNA, clock, hold.number, 15)
    assert kept.until > clock()


def test_overdue_holds_are_released(database: Database, clock) -> None:
    overdue, fresh = a_case(database, clock), a_case(database, clock)
    taken(database, clock, overdue, ANNA)
    clock.turn(minutes=10)
    hold = taken(database, clock, fresh, BEN)
    clock.turn(minutes=6)
    with database.writing() as connection:
        assert release_overdue(connection, clock) == [overdue]
        assert release_overdue(connection, clock) == []
        assert check_hold(connection, fresh, BEN, hold.number) is State.IN_REVIEW
    assert state_of(database, overdue) is State.OPEN


def test_a_program_takes_nothing(database: Database, clock) -> None:
    with pytest.raises(NotPermittedError, match="key that belongs to a person"):
        taken(database, clock, a_case(database, clock), PROGRAM)


def test_the_machines_operator_may_take(database: Database, clock) -> None:
    case = a_case(database, clock)
    taken(database, clock, case, OPERATOR)
    with pytest.raises(AlreadyHeldError, match="the machine's operator"):
        taken(database, clock, case, ANNA)


def test_a_move_that_the_table_has_not_changes_nothing(database: Database, clock) -> None:
    case = a_case(database, clock)
    with pytest.raises(MoveNotAllowedError, match="is open"), database.writing() as connection:
        move(connection, case, Move.REPORT, State.REPORTED, ANNA, clock)
    assert state_of(database, case) is State.OPEN
    assert moves_of(database, case) == []


def test_a_case_that_is_not_there_is_said(database: Database, clock) -> None:
    with pytest.raises(NotFoundError), database.writing() as connection:
        take(connection, "0000-0000-0000", ANNA, clock, 15)


def test_what_is_anothers_is_only_taken_by_them_or_a_lead(database: Database, clock) -> None:
    case = a_case(database, clock, assigned_to=2)
    with pytest.raises(OutOfTurnError, match="assigned to somebody else"):
        taken(database, clock, case, ANNA)
    assert taken(database, clock, case, BEN)
    assert taken(database, clock, a_case(database, clock, assigned_to=2), LEAD)


@pytest.mark.parametrize("state", [State.DISPUTED, State.UNDER_APPEAL])
def test_a_lead_looks_at_what_is_disputed_where_it_is(database: Database, clock, state) -> None:
    case = a_case(database, clock, state=state, state_before="confirmed")
    with pytest.raises(NotPermittedError, match="a lead settles it"):
        taken(database, clock, case, ANNA)
    hold = taken(database, clock, case, LEAD)
    assert state_of(database, case) is state
    with database.writing() as connection:
        give_back(connection, case, LEAD, clock, hold.number)
        held = connection.execute(select(cases.c.held_until)).scalar_one()
    assert held is None
    with database.reading() as connection:
        told = select(ledger_entries.c.act, ledger_entries.c.actor).order_by(
            ledger_entries.c.number.desc()
        )
        newest = connection.execute(told.limit(2)).all()
    assert [tuple(each) for each in newest] == [
        ("case.given-back", "person:3"),
        ("case.taken", "person:3"),
    ]
    assert moves_of(database, case) == []


@pytest.mark.parametrize("how", ["released", "taken by another lead"])
def test_what_a_lead_left_lying_where_it_stands_is_in_the_ledger(
    database: Database, clock, how
) -> None:
    case = a_case(database, clock, state=State.DISPUTED)
    taken(database, clock, case, LEAD)
    clock.turn(minutes=16)
    if how == "released":
        with database.writing() as connection:
            assert release_overdue(connection, clock) == []
    else:
        taken(database, clock, case, OTHER_LEAD)
    with database.reading() as connection:
        given = select(ledger_entries.c.actor, ledger_entries.c.case_id).where(
            ledger_entries.c.act == "case.given-back"
        )
        assert [tuple(each) for each in connection.execute(given)] == [("tutela", case)]


@pytest.mark.parametrize("before", [State.CONFIRMED, State.REPORTED, State.CLOSED])
def test_an_appeal_that_is_refused_leads_back_to_where_the_case_stood(
    database: Database, clock, before
) -> None:
    case = a_case(database, clock, state=before)
    with database.writing() as connection:
        move(connection, case, Move.APPEAL, State.UNDER_APPEAL, OPERATOR, clock)
    wrong = State.CLOSED if before is not State.CLOSED else State.REPORTED
    with pytest.raises(MoveNotAllowedError), database.writing() as connection:
        move(connection, case, Move.UPHOLD, wrong, LEAD, clock)
    with database.writing() as connection:
        move(connection, case, Move.UPHOLD, before, LEAD, clock)
    assert state_of(database, case) is before
