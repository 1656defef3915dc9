"""Jobs that come by the calendar: each occurrence once, whoever sees it first."""

from datetime import UTC, datetime, timedelta

from cronsim import CronSim
from sqlalchemy import Connection, select, update

from tutela.storage.clock import Clock
from tutela.storage.database import insert_or_ignore
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Kind, State
from tutela.storage.jobs.tables import job_schedules, jobs

SET_BACK = timedelta(hours=1)
"""Clocks of machines differ, and are set right by a little: by more they were wrong before."""

_STILL_LEASED = timedelta(minutes=5)


def catch_up(connection: Connection, kind: Kind, clock: Clock) -> datetime | None:
    """Enqueue the newest occurrence of a kind's schedule that nobody has enqueued yet, if any.

    Occurrences missed while nothing ran are made up for by one job, not by one each. One that
    falls due while the last one's job still waits or runs is left to that job. A schedule that is
    seen for the first time begins with its next occurrence.

    Where the clock was ahead and has been set back, what it made of the schedule and of waiting
    jobs is undone: else nothing would come of them until the time has caught up.

    Args:
        connection: A transaction that writes.
        kind: The kind.
        clock: The time.

    Returns:
        When to look again: the next occurrence, or ``None`` for a kind without a schedule.
    """
    if kind.schedule is None:
        return None
    now = clock()
    connection.execute(
        insert_or_ignore(connection, job_schedules).values(kind=kind.name, seen_to=now)
    )
    # On PostgreSQL the others wait here, and then see how far this one got.
    of_kind = job_schedules.c.kind == kind.name
    row = connection.execute(select(job_schedules).where(of_kind).with_for_update()).one()
    newest = last_occurrence(kind.schedule, now)
    if row.seen_to > now + SET_BACK:
        set_right(connection, now)
        connection.execute(update(job_schedules).where(of_kind).values(seen_to=newest or now))
    elif newest is not None and newest > row.seen_to:
        job = row.job_id
        if not _is_under_way(connection, job):
            key = f"schedule:{kind.name}:{newest:%Y-%m-%dT%H:%M:%SZ}"
            job = enqueue(connection, kind.name, {}, clock, dedupe=key)
        connection.execute(update(job_schedules).where(of_kind).values(seen_to=newest, job_id=job))
    return next_occurrence(kind.schedule, now)


def set_right(connection: Connection, now: datetime) -> None:
    """Have what was put off by a clock that was ahead begun, or taken back, by now's clock."""
    ahead = now + SET_BACK
    put_off = (jobs.c.state == State.READY) & (jobs.c.failed_at > ahead)
    connection.execute(update(jobs).where(put_off).values(due_at=now))
    # Whoever lives says so within seconds; whoever does not would keep it until then.
    leased = (jobs.c.state == State.LEASED) & (jobs.c.due_at > ahead)
    connection.execute(update(jobs).where(leased).values(due_at=now + _STILL_LEASED))


def next_occurrence(schedule: str, after: datetime) -> datetime:
    """The first occurrence later than a moment, in UTC."""
    return next(CronSim(schedule, after.astimezone(UTC)))


def last_occurrence(schedule: str, now: datetime) -> datetime | None:
    """The newest occurrence that is not in the future, in UTC; ``None`` if there never was one."""
    # Backwards it gives what is earlier than a whole second.
    until = now.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    return next(CronSim(schedule, until, reverse=True), None)


def _is_under_way(connection: Connection, job: int | None) -> bool:
    under_way = select(jobs.c.id).where(
        jobs.c.id == job, jobs.c.state.in_((State.READY, State.LEASED))
    )
    return connection.execute(under_way).scalar_one_or_none() is not None
