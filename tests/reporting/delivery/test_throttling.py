"""No more reports begin in a minute than may, whoever asks, and nobody's turn is lost."""

import itertools
import threading
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from tests.reporting.world import NCMEC, World
from tutela.reporting.delivery.channel import Step
from tutela.reporting.delivery.throttling import minute_is_full, stand_in_line, take_turn
from tutela.reporting.model import ChannelKind, ReportId
from tutela.reporting.tables import delivery_attempts
from tutela.storage.jobs.model import Later

WAY = ChannelKind.CYBERTIPLINE


def begin(world: World, report: ReportId, per_minute: int) -> None:
    with world.database.writing() as connection:
        now = world.clock()
        take_turn(connection, WAY, NCMEC, per_minute, now)
        number = len(connection.execute(select(delivery_attempts.c.id)).all()) + 1
        connection.execute(
            insert(delivery_attempts).values(
                report_id=report,
                number=number,
                begun_at=now,
                step=Step.BEGUN,
                files={},
                environment="sandbox",
            )
        )


def test_the_minute_is_full_until_the_first_one_of_it_is_a_minute_ago(world: World, clock) -> None:
    report = world.draft(world.case())
    begin(world, report, 2)
    clock.turn(seconds=20)
    begin(world, report, 2)
    clock.turn(seconds=20)
    with pytest.raises(Later) as later:
        begin(world, report, 2)
    assert later.value.at == clock() + timedelta(seconds=20)
    clock.turn(seconds=20)
    begin(world, report, 2)
    with world.database.reading() as connection:
        assert minute_is_full(connection, WAY, NCMEC, 2, clock())
        assert not minute_is_full(connection, ChannelKind.WEBHOOK, NCMEC, 2, clock())


def test_those_who_ask_at_once_do_not_both_take_the_last_turn(world: World) -> None:
    report = world.draft(world.case())
    refused: list[Later] = []
    both = threading.Barrier(4)

    def ask() -> None:
        both.wait()
        try:
            begin(world, report, 1)
        except Later as later:
            refused.append(later)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with world.database.reading() as connection:
        assert len(connection.execute(select(delivery_attempts.c.id)).all()) == 1
    assert len(refused) == 3


def test_the_line_gives_each_a_place_of_its_own(world: World, clock) -> None:
    report = world.draft(world.case())
    begin(world, report, 1)
    places = []
    for _ in range(3):
        with world.database.writing() as connection:
            places.append(stand_in_line(connection, WAY, NCMEC, 1, clock()))
    assert places[0] == clock() + timedelta(minutes=1)
    assert [b - a for a, b in itertools.pairwise(places)] == [timedelta(seconds=54)] * 2


def test_a_clock_that_was_ahead_fills_no_minute_and_no_line(world: World, clock) -> None:
    report = world.draft(world.case())
    clock.turn(days=400)
    begin(world, report, 1)
    with world.database.writing() as connection:
        stand_in_line(connection, WAY, NCMEC, 1, clock())
    clock.turn(days=-400)
    begin(world, report, 1)
    with world.database.writing() as connection:
        place = stand_in_line(connection, WAY, NCMEC, 1, clock())
    assert place == clock() + timedelta(minutes=1)
