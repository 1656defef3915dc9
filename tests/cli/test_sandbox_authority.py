"""``tutela sandbox-authority`` says how to reach it, and loses nothing when it is killed."""

import random
import signal
import subprocess
import threading
import time
import tomllib
from pathlib import Path

import httpx

from tests.authority_process import authority_process
from tests.cli.command import TUTELA, tutela
from tests.testing.authority.caller import Caller
from tutela.reporting.cybertipline.client import Client
from tutela.reporting.cybertipline.server import server_of
from tutela.storage.settings import CyberTipline, load_settings
from tutela.testing.authority.model import State


def test_it_says_how_to_reach_it_and_stops_by_ctrl_c(tmp_path: Path) -> None:
    words = ["sandbox-authority", "--port", "0", "--folder", tmp_path / "a", "--user", "somebody"]
    running = subprocess.Popen(
        [TUTELA, *words, "--password", 'a"b'], stderr=subprocess.PIPE, text=True
    )
    try:
        lines: list[str] = []
        while not lines or not lines[-1].strip().startswith("password"):
            line = running.stderr.readline()
            assert line, lines
            lines.append(line)
        assert "SANDBOX, nothing here goes anywhere." in lines[0]
        told = tomllib.loads("\n".join(line for line in lines if line.startswith("  ")))
        told = told["reporting"]["cybertipline"]
        assert told["environment"] == "sandbox"
        # What it says to put into the settings is what Tutela reports by.
        client = Client(server_of(CyberTipline.model_validate(told)))
        try:
            assert client.status().is_success
        finally:
            client.close()
        running.send_signal(signal.SIGINT)
        _, rest = running.communicate(timeout=60)
        assert "has stopped" in rest
        assert running.returncode == 0
    finally:
        running.kill()
        running.communicate()


def test_a_port_or_a_folder_in_use_is_one_clear_line(data: Path, tmp_path: Path) -> None:
    settings = load_settings(data=data)
    with authority_process(tmp_path / "a") as running:
        port = str(httpx.URL(running.authority.address).port)
        taken = tutela(settings, "sandbox-authority", "--port", port, "--folder", tmp_path / "b")
        assert taken.returncode == 2
        assert "choose another with --port" in taken.stderr
        shared = tutela(settings, "sandbox-authority", "--port", "0", "--folder", tmp_path / "a")
        assert shared.returncode == 2
        assert "choose another with --folder" in shared.stderr


def test_an_official_schema_that_is_not_there_is_one_clear_line(data: Path, tmp_path: Path) -> None:
    words = ["sandbox-authority", "--port", "0", "--folder", tmp_path, "--schema", tmp_path / "x"]
    done = tutela(load_settings(data=data), *words)
    assert done.returncode == 2
    assert "cannot be read" in done.stderr


def test_killed_at_any_moment_it_keeps_whatever_it_acknowledged(tmp_path: Path) -> None:
    moments = random.Random(20)
    opened: set[int] = set()
    finished: set[int] = set()

    def call(base: str, user: str, password: str) -> None:
        with Caller(base, user, password) as caller:
            try:
                while True:
                    report = caller.opened()
                    opened.add(report)
                    assert caller.upload(report).code == 0
                    assert caller.finish(report).code == 0
                    finished.add(report)
            except httpx.TransportError:
                pass

    with authority_process(tmp_path) as running:
        for _ in range(2):
            known = running.authority
            calling = threading.Thread(target=call, args=(known.base, known.user, known.password))
            before = len(finished)
            calling.start()
            while len(finished) == before and calling.is_alive():
                time.sleep(0.001)
            time.sleep(moments.random() / 20)
            running.kill()
            calling.join()
            running.start()
        kept = {each.number: each for each in running.authority.control.reports()}
    assert len(finished) >= 2
    assert opened <= set(kept)
    for number in finished:
        assert kept[number].state is State.FINISHED
        assert len(kept[number].files) == 1
