"""Archives and documents that are made to do harm cost no more than they may; others still come."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archived import by_libarchive, zipped
from tests.portable import WORDS, document, picture, stream
from tests.sandbox.looking import photograph
from tests.sandbox.test_archives import JPEG, in_a_cell, reasons
from tutela.fingerprints.model import PictureState, Unreadable
from tutela.sandbox.model import Limits
from tutela.sandbox.pool import CellPool

MEBIBYTE, GIBIBYTE = 1 << 20, 1 << 30
# Of what each may do; whoever waits for one waits no longer than a few seconds.
LIMITS = Limits(seconds=2.5, whole_seconds=5, freely_unpacked_bytes=8 * MEBIBYTE)


def zeros_deflated(size: int) -> bytes:
    """So many zeros, packed without anybody having had to pack them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    unit = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return unit * (size >> 20) + b"\x03\0"


def zip_of_zeros(size: int) -> bytes:
    """A ZIP of one file of zeros, as the innermost ones of 42.zip are."""
    content, name = zeros_deflated(size), b"0.dll"
    sizes = (0, len(content), min(size, 0xFFFFFFFF))
    head = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, *sizes, len(name), 0)
    entry = struct.pack(
        "<4sHHHHHHIIIHHHHHII",
        *(b"PK\x01\x02", 20, 20, 0, 8, 0, 0, *sizes, len(name), 0, 0, 0, 0, 0, 0),
    )
    body = head + name + content
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(entry) + len(name), len(body), 0)
    return body + entry + name + end


def forty_two(layers: int = 5) -> bytes:
    """The shape of 42.zip: sixteen archives in each, and in the innermost ones 4 GiB of zeros."""
    archive = zip_of_zeros(4 * GIBIBYTE)
    for _ in range(layers):
        archive = zipped({f"lib {number:x}.zip": archive for number in range(16)})
    return archive


def quoting(count: int) -> bytes:
    """A ZIP whose members overlap: each quotes the header of the next, and goes on as that one.

    After Fifield, "A better zip bomb" (WOOT 2019).
    """
    data, size = zeros_deflated(MEBIBYTE), MEBIBYTE
    head, members = b"", []
    for number in range(count):
        if head:
            data = b"\0" + struct.pack("<HH", len(head), len(head) ^ 0xFFFF) + head + data
            size += len(head)
        name = b"%d" % number
        sizes = (0, len(data), size)
        head = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, *sizes, len(name), 0)
        head += name
        members.append((name, sizes, len(head) + len(data)))
    body = head + data
    directory = b"".join(
        struct.pack(
            "<4sHHHHHHIIIHHHHHII",
            *(b"PK\x01\x02", 20, 20, 0, 8, 0, 0, *sizes, len(name), 0, 0, 0, 0, 0),
            len(body) - start,
        )
        + name
        for name, sizes, start in members
    )
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


# A ZIP that has itself as its only member: Russ Cox, "Zip Files All The Way Down" (2010).
QUINE = bytes.fromhex(
    "504b03041400000008000803643cf9f4896448010000b801000007000000722f722e7a6970002500daff504b"
    "03041400000008000803643cf9f4896448010000b801000007000000722f722e7a6970002f00d0ff002500da"
    "ff504b03041400000008000803643cf9f4896448010000b801000007000000722f722e7a6970002f00d0ffc2"
    "548e5739000500faffc2548e5739000500faff000500faff001400ebffc2548e5739000500faff000500faff"
    "001400ebff428821c400001400ebff428821c400001400ebff428821c400001400ebff428821c400001400eb"
    "ff428821c400000000ffff000000ffff003400cbff428821c400000000ffff000000ffff003400cbff42e821"
    "5e0f000000ffff0af066641261c015dce8a048bf48af2ab320c09b950dc46704425306060640000600f9ff6d"
    "010000000042e8215e0f000000ffff0af066641261c015dce8a048bf48af2ab320c09b950dc4670442530606"
    "0640000600f9ff6d0100000000504b010214001400000008000803643cf9f4896448010000b8010000070000"
    "000000000000000000000000000000722f722e7a6970504b05060000000001000100350000006d0100000000"
)


def forms(depth: int, width: int = 10) -> bytes:
    """A page that draws ten forms, each of which draws ten forms."""
    objects = [
        stream(
            b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] "
            b"/Resources << /XObject << /I %d 0 R >> >>" % (number + 6),
            b"/I Do\n" * width,
        )
        for number in range(depth)
    ]
    return document(WORDS + b"/I Do\n", *objects, picture(photograph(0)))


def attached(size: int) -> bytes:
    return document(
        WORDS,
        b"<< /Type /Filespec /F (a) /UF (a) /EF << /F 6 0 R >> >>",
        stream(
            b"/Type /EmbeddedFile /Filter /FlateDecode",
            zlib.compress(bytes(MEBIBYTE))[:2] + zeros_deflated(size),
        ),
        catalogue=b"/Names << /EmbeddedFiles << /Names [(a) 5 0 R] >> >>",
    )


def drawn(*, width: int, height: int) -> bytes:
    entries = b"/Subtype /Image /BitsPerComponent 8 /ColorSpace /DeviceRGB /Width %d /Height %d"
    return document(b"9 0 0 9 9 9 cm /I Do", stream(entries % (width, height), b"", packed=True))


def test_the_quine_is_one() -> None:
    with zipfile.ZipFile(io.BytesIO(QUINE)) as archive:
        assert archive.read("r/r.zip") == QUINE


@pytest.fixture(scope="module")
def cells() -> Iterator[CellPool]:
    with CellPool(1, LIMITS) as pool:
        yield pool


BOMBS = {
    "42.zip": (forty_two, {Unreadable.TOO_DEEP, Unreadable.BOMB}),
    "42.zip, not so deep": (lambda: forty_two(2), {Unreadable.BOMB}),
    "4 GiB of zeros": (lambda: zip_of_zeros(4 * GIBIBYTE), {Unreadable.BOMB, Unreadable.TOO_SLOW}),
    "overlapping": (lambda: quoting(250), {Unreadable.BOMB}),
    "quine": (lambda: QUINE, {Unreadable.TOO_DEEP}),
    "gzip in gzip": (
        lambda: gzip.compress(gzip.compress(gzip.compress(gzip.compress(JPEG)))),
        {Unreadable.TOO_DEEP},
    ),
    "7z": (lambda: by_libarchive({"a": bytes(12 * MEBIBYTE)}, "7zip"), {Unreadable.BOMB}),
    "7z in 7z": (
        lambda: by_libarchive({"b.7z": by_libarchive({"a": bytes(12 * MEBIBYTE)}, "7zip")}, "7zip"),
        {Unreadable.BOMB},
    ),
    "Zstandard": (
        lambda: by_libarchive({"": bytes(12 * MEBIBYTE)}, "raw", "zstd"),
        {Unreadable.BOMB},
    ),
    "a PDF with zeros": (lambda: attached(128 * MEBIBYTE), {Unreadable.TOO_LARGE}),
    "a PDF with a huge picture": (
        lambda: drawn(width=60_000, height=60_000),
        {Unreadable.TOO_MANY_PIXELS},
    ),
    "a PDF of forms": (lambda: forms(12), {Unreadable.TOO_SLOW}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_no_harm(name: str, cells: CellPool, tmp_path: Path) -> None:
    make, expected = BOMBS[name]
    found = in_a_cell(cells, tmp_path, make())
    assert (
        found.picture.unreadable in expected
        or {why for _, why in reasons(list(found.parts))} <= expected
    )
    assert found.picture.unreadable is not None or reasons(list(found.parts))
    assert in_a_cell(cells, tmp_path, JPEG).picture.state is PictureState.DECODED
