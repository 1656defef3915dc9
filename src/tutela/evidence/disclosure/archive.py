"""The package's inside: a tar archive made while it is read, so that it is never whole anywhere."""

import hashlib
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tutela.errors import StorageError

SUMS = "SHA256SUMS"
_BLOCK = 512
# What tar programs expect the whole to be a multiple of.
_RECORD = 20 * _BLOCK


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive.

    Attributes:
        name: Its path within the archive's folder, in ASCII.
        size: In bytes; it must be known before the content is read.
        content: Gives the content when its turn has come.
        sha256: What its content must have, in hex, if that is known already.
    """

    name: str
    size: int
    content: Callable[[], Iterable[bytes]]
    sha256: str | None = None

    @classmethod
    def of(cls, name: str, content: bytes) -> "Member":
        """A file that is in memory already."""
        return cls(name, len(content), lambda: [content])


def archive(members: Iterable[Member], folder: str, at: datetime) -> Iterator[bytes]:
    """The bytes of a tar archive of these files, and of ``SHA256SUMS`` over all of them.

    Args:
        members: The files, in order.
        folder: The one folder that holds them all.
        at: The time that all files bear.

    Raises:
        StorageError: A file's content is not what was said of it; the archive is then unfinished.
    """
    sums, length = [], 0
    for member in members:
        digest = hashlib.sha256()
        for piece in _file(member, folder, at, digest.update):
            length += len(piece)
            yield piece
        if member.sha256 not in (None, digest.hexdigest()):
            raise _altered(member)
        sums.append(f"{digest.hexdigest()}  {member.name}\n")
    for piece in _file(Member.of(SUMS, "".join(sums).encode()), folder, at, lambda _: None):
        length += len(piece)
        yield piece
    yield bytes(_padding(length + 2 * _BLOCK, _RECORD) + 2 * _BLOCK)


def _file(
    member: Member, folder: str, at: datetime, heard: Callable[[bytes], object]
) -> Iterator[bytes]:
    header = tarfile.TarInfo(f"{folder}/{member.name}")
    header.size, header.mode, header.mtime = member.size, 0o600, int(at.timestamp())
    yield header.tobuf(tarfile.PAX_FORMAT)
    left = member.size
    for piece in member.content():
        left -= len(piece)
        if left < 0:
            break
        heard(piece)
        yield piece
    if left:
        raise _altered(member)
    yield bytes(_padding(member.size, _BLOCK))


def _padding(length: int, unit: int) -> int:
    return -length % unit


def _altered(member: Member) -> StorageError:
    return StorageError(
        f"{member.name} is not what was sealed: it is damaged; hand over the rest without it, or "
        "restore it from a backup"
    )
