"""Where backups lie: their names, how a file becomes visible only when whole, how old ones go."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tutela.errors import AlreadyExistsError, StorageError
from tutela.storage.durable import flush_folder

_NAME = re.compile(r"tutela-\d{8}T\d{6}Z\.backup")
_PART = re.compile(r"\.tutela-\d{8}T\d{6}Z\.backup\.part")


def place_for(target: Path, at: datetime) -> Path:
    """The file that a backup is to be: the target, or one named by the time in the folder it is.

    Raises:
        AlreadyExistsError: There is such a file.
        StorageError: There is no such folder.
    """
    with failures_named(target):
        named = f"tutela-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.backup"
        path = target / named if target.is_dir() else target
        has_folder, is_taken = path.parent.is_dir(), os.path.lexists(path)
    if not has_folder:
        raise StorageError(f"there is no folder {path.parent} for the backup: make it first")
    if is_taken:
        raise AlreadyExistsError(
            f"{path} is there already, and a backup never takes another's place: "
            "name another file, or a folder"
        )
    return path


@contextmanager
def writing_part(path: Path) -> Iterator[BinaryIO]:
    """An empty file beside the one that is to be, which goes again unless it is put in place.

    Raises:
        StorageError: It cannot be written, or another backup is being written there.
    """
    if _NAME.fullmatch(path.name):
        _clear_away(path.parent)
    part = _part_of(path)
    with failures_named(path):
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    file = os.fdopen(descriptor, "w+b")
    try:
        with failures_named(path):
            if not _lock(descriptor):
                raise StorageError(f"another backup is just being written to {path}: wait for it")
            os.fchmod(descriptor, 0o600)
            os.ftruncate(descriptor, 0)
        try:
            with failures_named(path):
                yield file
        finally:
            # If it was put in place, it is no longer there.
            with suppress(OSError):
                part.unlink()
    finally:
        with suppress(OSError):
            file.close()


def make_durable(file: BinaryIO) -> None:
    """See that what was written outlives a power cut."""
    file.flush()
    os.fsync(file.fileno())


def put_in_place(path: Path) -> None:
    """Give the durable part its name."""
    _part_of(path).rename(path)
    flush_folder(path.parent)


def backups_in(folder: Path) -> list[Path]:
    """The backups of a folder that are named by their time, the oldest first."""
    return sorted(each for each in folder.iterdir() if _NAME.fullmatch(each.name))


def remove_older(newest: Path, keep: int) -> list[Path]:
    """Remove the oldest backups beside one that is whole, until so many are left; gives them.

    Raises:
        StorageError: One cannot be removed.
    """
    older = [each for each in backups_in(newest.parent) if each.name < newest.name]
    unwanted = older[: max(len(older) - (keep - 1), 0)]
    with failures_named(newest.parent):
        for each in unwanted:
            each.unlink()
        flush_folder(newest.parent)
    return unwanted


@contextmanager
def failures_named(path: Path) -> Iterator[None]:
    """Turn the operating system's errors into one that names the file and the way out."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StorageError(
            f"the backup {path} cannot be written ({reason}): check free space and permissions "
            "there; the house is as it was"
        ) from error


def _clear_away(folder: Path) -> None:
    """Remove what killed backups left."""
    for part in folder.iterdir():
        if _PART.fullmatch(part.name):
            with suppress(OSError), part.open("rb") as file:
                if _lock(file.fileno()):
                    part.unlink()


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
