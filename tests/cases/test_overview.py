"""What is held, what was decided lately and what can still be undone, a page at a time."""

from datetime import timedelta

from tests.cases.world import A_WHILE, ANNA, BEN, a_case, decided, reviewing, taken
from tests.conftest import TurnedClock
from tutela.cases.deciding import undo
from tutela.cases.overview import decided as decided_lately
from tutela.cases.overview import held, undoable
from tutela.storage.database import Database
from tutela.storage.settings import Settings


def test_what_is_held_is_listed_by_when_it_runs_out(database: Database, clock: TurnedClock) -> None:
    cases = []
    for number in range(5):
        cases.append(a_case(database, clock, b"%d" % number))
        taken(database, clock, cases[-1], ANNA)
        clock.turn(seconds=number % 2)
    a_case(database, clock, b"free")
    with database.reading() as connection:
        first = held(connection, limit=2)
        second = held(connection, limit=2, after=(first[-1].held_until, first[-1].case))
        third = held(connection, limit=2, after=(second[-1].held_until, second[-1].case))
    found = [*first, *second, *third]
    assert {each.case for each in found} == set(cases)
    assert len(found) == 5
    moments = [each.held_until for each in found]
    assert moments == sorted(moments)


def test_what_was_decided_is_listed_with_the_latest_first(
    database: Database, clock: TurnedClock, settings: Settings
) -> None:
    settings = reviewing(settings)
    cases = []
    for number in range(5):
        cases.append(a_case(database, clock, b"%d" % number))
        decided(database, clock, settings, cases[-1], ANNA)
        clock.turn(seconds=number % 2)
    with database.reading() as connection:
        first = decided_lately(connection, limit=3)
        rest = decided_lately(connection, limit=3, after=(first[-1].decided_at, first[-1].case))
    assert {each.case for each in [*first, *rest]} == set(cases)
    moments = [each.decided_at for each in [*first, *rest]]
    assert moments == sorted(moments, reverse=True)


def test_only_ones_own_decisions_can_be_undone_and_only_for_a_while(
    database: Database, clock: TurnedClock, settings: Settings
) -> None:
    settings = reviewing(settings)
    case, other = a_case(database, clock, b"1"), a_case(database, clock, b"2")
    decided(database, clock, settings, case, ANNA)
    decided(database, clock, settings, other, BEN)
    with database.reading() as connection:
        (mine,) = undoable(connection, ANNA.person, clock, settings)
    assert mine.case == case
    assert mine.until == clock() + timedelta(seconds=settings.review.undo_seconds)
    with database.writing() as connection:
        undo(connection, case, ANNA, clock, settings)
    clock.turn(seconds=A_WHILE.total_seconds())
    with database.reading() as connection:
        assert undoable(connection, ANNA.person, clock, settings) == []
        assert undoable(connection, BEN.person, clock, settings) == []
