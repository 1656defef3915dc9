"""``make run``: from nothing to a report that has arrived, by what it prints and nothing else."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import httpx
import pytest

from samples import start
from tests.cli.warm import WarmCommand
from tests.requirements import missing
from tests.waiting import comes_true
from tutela.testing.authority.controlling import Control
from tutela.testing.authority.model import State

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "docs" / "reporting-quickstart.md"
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Place:
    """An empty folder to start in, with free ports of its own."""

    folder: Path
    service: str
    sandbox: str
    surroundings: dict[str, str]
    warm: WarmCommand

    def start(self) -> subprocess.Popen[str]:
        """What ``make run`` does, here."""
        return subprocess.Popen(
            [sys.executable, start.__file__],
            env=self.surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, command: str) -> str:
        """Type a command in a second terminal."""
        program, *words = shlex.split(command)
        if Path(program).name == "tutela":
            assert (self.folder / program).samefile(start.TUTELA)
            done = self.warm.run(words, self.surroundings, _SECONDS)
        else:
            done = subprocess.run(
                [program, *words],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        # That a scan found something is 1.
        assert done.returncode in (0, 1), done.stderr
        return " ".join((done.stdout + done.stderr).split())

    def arrived(self) -> int:
        """How many reports the sandbox has whole."""
        with Control(self.sandbox) as control:
            return control.counts().reports.get(State.FINISHED, 0)

    def is_silent(self) -> bool:
        """Whether neither of the two listens any more."""
        return not (_answers(self.service) or _answers(self.sandbox))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.chdir(tmp_path)
    ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    service, sandbox = (f"http://127.0.0.1:{each.getsockname()[1]}" for each in ports)
    for each in ports:
        each.close()
    own = {name: value for name, value in os.environ.items() if not name.startswith("TUTELA_")}
    # What a new user has around them; only that a decision is final at once.
    chosen = {
        "TUTELA_PORT": service.rpartition(":")[2],
        "TUTELA_REPORTING__CYBERTIPLINE__ADDRESS": f"{sandbox}/ispws",
        "TUTELA_REVIEW__UNDO_SECONDS": "0",
        "TUTELA_CELLS": "1",
    }
    warm = WarmCommand()
    yield Place(tmp_path, service, sandbox, own | chosen, warm)
    warm.close()


@contextmanager
def running(place: Place) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """It, as soon as it answers, and what it printed up to there."""
    process = place.start()
    try:
        printed = _up_to("reporting-quickstart.md", process.stdout)
        assert comes_true(lambda: _answers(place.service), 60)
        yield process, printed
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=_SECONDS)


def _up_to(last: str, pipe: IO[str] | None) -> str:
    assert pipe
    lines = ""
    for line in iter(pipe.readline, ""):
        lines += line
        if last in line:
            return lines
    pytest.fail(f"it ended before it was ready, after: {lines}")


def _answers(address: str) -> bool:
    try:
        httpx.get(f"{address}/healthz", timeout=5)
    except httpx.HTTPError:
        return False
    return True


def commands(printed: str) -> dict[str, str]:
    """The printed commands, by their first words."""
    lines = [line.strip() for line in printed.replace("\\\n", " ").splitlines()]
    return {
        found[1]: line
        for line in lines
        if (found := re.match(r"(?:\S*/tutela )?(curl|scan|(?:case|report|key) \w+)\b", line))
    }


def test_what_is_printed_leads_from_nothing_to_a_report_that_has_arrived(place: Place) -> None:
    if shutil.which("curl") is None:
        missing("curl", "install it with: apt-get install curl")
    with running(place) as (process, printed):
        second = place.start()
        _, said = second.communicate(timeout=_SECONDS)
        assert second.returncode == 2
        assert said.startswith(f"error: port {place.service.rpartition(':')[2]} is in use. Perhaps")

        told = commands(printed)
        assert ": match (sample by pdq at distance" in place.run(told["scan"])
        case = json.loads(place.run(f"{told['curl']} --silent"))["case"]
        place.run(told["case take"].replace("CASE", case))
        place.run(told["case decide"].replace("CASE", case))
        # It may have been begun by itself meanwhile, and says where it is all the same.
        begun = place.run(told["report draft"].replace("CASE", case))
        (report,) = re.findall(rf"Report (\d+) of {case} is a draft", begun)
        assert "<incidentType>" in place.run(told["report preview"].replace("REPORT", report))
        place.run(told["report sign"].replace("REPORT", report))
        assert comes_true(lambda: place.arrived() == 1, 60)
        assert "dunes.jpg" in httpx.get(place.sandbox).text
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=_SECONDS)
    assert process.returncode == 0
    assert said.splitlines()[-2:] == ["Tutela has stopped.", "The sandbox authority has stopped."]
    assert place.is_silent()
    explained = QUICKSTART.read_text(encoding="utf-8")
    for name, command in told.items():
        if name.startswith(("case", "report")):
            assert f"tutela {command.partition('tutela ')[2]}\n" in explained

    with running(place) as (process, printed):
        assert "Your API key was shown at the first start" in printed
        assert place.arrived() == 1
        # Whoever runs it is killed without a word: nothing of it goes on.
        process.kill()
        assert comes_true(place.is_silent, 60)


def test_a_new_house_reports_to_a_sandbox_whose_password_nobody_else_may_read(here: Path) -> None:
    server = start.sandbox_of(start.chosen_settings())
    assert server is not None
    assert server.is_sandbox
    password = here / "tutela-sandbox-authority" / "password"
    assert (server.password, password.stat().st_mode & 0o777) == (password.read_text(), 0o600)
    before = (here / "tutela.toml").read_text()
    assert start.sandbox_of(start.chosen_settings()) == server
    assert (here / "tutela.toml").read_text() == before


def test_where_the_usual_port_is_taken_a_new_house_has_another(here: Path) -> None:
    taken = urlsplit(start.SANDBOX)
    # Somebody else may have it already, which is as well.
    with suppress(OSError), socket.create_server((taken.hostname, taken.port)):
        assert start.free_sandbox() != start.SANDBOX
    (here / "tutela.toml").write_text("")
    assert start.sandbox_of(start.chosen_settings()) is None


def test_a_port_that_somebody_chose_and_that_is_taken_is_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUTELA_PORT", "0")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        address = f"http://127.0.0.1:{port}/ispws"
        monkeypatch.setenv("TUTELA_REPORTING__CYBERTIPLINE__ADDRESS", address)
        settings = start.chosen_settings()
        assert f'address = "{address}"' in (here / "tutela.toml").read_text()
        with pytest.raises(SystemExit):
            start.refuse_taken_ports(settings, start.sandbox_of(settings))
    assert f"port {port}, where the sandbox authority is to listen" in capsys.readouterr().err


@pytest.mark.parametrize(
    "chosen",
    [
        'jurisdiction = "US"',
        '[reporting]\nestablishment = "DE"',
        '[reporting.cybertipline]\nenvironment = "test"\nuser = "a"\npassword = "b"',
    ],
)
def test_settings_that_somebody_chose_are_left_as_they_are(here: Path, chosen: str) -> None:
    (here / "tutela.toml").write_text(chosen)
    assert start.sandbox_of(start.chosen_settings()) is None
    assert (here / "tutela.toml").read_text() == chosen
    assert [each.name for each in here.iterdir()] == ["tutela.toml"]


def test_what_the_environment_says_of_reports_is_not_talked_over(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTELA_REPORTING__CYBERTIPLINE__ENVIRONMENT", "live")
    assert start.sandbox_of(start.chosen_settings()) is None
    assert list(here.iterdir()) == []


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start in, of which this process is in."""
    monkeypatch.delenv("TUTELA_CONFIG")
    monkeypatch.chdir(tmp_path)
    return tmp_path
