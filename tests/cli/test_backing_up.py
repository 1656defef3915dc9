"""``tutela backup`` and ``tutela restore`` as people run them."""

from pathlib import Path

import pytest

from tests.cli.command import json_lines, tutela
from tutela.storage.settings import Settings, load_settings


@pytest.fixture
def house(data: Path) -> Settings:
    settings = load_settings(data=data, cells=2)
    tutela(settings, "key", "add", "forum", "--scope", "screen")
    return settings


@pytest.fixture
def new(tmp_path: Path) -> Settings:
    """A house that is not yet made."""
    return load_settings(data=tmp_path / "new")


def test_a_house_is_backed_up_checked_and_restored(
    house: Settings, new: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "house.backup"
    made = tutela(house, "backup", path, "--json")
    assert made.returncode == 0, made.stderr
    (told,) = json_lines(made)
    assert told["path"] == str(path)
    assert (told["missing"], told["destroyed_meanwhile"], told["removed"]) == ([], [], [])
    assert told["bytes"] == path.stat().st_size

    checked = tutela(house, "backup", path, "--check", "--json")
    assert checked.returncode == 0, checked.stderr
    assert json_lines(checked)[0]["backup"] == told["backup"]

    monkeypatch.setenv("TUTELA_SECRETS", str(house.keys_folder))
    restored = tutela(new, "restore", path, "--json")
    assert restored.returncode == 0, restored.stderr
    (proof,) = json_lines(restored)
    assert proof["wrong"] == []
    assert proof["rows"] == told["rows"]
    assert "forum" in tutela(new, "key", "ls").stdout

    again = tutela(new, "restore", path)
    assert again.returncode == 2
    assert "not empty" in again.stderr


def test_people_are_told_what_was_made_and_what_was_proved(
    house: Settings, new: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "house.backup"
    made = tutela(house, "backup", path)
    assert "is whole" in made.stderr
    assert "Keep a copy of the folder of keys in another place" in made.stderr
    monkeypatch.setenv("TUTELA_SECRETS", str(house.keys_folder))
    restored = tutela(new, "restore", path)
    assert "The house is whole." in restored.stderr
    assert made.stdout == restored.stdout == ""


def test_a_restore_without_the_keys_says_what_to_do(
    house: Settings, new: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "house.backup"
    tutela(house, "backup", path)
    refused = tutela(new, "restore", path)
    assert refused.returncode == 2
    assert "put back the copy that was kept elsewhere" in refused.stderr


def test_wrong_targets_are_refused_with_the_way_out(house: Settings, tmp_path: Path) -> None:
    path = tmp_path / "there.backup"
    path.touch()
    taken = tutela(house, "backup", path)
    assert taken.returncode == 2
    assert "name another file, or a folder" in taken.stderr
    kept = tutela(house, "backup", tmp_path / "one.backup", "--keep", "3")
    assert kept.returncode == 2
    assert "is no folder" in kept.stderr
    broken = tutela(house, "backup", path, "--check")
    assert broken.returncode == 2
    assert "no backup" in broken.stderr
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    unwritable = tutela(house, "backup", folder, held_to_permissions=True)
    assert unwritable.returncode == 2
    assert "cannot be written (Permission denied)" in unwritable.stderr
