"""Unpacking streams of bytes piece by piece, within a budget. Runs in a cell.

No piece is larger than asked for, whatever the packed bytes say, so that memory stays the same.
"""

import bz2
import io
import lzma
import time
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from tutela.fingerprints.digests import Digesting
from tutela.fingerprints.model import Unreadable
from tutela.sandbox.model import SHARE_OF_TIME, Limits, UnreadableError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PACKED = 1 << 14
_UNPACKED = 1 << 18
# A dictionary may be this large: what the strongest usual setting takes, and more.
_MOST_LZMA_BYTES = 1 << 28
# LZMA_LCLP_MAX in <lzma/lzma12.h>.
_MOST_LZMA_BITS = 4


class SpentError(UnreadableError):
    """A whole file has cost as much as it may: nothing more of it is unpacked."""


class Budget:
    """What unpacking one file, with all that lies in it, may still cost.

    Args:
        size: Of the file itself, in bytes.
        limits: What it may cost.
    """

    def __init__(self, size: int, limits: Limits) -> None:
        self._limits = limits
        most = max(limits.freely_unpacked_bytes, size * limits.ratio)
        self._left = min(most, limits.unpacked_bytes)
        self._files = 0
        self._end = time.monotonic() + limits.whole_seconds * SHARE_OF_TIME
        self._deadline = self._end

    def begin(self) -> None:
        """Another file within it is begun.

        Raises:
            SpentError: There are too many.
        """
        self._files += 1
        if self._files > self._limits.parts:
            raise SpentError(Unreadable.TOO_MANY, Unreadable.TOO_MANY.words)
        # The house hears of each by itself, and waits no longer than for one picture.
        self._deadline = min(self._end, time.monotonic() + self._limits.seconds * SHARE_OF_TIME)

    @property
    def deadline(self) -> float:
        """When the file within that was begun last is to be done, by ``time.monotonic``."""
        return self._deadline

    def spend(self, size: int) -> None:
        """So many bytes were unpacked.

        Raises:
            SpentError: They are too many, or it took too long.
        """
        self._left -= size
        if self._left < 0:
            raise SpentError(Unreadable.BOMB, Unreadable.BOMB.words)
        self.see_time()

    def see_time(self) -> None:
        """See that there is time left.

        Raises:
            SpentError: There is none.
        """
        if time.monotonic() > self._deadline:
            raise SpentError(Unreadable.TOO_SLOW, Unreadable.TOO_SLOW.words)


class Readable(Protocol):
    """Bytes from the beginning to the end."""

    def read1(self, size: int, /) -> bytes:
        """Some, at most so many; none at the end."""


class _Deflate:
    """``zlib``'s unpacker, spoken to as the others are."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


AnyUnpacker = _Deflate | bz2.BZ2Decompressor | lzma.LZMADecompressor


def deflate() -> AnyUnpacker:
    """Of a member of a ZIP archive."""
    return _Deflate(-zlib.MAX_WBITS)


def gzip() -> AnyUnpacker:
    """Of a gzip file."""
    return _Deflate(zlib.MAX_WBITS | 16)


def bzip2() -> AnyUnpacker:
    """Of a bzip2 file."""
    return bz2.BZ2Decompressor()


def xz() -> AnyUnpacker:
    """Of an xz file."""
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_LZMA_BYTES)


def lzma_alone() -> AnyUnpacker:
    """Of an LZMA file, from before there was xz."""
    return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MOST_LZMA_BYTES)


def zip_lzma(properties: bytes) -> AnyUnpacker:
    """Of a member of a ZIP archive that is packed by LZMA.

    Args:
        properties: The five bytes that its settings are written in.

    Raises:
        UnreadableError: They are none, or ask for too much memory, or liblzma does not know them.
    """
    if len(properties) != 5 or properties[0] >= 9 * 5 * 5:
        raise UnreadableError(Unreadable.DAMAGED, Unreadable.DAMAGED.words)
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    if lc + lp > _MOST_LZMA_BITS:
        raise UnreadableError(Unreadable.NOT_SUPPORTED, Unreadable.NOT_SUPPORTED.words)
    dictionary = int.from_bytes(properties[1:], "little")
    if dictionary > _MOST_LZMA_BYTES:
        raise UnreadableError(Unreadable.TOO_MUCH_MEMORY, Unreadable.TOO_MUCH_MEMORY.words)
    settings = {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": dictionary}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[settings])


class Unpacking(io.RawIOBase):
    """The unpacked bytes of a packed stream.

    Args:
        packed: What it is read from.
        make: A new unpacker; another one is made for each stream that follows at once, if
            ``several``.
        budget: What it may cost.
        several: Whether more streams may follow. What follows and is none is passed over.
    """

    def __init__(
        self,
        packed: Readable,
        make: Callable[[], AnyUnpacker],
        budget: Budget,
        *,
        several: bool = False,
    ) -> None:
        self._packed = packed
        self._make = make
        self._budget = budget
        self._several = several
        self._unpacker = make()
        self._follows = self._begun = False
        self._rest = b""
        self._over = False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Unpack some more.

        Raises:
            UnreadableError: It is damaged, or ends early, or costs too much.
        """
        room = memoryview(buffer).cast("B")
        while not self._over:
            self._budget.see_time()
            try:
                piece = self._next(min(len(room), _UNPACKED))
            except OSError as error:
                # Those of unpackers have no number.
                if error.errno is not None:
                    raise
                self._fail(Unreadable.DAMAGED)
            except (zlib.error, lzma.LZMAError, ValueError, EOFError):
                self._fail(Unreadable.DAMAGED)
            else:
                if piece:
                    self._budget.spend(len(piece))
                    self._begun = True
                    room[: len(piece)] = piece
                    return len(piece)
        return 0

    def _next(self, most: int) -> bytes:
        if self._unpacker.eof:
            self._follow()
            return b""
        data, self._rest = self._rest, b""
        if not data and self._unpacker.needs_input:
            data = self._packed.read1(_PACKED)
            if not data:
                # It may still hold some back.
                piece = self._unpacker.decompress(b"", most) if self._holds_back else b""
                if not piece and not self._unpacker.eof:
                    self._fail(Unreadable.ENDS_EARLY)
                return piece
        return self._unpacker.decompress(data, most)

    @property
    def _holds_back(self) -> bool:
        return isinstance(self._unpacker, _Deflate)

    def _follow(self) -> None:
        """Go on to the next stream, if there is one."""
        if not self._several:
            self._over = True
            return
        rest = self._unpacker.unused_data.lstrip(b"\0")
        while not rest:
            self._budget.see_time()
            piece = self._packed.read1(_PACKED)
            if not piece:
                self._over = True
                return
            rest = piece.lstrip(b"\0")
        self._unpacker, self._rest = self._make(), rest
        self._follows, self._begun = True, False

    def _fail(self, reason: Unreadable) -> None:
        if not self._follows or self._begun:
            raise UnreadableError(reason, reason.words)
        # What follows is no stream.
        self._over = True


class Piece(io.RawIOBase):
    """So many bytes of a stream, from where it stands.

    Args:
        source: Whose they are.
        size: How many there should be.
        budget: What it may cost.
        counted: Whether these bytes count as unpacked: not those of a stream that was.
    """

    def __init__(
        self, source: Readable, size: int, budget: Budget, *, counted: bool = False
    ) -> None:
        self._source = source
        self.left = size
        self._budget = budget
        self._counted = counted

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read some more.

        Raises:
            UnreadableError: There are not so many, or they cost too much.
        """
        room = memoryview(buffer).cast("B")
        piece = self._source.read1(min(len(room), self.left))
        if not piece and self.left and len(room):
            raise UnreadableError(Unreadable.ENDS_EARLY, Unreadable.ENDS_EARLY.words)
        self.left -= len(piece)
        self._budget.spend(len(piece) if self._counted else 0)
        room[: len(piece)] = piece
        return len(piece)


class Digested(io.RawIOBase):
    """A stream, digested as it is read.

    Attributes:
        digesting: Of what was read so far.
        crc: The same as ZIP archives have it.
    """

    def __init__(self, source: io.RawIOBase) -> None:
        self.digesting = Digesting()
        self.crc = 0
        self._source = source
        self._failure: UnreadableError | None = None

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer, or as much of it as there is.

        Raises:
            UnreadableError: The source has no more, for this reason. What it had was given.
        """
        if self._failure is not None:
            raise self._failure
        room = memoryview(buffer).cast("B")
        filled = 0
        try:
            while filled < len(room) and (count := self._source.readinto(room[filled:])):
                filled += count
        except UnreadableError as error:
            if not filled:
                raise
            self._failure = error
        piece = room[:filled]
        self.digesting.add(piece)
        self.crc = zlib.crc32(piece, self.crc)
        return filled
