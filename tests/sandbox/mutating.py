"""Files that are wrong where their format says something: structure-aware mutation, for tests."""

import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator

from tests.sandbox.repairing import RAR, RAR_OF_OLD, SEVEN_ZIP, blocks, end_header
from tests.sandbox.repairing import repaired as with_its_checksums

# Values at which lengths, counts and offsets go wrong.
_TELLING = (0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 127, 128, 254, 255)
_TELLING_WIDE = (0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF)
_TELLING_FIGURES = (b"0", b"1", b"-1", b"3", b"0.00001", b"65536", b"2147483648", b"9" * 30)
_FIGURE = re.compile(rb"-?\d+(?:\.\d+)?")
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
# Boxes of ISO base media files (MP4, HEIC, AVIF) that hold boxes, and what stands before those.
_HOLDERS = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"iprp": 0, b"ipco": 0}
_HOLDERS |= {b"meta": 4, b"moof": 0, b"traf": 0}


def mutated(chance: random.Random, seed: bytes, others: list[bytes]) -> bytes:
    """A file made wrong in one to four places.

    Args:
        chance: Decides how; the same chance makes the same file.
        seed: A sound file.
        others: More files, of which pieces may be put into it.
    """
    pieces = pieces_of(seed)
    for _ in range(chance.randint(1, 4)):
        chance.choice(_WAYS)(chance, pieces, others)
    file = bytearray(_joined(pieces, repaired=chance.random() < 0.9))
    if file and chance.random() < 0.15:
        del file[chance.randrange(len(file)) :]
    return bytes(file)


def pieces_of(file: bytes) -> list[bytearray]:
    """What a file consists of, by its format: segments, chunks, boxes, blocks, records or words."""
    if file.startswith(_PNG):
        cut = _cut_png(file)
    elif file.startswith(_JPEG):
        cut = _cut_jpeg(file)
    elif file.startswith(b"RIFF"):
        cut = _cut_riff(file)
    elif file[4:8] in (b"ftyp", b"JXL "):
        cut = _cut_boxes(file, 0, len(file))
    elif file.startswith(b"GIF8"):
        cut = _cut_at(file, b"\x21\xf9\x04", b"\x21\xff", b"\x2c\0")
    elif file.startswith(b"PK"):
        cut = _cut_at(file, b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")
    elif file.startswith(SEVEN_ZIP):
        cut = _cut_seven_zip(file)
    elif file.startswith((RAR, RAR_OF_OLD)):
        cut = _cut_rar(file)
    elif file.startswith(b"%PDF"):
        cut = _cut_at(file, b" obj", b"<<", b"/", b"stream", b"endobj", b"xref", b"trailer")
    else:
        cut = (file[at : at + 48] for at in range(0, len(file), 48))
    return [bytearray(piece) for piece in cut]


def _joined(pieces: list[bytearray], *, repaired: bool) -> bytes:
    """The pieces as a file; its checksums and its whole length made right, if wished for."""
    if repaired and pieces and pieces[0] == _PNG:
        return _PNG + b"".join(_with_checksum(piece) for piece in pieces[1:])
    file = b"".join(pieces)
    return with_its_checksums(file) if repaired else file


def _with_checksum(chunk: bytearray) -> bytes:
    if len(chunk) < 12:
        return bytes(chunk)
    body = chunk[4:-4]
    length = max(len(body) - 4, 0)
    # A length that was made wrong on purpose stays so.
    head = chunk[:4] if int.from_bytes(chunk[:4]) > 1 << 20 else struct.pack(">I", length)
    return bytes(head) + bytes(body) + struct.pack(">I", zlib.crc32(body))


def _cut_png(file: bytes) -> Iterator[bytes]:
    yield file[:8]
    at = 8
    while at < len(file):
        end = at + 12 + int.from_bytes(file[at : at + 4])
        yield file[at:end]
        at = end


def _cut_jpeg(file: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(file):
        # What is coded belongs to the marker before it.
        end = at + 2
        while end < len(file) and (file[end] != 0xFF or file[end + 1 : end + 2] in (b"\0", b"")):
            end += 1
        yield file[at:end]
        at = end


def _cut_riff(file: bytes) -> Iterator[bytes]:
    yield file[:12]
    at = 12
    while at < len(file):
        length = int.from_bytes(file[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        yield file[at:end]
        at = end


def _cut_boxes(file: bytes, at: int, end: int) -> Iterator[bytes]:
    while at < end:
        length, name = int.from_bytes(file[at : at + 4]), file[at + 4 : at + 8]
        after = min(at + length, end) if length >= 8 else end
        if name in _HOLDERS:
            head = at + 8 + _HOLDERS[name]
            yield file[at:head]
            yield from _cut_boxes(file, head, after)
        else:
            yield file[at:after]
        at = after


def _cut_seven_zip(file: bytes) -> Iterator[bytes]:
    header = end_header(file)
    yield file[:32]
    yield file[32 : header.start]
    for at in range(header.start, len(file), 16):
        yield file[at : at + 16]


def _cut_rar(file: bytes) -> Iterator[bytes]:
    at = len(RAR if file.startswith(RAR) else RAR_OF_OLD)
    yield file[:at]
    for head, data in blocks(file):
        yield file[head]
        yield file[data]
        at = data.stop
    yield file[at:]


def _cut_at(file: bytes, *signs: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(file):
        found = [place for sign in signs if (place := file.find(sign, at + 1)) > 0]
        end = min(found, default=len(file))
        yield file[at:end]
        at = end


def _drop(chance: random.Random, pieces: list[bytearray], _others: list[bytes]) -> None:
    if len(pieces) > 1:
        del pieces[chance.randrange(len(pieces))]


def _repeat(chance: random.Random, pieces: list[bytearray], _others: list[bytes]) -> None:
    piece = chance.choice(pieces)
    at = chance.randrange(len(pieces) + 1)
    pieces[at:at] = [bytearray(piece) for _ in range(chance.choice((1, 1, 2, 30)))]


def _swap(chance: random.Random, pieces: list[bytearray], _others: list[bytes]) -> None:
    one, other = chance.randrange(len(pieces)), chance.randrange(len(pieces))
    pieces[one], pieces[other] = pieces[other], pieces[one]


def _graft(chance: random.Random, pieces: list[bytearray], others: list[bytes]) -> None:
    taken = chance.choice(pieces_of(chance.choice(others)))
    pieces.insert(chance.randrange(len(pieces) + 1), taken)


def _shorten(chance: random.Random, pieces: list[bytearray], _others: list[bytes]) -> None:
    piece = chance.choice(pieces)
    del piece[chance.randrange(len(piece) + 1) :]


def _set_byte(chance: random.Random, pieces: list[bytearray], _others: list[bytes]) -> None:
    piece = chance.choice(pieces)
    if piece:
        piece[_place_in(chance, piece)] = chance.choice((*_TELLING, chance.randrange(256)))


def _set_number(chance: random.Random, pieces: list[bytearray], _others: list[bytes]) -> None:
    piece = chance.choice(pieces)
    width = chance.choice((2, 4, 8))
    if len(piece) >= width:
        at = min(_place_in(chance, piece), len(piece) - width)
        value = chance.choice((*_TELLING_WIDE, chance.getrandbits(31))) % (1 << 8 * width)
        piece[at : at + width] = value.to_bytes(width, chance.choice(("big", "little")))


def _set_figure(chance: random.Random, pieces: list[bytearray], _others: list[bytes]) -> None:
    """Change a number that is written in digits."""
    written = [piece for piece in pieces if _FIGURE.search(piece)] if _is_text(pieces) else []
    if not written:
        return _set_byte(chance, pieces, _others)
    piece = chance.choice(written)
    piece[:] = _FIGURE.sub(chance.choice(_TELLING_FIGURES), piece, count=1)
    return None


def _is_text(pieces: list[bytearray]) -> bool:
    return bool(pieces) and pieces[0].startswith(b"%PDF")


def _flood(chance: random.Random, pieces: list[bytearray], _others: list[bytes]) -> None:
    piece = chance.choice(pieces)
    if piece:
        at, length = _place_in(chance, piece), chance.choice((2, 8, 64, 400))
        filled = len(piece[at : at + length])
        piece[at : at + length] = bytes([chance.choice((0, 0x41, 0xFF))]) * filled


def _repack(chance: random.Random, pieces: list[bytearray], _others: list[bytes]) -> None:
    """Change what is packed by DEFLATE in a PNG's chunk, and pack it again."""
    packed = [at for at, piece in enumerate(pieces) if piece[4:8] == b"IDAT"]
    if not packed or pieces[0] != _PNG:
        return _set_byte(chance, pieces, _others)
    at = chance.choice(packed)
    unpacking = zlib.decompressobj()
    try:
        plain = bytearray(unpacking.decompress(bytes(pieces[at][8:-4]), 1 << 20))
    except zlib.error:
        return None
    for _ in range(chance.randint(1, 8)):
        if plain:
            plain[chance.randrange(len(plain))] = chance.choice(_TELLING)
    if chance.random() < 0.3:
        del plain[chance.randrange(len(plain) + 1) :]
    body = zlib.compress(bytes(plain), 1)
    pieces[at] = bytearray(struct.pack(">I", len(body)) + b"IDAT" + body + bytes(4))
    return None


def _place_in(chance: random.Random, piece: bytearray) -> int:
    """A place in a piece; more often at its beginning, where it says what it is."""
    reach = min(len(piece), 24) if chance.random() < 0.7 else len(piece)
    return chance.randrange(reach)


_Way = Callable[[random.Random, list[bytearray], list[bytes]], None]
_WAYS: tuple[_Way, ...] = (
    _drop,
    _repeat,
    _swap,
    _graft,
    _shorten,
    _set_byte,
    _set_byte,
    _set_number,
    _set_number,
    _set_figure,
    _flood,
    _repack,
)
