"""Processes that do jobs and are killed while they do. What they did is counted afterwards."""

import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

# So that a forked process need not import them.
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401
from sqlalchemy import Connection, event, text

from tutela.storage.clock import Clock, system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.finishing import finish
from tutela.storage.jobs.leasing import claim, extend
from tutela.storage.jobs.model import Job, Kind, Kinds, kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.jobs.scheduling import catch_up
from tutela.storage.jobs.worker import Worker
from tutela.storage.settings import Settings, load_settings

AT_ONCE = 5

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["__main__", "tests.storage.jobs.hands"])


def started(target: Callable[..., None], settings: Settings, *arguments: object) -> BaseProcess:
    """A process that does this with the house of these settings."""
    process = _FORKING.Process(
        target=target, args=(settings.data, settings.database_url, *arguments), daemon=True
    )
    process.start()
    return process


def make_tables(database: Database) -> None:
    """The tables of facts, of effects, and of what must not happen."""
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE facts (name VARCHAR(100) NOT NULL)"))
        connection.execute(
            text("CREATE TABLE effects (name VARCHAR(100) NOT NULL, token BIGINT NOT NULL)")
        )
        connection.execute(text("CREATE TABLE too_many (running BIGINT NOT NULL)"))


def note_fact(connection: Connection, name: str, more: int, clock: Clock) -> None:
    """Write a fact down, and what it is to cause: one effect, and further facts after it."""
    connection.execute(text("INSERT INTO facts VALUES (:name)"), {"name": name})
    enqueue(connection, "effect", {"name": name, "more": more}, clock)


def take_effect(connection: Connection, job: Job, clock: Clock) -> None:
    """The effect of a fact, the next fact, and the end of the job, in one transaction."""
    name, more = str(job.payload["name"]), int(str(job.payload["more"]))
    connection.execute(
        text("INSERT INTO effects VALUES (:name, :token)"), {"name": name, "token": job.token}
    )
    if more:
        note_fact(connection, f"{name}+", more - 1, clock)
    finish(connection, job, clock)


def do_jobs(data: Path, url: str | None) -> None:
    """Do jobs until killed, now and then failing, with leases that soon run out."""
    database = Database.open(load_settings(data=data, database_url=url))

    def run(job: Job) -> None:
        with database.reading() as connection:
            running = connection.execute(
                text("SELECT count(*) FROM jobs WHERE state = 'leased'")
            ).scalar_one()
        if running > AT_ONCE:
            with database.writing() as connection:
                connection.execute(text("INSERT INTO too_many VALUES (:n)"), {"n": running})
        time.sleep(random.random() * 0.02)
        if random.random() < 0.1:
            raise ConnectionError
        with database.writing() as connection:
            take_effect(connection, job, system_clock)
            time.sleep(random.random() * 0.005)

    kind = Kind("effect", run, at_once=AT_ONCE, attempts=None, lease_seconds=0.5,
                first_wait=0.02, longest_wait=0.1)  # fmt: skip
    with Worker(
        database,
        kinds_by_name([kind]),
        system_clock,
        threads=2,
        drain_seconds=10,
        tell=lambda _what, _failure: None,
        poll_seconds=0.02,
    ):
        threading.Event().wait()


def steps(database: Database, clock: Clock) -> Kinds:
    """The kinds of the story: one that fails at first, and one that comes by the calendar."""

    def run(job: Job) -> None:
        if job.attempt == 1:
            raise ConnectionError
        with database.writing() as connection:
            take_effect(connection, job, clock)

    def sweep(job: Job) -> None:
        with database.writing() as connection:
            connection.execute(text("INSERT INTO effects VALUES ('sweep', 1)"))
            finish(connection, job, clock)

    return kinds_by_name(
        [
            Kind("effect", run, at_once=3, attempts=None, first_wait=0),
            Kind("sweep", sweep, schedule="0 3 * * *"),
        ]
    )


def live_until(
    data: Path, url: str | None, name: str, more: int, now: datetime, boundary: int
) -> None:
    """Tell the whole story of a fact and its job, but die at one boundary of its steps.

    A boundary lies behind each statement and each commit.
    """
    database = Database.open(load_settings(data=data, database_url=url))
    seen = 0

    def pass_boundary(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == boundary:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment in ("after_cursor_execute", "checkin"):
        event.listen(database.engine, moment, pass_boundary)
    tell_story(database, name, more, lambda: now)
    database.close()


def tell_story(database: Database, name: str, more: int, clock: Clock) -> None:
    """A fact is noted, its job fails, is tried again, is kept, and takes effect."""
    kinds = steps(database, clock)
    with database.writing() as connection:
        note_fact(connection, name, more, clock)
    with database.writing() as connection:
        catch_up(connection, kinds["sweep"], clock)
    finish_story(database, clock)


def finish_story(database: Database, clock: Clock) -> None:
    """Do all that is due, one after the other."""
    kinds = steps(database, clock)
    while claimed := claim(database, kinds, clock, most=1, worker="story:1"):
        for job in claimed:
            with database.writing() as connection:
                extend(connection, [job], kinds, clock)
            perform(database, job, kinds[job.kind], clock, lambda _what, _failure: None)
