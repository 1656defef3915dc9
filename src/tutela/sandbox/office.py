"""The pictures in documents of Microsoft Office before 2007, and in the drawings that it makes.

Documents (``.doc``, ``.xls``, ``.ppt``), Outlook's messages (``.msg``) and the previews of Windows
are compound files. Pictures lie in their streams in records of [MS-ODRAW], as whole files or as
pixels without a file's header; drawings (EMF, WMF) are lists of records of which some are pixels.
Runs in a cell, since the bytes are not trusted.
"""

import io
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from tutela.fingerprints.model import Part, Unreadable
from tutela.sandbox.compound import MARK, CompoundFile, Named
from tutela.sandbox.decoding import Room, as_unreadable
from tutela.sandbox.documents import Around
from tutela.sandbox.embedded import looks_within, pictures_within
from tutela.sandbox.formats import COMPOUND, HEAD_BYTES, recognise
from tutela.sandbox.model import UnreadableError

# Of [MS-ODRAW]: a picture's record, by its kind, and what stands before its bytes.
_RECORD = re.compile(rb"(?=..([\x1a-\x1f\x29\x2a]\xf0)(.{4}))", re.DOTALL)
_DRAWINGS = (b"\x1a\xf0", b"\x1b\xf0", b"\x1c\xf0")
_PIXELS = b"\x1f\xf0"
_IDENTITY, _DRAWING_HEADER = 16, struct.Struct("<I28xBB")
_PACKED = 0
# Of [MS-XLS]: records whose bytes go on in the next, and the one that says that it is encrypted.
_SHEET_PICTURES, _CONTINUES, _SHEET_LOCKED = (0xE9, 0xEB, 0x7F), 0x3C, 0x2F
_WORD_LOCKED = 0x0100
_SLIDES_LOCKED = 0xF3D1C4DF
_LOCKED_PACKAGE = "EncryptedPackage"
# Of [MS-EMF] and [MS-WMF]: records that have pixels, and where it says where those are.
_EMF_PIXELS = {80: 48, 81: 48, 76: 84, 77: 84, 78: 84, 79: 84, 114: 84, 116: 84}
_WMF_PIXELS = {0x0F43: 28, 0x0B41: 26, 0x0940: 22, 0x0D33: 24}
_PLACEABLE, _WMF_HEADER = b"\xd7\xcd\xc6\x9a", 18
_LEAST_PIXELS = 40
_NUMBERED = re.compile(r"^picture (\d+)")
_BITMAP = b"\x28\0\0\0"


def parts_of_compound(
    file: io.BytesIO | io.BufferedReader, place: str, around: Around
) -> Iterator[Part]:
    """What is in a compound file.

    Args:
        file: Must be seekable.
        place: Its own.
        around: What opens it up.
    """
    compound = CompoundFile(file)
    for number, stream in enumerate(compound.streams, 1):
        around.budget.begin()
        name = stream.name.lstrip("\0\1\2\3\4\5\6")
        where = around.called(place, name, number)
        try:
            if stream.size > around.most_held:
                raise UnreadableError(Unreadable.TOO_LARGE, Unreadable.TOO_LARGE.words)
            content = compound.content(stream)
            around.budget.spend(len(content))
            if _is_locked(stream, content):
                yield Part(place, unreadable=Unreadable.ENCRYPTED, decoder=COMPOUND)
                continue
            yield from _in_stream(name, content, where, around)
        except UnreadableError as error:
            around.budget.see_time()
            yield Part(where, unreadable=error.unreadable, decoder=COMPOUND)


def _in_stream(name: str, content: bytes, where: str, around: Around) -> Iterator[Part]:
    if around.shows(content):
        yield from around.file(content, where)
        return
    if name == "Ole10Native":
        attached = _attached(content)
        if attached is not None:
            yield from around.file(attached[1], around.called(where, attached[0], 1))
            return
    if name in ("Workbook", "Book"):
        content = _of_sheets(content)
    count = 0
    for count, picture in enumerate(_pictures_in(content, around.most_held), 1):
        spot = f"{where} picture {count}"
        if around.shows(picture):
            yield from around.file(picture, spot)
        else:
            yield from _pixels(picture, spot, around)
    if not count:
        yield from elsewhere(content, where, around)


def parts_of_drawing(
    file: io.BytesIO | io.BufferedReader, place: str, around: Around
) -> Iterator[Part]:
    """The pictures in an EMF or a WMF; as ``parts_of_compound``."""
    file.seek(0)
    content = file.read(around.most_held)
    found = _in_wmf(content) if content.startswith((_PLACEABLE, b"\1\0\x09")) else _in_emf(content)
    number = 0
    for number, picture in enumerate(found, 1):
        spot = f"{place} picture {number}".strip()
        around.budget.begin()
        yield from _pixels(picture, spot, around)
    yield from elsewhere(content, place, around, after=number)


def elsewhere(content: bytes, where: str, around: Around, *, after: int = 0) -> Iterator[Part]:
    """Whole pictures that lie anywhere in some bytes.

    Args:
        content: The bytes.
        where: Their place.
        around: What opens them up.
        after: So many pictures of theirs have been told of.
    """

    def counted(place: re.Match[str]) -> str:
        # What begins as a picture is its own first one, which these bytes are not.
        return f"picture {int(place[1]) - 1 + after}"

    for part in pictures_within(content, around.limits, Room(), around.budget.deadline):
        yield around.placed(replace(part, place=_NUMBERED.sub(counted, part.place)), where)


def picture_or_pixels(content: bytes, spot: str, around: Around) -> Iterator[Part]:
    """What some bytes are a picture of, or hold: a file, pixels, or something with files in it."""
    at = content.find(MARK)
    if around.shows(content):
        yield from around.file(content, spot)
    elif at > 0:
        yield from around.file(content[at:], spot)
    elif content.startswith(_BITMAP):
        yield from _pixels(content, spot, around)
    else:
        yield from elsewhere(content, spot, around)


def _pixels(pixels: bytes, spot: str, around: Around) -> Iterator[Part]:
    """A picture without a file's header."""
    if not around.is_wanted(spot):
        yield Part(spot)
        return
    bitmap = _as_bitmap(pixels)
    picture_format = recognise(bitmap[:HEAD_BYTES])
    if picture_format is None:
        yield Part(spot, unreadable=Unreadable.DAMAGED, decoder=COMPOUND)
        return
    try:
        yield from looks_within(io.BytesIO(bitmap), picture_format, spot, around.limits, Room())
    except Exception as error:
        reason = as_unreadable(error, picture_format.name, around.limits).unreadable
        yield Part(spot, unreadable=reason, decoder=picture_format.name)


def _as_bitmap(pixels: bytes) -> bytes:
    """Pixels as Windows has them in memory, as a file."""
    size, _, _, _, depth, packing = struct.unpack_from(
        "<IiiHHI", pixels.ljust(_LEAST_PIXELS, b"\0")
    )
    (used,) = struct.unpack_from("<32xI", pixels.ljust(_LEAST_PIXELS, b"\0"))
    palette = 4 * (used or (1 << depth if depth <= 8 else 0))
    masks = 12 if size == 40 and packing == 3 else 0
    return struct.pack("<2sI4xI", b"BM", 14 + len(pixels), 14 + size + palette + masks) + pixels


def _pictures_in(content: bytes, most: int) -> Iterator[bytes]:
    """The pictures in records, as files or as pixels without a header."""
    end = 0
    for found in _RECORD.finditer(content):
        if found.start() < end:
            continue
        begins, length = found.start() + 8, int.from_bytes(found[2], "little")
        body = content[begins : begins + length]
        # One identity or two of them, and for whole pictures one byte more.
        for header in (_IDENTITY, 2 * _IDENTITY):
            picture: bytes | None = None
            if found[1] in _DRAWINGS:
                picture = _unpacked(body[header:], most)
            elif _is_picture(found[1], body[header + 1 :][:HEAD_BYTES]):
                picture = body[header + 1 :]
            if picture is not None:
                yield picture
                end = begins + length
                break


def _is_picture(kind: bytes, head: bytes) -> bool:
    is_bitmap = kind == _PIXELS and head.startswith(_BITMAP)
    return is_bitmap or recognise(head) is not None


def _unpacked(drawing: bytes, most: int) -> bytes | None:
    """A drawing, if these bytes are what stands before one and it."""
    if len(drawing) < _DRAWING_HEADER.size:
        return None
    size, packing, _ = _DRAWING_HEADER.unpack_from(drawing)
    content = drawing[_DRAWING_HEADER.size :]
    if packing == _PACKED:
        if size > most:
            return None
        with suppress(zlib.error):
            content = zlib.decompressobj().decompress(content, most)
    return content if content.startswith((b"\1\0\0\0", _PLACEABLE, b"\1\0\x09\0")) else None


def _of_sheets(content: bytes) -> bytes:
    """What of a spreadsheet is pictures: their bytes lie in records of at most 8 KiB."""
    pieces = []
    at = 0
    goes_on = False
    while at + 4 <= len(content):
        kind, size = struct.unpack_from("<HH", content, at)
        goes_on = kind in _SHEET_PICTURES or (goes_on and kind == _CONTINUES)
        if goes_on:
            pieces.append(content[at + 4 : at + 4 + size])
        at += 4 + size
    return b"".join(pieces)


def _is_locked(stream: Named, content: bytes) -> bool:
    """Whether this stream, and the document with it, is encrypted, or says that others are."""
    if stream.name == _LOCKED_PACKAGE:
        return True
    if stream.name == "WordDocument":
        return len(content) > 12 and bool(int.from_bytes(content[10:12], "little") & _WORD_LOCKED)
    if stream.name in ("Workbook", "Book"):
        at = 0
        while at + 4 <= min(len(content), 1 << 16):
            kind, size = struct.unpack_from("<HH", content, at)
            if kind == _SHEET_LOCKED:
                return True
            at += 4 + size
    if stream.name == "Current User":
        return content[12:16] == struct.pack("<I", _SLIDES_LOCKED)
    return False


def _attached(content: bytes) -> tuple[str, bytes] | None:
    """A file that lies in a document as an object: its name, and its bytes."""
    try:
        end = content.index(b"\0", 6)
        name = content[6:end].decode("latin-1")
        at = content.index(b"\0", end + 1) + 1 + 4
        (length,) = struct.unpack_from("<I", content, at)
        at += 4 + length
        (size,) = struct.unpack_from("<I", content, at)
    except (ValueError, struct.error):
        return None
    return name, content[at + 4 : at + 4 + size]


def _in_emf(content: bytes) -> Iterator[bytes]:
    at = 0
    while at + 8 <= len(content):
        kind, size = struct.unpack_from("<II", content, at)
        where = _EMF_PIXELS.get(kind)
        if where is not None and size >= where + 16 and at + where + 16 <= len(content):
            offset, header, start, length = struct.unpack_from("<IIII", content, at + where)
            if header >= _LEAST_PIXELS and length:
                yield (
                    content[at + offset : at + offset + header]
                    + content[at + start : at + start + length]
                )
        at += max(size, 8)


def _in_wmf(content: bytes) -> Iterator[bytes]:
    at = _WMF_HEADER + (22 if content.startswith(_PLACEABLE) else 0)
    while at + 6 <= len(content):
        words, kind = struct.unpack_from("<IH", content, at)
        where = _WMF_PIXELS.get(kind)
        if where is not None and 2 * words > where + _LEAST_PIXELS:
            yield content[at + where : at + 2 * words]
        at += max(2 * words, 6)
