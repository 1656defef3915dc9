"""Ending a job that a worker holds: done, or failed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, update

from tutela.errors import LeaseLostError
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows
from tutela.storage.jobs.model import Job, Kind, State
from tutela.storage.jobs.retrying import Again, Dead, decide, words_for
from tutela.storage.jobs.tables import ERROR_LENGTH, jobs


def finish(connection: Connection, job: Job, clock: Clock) -> None:  # noqa: ARG001 - as all here
    """Say that a job is done. It goes at once.

    In the transaction that also writes the job's effect, this makes the effect happen exactly
    once: of several workers that think they hold the job, one can commit. Call it before what
    others queue for, such as an entry in the ledger.

    Raises:
        LeaseLostError: The lease ran out and the job was taken back, a person took it away, or it
            has been finished already. The transaction must not be committed.
    """
    if changed_rows(connection, delete(jobs).where(held(job))) == 0:
        raise lease_lost(job)


def fail(
    connection: Connection,
    job: Job,
    kind: Kind,
    error: BaseException,
    clock: Clock,
    *,
    chance: float,
) -> Again | Dead:
    """Say that an attempt failed. The job is tried again later, or is dead.

    Args:
        connection: A transaction that writes.
        job: The job.
        kind: Its kind.
        error: What its handler raised.
        clock: The time.
        chance: A random number, at least 0 and less than 1.

    Raises:
        LeaseLostError: As for ``finish``.
    """
    now = clock()
    decision = decide(error, kind, job.attempt, now, chance)
    failed = update(jobs).where(held(job)).values(as_failed(job, error, decision, now))
    if changed_rows(connection, failed) == 0:
        raise lease_lost(job)
    return decision


def held(job: Job) -> ColumnElement[bool]:
    """The row of a job, if its lease is still the one that the job was given with.

    A lease that ran out and that nobody has taken back yet still counts: taking back is what
    changes the owner, and it happens in one transaction.
    """
    return and_(jobs.c.id == job.id, jobs.c.token == job.token, jobs.c.state == State.LEASED)


def lease_lost(job: Job) -> LeaseLostError:
    """The error of a worker that does not hold a job any more."""
    return LeaseLostError(
        f"job {job.id} ({job.kind}) is not this worker's any more: its lease ran out, or it was "
        "ended; leave it to whoever has it now"
    )


def as_failed(
    job: Job, error: BaseException, decision: Again | Dead, now: datetime
) -> dict[str, Any]:
    """What a failed job's row says."""
    told = {"error": words_for(error)[:ERROR_LENGTH], "failed_at": now}
    if isinstance(decision, Dead):
        return told | {"state": State.DEAD, "due_at": now}
    attempts = job.attempt if decision.counted else job.attempt - 1
    return told | {"state": State.READY, "due_at": decision.at, "attempts": attempts}
