"""A handler's end is the job's end, whatever it is."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event

from tests.conftest import TurnedClock
from tests.storage.jobs.working import claimed, enqueued, kind_called
from tutela.errors import LeaseLostError, StorageError
from tutela.storage.database import Database
from tutela.storage.jobs.finishing import finish
from tutela.storage.jobs.model import Job, JobId, KeptJob, Kind, Later, Never, State
from tutela.storage.jobs.performing import perform
from tutela.storage.jobs.tending import find_job, kept_jobs
from tutela.storage.migration import upgrade
from tutela.storage.settings import load_settings


class Told:
    """What was told of failures."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, Exception]] = []

    def __call__(self, what: str, failure: Exception) -> None:
        self.failures.append((what, failure))


def raising(error: Exception) -> Callable[[Job], None]:
    def run(_job: Job) -> None:
        raise error

    return run


def performed(database: Database, clock: TurnedClock, kind: Kind) -> Told:
    told = Told()
    (job,) = claimed(database, clock, {kind.name: kind})
    perform(database, job, kind, clock, told)
    return told


def kept(database: Database, number: JobId) -> KeptJob:
    with database.reading() as connection:
        return find_job(connection, number)


def test_a_handler_that_returns_has_done_its_job(database: Database, clock: TurnedClock) -> None:
    seen: list[object] = []
    enqueued(database, clock, payload={"case": 7})
    told = performed(database, clock, kind_called("mail", lambda job: seen.append(job.payload)))
    with database.reading() as connection:
        assert kept_jobs(connection) == []
    assert seen == [{"case": 7}]
    assert told.failures == []


def test_a_handler_may_finish_its_job_itself(database: Database, clock: TurnedClock) -> None:
    def run(job: Job) -> None:
        with database.writing() as connection:
            finish(connection, job, clock)

    enqueued(database, clock)
    assert performed(database, clock, kind_called("mail", run)).failures == []


def test_a_failure_is_told_and_kept_without_words_that_nobody_chose(
    database: Database, clock: TurnedClock
) -> None:
    number = enqueued(database, clock)
    told = performed(database, clock, kind_called("mail", raising(ValueError("her address"))))
    ((what, failure),) = told.failures
    assert what == f"job {number} (mail)"
    assert isinstance(failure, ValueError)
    waiting = kept(database, number)
    assert (waiting.state, waiting.attempts, waiting.error) == (State.READY, 1, "ValueError")
    assert waiting.failed_at == clock()
    assert clock() <= waiting.due_at <= clock() + timedelta(seconds=10)


def test_a_handler_puts_its_job_off_without_using_an_attempt_up(
    database: Database, clock: TurnedClock
) -> None:
    number = enqueued(database, clock)
    at = clock() + timedelta(days=3)
    kind = kind_called("mail", raising(Later(at, "closed until Monday")), attempts=1)
    for _ in range(3):
        assert performed(database, clock, kind).failures == []
        put_off = kept(database, number)
        assert (put_off.state, put_off.attempts, put_off.due_at) == (State.READY, 0, at)
        assert put_off.error == "closed until Monday"
        clock.turn(days=3)
        at = clock() + timedelta(days=3)
        kind = kind_called("mail", raising(Later(at, "closed until Monday")), attempts=1)


def test_a_handler_that_knows_that_it_will_not_help_gives_up(
    database: Database, clock: TurnedClock
) -> None:
    number = enqueued(database, clock)
    told = performed(database, clock, kind_called("mail", raising(Never("no such case"))))
    assert len(told.failures) == 1
    assert (kept(database, number).state, kept(database, number).error) == (
        State.DEAD,
        "no such case",
    )


def test_a_handler_that_lost_its_lease_changes_nothing_and_it_is_told(
    database: Database, clock: TurnedClock
) -> None:
    number = enqueued(database, clock)

    def dawdle(_job: Job) -> None:
        clock.turn(hours=1)
        claimed(database, clock)  # takes it back
        clock.turn(hours=1)
        claimed(database, clock)

    told = performed(database, clock, kind_called("mail", dawdle))
    ((_, failure),) = told.failures
    assert isinstance(failure, LeaseLostError)
    assert kept(database, number).state == State.LEASED
    assert kept(database, number).attempts == 2


def test_words_that_are_too_long_for_the_table_are_cut(
    database: Database, clock: TurnedClock
) -> None:
    number = enqueued(database, clock)
    performed(database, clock, kind_called("mail", raising(StorageError("é" * 5000))))
    assert len(kept(database, number).error or "") == 1000


@pytest.mark.parametrize("ends", ["done", "failed"])
def test_an_end_that_cannot_be_written_is_told_and_the_job_is_not_lost(
    data, clock: TurnedClock, ends: str
) -> None:
    database = Database.open(load_settings(data=data))
    upgrade(database, data, tell=lambda _: None)

    @event.listens_for(database.engine, "checkout")
    def only_read(connection: object, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA query_only={int(broken)}")  # type: ignore[attr-defined]

    broken = False

    def run(_job: Job) -> None:
        nonlocal broken
        broken = True
        if ends == "failed":
            raise ValueError

    number = enqueued(database, clock)
    told = performed(database, clock, kind_called("mail", run))
    failure = told.failures[-1][1]
    assert isinstance(failure, StorageError)
    assert "is read-only; make the data folder writable" in failure.message
    broken = False
    assert kept(database, number).state == State.LEASED
    clock.turn(seconds=61)
    assert claimed(database, clock) == []
    assert kept(database, number).state == State.READY
    database.close()
