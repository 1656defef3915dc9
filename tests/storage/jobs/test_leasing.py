"""A job is leased to one worker at a time, and only the newest lease counts."""

import threading
import time

import pytest

from tests.conftest import TurnedClock
from tests.storage.jobs.working import claimed, enqueued, kind_called, kinds
from tutela.errors import LeaseLostError
from tutela.storage.database import Database
from tutela.storage.jobs.finishing import fail, finish
from tutela.storage.jobs.leasing import claim, extend, release, require_lease
from tutela.storage.jobs.model import Job, State
from tutela.storage.jobs.tending import find_job, kept_jobs


def test_a_job_is_given_to_one_worker_and_is_gone_when_it_is_done(
    database: Database, clock: TurnedClock
) -> None:
    number = enqueued(database, clock, payload={"case": "7K3M"})
    (job,) = claimed(database, clock)
    assert job == Job(number, "mail", {"case": "7K3M"}, 1, 1, clock())
    assert claimed(database, clock) == []
    with database.writing() as connection:
        finish(connection, job, clock)
        assert kept_jobs(connection) == []


def test_a_number_is_never_given_twice(database: Database, clock: TurnedClock) -> None:
    first = enqueued(database, clock)
    (job,) = claimed(database, clock)
    with database.writing() as connection:
        finish(connection, job, clock)
    assert enqueued(database, clock) > first
    claimed(database, clock)
    with database.writing() as connection, pytest.raises(LeaseLostError):
        finish(connection, job, clock)


def test_a_lease_that_ran_out_and_was_taken_back_cannot_end_the_job(
    database: Database, clock: TurnedClock
) -> None:
    number = enqueued(database, clock)
    (mine,) = claimed(database, clock)
    clock.turn(seconds=61)
    assert claimed(database, clock) == []  # It is taken back, and waits as after a failure.
    clock.turn(seconds=11)
    (theirs,) = claimed(database, clock)
    assert (theirs.id, theirs.attempt) == (number, 2)
    assert theirs.token > mine.token
    with database.writing() as connection:
        for end in (
            lambda: finish(connection, mine, clock),
            lambda: fail(connection, mine, kind_called("mail"), ValueError(), clock, chance=0),
            lambda: release(connection, mine, clock),
            lambda: require_lease(connection, mine),
        ):
            with pytest.raises(LeaseLostError, match=f"job {number} .* not this worker's any more"):
                end()
        extend(connection, [mine], kinds("mail"), clock)
        require_lease(connection, theirs)
        finish(connection, theirs, clock)


def test_a_lease_that_ran_out_but_that_nobody_took_back_may_still_finish(
    database: Database, clock: TurnedClock
) -> None:
    enqueued(database, clock)
    (job,) = claimed(database, clock)
    clock.turn(hours=1)
    with database.writing() as connection:
        finish(connection, job, clock)
        assert kept_jobs(connection) == []


def test_an_extended_lease_does_not_run_out(database: Database, clock: TurnedClock) -> None:
    enqueued(database, clock)
    (job,) = claimed(database, clock)
    for _ in range(5):
        clock.turn(seconds=59)
        with database.writing() as connection:
            extend(connection, [job], kinds("mail"), clock)
        assert claimed(database, clock) == []
    with database.writing() as connection:
        require_lease(connection, job)


def test_a_released_job_is_ready_at_once_and_has_used_no_attempt_up(
    database: Database, clock: TurnedClock
) -> None:
    enqueued(database, clock)
    (job,) = claimed(database, clock)
    with database.writing() as connection:
        release(connection, job, clock)
    (again,) = claimed(database, clock)
    assert (again.attempt, again.token) == (1, 2)


def test_a_job_that_its_worker_always_dies_of_is_dead_in_the_end(
    database: Database, clock: TurnedClock
) -> None:
    number = enqueued(database, clock)
    known = kinds("mail", attempts=3)
    for attempt in (1, 2, 3):
        (job,) = claimed(database, clock, known)
        assert job.attempt == attempt
        clock.turn(seconds=61)
        assert claimed(database, clock, known) == []
        clock.turn(hours=1)
    assert claimed(database, clock, known) == []
    with database.reading() as connection:
        kept = find_job(connection, number)
    assert kept.state == State.DEAD
    assert kept.error == (
        "LeaseLostError: its worker stopped without a word, or could not reach the database"
    )


def test_the_oldest_comes_first_and_what_is_not_due_waits(
    database: Database, clock: TurnedClock
) -> None:
    later = enqueued(database, clock, at=clock().replace(hour=13))
    first = enqueued(database, clock)
    second = enqueued(database, clock)
    assert [job.id for job in claimed(database, clock, most=1)] == [first]
    assert [job.id for job in claimed(database, clock)] == [second]
    clock.turn(hours=1)
    clock.turn(seconds=30)
    assert later in [job.id for job in claimed(database, clock)]


def test_a_kind_that_the_worker_does_not_know_is_left_to_others(
    database: Database, clock: TurnedClock
) -> None:
    number = enqueued(database, clock, kind="from a newer version")
    assert claimed(database, clock) == []
    assert claim(database, {}, clock, most=5, worker="test:1") == []
    with database.reading() as connection:
        assert find_job(connection, number).state == State.READY


def test_never_more_of_a_kind_than_it_allows_run_at_once(
    database: Database, clock: TurnedClock
) -> None:
    known = kinds("mail", at_once=3)
    for _ in range(40):
        enqueued(database, clock)
    counting = threading.Lock()
    running, most, done = 0, 0, 0

    def work() -> None:
        nonlocal running, most, done
        while done < 40:
            jobs = claimed(database, clock, known, most=2)
            with counting:
                running += len(jobs)
                most = max(most, running)
            time.sleep(0.005)
            for job in jobs:
                # Before the commit: from then on another may be claimed.
                with counting:
                    running -= 1
                    done += 1
                with database.writing() as connection:
                    finish(connection, job, clock)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2 <= most <= 3
    assert done == 40
