"""Writing files that are whole or absent, and the lock that lets one process write at a time."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xxhash

from tutela.errors import StorageError

LOCK = "lock"
COMPACTING_LOCK = "compacting.lock"


class DamagedIndexError(StorageError):
    """The index is gone, or not as it was written: it has to be built anew."""


def damaged(folder: Path, detail: str) -> DamagedIndexError:
    """The error for an index that cannot be trusted."""
    return DamagedIndexError(
        f"the index in {folder} is damaged ({detail}): delete the folder, "
        "it is rebuilt from the database"
    )


@contextmanager
def storage_errors(folder: Path, action: str) -> Iterator[None]:
    """Turn the operating system's errors into one that names the folder and the way out.

    Raises:
        DamagedIndexError: A file of the index, or all of it, is missing.
        StorageError: Anything else went wrong.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise damaged(folder, f"{Path(error.filename or folder).name} is missing") from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StorageError(
            f"cannot {action} the index in {folder} ({reason}): "
            "check free space and permissions there, then try again; nothing already in it is lost"
        ) from error


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder's write lock; waits for any other holder, thread or process.

    Raises:
        DamagedIndexError: The folder is gone, or was deleted while this waited.
        StorageError: The lock file cannot be made, for one because the folder is read-only.
    """
    with _locked(folder, LOCK, fcntl.LOCK_EX):
        yield


@contextmanager
def compacting_alone(folder: Path) -> Iterator[bool]:
    """Hold the lock of who compacts the folder's index; gives ``False`` if another holds it.

    Raises:
        DamagedIndexError: The folder is gone.
        StorageError: The lock file cannot be made.
    """
    try:
        with _locked(folder, COMPACTING_LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield True
    except _HeldElsewhereError:
        yield False


class _HeldElsewhereError(Exception):
    pass


@contextmanager
def _locked(folder: Path, name: str, how: int) -> Iterator[None]:
    with storage_errors(folder, "lock"):
        lock = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with storage_errors(folder, "lock"):
            try:
                fcntl.flock(lock, how)
            except BlockingIOError:
                raise _HeldElsewhereError from None
            # Whoever finds the folder made anew meanwhile holds another lock.
            if not os.path.samestat((folder / name).stat(), os.fstat(lock)):
                raise damaged(folder, "its lock was deleted")
        yield
    finally:
        # A child forked meanwhile shares the open lock, so closing alone would not release it.
        fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)


def write_whole(path: Path, pieces: Iterable[npt.NDArray[np.generic] | bytes]) -> tuple[int, int]:
    """Write a file and make it durable.

    Returns:
        Its length in bytes and its checksum (XXH3, 64 bits).

    Raises:
        StorageError: The disk is full, or the file cannot be written for another reason.
    """
    size, checksum = 0, xxhash.xxh3_64()
    with storage_errors(path.parent, "write"), path.open("wb") as file:
        for piece in pieces:
            view = _bytes_of(piece)
            file.write(view)
            size += len(view)
            checksum.update(view)
        file.flush()
        os.fsync(file.fileno())
    return size, checksum.intdigest()


def put_in_place(written: Path, path: Path) -> None:
    """Give a durable file its final name, in one step, together with all files beside it.

    Raises:
        StorageError: The folder cannot be written.
    """
    with storage_errors(path.parent, "write"):
        _flush_folder(path.parent)
        written.rename(path)
        _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _bytes_of(piece: npt.NDArray[np.generic] | bytes) -> memoryview:
    if isinstance(piece, bytes):
        return memoryview(piece)
    return np.ascontiguousarray(piece).reshape(-1).view(np.uint8).data
