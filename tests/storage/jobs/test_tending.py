"""A person sees what waits and what failed, and says what is to become of it."""

import pytest

from tests.conftest import TurnedClock
from tests.storage.jobs.working import claimed, enqueued, kind_called
from tutela.errors import InvalidInputError, NotFoundError
from tutela.storage.database import Database
from tutela.storage.jobs.finishing import fail
from tutela.storage.jobs.model import JobId, Never, State
from tutela.storage.jobs.tending import count_by_state, drop, find_job, kept_jobs, mend, retry


def a_dead_job(database: Database, clock: TurnedClock) -> JobId:
    number = enqueued(database, clock, payload={"case": "wrong"})
    (job,) = claimed(database, clock)
    with database.writing() as connection:
        fail(connection, job, kind_called("mail"), Never("no such case"), clock, chance=0)
    return number


def test_a_dead_job_is_kept_with_its_error_and_its_time(
    database: Database, clock: TurnedClock
) -> None:
    number, died_at = a_dead_job(database, clock), clock.now
    clock.turn(days=365)
    assert claimed(database, clock) == []
    with database.reading() as connection:
        (kept,) = kept_jobs(connection, state=State.DEAD)
        assert count_by_state(connection) == {State.READY: 0, State.LEASED: 0, State.DEAD: 1}
    assert (kept.id, kept.payload, kept.error) == (number, {"case": "wrong"}, "no such case")
    assert kept.failed_at == died_at


def test_a_dead_job_is_mended_and_tried_again_with_all_its_attempts(
    database: Database, clock: TurnedClock
) -> None:
    number = a_dead_job(database, clock)
    with database.writing() as connection:
        mend(connection, number, {"case": "right"})
    assert claimed(database, clock) == []
    with database.writing() as connection:
        retry(connection, number, clock)
    (job,) = claimed(database, clock)
    assert (job.id, job.payload, job.attempt, job.token) == (number, {"case": "right"}, 1, 2)


def test_a_waiting_job_is_tried_at_once_if_a_person_says_so(
    database: Database, clock: TurnedClock
) -> None:
    number = enqueued(database, clock, at=clock.now.replace(year=2027))
    assert claimed(database, clock) == []
    with database.writing() as connection:
        retry(connection, number, clock)
    assert [job.id for job in claimed(database, clock)] == [number]


def test_a_dropped_job_is_never_done(database: Database, clock: TurnedClock) -> None:
    number = a_dead_job(database, clock)
    with database.writing() as connection:
        drop(connection, number)
        with pytest.raises(NotFoundError, match=f"no job {number}"):
            find_job(connection, number)


def test_a_job_that_a_worker_is_at_is_left_alone(database: Database, clock: TurnedClock) -> None:
    number = enqueued(database, clock)
    claimed(database, clock)
    with database.writing() as connection:
        for change in (
            lambda: mend(connection, number, {}),
            lambda: retry(connection, number, clock),
            lambda: drop(connection, number),
        ):
            with pytest.raises(InvalidInputError, match="a worker is at job"):
                change()


def test_a_job_that_is_done_or_never_was_is_not_found(
    database: Database, clock: TurnedClock
) -> None:
    with database.writing() as connection:
        for change in (
            lambda: mend(connection, JobId(7), {}),
            lambda: retry(connection, JobId(7), clock),
            lambda: drop(connection, JobId(7)),
        ):
            with pytest.raises(NotFoundError, match="no job 7, or it is done"):
                change()


def test_jobs_are_listed_by_state_and_kind(database: Database, clock: TurnedClock) -> None:
    dead = a_dead_job(database, clock)
    mail, call = enqueued(database, clock), enqueued(database, clock, kind="call")
    with database.reading() as connection:
        assert [job.id for job in kept_jobs(connection)] == [dead, mail, call]
        assert [job.id for job in kept_jobs(connection, state=State.READY)] == [mail, call]
        assert [job.id for job in kept_jobs(connection, kind="call")] == [call]
        assert [job.id for job in kept_jobs(connection, limit=1)] == [dead]
