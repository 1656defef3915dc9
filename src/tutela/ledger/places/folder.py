"""Checkpoints in a folder."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from tutela.errors import StorageError
from tutela.storage.durable import flush_folder, make_folder


class FolderPlace:
    """A folder, made where it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, content: bytes) -> None:
        """Keep a text, durably."""
        written = self._folder / f".{name}.{secrets.token_hex(8)}"
        try:
            make_folder(self._folder)
            descriptor = os.open(
                written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
            )
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(descriptor)
                written.rename(self._folder / name)
            except BaseException:
                with suppress(OSError):
                    written.unlink()
                raise
            flush_folder(self._folder)
        except OSError as error:
            raise self._explained("written", error) from error

    def read(self, name: str) -> bytes | None:
        """A text."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._explained("read", error) from error

    def names(self, after: str = "") -> list[str]:
        """The names behind a name."""
        try:
            with os.scandir(self._folder) as found:
                names = [each.name for each in found if not each.name.startswith(".")]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._explained("read", error) from error
        return sorted(name for name in names if name > after)

    def _explained(self, what: str, error: OSError) -> StorageError:
        return StorageError(
            f"the ledger's checkpoints in {self._folder} cannot be {what} ({error.strerror}): "
            "check the setting ledger_checkpoints, and free space and permissions there"
        )
