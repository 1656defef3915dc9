"""Making a package: encrypted as it is made, to a file that no crash leaves behind."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tutela.errors import StorageError
from tutela.evidence.disclosure.archive import archive
from tutela.evidence.disclosure.writing import encrypt
from tutela.reporting.packages.contents import members
from tutela.reporting.packages.model import Letter
from tutela.storage.durable import make_folder

_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class MadePackage:
    """A package, encrypted: nobody here can open it.

    Attributes:
        size: In bytes.
        sha256: Of the whole, in hex.
        file: Where it is, for as long as it is needed.
    """

    size: int
    sha256: str
    file: BinaryIO

    def pieces(self, size: int = _PIECE) -> Iterator[bytes]:
        """Its bytes from the first on, in pieces of this many but for the last."""
        self.file.seek(0)
        while piece := self.file.read(size):
            yield piece


@contextmanager
def made_package(letter: Letter, folder: Path) -> Iterator[MadePackage]:
    """Make a letter's package, to be sent while it is open.

    Only encrypted bytes reach the disk, in a file that has no name and is gone when its process
    is. Memory stays small however large the files are.

    Args:
        letter: What it says.
        folder: Where there is room for it; made if it is not there.

    Raises:
        DamagedEvidenceError: A file is not as it was sealed.
        StorageError: There is no room, or a file cannot be read.
    """
    try:
        make_folder(folder)
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is closed below
    except OSError as error:
        raise _unwritten(folder, error) from error
    with file:
        try:
            content = archive(members(letter), letter.folder, letter.made_at)
            package = encrypt(content, file, letter.recipients)
            file.flush()
        except OSError as error:
            raise _unwritten(folder, error) from error
        yield MadePackage(package.size, package.sha256, file)


def _unwritten(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"the package of a report cannot be written in {folder} ({error.strerror}): free some "
        "space there"
    )
