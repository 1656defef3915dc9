"""Killed at any moment, a package is whole and known to the ledger, or absent."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.evidence.disclosure.authority import Authority
from tests.evidence.disclosure.packages import World
from tutela.evidence.disclosure.writing import UNFINISHED
from tutela.ledger.reading import newest_entries, words_of
from tutela.storage.clock import system_clock

_KILLS = 200 if os.environ.get("TUTELA_TEST_SOAK") else 12

# Forks a child for each package, since starting Python and importing takes longer than the package.
# It prints how long one takes, and then makes and kills as many as it is told.
_MAKER = """
import json, os, random, signal, sys, time, traceback
from contextlib import contextmanager
from pathlib import Path
from tutela.evidence.disclosure.contents import members
from tutela.evidence.disclosure.model import Dossier
from tutela.evidence.disclosure.packaging import Office, make_package
from tutela.evidence.vault import Vault
from tutela.ledger.reading import newest_entries
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import load_settings
import tutela.evidence.disclosure.cover_sheet

class DiesBehindItsCommit(Database):
    @contextmanager
    def writing(self):
        with super().writing() as connection:
            yield connection
        with self.reading() as connection:
            (newest,) = newest_entries(connection, 1)
        if newest.act == "disclosure.made":
            os.kill(os.getpid(), signal.SIGKILL)

settings, secret, number, out, kills, dies = json.loads(sys.argv[1])
settings = load_settings(**settings)

def make(name):
    kind = DiesBehindItsCommit if dies else Database
    vault = Vault.over(settings, kind.open(settings), system_clock)
    dossier_of = lambda _, case: Dossier(case, "open", system_clock(), ())
    make_package(Office(settings, vault, dossier_of, lambda head: None), secret, number,
                 Path(out) / name)

def child(name):
    made = os.fork()
    if made == 0:
        try:
            make(name)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return made

start = time.monotonic()
os.waitpid(child("whole.age"), 0)
longest = time.monotonic() - start
chance = random.Random(1)
for kill in range(kills):
    made = child(f"{kill}.age")
    time.sleep(longest * 1.1 * chance.random())
    os.kill(made, signal.SIGKILL)
    os.waitpid(made, 0)
"""


def _run(world: World, number: int, out: Path, kills: int, *, dies: bool = False) -> None:
    settings = world.office.settings
    given = {"data": str(settings.data), "database_url": settings.database_url}
    told = json.dumps([given, world.ada, number, str(out), kills, dies])
    subprocess.run([sys.executable, "-c", _MAKER, told], check=True, timeout=1500)


def _agreed(world: World, authority: Authority) -> int:
    # The maker knows what the vault knows, and the machine's time.
    world.known, world.clock.now = [], system_clock()
    return world.agreed(authority)


def _words(world: World) -> list[str]:
    with world.database.reading() as connection:
        return list(words_of(connection, newest_entries(connection, 10_000)).values())


def test_killed_at_any_time_it_is_whole_and_known_or_absent(
    world: World, authority: Authority, out: Path, tmp_path: Path
) -> None:
    number = _agreed(world, authority)
    _run(world, number, out, _KILLS)
    made = sorted(each for each in out.iterdir() if not each.name.endswith(UNFINISHED))
    assert out / "whole.age" in made
    words = _words(world)
    for place, package in enumerate(made):
        authority.open(package, tmp_path / f"opened {place}")
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        assert any(digest in each for each in words), package
    world.clock.turn(minutes=1)
    world.make(number, out / "after all.age")
    authority.open(out / "after all.age", tmp_path / "opened")


def test_killed_behind_the_ledgers_entry_it_can_be_made_again(
    world: World, authority: Authority, out: Path, tmp_path: Path
) -> None:
    number = _agreed(world, authority)
    _run(world, number, out, 0, dies=True)
    (left,) = out.iterdir()
    assert left.name.endswith(UNFINISHED)
    assert world.acts()[-1] == "disclosure.made"
    world.make(number, out / "again.age")
    authority.open(out / "again.age", tmp_path / "opened")
    assert world.acts()[-2:] == ["disclosure.made"] * 2
