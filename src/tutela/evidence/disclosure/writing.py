"""Writing a package to disk: encrypted as it is made, and there only when it is whole."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyrage

from tutela.errors import AlreadyExistsError, StorageError
from tutela.evidence.disclosure.recipients import Recipients

UNFINISHED = ".unfinished"
"""What the name of a package ends in until it is whole."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package: its SHA-256 in hex, and its size in bytes."""

    sha256: str
    size: int


def refuse_existing(path: Path) -> None:
    """Say early that a package would take another file's place.

    Raises:
        AlreadyExistsError: There is a file of this name.
        StorageError: There is no such folder.
    """
    folder = path.absolute().parent
    if os.path.lexists(path):
        raise AlreadyExistsError(
            "{path} is there already: choose another name with --out", path=path
        )
    if not folder.is_dir():
        raise StorageError(f"{folder}: there is no such folder: make it first")


def write_package(
    path: Path,
    content: Iterator[bytes],
    recipients: Recipients,
    before_it_appears: Callable[[Package], None],
) -> Package:
    """Encrypt content to the recipients, to a file that nobody else on this machine can read.

    Only encrypted bytes reach the disk, under a name that ends in ``.unfinished``. They get their
    name in one step when all of them are safe there. Memory stays small however long they are.

    Args:
        path: The file, which must not be there yet.
        content: The bytes.
        recipients: Who can open it.
        before_it_appears: Is told what was written; if it fails, there is no package.

    Raises:
        AlreadyExistsError: There is a file of this name.
        StorageError: It cannot be written. Nothing is left of it.
        Exception: Whatever the content or ``before_it_appears`` raises; nothing is left either.
    """
    refuse_existing(path)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        with _explained(path):
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb", buffering=1 << 20) as file:
                package = encrypt(content, file, recipients)
                file.flush()
                os.fsync(file.fileno())
        before_it_appears(package)
        refuse_existing(path)
        with _explained(path):
            unfinished.rename(path)
            _flush_folder(path.absolute().parent)
    except BaseException:
        # Where nothing can be removed, such as on a read-only disk, nothing was written either.
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    return package


def encrypt(content: Iterator[bytes], file: BinaryIO, recipients: Recipients) -> Package:
    """Encrypt content to the recipients, into an open file. Memory stays small.

    Raises:
        Exception: Whatever the content raises; the file is then unfinished.
        OSError: It cannot be written.
    """
    source, target = _Source(content), _Target(file)
    try:
        pyrage.encrypt_io(source, target, list(recipients.keys))
    except pyrage.EncryptError:
        # The library has only a failure's text left, so each end keeps its own.
        failure = source.failure or target.failure
        if failure is None:
            raise
        raise failure from None
    return Package(target.digest.hexdigest(), target.size)


class _Source:
    """The content, as the library reads it: in small pieces, from large ones."""

    def __init__(self, content: Iterator[bytes]) -> None:
        self._content = content
        self._piece = memoryview(b"")
        self.failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            while not self._piece:
                self._piece = memoryview(next(self._content))
        except StopIteration:
            return b""
        except BaseException as failure:
            self.failure = failure
            raise
        given, self._piece = self._piece[:size], self._piece[size:]
        return bytes(given)


class _Target:
    """The file, as the library writes it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0
        self.failure: BaseException | None = None

    def write(self, piece: bytes) -> int:
        try:
            self._file.write(piece)
        except BaseException as failure:
            self.failure = failure
            raise
        self.digest.update(piece)
        self.size += len(piece)
        return len(piece)

    def flush(self) -> None:
        """Nothing: the file is flushed once, at its end."""


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StorageError(
            f"the package {path} cannot be written ({reason}): nothing was left of it; "
            "free some space there or choose another place with --out"
        ) from error


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some network and USB file systems cannot, and say so.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
