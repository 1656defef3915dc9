"""Leasing jobs to a worker, one worker a job, and never more of a kind than it allows."""

import random
import zlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from tutela.errors import LeaseLostError
from tutela.storage.clock import Clock
from tutela.storage.database import Database, changed_rows
from tutela.storage.jobs.finishing import as_failed, held, lease_lost
from tutela.storage.jobs.model import Job, JobId, Kind, Kinds, State
from tutela.storage.jobs.retrying import decide
from tutela.storage.jobs.tables import jobs

# Any number will do, so long as nobody else locks by it in the same database.
_POSTGRESQL_LOCKS = 0x6A6F_6273
_TAKEN_BACK_AT_ONCE = 100


def claim(database: Database, kinds: Kinds, clock: Clock, *, most: int, worker: str) -> list[Job]:
    """Lease jobs that are due. The one who leases has to extend what it holds, and end it.

    Asks before it locks anything, so that a worker without work costs the database one small
    query.

    Args:
        database: The database.
        kinds: What the worker can do; jobs of other kinds are left to others.
        clock: The time.
        most: How many jobs at most.
        worker: Who leases, for people.

    Raises:
        StorageError: The database cannot be read or written.
    """
    claimed: list[Job] = []
    for name in _promising(database, kinds, clock):
        if len(claimed) < most:
            claimed += _claim_one_kind(
                database, kinds[name], clock, most=most - len(claimed), worker=worker
            )
    return claimed


def extend(connection: Connection, held_jobs: Iterable[Job], kinds: Kinds, clock: Clock) -> None:
    """Keep leased jobs for another lease's time each. Those that were lost stay lost."""
    for job in held_jobs:
        # Whoever has locked the row is finishing the job right now: nobody else can take it then.
        mine = select(jobs.c.id).where(held(job)).with_for_update(skip_locked=True)
        connection.execute(
            update(jobs)
            .where(jobs.c.id.in_(mine))
            .values(due_at=clock() + timedelta(seconds=kinds[job.kind].lease_seconds))
        )


def require_lease(connection: Connection, job: Job) -> None:
    """Ask whether a job is still ours, such as right before an effect outside the database.

    Raises:
        LeaseLostError: Another worker has it, or a person has taken it away.
    """
    if connection.execute(select(jobs.c.id).where(held(job))).scalar_one_or_none() is None:
        raise lease_lost(job)


def hold_lease(connection: Connection, job: Job) -> None:
    """See that a job is still ours, and that nobody takes it until the transaction ends.

    So a note that says how far the work has come is written by whoever has the job, or not at all.

    Raises:
        LeaseLostError: As for ``require_lease``. The transaction must not be committed.
    """
    mine = select(jobs.c.id).where(held(job)).with_for_update()
    if connection.execute(mine).scalar_one_or_none() is None:
        raise lease_lost(job)


def release(connection: Connection, job: Job, clock: Clock) -> None:
    """Give a job back unfinished: it is ready at once, and the attempt does not count.

    Raises:
        LeaseLostError: Another worker has it already.
    """
    given_back = update(jobs).where(held(job))
    values = {"state": State.READY, "due_at": clock(), "attempts": job.attempt - 1}
    if changed_rows(connection, given_back.values(values)) == 0:
        raise lease_lost(job)


def _promising(database: Database, kinds: Kinds, clock: Clock) -> list[str]:
    """The kinds that have a job due and room for it, the one that waits longest first."""
    if not kinds:
        return []
    now = clock()
    asked = []
    for number, name in enumerate(kinds):
        # Not min(): PostgreSQL may read every waiting job for that while its statistics are old.
        oldest = (
            select(jobs.c.due_at)
            .where(jobs.c.kind == name, jobs.c.due_at <= now)
            .order_by(jobs.c.due_at)
            .limit(1)
        )
        ready = oldest.where(jobs.c.state == State.READY)
        ended = oldest.where(jobs.c.state == State.LEASED)
        running = select(func.count()).where(
            jobs.c.kind == name, jobs.c.state == State.LEASED, jobs.c.due_at > now
        )
        asked += [
            ready.scalar_subquery().label(f"ready_{number}"),
            ended.scalar_subquery().label(f"ended_{number}"),
            running.scalar_subquery().label(f"running_{number}"),
        ]
    with database.reading() as connection:
        row = connection.execute(select(*asked)).mappings().one()
    since = {}
    for number, (name, kind) in enumerate(kinds.items()):
        moments = [row[f"ended_{number}"]]
        if row[f"running_{number}"] < kind.at_once:
            moments.append(row[f"ready_{number}"])
        known = [moment for moment in moments if moment is not None]
        if known:
            since[name] = min(known)
    return sorted(since, key=since.__getitem__)


def _claim_one_kind(
    database: Database, kind: Kind, clock: Clock, *, most: int, worker: str
) -> list[Job]:
    with database.writing() as connection:
        _lock_kind(connection, kind)
        # Only now: waiting for the lock may have taken a while.
        now = clock()
        _take_back(connection, kind, clock)
        running = connection.execute(
            select(func.count()).where(jobs.c.kind == kind.name, jobs.c.state == State.LEASED)
        ).scalar_one()
        free = min(most, kind.at_once - running)
        if free <= 0:
            return []
        due = (
            select(jobs.c.id)
            .where(jobs.c.kind == kind.name, jobs.c.state == State.READY, jobs.c.due_at <= now)
            .order_by(jobs.c.due_at, jobs.c.id)
            .limit(free)
            .with_for_update(skip_locked=True)
        )
        chosen = connection.execute(due).scalars().all()
        if not chosen:
            return []
        leased = connection.execute(
            update(jobs)
            .where(jobs.c.id.in_(chosen))
            .values(
                state=State.LEASED,
                token=jobs.c.token + 1,
                attempts=jobs.c.attempts + 1,
                due_at=now + timedelta(seconds=kind.lease_seconds),
                worker=worker,
            )
            .returning(*_SEEN_BY_HANDLER)
        )
        found = {row["id"]: _job(row) for row in leased.mappings()}
    return [found[each] for each in chosen]


def _lock_kind(connection: Connection, kind: Kind) -> None:
    # Two workers that counted at the same time would both find room below the limit. SQLite's
    # write lock is held already.
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:room, :kind)"),
            {"room": _POSTGRESQL_LOCKS, "kind": zlib.crc32(kind.name.encode()) & 0x7FFF_FFFF},
        )


def _take_back(connection: Connection, kind: Kind, clock: Clock) -> None:
    """End the leases that ran out, as failures: a job may be what its worker died of."""
    now = clock()
    ended = (
        select(*_SEEN_BY_HANDLER)
        .where(jobs.c.kind == kind.name, jobs.c.state == State.LEASED, jobs.c.due_at <= now)
        .order_by(jobs.c.due_at)
        .limit(_TAKEN_BACK_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    silence = LeaseLostError("its worker stopped without a word, or could not reach the database")
    for row in connection.execute(ended).mappings().all():
        job = _job(row)
        decision = decide(silence, kind, job.attempt, now, random.random())  # noqa: S311 - jitter
        connection.execute(
            update(jobs).where(held(job)).values(as_failed(job, silence, decision, now))
        )


_SEEN_BY_HANDLER = (
    jobs.c.id,
    jobs.c.kind,
    jobs.c.payload,
    jobs.c.attempts,
    jobs.c.token,
    jobs.c.enqueued_at,
)


def _job(row: Mapping[Any, Any]) -> Job:
    return Job(
        id=JobId(row["id"]),
        kind=row["kind"],
        payload=row["payload"],
        attempt=row["attempts"],
        token=row["token"],
        enqueued_at=row["enqueued_at"],
    )
