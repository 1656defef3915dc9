"""``tutela scan`` misses nothing, keeps nothing of the innocent, and can be interrupted."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.actors import actor_called
from tests.cli.command import TUTELA, environment, json_lines, tutela
from tests.house import House
from tests.pictures import drawn, encoded
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.lists import create_list
from tutela.hashlists.model import ListRow, Provenance
from tutela.screening.checkpoint import Checkpoint, Found
from tutela.screening.counts import FILES, totals
from tutela.screening.finding import find_files
from tutela.screening.model import Verdict
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings

KNOWN = encoded(drawn(1))
OTHER = encoded(drawn(2))


@pytest.fixture
def known(database: Database) -> None:
    """A list "partner" that holds one picture."""
    prints = House.fingerprints(KNOWN)
    rows = [
        ListRow(1, Fingerprint.from_text(Kind.PDQ, str(prints["pdq"]))),
        ListRow(2, Fingerprint.from_text(Kind.MD5, str(prints["md5"]))),
    ]
    actor = actor_called("test")
    with database.writing() as connection:
        partner = create_list(connection, "partner", "", actor, system_clock)
        add_with_provenance(
            connection, partner, Provenance("a test"), rows, actor=actor, clock=system_clock
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    (folder / "below").mkdir(parents=True)
    (folder / "a.png").write_bytes(KNOWN)
    (folder / "below" / "b.jpg").write_bytes(
        encoded(drawn(1).resize((200, 150)), "JPEG", quality=80)
    )
    (folder / "c.png").write_bytes(OTHER)
    (folder / "d.txt").write_text("some words")
    return folder


def verdicts(done: subprocess.CompletedProcess[str], folder: Path) -> dict[str, str]:
    return {
        str(Path(line["path"]).relative_to(folder)): line["verdict"] for line in json_lines(done)
    }


@pytest.mark.usefixtures("known")
def test_known_pictures_are_found_and_have_cases(settings: Settings, folder: Path) -> None:
    done = tutela(settings, "scan", folder, "--json")
    assert done.returncode == 1, done.stderr
    assert verdicts(done, folder) == {
        "a.png": "match",
        "below/b.jpg": "match",
        "c.png": "clear",
        "d.txt": "clear",
    }
    first, second = (line for line in json_lines(done) if line["verdict"] == "match")
    assert {(m["list"], m["kind"], m["distance"]) for m in first["matches"]} == {
        ("partner", "pdq", 0),
        ("partner", "md5", 0),
    }
    assert [m["kind"] for m in second["matches"]] == ["pdq"]
    cases = json_lines(tutela(settings, "case", "ls", "--json"))
    assert {case["case"] for case in cases} == {first["case"], second["case"]}
    entries = json_lines(tutela(settings, "ledger", "ls", "--case", first["case"], "--json"))
    assert {(each["actor"], each["role"], each["face"]) for each in entries} == {
        (f"os:{os.getuid()}", "operator", "cli")
    }


@pytest.mark.usefixtures("known")
def test_what_is_clear_leaves_nothing_behind(settings: Settings, folder: Path, database) -> None:
    (folder / "a.png").unlink()
    (folder / "below" / "b.jpg").unlink()
    done = tutela(settings, "scan", folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "2 files" in done.stderr
    prints = House.fingerprints(OTHER)
    for file in settings.data.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        for trace in (b"c.png", b"uploads", OTHER[100:164], *_both(prints)):
            assert trace not in content, f"{trace!r} in {file}"


def _both(prints: dict[str, str | int]) -> list[bytes]:
    texts = [value for value in prints.values() if isinstance(value, str)]
    return [text.encode() for text in texts] + [bytes.fromhex(text) for text in texts]


def test_with_no_list_everything_is_clear(settings: Settings, folder: Path) -> None:
    done = tutela(settings, "scan", folder, "--all")
    assert done.returncode == 0
    assert done.stdout.count(": clear\n") == 4


@pytest.mark.usefixtures("known")
def test_bad_files_cost_themselves_alone(settings: Settings, folder: Path) -> None:
    (folder / "empty.jpg").touch()
    (folder / "half.png").write_bytes(OTHER[: len(OTHER) // 2])
    (folder / "archive.jpg").write_bytes(b"PK\x03\x04 some archive")
    (folder / "dead").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    (folder / "circle").symlink_to(folder)
    (folder / "odd-\udcff\n.png").write_bytes(OTHER)
    done = tutela(settings, "scan", folder, "--json")
    assert done.returncode == 1
    found = verdicts(done, folder)
    unreadable = {name for name, verdict in found.items() if verdict == "unreadable"}
    assert unreadable == {"archive.jpg", "dead", "empty.jpg", "half.png", "pipe"}
    assert len(found) == 10
    assert all(line.get("reason") for line in json_lines(done) if line["verdict"] == "unreadable")
    (folder / "a.png").unlink()
    (folder / "below" / "b.jpg").unlink()
    assert tutela(settings, "scan", folder).returncode == 2


def test_what_the_policy_lets_pass_is_no_error_and_what_it_does_not_is(
    settings: Settings, tmp_path: Path
) -> None:
    sent = tmp_path / "sent"
    sent.mkdir()
    (sent / "empty.jpg").touch()
    done = tutela(settings, "scan", sent)
    assert (done.returncode, "(let pass)" in done.stdout) == (0, True)
    (sent / "half.png").write_bytes(OTHER[: len(OTHER) // 2])
    assert tutela(settings, "scan", sent).returncode == 2


def test_a_file_that_may_not_be_read_is_unreadable(settings: Settings, folder: Path) -> None:
    (folder / "c.png").chmod(0)
    done = tutela(settings, "scan", folder, "--json", held_to_permissions=True)
    assert done.returncode == 2, done.stderr
    (line,) = (line for line in json_lines(done) if line["verdict"] == "unreadable")
    assert line["path"].endswith("c.png")
    assert line["reason"] == "this user may not read it"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say what to scan: tutela scan PATH..."),
        (("/absent/folder",), "/absent/folder does not exist: check the path"),
        (("--resume",), "there is no interrupted scan to resume: start one without --resume"),
        (("--resume", "--abandon"), "choose one of --resume and --abandon"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(data: Path, arguments, says: str) -> None:
    done = tutela(Settings(data=data), "scan", *arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"error: {says}"


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_scan_is_resumed_without_a_second_case(
    settings: Settings, tmp_path: Path, how: signal.Signals
) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    pictures = [encoded(drawn(seed, (640, 480)), "JPEG") for seed in (5, 6, 7)]
    for number in range(400):
        content = KNOWN if number % 40 == 0 else pictures[number % 3]
        (folder / f"{number:04}.bin").write_bytes(content)
    running = subprocess.Popen(
        [TUTELA, "scan", str(folder), "--json"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    assert running.stderr
    before = [running.stdout.readline() for _ in range(60)]
    running.send_signal(how)
    # Not communicate(), which passes over what readline() has read ahead.
    before += running.stdout.readlines()
    said = running.stderr.read()
    running.wait()
    assert running.returncode == (-how if how == signal.SIGKILL else 130), said
    if how != signal.SIGKILL:
        assert "tutela scan --resume" in said
    assert len(before) < 400, "the scan ended before it could be interrupted"

    resumed = tutela(settings, "scan", "--resume", "--json")
    assert resumed.returncode == 1, resumed.stderr
    lines = [json.loads(line) for line in before if line.endswith("}\n")] + json_lines(resumed)
    assert {Path(line["path"]).name for line in lines} == {f"{n:04}.bin" for n in range(400)}
    if how != signal.SIGKILL:
        assert len(lines) - 400 <= 256
    cases = {line["path"]: line["case"] for line in lines if line["verdict"] == "match"}
    assert len(cases) == 10
    kept = json_lines(tutela(settings, "case", "ls", "--json"))
    assert sorted(case["case"] for case in kept) == sorted(cases.values())
    assert list((settings.data / "scans").iterdir()) == []


def enough_to_wait_for(folder: Path) -> None:
    """Small files, so many that they are answered, and then one that takes minutes to read."""
    folder.mkdir()
    for number in range(16):
        (folder / f"{number:02}.txt").write_text("some words")
    with (folder / "big.bin").open("wb") as big:
        big.truncate(20 << 30)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scan_does_not_wait_for_a_big_file(
    settings: Settings, tmp_path: Path, how: signal.Signals
) -> None:
    folder = tmp_path / "uploads"
    enough_to_wait_for(folder)
    running = subprocess.Popen(
        [TUTELA, "scan", str(folder), "--json"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert running.stdout
    for _ in range(16):
        running.stdout.readline()
    running.send_signal(how)
    try:
        running.communicate(timeout=20)
    finally:
        running.kill()
    assert running.returncode == 130
    (waiting,) = (settings.data / "scans").iterdir()
    assert b"big.bin" in waiting.read_bytes()


def test_a_scan_that_is_killed_has_saved_its_counts(
    settings: Settings, tmp_path: Path, database: Database
) -> None:
    folder = tmp_path / "uploads"
    enough_to_wait_for(folder)
    running = subprocess.Popen(
        [TUTELA, "scan", str(folder)],
        env=environment(settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    saved: dict[tuple[str, int], int] = {}
    deadline = time.monotonic() + 30
    while not saved and time.monotonic() < deadline:
        time.sleep(0.02)
        with database.reading() as connection:
            saved = totals(connection)
    assert running.poll() is None, "the scan ended before it could be killed"
    running.kill()
    running.wait()
    assert saved == {("clear", FILES): 16}


@pytest.mark.parametrize(("before", "code"), [(Verdict.MATCH, 1), (Verdict.UNREADABLE, 2)])
def test_a_resumed_scan_answers_for_the_whole(
    settings: Settings, folder: Path, before: Verdict, code: int
) -> None:
    files = [file for file in find_files([str(folder)]) if not file.path.endswith("a.png")]
    first = Found(str(folder / "a.png"), len(KNOWN))
    checkpoint = Checkpoint.begin(settings.data / "scans", [str(folder)], [*files, first])
    checkpoint.done([first], [before])
    checkpoint.close()

    done = tutela(settings, "scan", "--resume", "--json")
    assert done.returncode == code, done.stderr
    assert [line["verdict"] for line in json_lines(done)] == ["clear"] * 3
    summary = " ".join(done.stderr.split())
    assert "4 files" in summary
    assert ("1 matched" if before is Verdict.MATCH else "1 unreadable") in summary
    assert "3 clear" in summary


def test_a_file_that_vanishes_during_the_scan_is_unreadable(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    for number in range(600):
        (folder / f"{number:04}.jpg").write_bytes(OTHER)
    running = subprocess.Popen(
        [TUTELA, "scan", str(folder), "--json"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    running.stdout.readline()
    (folder / "0599.jpg").unlink()
    rest, _ = running.communicate()
    last = json.loads(rest.splitlines()[-1])
    assert (last["verdict"], last["reason"]) == (
        "unreadable",
        "it is no longer there, or is a link to nothing",
    )
    assert running.returncode == 2


def test_an_abandoned_scan_leaves_nothing(settings: Settings, folder: Path) -> None:
    running = subprocess.Popen(
        [TUTELA, "scan", str(folder), "--json"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not list(settings.data.glob("scans/*.todo")) and time.monotonic() < deadline:
        time.sleep(0.002)
    running.kill()
    running.communicate()
    assert tutela(settings, "scan", "--abandon").returncode == 0
    assert list((settings.data / "scans").iterdir()) == []
    assert tutela(settings, "scan", "--resume").returncode == 2


@pytest.mark.usefixtures("known")
def test_paths_are_shown_as_they_were_given_and_kept_in_full(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    done = tutela(settings, "scan", "uploads/a.png", "uploads/below", "--json")
    assert [line["path"] for line in json_lines(done)] == ["uploads/a.png", "uploads/below/b.jpg"]
    kept = json_lines(tutela(settings, "case", "ls", "--json"))
    shown = [json_lines(tutela(settings, "case", "show", case["case"], "--json")) for case in kept]
    assert {case["items"][0]["name"] for (case,) in shown} == {
        str(folder / "a.png"),
        str(folder / "below" / "b.jpg"),
    }
