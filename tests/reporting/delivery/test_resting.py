"""A channel rests ever longer, wakes all that waits, alerts once, and stops until it is mended."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from tests.reporting.world import NCMEC, World
from tutela.reporting.delivery.resting import (
    ALERT,
    DELIVER,
    channel_state,
    note_failed,
    note_through,
    rest_of,
    resume_channel,
    stop_channel,
)
from tutela.reporting.model import ChannelKind
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job, JobId
from tutela.storage.jobs.tables import jobs

WAY = ChannelKind.CYBERTIPLINE
JOB = Job(JobId(1), DELIVER, {}, 1, 1, datetime(2026, 1, 1, tzinfo=UTC))


def fail(world: World, asked: float | None = None):
    with world.database.writing() as connection:
        return note_failed(
            connection, WAY, NCMEC, "no answer", world.clock, job=JOB, asked_seconds=asked
        )


def alerts(world: World) -> int:
    with world.database.reading() as connection:
        return len(connection.execute(select(jobs.c.id).where(jobs.c.kind == ALERT)).all())


def state(world: World):
    with world.database.reading() as connection:
        return channel_state(connection, WAY, NCMEC)


def test_it_rests_longer_with_each_failure_but_never_more_than_an_hour(world: World, clock) -> None:
    waits = []
    for _ in range(16):
        until = fail(world)
        waits.append((until - clock()).total_seconds())
        assert rest_of(state(world), clock()) is not None
        clock.now = until
        assert rest_of(state(world), clock()) is None
    assert 2.5 <= waits[0] <= 5
    assert all(1800 <= wait <= 3600 for wait in waits[-3:])


def test_many_that_fail_together_count_once(world: World, clock) -> None:
    assert fail(world) == fail(world) == fail(world)


def test_what_the_authority_asks_for_is_kept_up_to_six_hours(world: World, clock) -> None:
    assert fail(world, asked=600) == clock() + timedelta(minutes=10)
    clock.turn(hours=1)
    assert fail(world, asked=10**8) == clock() + timedelta(hours=6)


def test_an_outage_is_told_of_once_and_not_before_a_quarter_of_an_hour(world: World, clock) -> None:
    fail(world)
    assert alerts(world) == 0
    for _ in range(5):
        clock.turn(minutes=20)
        fail(world)
    assert alerts(world) == 1
    with world.database.writing() as connection:
        note_through(connection, WAY, NCMEC, clock)
    fail(world)
    clock.turn(minutes=20)
    fail(world)
    assert alerts(world) == 2


def test_when_one_gets_through_all_that_rest_are_woken(world: World, clock) -> None:
    fail(world)
    with world.database.writing() as connection:
        for _ in range(3):
            enqueue(connection, DELIVER, {}, clock, at=clock() + timedelta(hours=9))
        enqueue(connection, "another.kind", {}, clock, at=clock() + timedelta(hours=9))
    clock.turn(minutes=1)
    with world.database.writing() as connection:
        note_through(connection, WAY, NCMEC, clock)
    with world.database.reading() as connection:
        due = connection.execute(select(jobs.c.due_at).order_by(jobs.c.id)).scalars().all()
    assert due == [clock()] * 3 + [clock() + timedelta(hours=8, minutes=59)]
    assert state(world).failing_since is None


def test_a_stopped_channel_rests_until_somebody_has_it_go_on(world: World, clock) -> None:
    for _ in range(3):
        with world.database.writing() as connection:
            stop_channel(connection, WAY, NCMEC, "answered 401", clock)
    assert alerts(world) == 1
    clock.turn(days=30)
    assert rest_of(state(world), clock()) is not None
    assert state(world).why == "answered 401"
    with world.database.writing() as connection:
        assert resume_channel(connection, WAY, NCMEC, clock)
        assert not resume_channel(connection, WAY, NCMEC, clock)
    assert rest_of(state(world), clock()) is None


def test_a_clock_that_was_ahead_does_not_have_it_rest_until_then(world: World, clock) -> None:
    clock.turn(days=400)
    fail(world)
    clock.turn(days=-400)
    assert rest_of(state(world), clock()) is None
    assert fail(world) <= clock() + timedelta(hours=1)
