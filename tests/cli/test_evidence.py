"""``tutela evidence`` as people use it."""

import hashlib
from pathlib import Path

import pytest

from tests.cli.command import json_lines, tutela
from tests.evidence.sealing import blob_files
from tutela.storage.settings import Settings, load_settings

CONTENT = b"some words that are on a list" * 100


@pytest.fixture
def settings(data: Path) -> Settings:
    """On SQLite alone: tests/evidence looks at both databases."""
    return load_settings(data=data)


@pytest.fixture
def found(settings: Settings, tmp_path: Path) -> list[dict]:
    """Two files that matched, of one content."""
    tutela(settings, "list", "create", "partner")
    known = tmp_path / "known.sha256.txt"
    known.write_text(hashlib.sha256(CONTENT).hexdigest() + "\n")
    done = tutela(settings, "list", "import", "partner", known, "--kind", "sha256", "--source", "x")
    assert done.returncode == 0, done.stderr
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    for name in ("a.txt", "b.txt"):
        (uploads / name).write_bytes(CONTENT)
    done = tutela(settings, "scan", uploads, "--json")
    assert done.returncode == 1, done.stderr
    assert "vault.key" in done.stderr
    return json_lines(done)


def test_evidence_is_listed_shown_and_verified(settings: Settings, found: list[dict]) -> None:
    listed = json_lines(tutela(settings, "evidence", "ls", "--json"))
    assert {each["case"] for each in listed} == {each["case"] for each in found}
    case = found[0]["case"]
    (one,) = json_lines(tutela(settings, "evidence", "ls", "--case", case, "--json"))
    (shown,) = json_lines(tutela(settings, "evidence", "show", one["item"], "--json"))
    assert one.items() <= shown.items()
    assert (shown["rule"], shown["due_at"], shown["holds"]) == (None, None, [])
    assert (shown["events"], shown["tombstone"]) == ([], None)
    assert (one["state"], one["size"]) == ("sealed", len(CONTENT))
    assert one["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert one["item"] in tutela(settings, "case", "show", case).stdout
    assert one["item"] in tutela(settings, "evidence", "show", one["item"]).stdout
    verified = tutela(settings, "evidence", "verify", "--json")
    assert verified.returncode == 0, verified.stderr
    assert [each["sound"] for each in json_lines(verified)] == [True, True]
    (of_case,) = json_lines(tutela(settings, "evidence", "verify", case, "--json"))
    assert of_case == {"item": one["item"], "case": case, "sound": True}
    assert tutela(settings, "evidence", "verify").stdout == "2 sound, 0 damaged.\n"


def test_damage_is_reported_and_told_by_the_exit_code(
    settings: Settings, found: list[dict]
) -> None:
    (blob,) = blob_files(settings)
    altered = bytearray(blob.read_bytes())
    altered[500] ^= 4
    blob.write_bytes(altered)
    done = tutela(settings, "evidence", "verify")
    assert done.returncode == 1
    assert "2 damaged" in done.stdout
    for each in json_lines(tutela(settings, "evidence", "ls", "--json")):
        assert f"error: the evidence {each['item']} is damaged" in done.stderr
    blob.unlink()
    item = each["item"]
    done = tutela(settings, "evidence", "verify", item, "--json")
    assert done.returncode == 1
    (line,) = json_lines(done)
    assert (line["item"], line["sound"]) == (item, False)
    assert "is missing" in line["problem"]


def test_the_key_is_changed(settings: Settings, found: list[dict]) -> None:
    (done,) = json_lines(tutela(settings, "evidence", "rotate-key", "--json"))
    assert (done["rewrapped"], len(done["retired"])) == (2, 1)
    assert tutela(settings, "evidence", "verify").returncode == 0


def test_what_there_is_not_is_said_in_one_line(settings: Settings) -> None:
    for command in ("ls", "verify"):
        mistyped = tutela(settings, "evidence", command)
        assert mistyped.returncode == 2
        assert "there is no house in" in mistyped.stderr
    assert not settings.data.exists()
    tutela(settings, "list", "create", "partner")
    assert tutela(settings, "evidence", "ls").returncode == 0
    for item, says in (("a" * 26, "there is no evidence"), ("x", "is not the id of a piece")):
        done = tutela(settings, "evidence", "show", item)
        assert done.returncode == 2
        assert says in done.stderr.splitlines()[-1]


def test_a_lost_key_stops_scans_at_the_start(
    settings: Settings, found: list[dict], tmp_path: Path
) -> None:
    key = settings.keys_folder / "vault.key"
    key.rename(key.with_suffix(".away"))
    done = tutela(settings, "scan", str(tmp_path / "uploads"))
    assert done.returncode == 2
    assert f"the vault's key file {key} is missing" in done.stderr
    assert not key.exists()


def test_a_scan_whose_vault_fails_stops_and_is_resumed(
    settings: Settings, found: list[dict], tmp_path: Path
) -> None:
    more = tmp_path / "more"
    more.mkdir()
    for number in range(40):
        (more / f"{number:02}.txt").write_bytes(CONTENT if number == 30 else b"clear")
    (blob,) = blob_files(settings)
    # The folder's place is taken, and the blob has to be written anew.
    vault = settings.data / "vault"
    vault.rename(vault.with_suffix(".away"))
    vault.touch()
    done = tutela(settings, "scan", more, "--json")
    assert done.returncode == 2
    assert "the vault's folder" in done.stderr
    assert "tutela scan --resume" in done.stderr
    assert len(json_lines(tutela(settings, "case", "ls", "--json"))) == 2
    vault.unlink()
    vault.with_suffix(".away").rename(vault)
    resumed = tutela(settings, "scan", "--resume", "--json")
    assert resumed.returncode == 1
    assert len(json_lines(tutela(settings, "case", "ls", "--json"))) == 3
    assert tutela(settings, "evidence", "verify").returncode == 0
    assert blob.exists()


def test_commands_never_write_evidence_in_the_clear(
    settings: Settings, found: list[dict], tmp_path: Path
) -> None:
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.parent.name != "uploads":
            assert CONTENT[:60] not in path.read_bytes(), path
