"""Each occurrence of a schedule becomes one job, and missed ones become one together."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import TurnedClock
from tests.storage.jobs.working import claimed, kind_called
from tutela.storage.database import Database
from tutela.storage.jobs.finishing import fail, finish
from tutela.storage.jobs.model import Kind, Never, State, kinds_by_name
from tutela.storage.jobs.scheduling import catch_up, last_occurrence, next_occurrence
from tutela.storage.jobs.tending import kept_jobs

DAILY = kind_called("sweep", schedule="30 3 * * *", attempts=2)


def caught_up(database: Database, clock: TurnedClock, kind: Kind = DAILY) -> datetime | None:
    with database.writing() as connection:
        return catch_up(connection, kind, clock)


def jobs_there(database: Database) -> list[str | None]:
    with database.reading() as connection:
        return [job.dedupe for job in kept_jobs(connection)]


def done(database: Database, clock: TurnedClock) -> None:
    for job in claimed(database, clock, kinds_by_name([DAILY])):
        with database.writing() as connection:
            finish(connection, job, clock)


def test_a_new_schedule_begins_with_its_next_occurrence(
    database: Database, clock: TurnedClock
) -> None:
    assert caught_up(database, clock) == datetime(2026, 1, 16, 3, 30, tzinfo=UTC)
    assert jobs_there(database) == []
    clock.turn(hours=15)
    caught_up(database, clock)
    assert jobs_there(database) == []
    clock.turn(hours=1)
    assert caught_up(database, clock) == datetime(2026, 1, 17, 3, 30, tzinfo=UTC)
    assert jobs_there(database) == ["schedule:sweep:2026-01-16T03:30:00Z"]


def test_an_occurrence_whose_job_is_done_already_does_not_come_again(
    database: Database, clock: TurnedClock
) -> None:
    caught_up(database, clock)
    clock.turn(hours=16)
    caught_up(database, clock)
    done(database, clock)
    for _ in range(3):
        caught_up(database, clock)
    assert jobs_there(database) == []


def test_what_was_missed_while_nothing_ran_is_made_up_for_once(
    database: Database, clock: TurnedClock
) -> None:
    caught_up(database, clock)
    clock.turn(days=30)
    caught_up(database, clock)
    assert jobs_there(database) == ["schedule:sweep:2026-02-14T03:30:00Z"]
    done(database, clock)
    caught_up(database, clock)
    assert jobs_there(database) == []


def test_an_occurrence_is_left_to_the_one_before_while_that_is_not_done(
    database: Database, clock: TurnedClock
) -> None:
    caught_up(database, clock)
    clock.turn(days=1)
    caught_up(database, clock)
    clock.turn(days=1)
    caught_up(database, clock)
    assert jobs_there(database) == ["schedule:sweep:2026-01-16T03:30:00Z"]
    done(database, clock)
    clock.turn(days=1)
    caught_up(database, clock)
    assert jobs_there(database) == ["schedule:sweep:2026-01-18T03:30:00Z"]


def test_a_dead_occurrence_does_not_stop_the_next_one(
    database: Database, clock: TurnedClock
) -> None:
    caught_up(database, clock)
    clock.turn(days=1)
    caught_up(database, clock)
    (job,) = claimed(database, clock, kinds_by_name([DAILY]))
    with database.writing() as connection:
        fail(connection, job, DAILY, Never("it cannot"), clock, chance=0)
    clock.turn(days=1)
    caught_up(database, clock)
    with database.reading() as connection:
        assert [job.state for job in kept_jobs(connection)] == [State.DEAD, State.READY]


def test_workers_that_see_an_occurrence_together_enqueue_it_once(
    database: Database, clock: TurnedClock
) -> None:
    caught_up(database, clock)
    clock.turn(days=1)
    failures: list[Exception] = []
    together = threading.Barrier(6)

    def look() -> None:
        together.wait()
        try:
            caught_up(database, clock)
            done(database, clock)
            caught_up(database, clock)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert jobs_there(database) == []
    clock.turn(days=1)
    caught_up(database, clock)
    with database.reading() as connection:
        # Numbers count up: one job for each of the two occurrences.
        assert [job.id for job in kept_jobs(connection)] == [2]


def test_a_kind_without_a_schedule_never_comes_by_itself(
    database: Database, clock: TurnedClock
) -> None:
    assert caught_up(database, clock, kind_called("mail")) is None
    assert jobs_there(database) == []


MOMENTS = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the time zones
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
)


@given(MOMENTS, st.sampled_from(["* * * * *", "30 3 * * *", "*/7 1-5 * * mon", "0 0 29 2 *"]))
def test_a_moment_lies_between_its_last_and_its_next_occurrence(
    moment: datetime, schedule: str
) -> None:
    last, following = last_occurrence(schedule, moment), next_occurrence(schedule, moment)
    assert last is not None
    assert last <= moment < following
    assert last_occurrence(schedule, following) == following
    assert next_occurrence(schedule, last) == following


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
def test_an_occurrence_counts_from_its_very_moment(microsecond: int) -> None:
    at = datetime(2026, 1, 16, 3, 30, tzinfo=UTC)
    assert last_occurrence("30 3 * * *", at.replace(microsecond=microsecond)) == at


def test_a_clock_that_was_ahead_stops_no_schedule_and_no_job(
    database: Database, clock: TurnedClock
) -> None:
    caught_up(database, clock)
    clock.turn(days=400)
    caught_up(database, clock)
    (job,) = claimed(database, clock, kinds_by_name([DAILY]))
    with database.writing() as connection:
        fail(connection, job, DAILY, ValueError(), clock, chance=0.5)
    clock.turn(days=-399)
    # Its own job is under way again, by now's clock; and the next occurrence comes when it is due.
    caught_up(database, clock)
    done(database, clock)
    assert jobs_there(database) == []
    clock.turn(days=1)
    caught_up(database, clock)
    assert jobs_there(database) == ["schedule:sweep:2026-01-17T03:30:00Z"]
