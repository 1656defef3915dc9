"""What a person can do about jobs: see them, mend them, have them tried again, drop them.

Who does it, and why, is for the caller to write into the ledger in the same transaction.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, ScalarSelect, delete, func, select, update

from tutela.errors import InvalidInputError, NotFoundError
from tutela.storage.clock import Clock
from tutela.storage.jobs.enqueueing import check_payload
from tutela.storage.jobs.model import JSON, Job, JobId, KeptJob, State
from tutela.storage.jobs.tables import jobs

MOST_COUNTED = 1_000
"""More jobs than these are not counted for people."""


def kept_jobs(
    connection: Connection,
    *,
    state: State | None = None,
    kind: str | None = None,
    limit: int = 50,
    after: int = 0,
) -> list[KeptJob]:
    """Jobs that are not done, the oldest first.

    Args:
        connection: A transaction.
        state: Only those that stand so.
        kind: Only those of this kind.
        limit: How many at most.
        after: Only those with a greater number, for the next page.
    """
    wanted = select(jobs).order_by(jobs.c.id).limit(limit)
    if state is not None:
        wanted = wanted.where(jobs.c.state == state)
    if kind is not None:
        wanted = wanted.where(jobs.c.kind == kind)
    if after:
        wanted = wanted.where(jobs.c.id > after)
    return [_kept(row) for row in connection.execute(wanted).mappings()]


def count_by_state(connection: Connection) -> dict[State, int]:
    """How many jobs stand how."""
    counted = select(jobs.c.state, func.count()).group_by(jobs.c.state)
    found = {State(state): int(count) for state, count in connection.execute(counted)}
    return {state: found.get(state, 0) for state in State}


def count_by_kind(connection: Connection, kinds: Iterable[str]) -> dict[str, dict[State, int]]:
    """How many jobs of each kind stand how: of those kinds, and of any other that has jobs.

    Nobody waits for a count of a million: what is more than ``MOST_COUNTED`` is that and one.
    """
    names = sorted({*kinds, *_kinds_with_jobs(connection)})
    asked = [(name, state) for name in names for state in State]
    if not asked:
        return {}
    # All at once: they are many, and a server may be far away.
    counts = connection.execute(select(*(_capped(*each) for each in asked))).one()
    found: dict[str, dict[State, int]] = {name: {} for name in names}
    for (name, state), count in zip(asked, counts, strict=True):
        found[name][state] = count
    return found


def _kinds_with_jobs(connection: Connection) -> Iterator[str]:
    # From one kind to the next by the index, past all jobs of each.
    found = connection.execute(select(func.min(jobs.c.kind))).scalar_one_or_none()
    while found is not None:
        yield found
        beyond = select(jobs.c.kind).where(jobs.c.kind > found).order_by(jobs.c.kind).limit(1)
        found = connection.execute(beyond).scalar_one_or_none()


def _capped(kind: str, state: State) -> ScalarSelect[int]:
    some = (
        select(jobs.c.id)
        .where(jobs.c.kind == kind, jobs.c.state == state)
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    return select(func.count()).select_from(some).scalar_subquery()


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


def hurry(connection: Connection, kind: str, clock: Clock) -> None:
    """Have every job of a kind that waits for its time begun as soon as there is a worker."""
    now = clock()
    waiting = (
        select(jobs.c.id)
        .where(jobs.c.kind == kind, jobs.c.state == State.READY, jobs.c.due_at > now)
        .order_by(jobs.c.id)
        .with_for_update(skip_locked=True)
    )
    connection.execute(update(jobs).where(jobs.c.id.in_(waiting)).values(due_at=now))


def have_next_begun(connection: Connection, job: Job, at: datetime) -> None:
    """Have the job of the same kind that comes after this one begun at a moment, if not before.

    After the last one comes the first one.
    """
    waiting = (
        select(jobs.c.id)
        .where(jobs.c.kind == job.kind, jobs.c.state == State.READY, jobs.c.id != job.id)
        .order_by((jobs.c.id > job.id).desc(), jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = connection.execute(waiting).scalar_one_or_none()
    connection.execute(update(jobs).where(jobs.c.id == found, jobs.c.due_at > at).values(due_at=at))


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
