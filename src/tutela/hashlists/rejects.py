"""The file that names the rows which could not be understood."""

import csv
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from tutela.errors import InvalidInputError, StorageError
from tutela.hashlists.model import RejectedRow

_HEADER = ["line", "reason", "text"]
_FIRST_LINE = ",".join(_HEADER)


class RejectsFile:
    """A CSV file of ``line``, ``reason`` and ``text``, made when there is a row to write.

    Readable by its owner alone, as rows of a list are. An older one of the same name is replaced.
    """

    def __init__(self, path: Path) -> None:
        """Get ready to write.

        Raises:
            InvalidInputError: There is another file of this name, or another import writes it.
            StorageError: It cannot be written.
        """
        self._path = path
        self._file: TextIO | None = None
        with _explained(path):
            if path.exists():
                self._replace()

    def write(self, rows: Iterable[RejectedRow]) -> None:
        """Add rows.

        Raises:
            StorageError: The disk is full.
        """
        fields = [(row.number, row.reason, row.text) for row in rows]
        if not fields:
            return
        with _explained(self._path):
            if self._file is None:
                self._file = _open_alone(self._path)
            if self._file.tell() == 0:
                csv.writer(self._file).writerow(_HEADER)
            csv.writer(self._file).writerows(fields)
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is None:
            return
        with _explained(self._path) if error is None else suppress(OSError):
            if self._file.tell() == 0:
                self._path.unlink(missing_ok=True)
            self._file.close()

    def _replace(self) -> None:
        if not self._path.is_file():
            raise InvalidInputError("it is not a file: choose another name with --rejects")
        with self._path.open("rb") as file:
            first_line = file.readline(100).strip()
        if first_line not in (b"", _FIRST_LINE.encode()):
            raise InvalidInputError(
                "it exists, and is no file of rejected rows: choose another name with --rejects"
            )
        self._file = _open_alone(self._path)


def _open_alone(path: Path) -> TextIO:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # An older one may have come from a copy that others could read.
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)
    except BlockingIOError:
        os.close(descriptor)
        raise InvalidInputError(
            "another import is writing it: wait for that one, or choose another name with --rejects"
        ) from None
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    shown = str(path).encode("utf-8", "backslashreplace").decode()
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError("{shown}: {error}", shown=shown, error=error) from None
    except OSError as error:
        raise StorageError(
            f"{shown}: the rejected rows cannot be written: {error.strerror}; "
            "choose another place with --rejects; what was imported before is kept"
        ) from None
