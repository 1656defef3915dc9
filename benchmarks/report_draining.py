"""How fast a backlog of reports drains: ``python -m benchmarks.report_draining [REPORTS]``.

A house with SQLite, a sandbox authority in the same process, and one worker at a time: what is
measured is Tutela's own share, since a real authority and the throttle are slower than both.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.reporting.posting import Post
from tests.reporting.world import World
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import load_settings
from tutela.testing.authority.serving import running_authority

FILE = bytes(100_000)


def main() -> None:
    """Queue so many reports with one file each, and print how long it takes to send them."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data=Path(folder) / "data")
        database = Database.open(settings)
        upgrade(database, settings.data, tell=lambda _: None)
        vault = Vault.over(settings, database, system_clock)
        prepare_keys(vault.keyring, database, tell=lambda _: None)
        world = World(settings, database, vault, system_clock)
        with running_authority(Path(folder) / "authority") as authority:
            post = Post.between(world, authority)
            for number in range(many):
                post.report(FILE + b"%d" % number)
            begin = time.perf_counter()
            post.work()
            seconds = time.perf_counter() - begin
            finished = authority.control.counts().reports["finished"]
        database.close()
    print(f"{finished} of {many} reports in {seconds:.1f} s: {finished / seconds:.1f} a second")


if __name__ == "__main__":
    main()
