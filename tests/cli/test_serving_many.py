"""Several server processes know of a change within a second, and one that dies is replaced."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.cli.command import json_lines, tutela
from tests.cli.test_serving import serving
from tests.waiting import comes_true
from tutela.storage.settings import Settings

MD5 = "0123456789abcdef" * 2


class Callers:
    """Callers that ask all the time, each on a connection of its own.

    Attributes:
        failures: Every answer that was not 200, and every error.
    """

    def __init__(self, address: str, key: str, count: int = 8) -> None:
        self.failures: list[str] = []
        self._address = address
        self._headers = {"Authorization": f"Bearer {key}"}
        self._ended = threading.Event()
        self._latest: list[tuple[float, str]] = [(0.0, "")] * count
        self._threads = [
            threading.Thread(target=self._ask, args=(number,)) for number in range(count)
        ]

    def all_hear(self, answer: str) -> bool:
        """Whether every caller, asking from now on, soon hears this answer."""
        now = time.monotonic()
        return comes_true(
            lambda: all(asked > now and heard == answer for asked, heard in self._latest)
        )

    @contextmanager
    def asking(self) -> Iterator["Callers"]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in self._threads:
                thread.join()

    def _ask(self, number: int) -> None:
        sent = {"fingerprints": {"md5": MD5}}
        with httpx.Client(base_url=self._address, headers=self._headers, timeout=60) as client:
            while not self._ended.wait(0.03):
                asked = time.monotonic()
                try:
                    answer = client.post("/v1/screen", json=sent)
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                    continue
                if answer.status_code != 200:
                    self.failures.append(answer.text)
                self._latest[number] = asked, answer.json().get("verdict", "refused")


def key_for(settings: Settings, name: str) -> str:
    (made,) = json_lines(tutela(settings, "key", "add", name, "--scope", "screen", "--json"))
    return str(made["key"])


def test_a_change_by_another_process_is_soon_everywhere_and_answers_go_on_meanwhile(
    settings: Settings, tmp_path: Path
) -> None:
    key = key_for(settings, "forum")
    tutela(settings, "list", "create", "partner")
    listed = tmp_path / "list.txt"
    listed.write_text(f"{MD5}\n")
    with (
        serving(settings, "--workers", "2") as (_, address),
        Callers(address, key).asking() as callers,
    ):
        assert callers.all_hear("clear")
        assert tutela(settings, "list", "import", "partner", listed).returncode == 0
        assert callers.all_hear("match")
        gone = tutela(settings, "list", "withdraw", "partner", MD5, "--reason", "a mistake")
        assert gone.returncode == 0
        assert callers.all_hear("clear")
        back = tutela(settings, "list", "restore", "partner", MD5, "--reason", "it was none")
        assert back.returncode == 0
        assert callers.all_hear("match")
        assert callers.failures == []


def test_a_revoked_key_soon_works_in_no_process(settings: Settings) -> None:
    key, other = key_for(settings, "forum"), key_for(settings, "game")
    with (
        serving(settings, "--workers", "2") as (_, address),
        Callers(address, key).asking() as callers,
        Callers(address, other).asking() as others,
    ):
        assert callers.all_hear("clear")
        assert tutela(settings, "key", "revoke", "forum").returncode == 0
        assert callers.all_hear("refused")
        assert others.all_hear("clear")
        assert others.failures == []


def test_a_worker_that_is_killed_is_replaced(settings: Settings) -> None:
    key = key_for(settings, "forum")
    with serving(settings, "--workers", "2") as (running, address):
        before = workers_of(running.pid)
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        assert comes_true(
            lambda: len(workers_of(running.pid)) == 2 and workers_of(running.pid) != before
        )
        with Callers(address, key).asking() as callers:
            assert callers.all_hear("clear")
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
        assert running.returncode == 0


def workers_of(parent: int) -> set[int]:
    """The server processes that a process has started and that live."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, its_parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
            is_server = b"spawn_main" in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if is_server and int(its_parent) == parent and state != "Z":
            found.add(int(folder.name))
    return found
