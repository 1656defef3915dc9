"""Opening a list file, compressed or not, and reading its rows while counting and hashing bytes."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from tutela.errors import InvalidInputError, NotFoundError, StorageError
from tutela.fingerprints.model import Kind
from tutela.hashlists.formats.detecting import SAMPLE, detect
from tutela.hashlists.model import ListRow, RejectedRow

_GZIP = b"\x1f\x8b"
_BUFFER = 1 << 18


class ListFile:
    """A list file whose format is known. Reads it twice: once to hash it, once for its rows.

    Attributes:
        path: Where it is.
        size: Its bytes, as they are on the disk.
        format: What its format is called.
        sha256: Of the whole file as it is on the disk.
        bytes_read: How far ``rows`` has come.
    """

    def __init__(self, path: Path, kind: Kind | None = None) -> None:
        """Look at a file.

        Args:
            path: Where it is.
            kind: What its hashes are, in so far as they do not say it themselves.

        Raises:
            InvalidInputError: It is no list that can be read.
            NotFoundError: There is no such file.
            StorageError: It cannot be read.
        """
        self.path = path
        self.bytes_read = 0
        with _explained(path):
            if path.is_dir():
                raise InvalidInputError("it is a folder: name a file in it")
            if path.exists() and not path.is_file():
                raise InvalidInputError("it is not a file: write it to a file first")
            with path.open("rb") as file:
                self._compressed = file.read(2) == _GZIP
                file.seek(0)
                sample = _read_up_to(_unpacked(file) if self._compressed else file, SAMPLE)
                self._format = detect(sample, path.name, kind)
                file.seek(0)
                self.sha256 = hashlib.file_digest(file, "sha256").digest()
                self.size = file.tell()
        self.format = self._format.name

    def rows(self) -> Iterator[ListRow | RejectedRow]:
        """The rows from the beginning.

        Raises:
            InvalidInputError: The compressed data is damaged, or the file has changed.
            StorageError: It can no longer be read.
        """
        with _explained(self.path), self.path.open("rb", buffering=0) as raw:
            watched = _Watched(raw, self)
            file = cast("BinaryIO", io.BufferedReader(watched, _BUFFER))
            yield from self._format.read(_unpacked(file) if self._compressed else file)
            while file.read(_BUFFER):
                pass
            if watched.sha256.digest() != self.sha256:
                raise InvalidInputError("it changed while it was read: import it again")


class _Watched(io.RawIOBase):
    """Counts and hashes the bytes that pass."""

    def __init__(self, raw: io.FileIO, owner: ListFile) -> None:
        self.sha256 = hashlib.sha256()
        self._raw = raw
        self._owner = owner
        owner.bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._raw.readinto(buffer)
        self.sha256.update(buffer[:count])
        self._owner.bytes_read += count
        return count


def _unpacked(file: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(gzip.GzipFile(fileobj=file, mode="rb"), _BUFFER))


def _read_up_to(file: BinaryIO, size: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < size and (piece := file.read(size - len(pieces))):
        pieces += piece
    return bytes(pieces)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    shown = str(path).encode("utf-8", "backslashreplace").decode()
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError("{shown}: {error}", shown=shown, error=error) from None
    except FileNotFoundError:
        raise NotFoundError(f"{shown}: there is no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInputError(
            "{shown}: the gzip data is damaged ({error}): fetch the file again; rows read "
            "so far are kept",
            shown=shown,
            error=error,
        ) from None
    except OSError as error:
        raise StorageError(f"{shown}: cannot be read: {error.strerror}") from None
