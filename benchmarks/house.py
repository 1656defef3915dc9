"""Tutela's service with a list of its own, for as long as it is measured."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import ask, request
from benchmarks.sets import Hashes
from tutela.kernel.library import VARIABLE

TUTELA = str(Path(sys.executable).with_name("tutela"))
LIST = "bench"
"""The list's name."""

WORKERS = 2
_START_SECONDS = 600


@dataclass(frozen=True, slots=True)
class House:
    """A running service.

    Attributes:
        process_id: Of the process that the workers belong to.
        port: Where it listens, on this machine.
        key: An API key with the scope ``screen``.
        environment: What its commands are to be run with.
    """

    process_id: int
    port: int
    key: str
    environment: Mapping[str, str]

    def screen(self, value: Hashes) -> bytes:
        """The request that screens one PDQ hash."""
        return self._post("/v1/screen", _item(value))

    def screen_batch(self, values: Hashes) -> bytes:
        """The request that screens many."""
        items = [_item(value) for value in values]
        return self._post("/v1/screen/batch", {"items": items})

    def _post(self, path: str, document: object) -> bytes:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        return request("POST", path, json.dumps(document).encode(), headers)


def _item(value: Hashes) -> dict[str, object]:
    return {"fingerprints": {"pdq": value.tobytes().hex()}}


def environment_of(data: Path) -> dict[str, str]:
    """What Tutela's commands are run with: no settings but the benchmark's own."""
    settings = data.with_suffix(".toml")
    settings.touch()
    return {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith("TUTELA_") or name == VARIABLE
        },
        "TUTELA_DATA": str(data),
        "TUTELA_CELLS": str(WORKERS),
        # Not whatever settings file lies where the benchmark is started.
        "TUTELA_CONFIG": str(settings),
    }


def command(environment: Mapping[str, str], *arguments: str) -> str:
    """Run one of Tutela's commands and give what it printed.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    return subprocess.run(
        [TUTELA, *arguments], env=environment, check=True, capture_output=True, text=True
    ).stdout


def write_csv(path: Path, hashes: Hashes) -> None:
    """Write PDQ hashes for ``tutela list import``."""
    with path.open("w") as file:
        file.write("kind,hash\n")
        file.writelines(f"pdq,{value.tobytes().hex()}\n" for value in hashes)


@contextmanager
def open_house(folder: Path, hashes: Hashes) -> Iterator[House]:
    """Import a list, and serve it with two workers until the block ends."""
    environment = environment_of(folder / "data")
    write_csv(folder / "list.csv", hashes)
    command(environment, "list", "create", LIST)
    command(environment, "list", "import", LIST, str(folder / "list.csv"))
    made = command(environment, "key", "add", "bench", "--scope", "screen", "--json")
    with served(environment) as (process_id, port):
        yield House(process_id, port, json.loads(made)["key"], environment)


@contextmanager
def served(environment: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Serve a house with two workers until the block ends; gives the process's id and the port."""
    with subprocess.Popen(
        [TUTELA, "serve", "--port", "0", "--workers", str(WORKERS)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stderr is not None
            said = running.stderr.readline()
            while (found := re.search(r"http://\S+:(\d+)", said)) is None:
                if not said:
                    raise RuntimeError("Tutela did not start")
                said = running.stderr.readline()
            # Else it waits for ever, once the pipe is full of its log.
            threading.Thread(target=running.stderr.read, daemon=True).start()
            _await(int(found[1]))
            yield running.pid, int(found[1])
        finally:
            running.terminate()


def _await(port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            ask(port, request("GET", "/readyz", headers={"Connection": "close"}))
        except (OSError, RuntimeError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return
