"""Sends reports in child processes that are killed, and says what they were given to send.

Run as a program: one process that loads everything once, and forks a child for each kill. A child
ends what those before it left, is given a new report, and sends it, until it is killed at one of
its steps: a statement or a commit in the database, a write to the disk, a piece that it sends to
the authority or waits for from it. Every child lives a day after the one before.
"""

import json
import os
import random
import signal
import socket
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from tests.cases.world import OPERATOR
from tests.dying import die_at, really_write
from tests.reporting.posting import DETAILS, content
from tests.reporting.world import World
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.reporting.cybertipline import client, sending  # noqa: F401 - loaded once, before forks
from tutela.reporting.delivery.queueing import queue
from tutela.reporting.finding import find_reports
from tutela.reporting.jobs import kinds_of_reports
from tutela.reporting.model import ReportFile
from tutela.reporting.states import Move, State
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.settings import Settings, load_settings

SIZES = (0, 9, 3_000, 150_000)
_NETWORK = tuple((socket.socket, name) for name in ("send", "sendall", "recv"))
# As many steps as a report with two files takes, and some more.
_MOST_STEPS = 150


def files_of(number: int) -> list[bytes]:
    """The files of the report with this number: none, one or two."""
    chance = random.Random(number)
    return [chance.randbytes(chance.choice(SIZES)) for _ in range(number % 3)]


def main() -> None:
    """Kill so many children, and tell of each report that one of them was given."""
    data, url, how, kills, first = sys.argv[1:6]
    day = int(first)
    settings = load_settings(data=Path(data), database_url=url or None)
    chance = random.Random(int(first))
    number = int(first)
    for kill in range(int(kills)):
        drawn = chance.randrange(_MOST_STEPS)
        step = (day + kill) % _MOST_STEPS if how == "steps" else drawn
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _child(settings, day + kill, number, writing, None if how == "random" else step)
            os._exit(0)
        os.close(writing)
        said = b""
        if how == "random":
            # From when it has something to send.
            said = os.read(reading, 1 << 16)
            time.sleep(chance.uniform(0, 1.0))
            os.kill(child, signal.SIGKILL)
        while piece := os.read(reading, 1 << 16):
            said += piece
        os.close(reading)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        assert killed or os.WEXITSTATUS(status) == 0, f"the child failed: {status}"
        number += 10
        for line in said.decode().splitlines():
            print(line, flush=True)  # noqa: T201
        print(json.dumps({"killed": killed}), flush=True)  # noqa: T201
    _end(settings, day + int(kills))


def _child(settings: Settings, day: int, number: int, out: int, step: int | None) -> None:
    world = _world(settings, day)
    if step is None:
        for each in range(number, number + 3):
            _give(world, each, out)
    else:
        if day % 2:
            # Every other child may be killed while it ends what is left as well.
            _work(world)
        _give(world, number, out)
        die_at(step, world.database, _NETWORK)
    _work(world)


def _end(settings: Settings, day: int) -> None:
    """Do all that is left, in days on which nobody is killed."""
    _wait_for_the_dead(settings)
    for later in range(day, day + 30):
        world = _world(settings, later)
        _work(world)
        with world.database.reading() as connection:
            left = find_reports(connection, state=State.QUEUED, limit=1)
        world.database.close()
        if not left:
            return


def _wait_for_the_dead(settings: Settings) -> None:
    """Wait until the server has ended what the last one that was killed had asked it for."""
    database = Database.open(settings)
    at_work = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    while not database.is_sqlite:
        with database.reading() as connection:
            if connection.execute(at_work).scalar_one() == 0:
                break
        time.sleep(0.05)
    database.close()


def _world(settings: Settings, day: int) -> World:
    ahead = timedelta(days=day, hours=day)

    def clock() -> datetime:
        return system_clock() + ahead

    database = Database.open(settings)
    vault = Vault.over(settings, database, clock)
    prepare_keys(vault.keyring, database, tell=lambda _: None)
    return World(settings, database, vault, clock)


def _give(world: World, number: int, out: int) -> None:
    case = world.case(*files_of(number))
    files = [ReportFile(each.item, each.evidence, DETAILS) for each in world.files(case)]
    report = world.draft(case, content(case), files)
    world.move(report, Move.SIGN)
    # Before it is queued: what is told of and was not queued is found out by its state.
    really_write(out, json.dumps({"case": case, "number": number}).encode() + b"\n")
    with world.database.writing() as connection:
        queue(connection, world.settings, report, OPERATOR, world.clock)


def _work(world: World) -> None:
    kinds = kinds_by_name(kinds_of_reports(world.settings, world.vault, world.clock))
    while jobs := claim(world.database, kinds, world.clock, most=1, worker="killed"):
        for job in jobs:
            perform(world.database, job, kinds[job.kind], world.clock, _tell)


def _tell(what: str, error: Exception) -> None:
    print(f"{what}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
