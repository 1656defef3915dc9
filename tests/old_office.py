"""Compound files for tests, written by code: as Microsoft Office wrote them before 2007."""

import io
import struct
import zlib

from PIL import Image

SECTOR, SMALL, CUTOFF = 512, 64, 4096
_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file. Its streams lie in it in pieces, the last one first."""
    sectors: list[bytes] = []
    follows: list[int] = []

    def put(content: bytes) -> int:
        pieces = [content[at : at + SECTOR] for at in range(0, len(content), SECTOR)]
        after = _END
        for piece in reversed(pieces):
            sectors.append(piece.ljust(SECTOR, b"\0"))
            follows.append(after)
            after = len(sectors) - 1
        return after

    small, small_follows = b"", []
    entries = []
    for name, content in streams.items():
        if len(content) >= CUTOFF:
            entries.append((name, 2, put(content), len(content)))
            continue
        count = -(-len(content) // SMALL)
        first = len(small_follows)
        entries.append((name, 2, first if count else _END, len(content)))
        small_follows += [*range(first + 1, first + count), _END][:count] if count else []
        small += content.ljust(count * SMALL, b"\0")
    entries.insert(0, ("Root Entry", 5, put(small), len(small)))
    directory = b"".join(_entry(*each) for each in entries)
    directory_at = put(directory + _entry("", 0, 0, 0) * (-len(entries) % 4))
    table_of_small = struct.pack(f"<{len(small_follows)}I", *small_follows)
    small_at = put(table_of_small + b"\xff" * (-len(table_of_small) % SECTOR))
    tables = 1
    while tables * SECTOR // 4 < len(sectors) + tables:
        tables += 1
    table = [*follows, *[_TABLE] * tables]
    table += [_FREE] * (tables * SECTOR // 4 - len(table))
    places = [*range(len(sectors), len(sectors) + tables)]
    header = struct.pack(
        "<8s16xHHHHH10xII4xIIIII109I",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, tables, directory_at),
        *(CUTOFF, small_at, 1, _END, 0, *places, *[_FREE] * (109 - tables)),
    )
    return header + b"".join(sectors) + struct.pack(f"<{len(table)}I", *table)


def _entry(name: str, kind: int, first: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    length = len(text) + 2 if name else 0
    return struct.pack("<64sHB49xIQ", text, length, kind, first, size)


def record(kind: int, content: bytes, *, identities: int = 1) -> bytes:
    """A picture as it lies in a document: a whole file, or pixels."""
    body = b"i" * 16 * identities + b"\xff" + content
    return struct.pack("<HHI", 0x46A0, kind, len(body)) + body


def drawing_record(content: bytes) -> bytes:
    """A drawing as it lies in a document: packed."""
    packed = zlib.compress(content)
    body = b"i" * 16 + struct.pack("<I16x8xIBB", len(content), len(packed), 0, 0xFE) + packed
    return struct.pack("<HHI", 0x3D40, 0xF01A, len(body)) + body


def pixels(image: Image.Image) -> bytes:
    """A picture's pixels as Windows has them: a bitmap without its file's header."""
    file = io.BytesIO()
    image.save(file, "BMP")
    return file.getvalue()[14:]


def drawing(image: Image.Image) -> bytes:
    """A drawing (EMF) of nothing but a picture."""
    bitmap = pixels(image)
    places = (80, 40, 120, len(bitmap) - 40, 0, 0x00CC0020)
    shown = struct.pack("<II40xIIIIII8x", 81, 80 + len(bitmap), *places) + bitmap
    head = struct.pack("<II32x4s", 1, 108, b" EMF").ljust(108, b"\0")
    return head + shown + struct.pack("<IIIII", 14, 20, 0, 16, 20)


def drawing_of_old(image: Image.Image) -> bytes:
    """The same of the older kind (WMF), placed."""
    bitmap = pixels(image)
    body = struct.pack("<IHH16x", 0x00CC0020, 0, 0)[:22] + bitmap
    body += b"\0" * (len(body) % 2)
    shown = struct.pack("<IH", (6 + len(body)) // 2, 0x0F43) + body
    head = b"\xd7\xcd\xc6\x9a\0\0".ljust(22, b"\0") + struct.pack(
        "<HHHIHIH", 1, 9, 0x300, 0, 0, 0, 0
    )
    return head + shown + struct.pack("<IH", 3, 0)


def sheets(content: bytes, *, locked: bool = False) -> bytes:
    """A stream of spreadsheets that has some bytes of pictures in it, cut into records."""
    stream = struct.pack("<HH", 0x809, 16) + bytes(16)
    if locked:
        stream += struct.pack("<HH", 0x2F, 6) + bytes(6)
    for at in range(0, len(content), 8000):
        piece = content[at : at + 8000]
        stream += struct.pack("<HH", 0x3C if at else 0xEB, len(piece)) + piece
    return stream + struct.pack("<HH", 0x0A, 0)


def attached(name: str, content: bytes) -> bytes:
    """A stream of an object that is a file."""
    rest = struct.pack("<H", 2) + name.encode() + b"\0" + b"C:\\a\0" + struct.pack("<HH", 0, 3)
    path = b"C:\\a\0"
    rest += struct.pack("<I", len(path)) + path + struct.pack("<I", len(content)) + content
    return struct.pack("<I", len(rest)) + rest
