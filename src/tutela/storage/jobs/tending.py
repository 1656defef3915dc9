"""What a person can do about jobs: see them, mend them, have them tried again, drop them.

Who does it, and why, is for the caller to write into the ledger in the same transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select, update

from tutela.errors import InvalidInputError, NotFoundError
from tutela.storage.clock import Clock
from tutela.storage.jobs.enqueueing import check_payload
from tutela.storage.jobs.model import JSON, JobId, KeptJob, State
from tutela.storage.jobs.tables import jobs


def kept_jobs(
    connection: Connection,
    *,
    state: State | None = None,
    kind: str | None = None,
    limit: int = 50,
) -> list[KeptJob]:
    """Jobs that are not done, the oldest first.

    Args:
        connection: A transaction.
        state: Only those that stand so.
        kind: Only those of this kind.
        limit: How many at most.
    """
    wanted = select(jobs).order_by(jobs.c.id).limit(limit)
    if state is not None:
        wanted = wanted.where(jobs.c.state == state)
    if kind is not None:
        wanted = wanted.where(jobs.c.kind == kind)
    return [_kept(row) for row in connection.execute(wanted).mappings()]


def count_by_state(connection: Connection) -> dict[State, int]:
    """How many jobs stand how."""
    counted = select(jobs.c.state, func.count()).group_by(jobs.c.state)
    found = {State(state): int(count) for state, count in connection.execute(counted)}
    return {state: found.get(state, 0) for state in State}


def find_job(connection: Connection, job: JobId) -> KeptJob:
    """One job that is not done.

    Raises:
        NotFoundError: There is none of this number, or it is done.
    """
    row = connection.execute(select(jobs).where(jobs.c.id == job)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f'there is no job {job}, or it is done: see "tutela job ls"')
    return _kept(row)


def mend(connection: Connection, job: JobId, payload: Mapping[str, JSON]) -> None:
    """Give a job that waits or is dead another payload.

    Raises:
        InvalidInputError: The payload is no JSON object, or a worker is at the job.
        NotFoundError: There is none of this number, or it is done.
    """
    check_payload(payload)
    _change(connection, job, payload=dict(payload))


def retry(connection: Connection, job: JobId, clock: Clock) -> None:
    """Have a job that waits or is dead tried at once, with all its attempts anew.

    Raises:
        InvalidInputError: A worker is at the job.
        NotFoundError: There is none of this number, or it is done.
    """
    _change(connection, job, state=State.READY, due_at=clock(), attempts=0)


def drop(connection: Connection, job: JobId) -> None:
    """Remove a job that waits or is dead: what it was to do is never done.

    Raises:
        InvalidInputError: A worker is at the job.
        NotFoundError: There is none of this number, or it is done.
    """
    _require_at_rest(connection, job)
    connection.execute(delete(jobs).where(jobs.c.id == job))


def _change(connection: Connection, job: JobId, **values: Any) -> None:
    _require_at_rest(connection, job)
    connection.execute(update(jobs).where(jobs.c.id == job).values(values))


def _require_at_rest(connection: Connection, job: JobId) -> None:
    # The lock keeps workers away until the caller's transaction ends.
    asked = select(jobs.c.state).where(jobs.c.id == job).with_for_update()
    state = connection.execute(asked).scalar_one_or_none()
    if state is None:
        find_job(connection, job)
    if state == State.LEASED:
        raise InvalidInputError(
            f"a worker is at job {job} right now: try again when it has ended; "
            f'"tutela job show {job}" tells'
        )


def _kept(row: RowMapping) -> KeptJob:
    return KeptJob(
        id=JobId(row["id"]),
        kind=row["kind"],
        state=State(row["state"]),
        payload=row["payload"],
        dedupe=row["dedupe"],
        attempts=row["attempts"],
        due_at=row["due_at"],
        enqueued_at=row["enqueued_at"],
        worker=row["worker"],
        error=row["error"],
        failed_at=row["failed_at"],
    )
