"""What an archive or a picture says of its own bytes, made right after they were made wrong.

Otherwise nearly all that is wrong in it would be hidden behind a wrong checksum.
"""

import struct
import zlib
from collections.abc import Iterator

RAR_OF_OLD, RAR, SEVEN_ZIP = b"Rar!\x1a\x07\0", b"Rar!\x1a\x07\x01\0", b"7z\xbc\xaf\x27\x1c"
_SEVEN_ZIP_START = 32


def repaired(file: bytes) -> bytes:
    """A file with the checksums, or the length, that its format says it must have."""
    made = bytearray(file)
    if file.startswith(b"RIFF"):
        made[4:8] = struct.pack("<I", max(len(made) - 8, 0))
    elif file.startswith(SEVEN_ZIP) and len(file) >= _SEVEN_ZIP_START:
        header = made[end_header(file)]
        made[28:32] = struct.pack("<I", zlib.crc32(header))
        made[8:12] = struct.pack("<I", zlib.crc32(made[12:32]))
    elif file.startswith(RAR):
        for head, _ in blocks(file):
            made[head.start : head.start + 4] = struct.pack("<I", zlib.crc32(made[head][4:]))
    elif file.startswith(RAR_OF_OLD):
        for head, _ in blocks(file):
            checksum = zlib.crc32(made[head][2:]) & 0xFFFF
            made[head.start : head.start + 2] = struct.pack("<H", checksum)
    return bytes(made)


def end_header(file: bytes) -> slice:
    """Where a 7z archive has what it says of its members."""
    if len(file) < _SEVEN_ZIP_START:
        return slice(0, 0)
    offset, size = struct.unpack_from("<QQ", file, 12)
    start = min(_SEVEN_ZIP_START + offset, len(file))
    return slice(start, min(start + size, len(file)))


def blocks(file: bytes) -> Iterator[tuple[slice, slice]]:
    """The headers in a RAR archive, each with the data behind it."""
    is_old = file.startswith(RAR_OF_OLD)
    at = len(RAR_OF_OLD if is_old else RAR)
    while at + 11 <= len(file):
        try:
            end, data = (_old_block if is_old else _block)(file, at)
        except IndexError:
            return
        if not at < end <= len(file):
            return
        yield slice(at, end), slice(end, min(end + data, len(file)))
        at = end + data


def _old_block(file: bytes, at: int) -> tuple[int, int]:
    """Where a header ends, and how many bytes come behind it."""
    flags, size, data = struct.unpack_from("<HHI", file, at + 3)
    return at + size, data if flags & 0x8000 else 0


def _block(file: bytes, at: int) -> tuple[int, int]:
    size, after = _seven_bits(file, at + 4)
    end = after + size
    _, after = _seven_bits(file, after)
    flags, after = _seven_bits(file, after)
    if flags & 1:
        _, after = _seven_bits(file, after)
    return end, _seven_bits(file, after)[0] if flags & 2 else 0


def _seven_bits(file: bytes, at: int) -> tuple[int, int]:
    """A number whose bytes have seven bits each, and where it ends."""
    number = shift = 0
    while True:
        number |= (file[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not file[at - 1] & 0x80:
            return number, at
