"""A backup is seen when it is whole, and never takes another's place."""

import fcntl
import re
from pathlib import Path

import pytest

from tests.backup.house import House
from tutela.backup.places import backups_in
from tutela.errors import AlreadyExistsError, StorageError


def test_in_a_folder_a_backup_is_named_by_the_time_in_utc(
    sqlite_house: House, tmp_path: Path
) -> None:
    made = sqlite_house.back_up(tmp_path)
    assert made.path == tmp_path / "tutela-20260115T120000Z.backup"
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob(".*"))


def test_a_backup_never_takes_anothers_place(sqlite_house: House, tmp_path: Path) -> None:
    path = tmp_path / "mine.backup"
    path.write_bytes(b"another")
    with pytest.raises(AlreadyExistsError, match="name another file"):
        sqlite_house.back_up(path)
    assert path.read_bytes() == b"another"
    with pytest.raises(StorageError, match="there is no folder"):
        sqlite_house.back_up(tmp_path / "nowhere" / "mine.backup")


def test_only_the_newest_are_kept_and_nothing_else_is_touched(
    sqlite_house: House, tmp_path: Path, clock
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for foreign in ("tutela-20200101T000000Z.backup.old", "notes.txt", "by-hand.backup"):
        (folder / foreign).write_bytes(b"not to be touched")
    kept = []
    for _ in range(5):
        clock.turn(days=1)
        made = sqlite_house.back_up(folder, keep=3)
        kept.append(made.path)
        assert backups_in(folder) == kept[-3:]
        assert made.removed == tuple(kept[-4:-3])
    assert len(list(folder.iterdir())) == 3 + 3


def test_a_backup_that_fails_removes_no_older_one(
    sqlite_house: House, tmp_path: Path, clock
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    first = sqlite_house.back_up(folder, keep=1).path
    clock.turn(days=1)

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sqlite_house.back_up(folder, keep=1, tell=interrupt)
    assert list(folder.iterdir()) == [first]


def test_a_backup_that_lacks_what_the_vault_lacks_removes_no_older_one(
    sqlite_house: House, tmp_path: Path, clock
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    first = sqlite_house.back_up(folder, keep=1).path
    blob = next(iter(sqlite_house.vault.store.list())).id
    sqlite_house.vault.store.delete(blob)
    clock.turn(days=1)
    made = sqlite_house.back_up(folder, keep=1)
    assert made.missing == (blob,)
    assert made.removed == ()
    assert backups_in(folder) == [first, made.path]


def test_a_clock_that_went_back_removes_no_newer_one(
    sqlite_house: House, tmp_path: Path, clock
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    newer = sqlite_house.back_up(folder, keep=1).path
    clock.turn(days=-1)
    older = sqlite_house.back_up(folder, keep=1).path
    assert backups_in(folder) == [older, newer]


def test_what_a_killed_backup_left_is_cleared_away_but_not_what_is_being_written(
    sqlite_house: House, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    left = folder / ".tutela-20250101T000000Z.backup.part"
    left.write_bytes(b"half of it")
    written = folder / ".tutela-20250102T000000Z.backup.part"
    with written.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        sqlite_house.back_up(folder)
        assert not left.exists()
        assert written.exists()


def test_two_backups_to_one_file_do_not_mix(sqlite_house: House, tmp_path: Path) -> None:
    with (tmp_path / ".mine.backup.part").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match=re.escape("mine.backup: wait for it")):
            sqlite_house.back_up(tmp_path / "mine.backup")
    assert sqlite_house.back_up(tmp_path / "mine.backup").path.exists()
