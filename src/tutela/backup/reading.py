"""Reading a backup from its beginning to its end, and seeing that it holds what it says."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tutela.backup.envelope import damaged, opened
from tutela.backup.form import decode
from tutela.backup.model import (
    Blob,
    Contents,
    End,
    LackingBlob,
    LostBlobError,
    Piece,
    Progress,
    Rows,
    TableShape,
)
from tutela.errors import StorageError
from tutela.evidence.model import KeyProvider

Tell = Callable[[Progress], None]
"""Is told from time to time how far it is."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a backup was found to hold, all of it authentic.

    Attributes:
        contents: What it says of itself.
        end: What it has.
        lacking: Which blobs it had to do without.
        bytes: Its size.
    """

    contents: Contents
    end: End
    lacking: tuple[LackingBlob, ...]
    bytes: int


def read_backup(file: BinaryIO, keys: KeyProvider) -> Iterator[Piece]:
    """The pieces of a backup: its contents first, its end last, or an error.

    Raises:
        InvalidInputError: It is damaged, unfinished, or no backup.
        OSError: The file cannot be read.
        StorageError: The key provider cannot be used, or lacks the key.
    """
    beginning, chunks = opened(file, keys)
    pieces = decode(chunks)
    contents = next(pieces)
    if not isinstance(contents, Contents) or contents.id != beginning.id:
        raise damaged()
    yield contents
    rows = Counter(dict.fromkeys(contents.rows, 0))
    blobs, table = 0, ""
    for piece in pieces:
        match piece:
            case TableShape():
                table = piece.name
            case Rows():
                rows[table] += piece.count
            case Blob() | LackingBlob():
                blobs += 1
            case End() if rows != contents.rows or blobs != (contents.blobs or 0):
                raise damaged()
            case _:
                pass
        yield piece


def check_backup(path: Path, keys: KeyProvider, tell: Tell) -> Checked:
    """Read all of a backup without putting it anywhere. Whatever is not as it was written is found.

    Raises:
        InvalidInputError: It is damaged, unfinished, or no backup.
        StorageError: The file cannot be read, or the key provider not be used.
    """
    with opened_file(path) as file:
        return check_file(file, keys, tell)


def check_file(file: BinaryIO, keys: KeyProvider, tell: Tell) -> Checked:
    """As ``check_backup``, of an open file."""
    contents, end = None, End(0, 0)
    lacking: list[LackingBlob] = []
    progress = Watched(file, tell)
    for piece in read_backup(file, keys):
        match piece:
            case Contents():
                contents = progress.contents = piece
            case Blob():
                try:
                    for _ in piece.chunks:
                        progress.tell()
                except LostBlobError as error:
                    lacking.append(error.lacking)
                progress.blobs += 1
            case LackingBlob():
                lacking.append(piece)
            case Rows():
                progress.rows += piece.count
            case End():
                end = piece
            case _:
                pass
        progress.tell()
    if contents is None:
        raise damaged()
    return Checked(contents, end, tuple(lacking), file.tell())


class Watched:
    """Counts what was read of a file or written to it, and tells."""

    def __init__(self, file: BinaryIO, tell: Tell) -> None:
        self.contents: Contents | None = None
        self.rows = 0
        self.blobs = 0
        self._file = file
        self._tell = tell

    def tell(self) -> None:
        """Say how far it is."""
        total = sum(self.contents.rows.values()) if self.contents else 0
        blobs = (self.contents.blobs or 0) if self.contents else 0
        self._tell(Progress(self.rows, total, self.blobs, blobs, self._file.tell()))


def opened_file(path: Path) -> BinaryIO:
    """Open a backup to read it.

    Raises:
        StorageError: It cannot be opened.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise StorageError(f"the backup {path} cannot be read: {error.strerror}") from None
