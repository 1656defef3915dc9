"""Killed at any moment, many at once: what was acknowledged has its entry, and there is no gap."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import select

from tests.cli.command import environment
from tutela.accounts.keys import all_keys
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.places.choosing import second_place
from tutela.ledger.reading import newest_entries, read_head
from tutela.ledger.tables import ledger_entries
from tutela.ledger.verifying import verify
from tutela.storage.database import Database
from tutela.storage.settings import Settings

SOAK = bool(os.environ.get("TUTELA_TEST_SOAK"))

# Each line says that a key is there, and so its entry: it is printed after the transaction.
ADDS_KEYS = """
import sys
from tests.actors import actor_called
from tutela.accounts.keys import add_key
from tutela.accounts.permissions import Permission
from tutela.ledger.checkpointing import Checkpoints
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import load_settings
name, count = sys.argv[1], int(sys.argv[2])
settings = load_settings()
database = Database.open(settings)
checkpoints = Checkpoints(database, settings, system_clock)
print("ready", flush=True)
for number in range(count):
    with database.writing() as connection:
        add_key(connection, f"{name}-{number}", [Permission.SCREEN], actor_called("cli:test"),
                system_clock)
    print(f"{name}-{number}", flush=True)
    if number % 5 == 4:
        checkpoints.make()
"""


def start(settings: Settings, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ADDS_KEYS, name, str(count)],
        cwd=Path(__file__).parents[2],
        env=environment(settings),
        stdout=subprocess.PIPE,
        text=True,
    )


def check(database: Database, settings: Settings, clock, acknowledged: set[str]) -> int:
    """Every acknowledged key has its entry, every entry its key; numbers have no gap."""
    with database.reading() as connection:
        keys = {f"key:{key.id}": key.name for key in all_keys(connection)}
        head = read_head(connection)
        numbers = connection.execute(select(ledger_entries.c.number)).scalars().all()
        entries = newest_entries(connection, head.size + 1)
    assert sorted(numbers) == list(range(head.size))
    entered = [keys[str(entry.thing)] for entry in entries]
    assert sorted(entered) == sorted(keys.values())
    assert acknowledged <= set(entered)
    checkpoints = Checkpoints(database, settings, clock)
    checkpoints.make()
    place, verifier = second_place(settings), checkpoints.verifier()
    assert verify(database, settings, place, verifier).findings == []
    return head.size


def test_processes_killed_at_any_moment_lose_no_acknowledged_act(
    database: Database, settings: Settings, clock
) -> None:
    chance = random.Random(7)
    acknowledged: set[str] = set()
    reached = 0
    rounds = 125 if SOAK else 3
    for round_ in range(rounds):
        processes = [start(settings, f"{round_}-{each}", 10_000) for each in range(4)]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            time.sleep(chance.uniform(0.0, 0.1))
            process.kill()
        for process in processes:
            lines = process.communicate()[0].splitlines(keepends=True)
            acknowledged |= {line.strip() for line in lines if line.endswith("\n")}
        assert check(database, settings, clock, acknowledged) >= reached
        reached = len(acknowledged)
    assert reached > 3 * rounds


def test_four_processes_append_at_once(database: Database, settings: Settings, clock) -> None:
    count = 500 if SOAK else 40
    processes = [start(settings, str(each), count) for each in range(4)]
    acknowledged = {
        line.strip() for process in processes for line in process.communicate()[0].splitlines()
    } - {"ready"}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(acknowledged) == 4 * count
    assert check(database, settings, clock, acknowledged) == 4 * count
