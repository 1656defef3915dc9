"""How long authorities waited is counted by days, and read from what was counted alone."""

from datetime import timedelta

import pytest
from sqlalchemy import event, update

from tests.cases.world import OPERATOR
from tests.reporting.following.answered import sent
from tests.reporting.world import World
from tutela.cases.model import CaseId
from tutela.cases.states import State as CaseState
from tutela.cases.tables import cases
from tutela.reporting.finding import find_reports
from tutela.reporting.following.levels import (
    Levels,
    Waits,
    count_levels,
    read_levels,
)
from tutela.reporting.model import Environment
from tutela.reporting.states import Move


def reported(world: World, number: int, *, opened: float, confirmed: float, **more) -> CaseId:
    """A case that was opened and confirmed so many seconds before its report was sent."""
    case = world.case()
    now = world.clock()
    with world.database.writing() as connection:
        connection.execute(
            update(cases)
            .where(cases.c.id == case)
            .values(
                opened_at=now - timedelta(seconds=opened),
                decided_at=now - timedelta(seconds=confirmed),
            )
        )
    sent(world, str(number), case=case, **more)
    return case


def counted(world: World, days: int = 30, environment: Environment = Environment.SANDBOX) -> Levels:
    count_levels(world.database, environment, world.clock)
    with world.database.reading() as connection:
        return read_levels(connection, days, world.clock)


def test_nothing_is_said_before_it_is_counted(world: World) -> None:
    with world.database.reading() as connection:
        levels = read_levels(connection, 30, world.clock)
    assert (levels.counted_at, levels.authorities, levels.days) == (None, [], [])
    empty = counted(world)
    assert empty.counted_at == world.clock()
    assert (empty.authorities, empty.waiting, empty.days) == ([], [], [])


def test_the_middle_and_the_slowest_of_twenty_are_told_of_each_authority(world: World) -> None:
    for number in range(1, 22):
        reported(world, number, opened=7200 * number, confirmed=3600 * number)
    reported(world, 1, opened=60, confirmed=30, authority="de-bka")
    reported(world, 22, opened=5, confirmed=1, environment=Environment.SANDBOX)
    levels = counted(world)
    told = {(each.authority, each.environment): each for each in levels.authorities}
    assert set(told) == {
        ("de-bka", Environment.LIVE),
        ("us-ncmec", Environment.LIVE),
        ("us-ncmec", Environment.SANDBOX),
    }
    live = told["us-ncmec", Environment.LIVE]
    assert live.sent == 21
    assert live.from_confirmed.median == pytest.approx(11 * 3600, rel=0.025)
    assert live.from_confirmed.slow == pytest.approx(20 * 3600, rel=0.025)
    assert live.from_opened.median == pytest.approx(22 * 3600, rel=0.025)
    # Only what was told in earnest counts in the days.
    assert [each.sent for each in levels.days] == [22]


def test_the_days_are_kept_apart_and_added_up(world: World, clock) -> None:
    reported(world, 1, opened=200, confirmed=100)
    counted(world)
    clock.turn(days=1)
    reported(world, 2, opened=2_000_000, confirmed=1_000_000)
    reported(world, 3, opened=2_000_000, confirmed=1_000_000)
    levels = counted(world)
    assert [each.sent for each in levels.days] == [1, 2]
    assert levels.days[0].from_confirmed.median == pytest.approx(100, rel=0.025)
    (level,) = levels.authorities
    assert (level.sent, level.from_confirmed.median) == (
        3,
        pytest.approx(1_000_000, rel=0.025),
    )
    with world.database.reading() as connection:
        (today,) = read_levels(connection, 1, clock).authorities
    assert today.sent == 2
    clock.turn(days=40)
    assert counted(world).authorities == []


def test_a_house_without_live_reports_sees_those_of_the_sandbox(world: World) -> None:
    reported(world, 1, opened=20, confirmed=10, environment=Environment.SANDBOX)
    assert [each.sent for each in counted(world).days] == [1]


def test_what_corrects_and_what_was_decided_anew_says_nothing_of_the_wait(world: World) -> None:
    case = reported(world, 1, opened=20, confirmed=-60)
    with world.database.reading() as connection:
        (first,) = find_reports(connection, case=case)
    sent(world, "2", case=case, corrects=first.id)
    (level,) = counted(world).authorities
    assert (level.sent, level.from_confirmed) == (1, Waits(None, None))
    assert level.from_opened.median == pytest.approx(20, rel=0.025)


def test_what_waits_is_told_the_oldest_first_also_of_what_nobody_began(world: World) -> None:
    drafted, untouched, _open = world.case(), world.case(), world.case(state=CaseState.OPEN)
    now = world.clock()
    with world.database.writing() as connection:
        for case, hours in ((drafted, 5), (untouched, 9)):
            connection.execute(
                update(cases)
                .where(cases.c.id == case)
                .values(decided_at=now - timedelta(hours=hours))
            )
    report = world.draft(drafted, caller=OPERATOR)
    waiting = counted(world).waiting
    assert [(each.authority, each.count, each.oldest_at) for each in waiting] == [
        (None, 1, now - timedelta(hours=9)),
        ("us-ncmec", 1, now - timedelta(hours=5)),
    ]
    rehearsed = reported(world, 1, opened=20, confirmed=10, environment=Environment.SANDBOX)
    assert len(counted(world).waiting) == 2
    (bare, _) = counted(world, environment=Environment.LIVE).waiting
    assert (bare.authority, bare.count) == (None, 2)
    with world.database.writing() as connection:
        told = update(cases).where(cases.c.id == rehearsed)
        connection.execute(told.values(state=CaseState.REPORTED))
    world.move(report, Move.DISCARD, reason="a test")
    (bare,) = counted(world).waiting
    assert (bare.authority, bare.count) == (None, 2)


def test_no_page_reads_cases_or_reports(world: World) -> None:
    reported(world, 1, opened=20, confirmed=10)
    counted(world)
    asked: list[str] = []

    def note(_c, _cursor, statement, *_more) -> None:
        asked.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    with world.database.reading() as connection:
        assert read_levels(connection, 30, world.clock).authorities
    event.remove(world.database.engine, "before_cursor_execute", note)
    assert asked
    assert not [each for each in asked if "FROM cases" in each or "FROM reports" in each]
