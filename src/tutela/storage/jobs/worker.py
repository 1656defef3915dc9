"""The worker: takes jobs that are due, runs their handlers in threads, and stops with grace."""

import os
import socket
import threading
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Self

from tutela.errors import LeaseLostError
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.leasing import claim, extend, release
from tutela.storage.jobs.model import Job, JobId, Kinds
from tutela.storage.jobs.performing import Tell, perform, say
from tutela.storage.jobs.scheduling import SET_BACK, catch_up
from tutela.storage.repeating import Repeating

# A lease outlives two extensions that came to nothing.
_EXTENSIONS_IN_A_LEASE = 4


class Worker:
    """Does jobs from the ``with`` statement's begin to its end.

    At the end it drains: takes no more jobs, waits for those that run, and gives back what has not
    ended in time, so that it is ready at once for another worker. What a handler does after that
    can no longer be finished.

    Args:
        database: The database.
        kinds: What it can do.
        clock: The time.
        threads: How many jobs it does at once.
        drain_seconds: How long it waits, at the end, for handlers that run.
        tell: Is told of each failure: where, and which.
        poll_seconds: How long it rests when there is nothing to do.
    """

    def __init__(
        self,
        database: Database,
        kinds: Kinds,
        clock: Clock,
        *,
        threads: int,
        drain_seconds: float,
        tell: Tell,
        poll_seconds: float = 1.0,
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._clock = clock
        self._threads = threads
        self._drain_seconds = drain_seconds
        self._tell = tell
        self._name = f"{socket.gethostname()}:{os.getpid()}"[:300]
        # By lease: what was lost may be leased anew here while its first handler still runs.
        self._running: dict[tuple[JobId, int], Job] = {}
        self._state = threading.Condition()
        self._draining = False
        self._next_occurrence: dict[str, datetime | None] = {}
        self._looked_at: datetime | None = None
        self._open = ExitStack()
        self._claiming = Repeating("jobs", self.take, poll_seconds, tell)
        shortest = min((kind.lease_seconds for kind in kinds.values()), default=60.0)
        self._extending = Repeating("leases", self._extend, shortest / _EXTENSIONS_IN_A_LEASE, tell)

    @property
    def failure(self) -> Exception | None:
        """Why jobs could not be taken the last time, or ``None`` if they could."""
        return self._claiming.failure

    @property
    def running(self) -> int:
        """How many handlers run."""
        return len(self._running)

    def hurry(self) -> None:
        """Have it look for jobs now: something was enqueued that should not wait."""
        self._claiming.hurry(0)

    def take(self) -> None:
        """Enqueue what the schedules ask for, and begin as many due jobs as there are threads.

        Raises:
            StorageError: The database cannot be read or written.
        """
        self._catch_up_with_schedules()
        with self._state:
            free = 0 if self._draining else self._threads - len(self._running)
        if free > 0:
            for job in claim(
                self._database, self._kinds, self._clock, most=free, worker=self._name
            ):
                self._begin(job)

    def __enter__(self) -> Self:
        self._open.enter_context(self._extending)
        self._open.enter_context(self._claiming)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._open:
            try:
                with self._state:
                    self._draining = True
                    self._state.wait_for(lambda: not self._running, self._drain_seconds)
            finally:
                with self._state:
                    left = list(self._running.values())
                    self._running.clear()
                for job in left:
                    self._give_back(job)

    def _catch_up_with_schedules(self) -> None:
        now = self._clock()
        if self._looked_at is not None and now < self._looked_at - SET_BACK:
            self._next_occurrence.clear()
        self._looked_at = now
        for kind in self._kinds.values():
            at = self._next_occurrence.get(kind.name)
            if kind.schedule is not None and (at is None or at <= self._clock()):
                with self._database.writing() as connection:
                    at = catch_up(connection, kind, self._clock)
                self._next_occurrence[kind.name] = at

    def _begin(self, job: Job) -> None:
        with self._state:
            is_begun = not self._draining
            if is_begun:
                self._running[job.id, job.token] = job
        if not is_begun:
            self._give_back(job)
            return
        try:
            threading.Thread(
                target=self._run, args=(job,), name=f"job {job.id}", daemon=True
            ).start()
        except RuntimeError:
            # The machine has no more threads. Nobody is at the job, so its lease must not go on.
            with self._state:
                self._running.pop((job.id, job.token), None)
            self._give_back(job)
            raise

    def _run(self, job: Job) -> None:
        try:
            perform(self._database, job, self._kinds[job.kind], self._clock, self._tell)
        finally:
            with self._state:
                self._running.pop((job.id, job.token), None)
                self._state.notify_all()
            self._claiming.hurry(0)

    def _give_back(self, job: Job) -> None:
        try:
            with self._database.writing() as connection:
                release(connection, job, self._clock)
        except LeaseLostError:
            pass  # It ended at the last moment.
        except Exception as error:
            say(self._tell, job, error)

    def _extend(self) -> None:
        with self._state:
            held = list(self._running.values())
        if held:
            with self._database.writing() as connection:
                extend(connection, held, self._kinds, self._clock)
