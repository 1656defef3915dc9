"""What a RAR archive says of itself in its headers, as far as libarchive does not tell of it.

Whether it is really one, whether it is one volume of several, and which of its members are
encrypted. See RARLAB's notes on the format of RAR 5.0, and libarchive's reader of the older one.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

MARK = b"Rar!\x1a\x07"
_FOURTH, _FIFTH = MARK + b"\0", MARK + b"\x01\0"

# Of the fourth version: kinds of blocks, and their flags.
_BLOCK = struct.Struct("<HBHH")
_MAIN_4, _LONG_4 = 0x73, 0x8000
_VOLUME_4, _LOCKED_4 = 0x0001, 0x0080
# Of the fifth.
_MAIN_5, _FILE_5, _LOCK_5, _END_5 = 1, 2, 4, 5
_EXTRA_5, _DATA_5 = 0x01, 0x02
_VOLUME_5, _LOCK_RECORD_5 = 0x01, 1
_TIME_5, _CHECKSUM_5 = 0x02, 0x04
_LONGEST_HEADER = 1 << 21
_MOST_BYTES_OF_A_NUMBER = 10


@dataclass(slots=True)
class Survey:
    """What its headers say.

    Attributes:
        is_one: Whether it is one at all: its first header has the sum that it says.
        is_volume: Whether it is one of several files that are only together an archive.
        is_locked: Whether even the names in it are encrypted.
        locked: The names of the members that are encrypted; of the fifth version alone.
    """

    is_one: bool = False
    is_volume: bool = False
    is_locked: bool = False
    locked: set[str] = field(default_factory=set)


def survey(file: io.BytesIO | io.BufferedReader, start: int, most: int) -> Survey:
    """Look through its headers.

    Args:
        file: Where it is.
        start: From where on.
        most: How many headers to look at.
    """
    found = Survey()
    file.seek(start)
    mark = file.read(len(_FIFTH))
    if mark.startswith(_FOURTH):
        _look_at_fourth(file, start + len(_FOURTH), found)
    elif mark == _FIFTH:
        try:
            for _ in zip(
                range(most), _look_at_fifth(file, start + len(_FIFTH), found), strict=False
            ):
                pass
        except (IndexError, struct.error):
            # It ends early, which is told when it is unpacked.
            pass
    return found


def _look_at_fourth(file: io.BytesIO | io.BufferedReader, at: int, found: Survey) -> None:
    file.seek(at)
    head = file.read(_BLOCK.size)
    if len(head) < _BLOCK.size:
        return
    checksum, kind, flags, size = _BLOCK.unpack(head)
    rest = file.read(max(min(size, _LONGEST_HEADER) - _BLOCK.size, 0))
    if kind == _MAIN_4 and zlib.crc32(head[2:] + rest) & 0xFFFF == checksum:
        found.is_one = True
        found.is_volume = bool(flags & _VOLUME_4)
        found.is_locked = bool(flags & _LOCKED_4)


def _look_at_fifth(file: io.BytesIO | io.BufferedReader, at: int, found: Survey) -> Iterator[None]:
    end = file.seek(0, io.SEEK_END)
    while at < end:
        file.seek(at)
        head = file.read(4 + _MOST_BYTES_OF_A_NUMBER)
        size, first = _number(head, 4)
        if not 0 < size <= _LONGEST_HEADER:
            return
        file.seek(at)
        header = file.read(first + size)
        if zlib.crc32(header[4:]) != int.from_bytes(header[:4], "little"):
            return
        found.is_one = True
        kind, place = _number(header, first)
        flags, place = _number(header, place)
        extra = packed = 0
        if flags & _EXTRA_5:
            extra, place = _number(header, place)
        if flags & _DATA_5:
            packed, place = _number(header, place)
        if kind == _LOCK_5:
            found.is_locked = True
            return
        if kind == _END_5:
            return
        if kind == _MAIN_5:
            archive_flags, _ = _number(header, place)
            found.is_volume = bool(archive_flags & _VOLUME_5)
        elif kind == _FILE_5 and _is_locked(header[len(header) - extra :]):
            found.locked.add(_name(header, place))
        at += first + size + packed
        yield


def _name(header: bytes, place: int) -> str:
    flags, place = _number(header, place)
    for _ in ("size", "attributes"):
        _, place = _number(header, place)
    place += 4 * bool(flags & _TIME_5) + 4 * bool(flags & _CHECKSUM_5)
    for _ in ("how it is packed", "where it was made"):
        _, place = _number(header, place)
    length, place = _number(header, place)
    return header[place : place + length].decode("utf-8", "replace")


def _is_locked(extra: bytes) -> bool:
    place = 0
    while place < len(extra):
        size, begins = _number(extra, place)
        kind, _ = _number(extra, begins)
        if kind == _LOCK_RECORD_5:
            return True
        place = begins + size
    return False


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    number = 0
    for count in range(_MOST_BYTES_OF_A_NUMBER):
        byte = data[place + count]
        number |= (byte & 0x7F) << 7 * count
        if not byte & 0x80:
            return number, place + count + 1
    raise IndexError("it has no end")
