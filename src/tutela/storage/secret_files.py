"""Files of secrets: whole or absent, durable, and for one user of the machine alone."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tutela.errors import StorageError
from tutela.storage.durable import flush_folder, make_folder

_OTHERS = 0o077


def read_secret(path: Path) -> bytes:
    """A secret file's content.

    Raises:
        FileNotFoundError: There is none.
        StorageError: Others may read it, or this user may not.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & _OTHERS:
            raise StorageError(
                f"{path} is a secret that other users of this machine may read: "
                f'run "chmod 600 {path}", and think about who may have seen it'
            )
        return file.read()


def make_secret(path: Path, content: bytes) -> bool:
    """Make a secret file, and its folder where that is missing.

    Returns:
        Whether it was made: ``False`` if there is one already, which is left as it is.

    Raises:
        StorageError: It cannot be written.
    """
    with _failures_named(path):
        make_folder(path.parent)
        written = _write_beside(path, content)
        try:
            # Unlike a rename, a link never takes the place of another file.
            os.link(written, path)
        except FileExistsError:
            return False
        finally:
            written.unlink()
        flush_folder(path.parent)
    return True


def replace_secret(path: Path, content: bytes) -> None:
    """Give a secret file another content, in one step.

    Raises:
        StorageError: It cannot be written; the old content is there still.
    """
    with _failures_named(path):
        written = _write_beside(path, content)
        try:
            written.rename(path)
        except OSError:
            written.unlink()
            raise
        flush_folder(path.parent)


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Keep every other process and thread from changing a secret file that its content decides.

    The lock is a file beside it, which stays: whoever removed it might let two in at once. It ends
    with the process, whatever befalls that.

    Raises:
        StorageError: Another one is changing it just now, or the lock cannot be made.
    """
    lock = path.with_name(f"{path.name}.lock")
    with _failures_named(lock):
        make_folder(lock.parent)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with _failures_named(lock):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StorageError(
                    f"{path} is being changed by another process just now: "
                    "wait until it is done, then try again"
                ) from None
        yield
    finally:
        os.close(descriptor)


def _write_beside(path: Path, content: bytes) -> Path:
    written = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
    return written


@contextmanager
def _failures_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror}): "
            "check free space and permissions of its folder, then try again"
        ) from error
