"""A worker does what is due, keeps what it holds, goes on after failures, and stops with grace."""

import threading
import time
from collections.abc import Callable

from tests.conftest import TurnedClock
from tests.storage.jobs.test_performing import Told
from tests.storage.jobs.working import enqueued, kind_called
from tests.waiting import comes_true
from tutela.errors import LeaseLostError, StorageError
from tutela.storage.clock import Clock, system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.finishing import finish
from tutela.storage.jobs.model import Job, Kind, State, kinds_by_name
from tutela.storage.jobs.tending import count_by_state, kept_jobs
from tutela.storage.jobs.worker import Worker


def worker(
    database: Database,
    *kinds: Kind,
    clock: Clock = system_clock,
    tell: Callable[[str, Exception], None] | None = None,
    drain_seconds: float = 10,
    threads: int = 4,
) -> Worker:
    return Worker(
        database,
        kinds_by_name(kinds),
        clock,
        threads=threads,
        drain_seconds=drain_seconds,
        tell=tell or Told(),
        poll_seconds=0.05,
    )


def states(database: Database) -> dict[State, int]:
    with database.reading() as connection:
        return {state: count for state, count in count_by_state(connection).items() if count}


def test_all_that_is_enqueued_is_done_while_others_run(database: Database) -> None:
    together = threading.Barrier(4)
    done: list[int] = []

    def run(job: Job) -> None:
        if len(done) < 4:
            together.wait(30)
        done.append(job.id)

    numbers = [enqueued(database, system_clock) for _ in range(12)]
    with worker(database, kind_called("mail", run, at_once=8)):
        assert comes_true(lambda: sorted(done) == numbers and not states(database))


def test_a_running_handler_keeps_its_job_far_beyond_one_lease(database: Database) -> None:
    runs: list[int] = []
    told = Told()

    def run(job: Job) -> None:
        runs.append(job.token)
        time.sleep(2.5)

    enqueued(database, system_clock)
    kind = kind_called("mail", run, lease_seconds=1)
    with worker(database, kind, tell=told), worker(database, kind, tell=told):
        assert comes_true(lambda: bool(runs))
        assert comes_true(lambda: not states(database))
    assert runs == [1]
    assert told.failures == []


def test_a_handler_whose_worker_was_silent_too_long_cannot_finish(
    database: Database, clock: TurnedClock
) -> None:
    refused: list[LeaseLostError] = []
    begun, go_on = threading.Event(), threading.Event()

    def slow(job: Job) -> None:
        begun.set()
        assert go_on.wait(30)
        try:
            with database.writing() as connection:
                finish(connection, job, clock)
        except LeaseLostError as error:
            refused.append(error)
            raise

    enqueued(database, clock)
    # Its leases are an hour by a clock that only this test turns, so it is late with extending.
    silent = worker(database, kind_called("mail", slow, lease_seconds=3600), clock=clock, threads=1)
    with silent:
        assert begun.wait(30)
        clock.turn(hours=2)
        with worker(database, kind_called("mail", lease_seconds=3600), clock=clock):
            assert comes_true(lambda: states(database) == {State.READY: 1})
            clock.turn(hours=2)
            assert comes_true(lambda: not states(database))
        go_on.set()
        assert comes_true(lambda: silent.running == 0)
    assert len(refused) == 1
    assert states(database) == {}


def test_at_its_end_it_waits_for_what_runs_and_takes_nothing_more(database: Database) -> None:
    begun, done = threading.Event(), []

    def run(job: Job) -> None:
        begun.set()
        time.sleep(0.5)
        done.append(job.id)

    first, second = enqueued(database, system_clock), enqueued(database, system_clock)
    with worker(database, kind_called("mail", run, at_once=1)):
        assert begun.wait(30)
    assert done == [first]
    with database.reading() as connection:
        (left,) = kept_jobs(connection)
    assert (left.id, left.state) == (second, State.READY)


def test_what_does_not_end_in_time_is_given_back_and_its_handler_cannot_finish_it(
    database: Database,
) -> None:
    begun, go_on, refused = threading.Event(), threading.Event(), threading.Event()

    def run(job: Job) -> None:
        begun.set()
        go_on.wait(30)
        try:
            with database.writing() as connection:
                finish(connection, job, system_clock)
        except LeaseLostError:
            refused.set()

    enqueued(database, system_clock)
    with worker(database, kind_called("mail", run), drain_seconds=0.1):
        assert begun.wait(30)
    with database.reading() as connection:
        (left,) = kept_jobs(connection)
    assert (left.state, left.attempts) == (State.READY, 0)
    assert left.due_at <= system_clock()
    go_on.set()
    assert refused.wait(30)


def test_a_schedule_is_kept_by_several_workers_once(database: Database, clock: TurnedClock) -> None:
    ran: list[int] = []
    daily = kind_called("sweep", lambda job: ran.append(job.id), schedule="0 3 * * *", at_once=4)
    workers = [worker(database, daily, clock=clock) for _ in range(3)]
    with workers[0], workers[1], workers[2]:
        assert comes_true(lambda: all(not each.failure for each in workers))
        for day in (1, 2, 3):
            # Each has to have seen the time before, or its first sight would be a later one.
            time.sleep(0.2)
            clock.turn(days=1)
            assert comes_true(lambda day=day: len(ran) >= day)
        time.sleep(0.2)
    assert len(ran) == 3


def test_a_schedule_missed_while_everything_was_down_runs_once_at_the_start(
    database: Database, clock: TurnedClock
) -> None:
    ran: list[int] = []
    daily = kind_called("sweep", lambda job: ran.append(job.id), schedule="0 3 * * *")
    with worker(database, daily, clock=clock) as first:
        first.take()
    clock.turn(days=20)
    with worker(database, daily, clock=clock):
        assert comes_true(lambda: bool(ran))
        time.sleep(0.2)
    assert len(ran) == 1


def test_it_goes_on_after_the_storage_failed_and_tells_of_it_once(
    database: Database, clock: TurnedClock
) -> None:
    done: list[int] = []
    told = Told()
    broken = True

    def unsteady() -> object:
        # The database's own failure, as it comes out of any of its blocks.
        if broken:
            raise StorageError("the disk is full")
        return clock()

    with worker(
        database, kind_called("mail", lambda job: done.append(job.id)), clock=unsteady, tell=told
    ) as failing:
        assert comes_true(lambda: failing.failure is not None)
        time.sleep(0.3)
        broken = False
        enqueued(database, clock)
        assert comes_true(lambda: bool(done))
        assert comes_true(lambda: failing.failure is None)
    assert [what for what, _ in told.failures] == ["jobs"]
