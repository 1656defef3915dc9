"""Blobs as files of a folder.

A blob is written under ``incoming``, flushed, renamed to ``ab/abcd...``, and the folders are
flushed: at each moment it is whole or absent.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import RawIOBase
from pathlib import Path

from tutela.errors import StorageError
from tutela.storage.blobs.model import CHUNK, BlobId, BlobInfo, BlobMissingError, random_name
from tutela.storage.durable import flush_folder, make_folder

_INCOMING = "incoming"
_SHARD = 2


class BlobFolder:
    """A ``BlobStore`` in a folder, which is made where it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / _INCOMING
        # Those that this process has made durable: another one may just have made them.
        self._made: set[Path] = set()

    def write(self, blob: BlobId, chunks: Iterable[bytes]) -> None:
        """Keep a blob, as ``BlobStore`` has it."""
        # Several may write one that is missing anew, and one of them may have been killed before.
        written = self._incoming / f"{blob}.{random_name()}"
        path = self._path(blob)
        with self._failures_named("written"):
            self._make(self._incoming)
            descriptor = os.open(
                written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
            )
        try:
            try:
                for chunk in chunks:
                    with self._failures_named("written"):
                        _write_all(descriptor, chunk)
                with self._failures_named("written"):
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            with self._failures_named("written"):
                self._make(path.parent)
                written.rename(path)
        except BaseException:
            with suppress(OSError):
                written.unlink()
            raise
        with self._failures_named("written"):
            flush_folder(path.parent)

    def read(self, blob: BlobId) -> Iterator[bytes]:
        """A blob's bytes, as ``BlobStore`` has it."""
        with self._failures_named("read"):
            try:
                descriptor = os.open(self._path(blob), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise BlobMissingError(f"there is no blob {blob} in {self._folder}") from None
        return self._pieces(os.fdopen(descriptor, "rb", buffering=0))

    def delete(self, blob: BlobId, *, early: bool = False) -> None:  # noqa: ARG002
        """Remove a blob, as ``BlobStore`` has it."""
        path = self._path(blob)
        with self._failures_named("removed"), suppress(FileNotFoundError):
            path.unlink()
            flush_folder(path.parent)

    def find(self, blob: BlobId) -> BlobInfo | None:
        """What there is of a blob, or ``None`` if there is none."""
        with self._failures_named("read"):
            try:
                return _info(self._path(blob))
            except FileNotFoundError:
                return None

    def list(self) -> Iterator[BlobInfo]:
        """Every blob there is."""
        with self._failures_named("listed"):
            shards = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
            for shard in shards:
                if len(shard.name) == _SHARD and shard.is_dir():
                    for path in sorted(shard.iterdir()):
                        with suppress(FileNotFoundError):
                            yield _info(path)

    def retain(self, blob: BlobId, until: datetime) -> None:
        """Nothing: whoever may write the folder may remove what is in it."""

    def hold(self, blob: BlobId, *, held: bool) -> None:
        """Nothing, as ``retain``."""

    def clear_away(self, before: datetime) -> int:
        """Remove the leftovers of killed writers."""
        removed = 0
        with self._failures_named("cleared"), suppress(FileNotFoundError):
            for path in self._incoming.iterdir():
                with suppress(FileNotFoundError):
                    if _info(path).written_at < before:
                        path.unlink()
                        removed += 1
        return removed

    def check(self) -> str:
        """Write a byte and remove it."""
        probe = self._incoming / f"probe-{random_name()}"
        with self._failures_named("written"):
            self._make(self._incoming)
            try:
                probe.write_bytes(b"?")
            finally:
                with suppress(OSError):
                    probe.unlink()
        return "blobs in a folder"

    def _path(self, blob: BlobId) -> Path:
        return self._folder / blob[:_SHARD] / blob

    def _make(self, folder: Path) -> None:
        if folder not in self._made or not folder.is_dir():
            make_folder(folder)
            self._made.add(folder)

    def _pieces(self, file: RawIOBase) -> Iterator[bytes]:
        with file:
            while True:
                with self._failures_named("read"):
                    piece = file.read(CHUNK)
                if not piece:
                    return
                yield piece

    @contextmanager
    def _failures_named(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"the vault's folder {self._folder} cannot be {what} "
                f"({os.strerror(error.errno) if error.errno else error}): "
                "check free space and permissions there, then try again; "
                "nothing already in it is lost"
            ) from error


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _info(path: Path) -> BlobInfo:
    state = path.stat()
    return BlobInfo(
        BlobId(path.name), state.st_size, datetime.fromtimestamp(state.st_mtime, tz=UTC)
    )
