"""A job is there if, and only if, the fact that causes it is."""

import math

import pytest

from tests.conftest import TurnedClock
from tests.storage.jobs.working import claimed, enqueued
from tutela.errors import InvalidInputError
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.finishing import fail, finish
from tutela.storage.jobs.model import Kind, Never, State
from tutela.storage.jobs.tending import drop, find_job, kept_jobs


def test_a_job_goes_with_the_transaction_that_enqueued_it(
    database: Database, clock: TurnedClock
) -> None:
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        enqueue(connection, "mail", {}, clock)
        _ = 1 / 0
    assert claimed(database, clock) == []


def test_a_payload_comes_back_as_it_was(database: Database, clock: TurnedClock) -> None:
    payload = {"case": "7K3M", "numbers": [1, 2.5, -3], "deep": {"é\x00\u2028": None, "yes": True}}
    enqueued(database, clock, payload=payload)
    (job,) = claimed(database, clock)
    assert job.payload == payload


@pytest.mark.parametrize(
    "payload", [{"at": math.nan}, {"bytes": b"x"}, {"much": "x" * 70_000}, [1], "text"]
)
def test_a_payload_that_cannot_be_kept_is_refused(
    database: Database, clock: TurnedClock, payload: object
) -> None:
    with database.writing() as connection:
        with pytest.raises(InvalidInputError, match="a job's payload is"):
            enqueue(connection, "mail", payload, clock)  # type: ignore[arg-type]
        assert kept_jobs(connection) == []


def test_of_one_key_there_is_one_job_until_it_is_done(
    database: Database, clock: TurnedClock
) -> None:
    first = enqueued(database, clock, dedupe="report:1", payload={"n": 1})
    assert enqueued(database, clock, dedupe="report:1", payload={"n": 2}) == first
    assert enqueued(database, clock, dedupe="report:2") != first
    job = next(job for job in claimed(database, clock) if job.id == first)
    assert job.payload == {"n": 1}
    assert enqueued(database, clock, dedupe="report:1") == first
    with database.writing() as connection:
        finish(connection, job, clock)
    assert enqueued(database, clock, dedupe="report:1") > first


def test_a_dead_job_keeps_its_key_until_a_person_drops_it(
    database: Database, clock: TurnedClock
) -> None:
    first = enqueued(database, clock, dedupe="report:1")
    (job,) = claimed(database, clock)
    with database.writing() as connection:
        fail(connection, job, Kind("mail", print), Never("no such case"), clock, chance=0)
        assert find_job(connection, first).state == State.DEAD
    assert enqueued(database, clock, dedupe="report:1") == first
    with database.writing() as connection:
        drop(connection, first)
    assert enqueued(database, clock, dedupe="report:1") > first
