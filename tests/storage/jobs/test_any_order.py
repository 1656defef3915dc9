"""Whatever is done to jobs in whatever order, the table agrees with a model that fits on a page."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete

from tests.conftest import TurnedClock
from tests.storage.jobs.working import kind_called
from tutela.errors import InvalidInputError, LeaseLostError, NotFoundError
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.finishing import fail, finish
from tutela.storage.jobs.leasing import claim, extend, release, require_lease
from tutela.storage.jobs.model import Job, JobId, Kind, Later, Never, State, kinds_by_name
from tutela.storage.jobs.tables import jobs
from tutela.storage.jobs.tending import drop, kept_jobs, mend, retry

LEASE = 60
KINDS = kinds_by_name(
    [
        kind_called("mail", at_once=2, attempts=2, lease_seconds=LEASE, first_wait=0),
        kind_called("call", at_once=1, attempts=None, lease_seconds=LEASE, first_wait=0),
    ]
)


@dataclass(frozen=True)
class Modelled:
    """What the model knows of a job."""

    kind: str
    state: State
    due_at: datetime
    payload: int
    dedupe: str | None = None
    attempts: int = 0
    lease: int = 0


class Jobs(RuleBasedStateMachine):
    """Drives the table and the model side by side."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.clock = TurnedClock()
        self.model: dict[int, Modelled] = {}
        self.ever: set[int] = set()

    numbers = Bundle("numbers")
    leases = Bundle("leases")

    @initialize()
    def begin(self) -> None:
        with self.database.writing() as connection:
            connection.execute(delete(jobs))

    @rule(
        target=numbers,
        kind=st.sampled_from(sorted(KINDS)),
        dedupe=st.sampled_from([None, None, "a", "b"]),
        wait=st.sampled_from([0, 0, 30, 100]),
        payload=st.integers(0, 9),
        commits=st.sampled_from([True, True, True, False]),
    )
    def enqueue(
        self, kind: str, dedupe: str | None, wait: int, payload: int, commits: bool
    ) -> object:
        at = self.clock() + timedelta(seconds=wait)
        there = {job.dedupe: number for number, job in self.model.items() if job.dedupe}
        with self.maybe_committed(commits) as connection:
            number = enqueue(connection, kind, {"n": payload}, self.clock, dedupe=dedupe, at=at)
        if dedupe in there:
            assert number == there[dedupe]
        elif commits:
            assert number not in self.ever
            self.ever.add(number)
            self.model[number] = Modelled(kind, State.READY, at, payload, dedupe)
        else:
            return multiple()
        return number

    @rule(target=leases, most=st.integers(1, 3))
    def claim_some(self, most: int) -> object:
        return self.claim(most)

    def claim(self, most: int) -> object:
        now = self.clock()
        claimed = claim(self.database, KINDS, self.clock, most=most, worker="model:1")
        # The model takes leases back, for every kind that was looked at.
        for kind in KINDS.values():
            self.follow_claim(kind, [job for job in claimed if job.kind == kind.name], now)
        assert len(claimed) <= most
        if len(claimed) < most:
            for kind in KINDS.values():
                running = self.of(kind, State.LEASED)
                waiting = [job for job in self.of(kind, State.READY) if job.due_at <= now]
                assert not waiting or len(running) == kind.at_once
                assert all(job.due_at > now for job in running)
        return multiple(*claimed)

    def follow_claim(self, kind: Kind, claimed: list[Job], now: datetime) -> None:
        with self.database.reading() as connection:
            there = {job.id: job for job in kept_jobs(connection, kind=kind.name, limit=1000)}
        leased_now = {job.id for job in claimed}
        for number, job in list(self.model.items()):
            if job.kind != kind.name or job.state != State.LEASED or job.due_at > now:
                continue
            kept = there[JobId(number)]
            if kept.state == State.LEASED and number not in leased_now:
                continue  # There was no room for more, so nobody looked.
            is_last = kind.attempts is not None and job.attempts >= kind.attempts
            assert (kept.state == State.DEAD) == is_last
            self.model[number] = replace(
                job, state=State.DEAD if is_last else State.READY, due_at=now
            )
        for leased in claimed:
            job = self.model[leased.id]
            assert job.state == State.READY
            assert job.due_at <= now
            assert leased.payload == {"n": job.payload}
            assert leased.attempt == job.attempts + 1
            assert leased.token > job.lease
            self.model[leased.id] = replace(
                job,
                state=State.LEASED,
                attempts=leased.attempt,
                lease=leased.token,
                due_at=now + timedelta(seconds=LEASE),
            )
        assert len(self.of(kind, State.LEASED)) <= kind.at_once

    @rule(job=leases, commits=st.sampled_from([True, True, False]))
    def finish(self, job: Job, commits: bool) -> None:
        with self.maybe_committed(commits) as connection, self.expected(job):
            finish(connection, job, self.clock)
        if commits and self.is_held(job):
            del self.model[job.id]

    @rule(job=leases, how=st.sampled_from(["error", "later", "never"]))
    def fail(self, job: Job, how: str) -> None:
        now, later = self.clock(), self.clock() + timedelta(seconds=45)
        error = {"error": ValueError(), "later": Later(later), "never": Never("no")}[how]
        kind = KINDS[job.kind]
        with self.database.writing() as connection, self.expected(job):
            fail(connection, job, kind, error, self.clock, chance=0.5)
        if self.is_held(job):
            is_last = kind.attempts is not None and job.attempt >= kind.attempts
            changes: dict[str, object] = {"state": State.READY, "due_at": now}
            if how == "later":
                changes |= {"due_at": later, "attempts": job.attempt - 1}
            elif how == "never" or is_last:
                changes["state"] = State.DEAD
            self.change(job.id, **changes)

    @rule(job=consumes(leases))
    def release(self, job: Job) -> None:
        with self.database.writing() as connection, self.expected(job):
            release(connection, job, self.clock)
        if self.is_held(job):
            self.change(job.id, state=State.READY, due_at=self.clock(), attempts=job.attempt - 1)

    @rule(job=leases)
    def extend(self, job: Job) -> None:
        with self.database.writing() as connection:
            extend(connection, [job], KINDS, self.clock)
            with self.expected(job):
                require_lease(connection, job)
        if self.is_held(job):
            self.change(job.id, due_at=self.clock() + timedelta(seconds=LEASE))

    @rule(number=numbers, what=st.sampled_from(["retry", "mend", "drop"]))
    def tend(self, number: JobId, what: str) -> None:
        job = self.model.get(number)
        with self.database.writing() as connection:
            try:
                if what == "retry":
                    retry(connection, number, self.clock)
                elif what == "mend":
                    mend(connection, number, {"n": 10})
                else:
                    drop(connection, number)
            except NotFoundError:
                assert job is None
                return
            except InvalidInputError:
                assert job is not None
                assert job.state == State.LEASED
                return
        assert job is not None
        assert job.state != State.LEASED
        if what == "retry":
            self.change(number, state=State.READY, due_at=self.clock(), attempts=0)
        elif what == "mend":
            self.change(number, payload=10)
        else:
            del self.model[number]

    @rule(seconds=st.sampled_from([0.001, 31, 61]))
    def wait(self, seconds: float) -> None:
        self.clock.turn(seconds=seconds)

    @rule(target=leases)
    def claim_after_the_leases_ran_out(self) -> object:
        self.clock.turn(seconds=LEASE + 1)
        return self.claim(most=3)

    @invariant()
    def the_table_agrees_with_the_model(self) -> None:
        with self.database.reading() as connection:
            kept = kept_jobs(connection, limit=1000)
        assert {job.id: (job.kind, job.state, job.payload, job.dedupe, job.attempts)
                for job in kept} == {
            number: (job.kind, job.state, {"n": job.payload}, job.dedupe, job.attempts)
            for number, job in self.model.items()
        }  # fmt: skip
        due = {job.id: job.due_at for job in kept if job.state != State.DEAD}
        for number, moment in due.items():
            assert abs(moment - self.model[number].due_at) < timedelta(seconds=1)

    def of(self, kind: Kind, state: State) -> list[Modelled]:
        return [job for job in self.model.values() if (job.kind, job.state) == (kind.name, state)]

    def is_held(self, job: Job) -> bool:
        known = self.model.get(job.id)
        return known is not None and (known.state, known.lease) == (State.LEASED, job.token)

    def change(self, number: int, **changes: object) -> None:
        self.model[number] = replace(self.model[number], **changes)  # type: ignore[arg-type]

    @contextmanager
    def expected(self, job: Job) -> Iterator[None]:
        """The lease is lost exactly if the model says so."""
        if self.is_held(job):
            yield
        else:
            with pytest.raises(LeaseLostError):
                yield

    @contextmanager
    def maybe_committed(self, commits: bool) -> Iterator[object]:
        class UndoneError(Exception):
            pass

        try:
            with self.database.writing() as connection:
                yield connection
                if not commits:
                    raise UndoneError
        except UndoneError:
            pass


def test_jobs_are_as_the_model_says_whatever_is_done_to_them(database: Database) -> None:
    class OnThisDatabase(Jobs):
        pass

    OnThisDatabase.database = database
    thorough = "TUTELA_TEST_SOAK" in os.environ
    run_state_machine_as_test(
        OnThisDatabase,
        settings=hypothesis_settings(
            max_examples=2000 if thorough else 40, stateful_step_count=50, deadline=None
        ),
    )
