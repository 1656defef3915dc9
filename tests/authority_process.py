"""An authority in a process of its own, which can be killed and started again."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.cli.command import TUTELA
from tutela.testing.authority.controlling import Control
from tutela.testing.authority.serving import Authority


class AuthorityProcess:
    """Knows nothing between its starts but what is in its folder.

    Attributes:
        authority: It, as its callers know it; the address stays the same.
    """

    authority: Authority

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self.start()

    def start(self) -> None:
        words = ["sandbox-authority", "--json", "--folder", self._folder, "--port", str(self._port)]
        self._running = subprocess.Popen([TUTELA, *words], stdout=subprocess.PIPE, text=True)
        assert self._running.stdout
        told = json.loads(self._running.stdout.readline())
        self._port = urlsplit(told["address"]).port or 0
        control = Control(told["address"])
        self.authority = Authority(told["address"], told["user"], told["password"], control)

    def kill(self) -> None:
        """By SIGKILL, at once."""
        self._running.kill()
        self._running.communicate()
        self.authority.control.close()


@contextmanager
def authority_process(folder: Path) -> Iterator[AuthorityProcess]:
    running = AuthorityProcess(folder)
    try:
        yield running
    finally:
        running.kill()
