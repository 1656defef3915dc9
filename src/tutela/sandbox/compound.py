"""Compound files, which Microsoft Office wrote before 2007 and still writes what it encrypts in.

A file system within a file: sectors, chains of them, and a directory of named streams. See
[MS-CFB]. Runs in a cell, since the bytes are not trusted.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tutela.fingerprints.model import Unreadable
from tutela.sandbox.model import UnreadableError

MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What one begins with."""

_HEADER = struct.Struct("<24xHHHHH10xII4xIIIII109I")
_ENTRY = struct.Struct("<64sHB49xIQ")
_STREAM, _ROOT = 2, 5
_LAST = 0xFFFFFFFA
"""From here on numbers of sectors are none."""

Stream = io.BytesIO | io.BufferedReader


@dataclass(frozen=True, slots=True)
class Named:
    """A stream of a compound file.

    Attributes:
        name: What it is called.
        size: In bytes.
    """

    name: str
    size: int
    start: int


class CompoundFile:
    """A compound file.

    Args:
        file: Must be seekable.

    Raises:
        UnreadableError: It is none that can be read.
    """

    def __init__(self, file: Stream) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        file.seek(0)
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise _damaged()
        _, version, _, shift, small_shift, tables, directory, *rest = _HEADER.unpack(header)
        cutoff, small, _, more, _, *first = rest
        if shift not in (9, 12) or small_shift != 6:
            raise _damaged()
        self._is_old = version < 4
        self._shift, self._cutoff = shift, cutoff
        self._next = self._table(self._numbers_of_tables(first, more)[:tables])
        self._next_small = self._as_numbers(self._read(small, self._size))
        entries = self._read(directory, self._size)
        self.streams = tuple(self._named(entries, _STREAM))
        roots = list(self._named(entries, _ROOT))
        self._small = self._read(roots[0].start, roots[0].size) if roots else b""

    def content(self, stream: Named) -> bytes:
        """A stream's bytes.

        Raises:
            UnreadableError: They cannot be found.
        """
        if stream.size >= self._cutoff:
            return self._read(stream.start, stream.size)
        pieces: list[bytes] = []
        at, left = stream.start, stream.size
        while left > 0:
            if at >= len(self._next_small) or len(pieces) > len(self._next_small):
                raise _damaged()
            pieces.append(self._small[at << 6 : (at << 6) + min(left, 64)])
            left -= 64
            at = int(self._next_small[at])
        return b"".join(pieces)

    def _named(self, entries: bytes, wanted: int) -> Iterator[Named]:
        for start in range(0, len(entries) - 127, 128):
            name, length, kind, first, size = _ENTRY.unpack_from(entries, start)
            if kind == wanted:
                text = name[: max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
                # Of old ones the upper half may hold anything.
                yield Named(text, size & 0xFFFFFFFF if self._is_old else size, first)

    def _numbers_of_tables(self, first: list[int], more: int) -> list[int]:
        """Which sectors hold the table of what follows what."""
        numbers = [each for each in first if each < _LAST]
        seen = 0
        while more < _LAST and seen <= self._size >> self._shift:
            sector = self._as_numbers(self._sector(more))
            if not len(sector):
                break
            numbers += [int(each) for each in sector[:-1] if each < _LAST]
            more = int(sector[-1])
            seen += 1
        return numbers

    def _table(self, numbers: list[int]) -> NDArray[np.uint32]:
        if len(numbers) > (self._size >> self._shift) + 1:
            raise _damaged()
        return self._as_numbers(b"".join(self._sector(each) for each in numbers))

    def _as_numbers(self, content: bytes) -> NDArray[np.uint32]:
        return np.frombuffer(content[: len(content) // 4 * 4], "<u4")

    def _sector(self, number: int) -> bytes:
        self._file.seek((number + 1) << self._shift)
        return self._file.read(1 << self._shift)

    def _read(self, at: int, size: int) -> bytes:
        """The bytes of a chain of sectors, at most so many."""
        pieces: list[bytes] = []
        left = size
        while at < _LAST and left > 0:
            if at >= len(self._next) or len(pieces) > len(self._next):
                raise _damaged()
            piece = self._sector(at)[:left]
            pieces.append(piece)
            left -= 1 << self._shift
            at = int(self._next[at])
        return b"".join(pieces)


def _damaged() -> UnreadableError:
    return UnreadableError(Unreadable.DAMAGED, Unreadable.DAMAGED.words)
