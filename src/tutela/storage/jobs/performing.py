"""Doing one leased job: running its handler, and ending the job by what came of it."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from sqlalchemy import Connection, select

from tutela.errors import LeaseLostError
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.finishing import fail, finish
from tutela.storage.jobs.model import Job, Kind, Later
from tutela.storage.jobs.tables import jobs

Tell: TypeAlias = Callable[[str, Exception], None]
"""Is told of a failure: what failed, and how."""


def perform(database: Database, job: Job, kind: Kind, clock: Clock, tell: Tell) -> None:
    """Run a job's handler and end the job. Failures are told and kept, not raised.

    A job whose end cannot be written, such as on a full disk, is taken back when its lease ends.
    """
    failure = _failure(job, kind)
    if failure is not None and not isinstance(failure, Later):
        say(tell, job, failure)
    try:
        with database.writing() as connection:
            _end(connection, job, kind, failure, clock)
    except Exception as error:
        say(tell, job, error)


def say(tell: Tell, job: Job, error: Exception) -> None:
    """Tell of a job's failure, whether anybody listens or not."""
    with suppress(Exception):
        tell(f"job {job.id} ({job.kind})", error)


def _failure(job: Job, kind: Kind) -> Exception | None:
    try:
        kind.run(job)
    except Exception as error:
        return error
    return None


def _end(
    connection: Connection, job: Job, kind: Kind, failure: Exception | None, clock: Clock
) -> None:
    try:
        if failure is None:
            finish(connection, job, clock)
        else:
            chance = random.random()  # noqa: S311 - it only spreads the attempts
            fail(connection, job, kind, failure, clock, chance=chance)
    except LeaseLostError:
        # Most often the handler has finished the job itself, and it is gone.
        there = select(jobs.c.id).where(jobs.c.id == job.id)
        if failure is None and connection.execute(there).scalar_one_or_none() is not None:
            raise
