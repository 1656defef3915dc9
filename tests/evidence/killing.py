"""Opens cases with evidence in child processes that are killed, and says what they acknowledged.

Run as a program: one process that loads everything once, and forks a child for each kill.
"""

import hashlib
import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tests.dying import die_at, really_write
from tutela.cases.adding import Opening
from tutela.cases.model import Item
from tutela.cases.sealing import open_cases
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.reading import evidence_of
from tutela.evidence.vault import Vault
from tutela.fingerprints.model import FingerprintSet
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import load_settings

SIZES = (0, 5, 70_000, (1 << 20) - 100, 3 << 20)


def content_of(seed: int) -> bytes:
    """The content with this number. Every fourth one is like the one before."""
    chance = random.Random(seed - (seed % 4 == 3))
    return chance.randbytes(chance.choice(SIZES))


def main() -> None:
    """Kill so many children, and print a line for each case that one of them acknowledged."""
    data, url, how, kills = sys.argv[1:5]
    settings = load_settings(data=Path(data), database_url=url or None)
    # So that the driver is loaded once.
    database = Database.open(settings)
    with database.reading():
        pass
    database.close()
    chance = random.Random(9)
    seed = 0
    done = False
    kill = 0
    longest = 0.2
    while kill < int(kills) and not done:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            step = kill if how == "steps" else None
            _child(settings, seed, writing, step)
            os._exit(0)
        os.close(writing)
        said = b""
        if how == "random":
            # From when the child has everything open.
            said = os.read(reading, 1 << 16)
            if kill == 0:
                longest = max(longest, 2 * _time_to_hear(reading))
            time.sleep(chance.uniform(0, longest))
            os.kill(child, signal.SIGKILL)
        while piece := os.read(reading, 1 << 16):
            said += piece
        os.close(reading)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        assert killed or os.WEXITSTATUS(status) == 0, f"the child failed: {status}"
        for line in said.decode().splitlines():
            if line.startswith("{"):
                print(line, flush=True)  # noqa: T201
        print(json.dumps({"killed": killed}), flush=True)  # noqa: T201
        done = how == "steps" and not killed
        seed += 100
        kill += 1


def _time_to_hear(reading: int) -> float:
    """How long it takes until a child has acknowledged something: longer on a busy machine."""
    began = time.monotonic()
    select.select([reading], [], [])
    return time.monotonic() - began


def _child(settings: Any, seed: int, out: int, step: int | None) -> None:
    database = Database.open(settings)
    vault = Vault.over(settings, database, system_clock)
    prepare_keys(vault.keyring, database, tell=lambda _: None)
    if step is not None:
        die_at(step, database)
    os.write(out, b"ready\n")
    # As many as it gets to; or two with a kill at every step: a new content, and the same again.
    for number in range(seed, seed + 100) if step is None else (seed + 2, seed + 3):
        content = content_of(number)
        known = FingerprintSet(size=len(content), sha256=hashlib.sha256(content).digest())
        item = Item(f"{number}", "test", known)

        def pieces(content: bytes = content) -> list[bytes]:
            return [content[start : start + 50_000] for start in range(0, len(content), 50_000)]

        (case,) = open_cases(vault, [Opening(item, (), f"{number}", pieces)], system_clock)
        with database.reading() as connection:
            (evidence,) = evidence_of(connection, [case])[case]
        acknowledged = {"case": case, "item": evidence.id, "number": number}
        really_write(out, json.dumps(acknowledged).encode() + b"\n")


if __name__ == "__main__":
    main()
