"""Archives that the system's libarchive reads are opened like all others, within their limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archived import (
    RAR_MARK,
    by_libarchive,
    cabinet,
    lha,
    rar,
    rar_block,
    rar_of_old,
    with_method,
    zipped,
)
from tests.pictures import encoded
from tests.sandbox.looking import photograph
from tests.sandbox.test_archives import JPEG, has_known, in_a_cell, opened, reasons
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import Part, PictureState, Unreadable
from tutela.sandbox import libarchive
from tutela.sandbox.pool import CellPool

WORDS = b"an excerpt, and some words more"
FILES = {"notes.txt": WORDS, "a.jpg": JPEG}
MEBIBYTE = 1 << 20
LOCKED = bytes([36, 1, 0, 0, 15]) + bytes(32)
ARCHIVES = {
    **{
        f"7z {method}": by_libarchive(FILES, "7zip", options=f"7zip:compression={method}")
        for method in ("store", "deflate", "bzip2", "lzma1", "lzma2", "ppmd")
    },
    "RAR": rar(FILES),
    "RAR of old": rar_of_old(FILES),
    "CAB": cabinet(FILES),
    "LHA": lha(FILES),
    "XAR": by_libarchive(FILES, "xar"),
    "ISO 9660": by_libarchive(FILES, "iso9660", options="iso9660:joliet"),
    "cpio": by_libarchive(FILES, "newc"),
    "cpio of old": by_libarchive(FILES, "odc"),
    "ar": by_libarchive(FILES, "arbsd"),
    "TAR and Zstandard": by_libarchive(FILES, "pax", "zstd"),
    "TAR and LZ4": by_libarchive(FILES, "pax", "lz4"),
    "TAR and lzip": by_libarchive(FILES, "pax", "lzip"),
    "TAR and compress": by_libarchive(FILES, "pax", "compress"),
    "7z behind a program": b"MZ" + bytes(5000) + by_libarchive(FILES, "7zip"),
    "CAB behind a program": b"MZ" + bytes(5000) + cabinet(FILES),
    "RAR behind a picture": encoded(photograph(1), "JPEG") + rar(FILES),
    "RAR of old behind words": b"words, and Rar!\x1a\x07\0 " + rar_of_old(FILES),
}


@pytest.fixture(scope="module")
def cells() -> Iterator[CellPool]:
    with CellPool(1) as pool:
        yield pool


@pytest.mark.parametrize("name", ARCHIVES)
def test_members_have_fingerprints_of_their_own(name: str, cells: CellPool, tmp_path: Path) -> None:
    found = in_a_cell(cells, tmp_path, ARCHIVES[name])
    parts = list(found.parts)
    assert has_known(parts, "a.jpg")
    assert Part("notes.txt", digests_of(WORDS)) in parts
    assert reasons(parts) == set()
    assert found.picture.state is not PictureState.UNREADABLE


def test_names_are_read_in_a_sealed_cell(cells: CellPool, tmp_path: Path) -> None:
    name = "été/фото 写真.jpg"
    for archive in (by_libarchive({name: JPEG}, "7zip"), rar({name: JPEG})):
        assert has_known(list(in_a_cell(cells, tmp_path, archive).parts), name)


@pytest.mark.parametrize("length", [1 << 40, 1 << 63])
def test_a_rar_that_says_it_goes_on_far_behind_its_end_is_opened(length: int) -> None:
    more = rar_block(3, [2, length])
    parts = opened(rar(FILES)[: -len(rar_block(5, [0, 0]))] + more)
    assert has_known(parts, "a.jpg")


@pytest.mark.parametrize("form", ["zstd", "lz4", "lzip", "compress"])
def test_a_packed_picture_is_looked_at(form: str) -> None:
    assert has_known(opened(by_libarchive({"": JPEG}, "raw", form)), "unpacked")


def test_they_lie_in_others_up_to_a_depth() -> None:
    inner = by_libarchive(FILES, "7zip")
    outer = rar({"b.7z": inner, "b.tar.zst": by_libarchive({"c.7z": inner}, "pax", "zstd")})
    parts = opened(outer)
    assert has_known(parts, "b.7z/a.jpg")
    assert has_known(parts, "b.tar.zst/c.7z/a.jpg")
    deeper = opened(zipped({"d.rar": outer}))
    assert reasons(deeper) == {("d.rar/b.tar.zst/c.7z", Unreadable.TOO_DEEP)}


@pytest.mark.parametrize(("method", "form"), [(93, "zstd"), (95, "xz")])
def test_members_of_a_zip_may_be_packed_so(method: int, form: str) -> None:
    packed = by_libarchive({"": JPEG}, "raw", form)
    stored = zipped({"a.jpg": packed}, 0)
    assert has_known(opened(with_method(stored, method, packed, JPEG)), "a.jpg")


# Two files of libarchive's own tests (BSD): test_read_format_7zip_encryption and _header.
ENCRYPTED_7Z = bytes.fromhex(
    "377abcaf271c000382afea881000000000000000610000000000000058ff6c6ab90d88d0ac2d"
    "6ba35abbe535dfd141d90104060001091000070b0100022406f107010a5307d9646d649abf0e"
    "d523030101055d0000010001000c080400080a01a865327e000005011111006200610072002e"
    "007400780074000000140a0100008636a879b0ce01150601002080b4810000"
)
LOCKED_7Z = bytes.fromhex(
    "377abcaf271c00035121727d800000000000000026000000000000001a5ac7698e5aba9f77b6"
    "b565a341318850896bd01ac9c17e491acbf1d05c1381bb66cfb3924a9a99b7e35a7b25dd309c"
    "609b56315ca262ff6655d8d37a8157177a98839863d4394dcd54c2978a1732ec9729f72ce905"
    "e2b2877953a6c5e5d4aaef42140545d34c7b82cf83eb6d80b2ad02736e7e0e973572f0c95da9"
    "25e0a0c944cf64c617061001097000070b0100012406f107010a53074f1af2e5451d2ed20c61"
    "0a01fb63d0260000"
)


@pytest.mark.parametrize(
    ("archive", "place"),
    [
        (rar({"a.jpg": JPEG}, extra=LOCKED), "a.jpg"),
        (rar_of_old({"a.jpg": JPEG}, each=0x04), "a.jpg"),
        (ENCRYPTED_7Z, "bar.txt"),
        (LOCKED_7Z, ""),
        (RAR_MARK + rar_block(4, [0, 0, 0, 15], bytes(16)) + bytes(300), ""),
        (rar_of_old({}, main=0x80) + bytes(300), ""),
    ],
    ids=["RAR", "RAR of old", "7z", "7z, names too", "RAR, names too", "RAR of old, names too"],
)
def test_what_is_encrypted_is_said_to_be(archive: bytes, place: str) -> None:
    assert (place, Unreadable.ENCRYPTED) in reasons(opened(archive))


def test_a_volume_is_no_archive_alone() -> None:
    for volume in (rar(FILES, main=1, split=0x10), rar_of_old(FILES, main=1, each=0x02)):
        parts = opened(volume)
        assert [part.decoder for part in parts if part.unreadable and not part.place] == [
            "RAR volume"
        ]


def test_what_is_broken_is_not_clear() -> None:
    for name, archive in ARCHIVES.items():
        if "behind" not in name and not name.startswith("ISO"):
            assert reasons(opened(archive[: len(archive) // 2])), name
    changed = bytearray(ARCHIVES["7z store"])
    changed[200] ^= 0xFF
    assert reasons(opened(bytes(changed)))


def test_marks_alone_are_no_archive() -> None:
    marks = b"MZ" + b"7z\xbc\xaf\x27\x1c and Rar!\x1a\x07\0 and Rar!\x1a\x07\x01\0 " * 100
    assert opened(marks) == []


def test_no_archive_costs_more_than_it_may(tmp_path: Path) -> None:
    zeros = {"a": bytes(8 * MEBIBYTE), "b.jpg": JPEG}
    for archive in (by_libarchive(zeros, "7zip"), by_libarchive({"": zeros["a"]}, "raw", "zstd")):
        found = reasons(opened(archive, freely_unpacked_bytes=2 * MEBIBYTE, ratio=10))
        assert {why for _, why in found} == {Unreadable.BOMB}
    many = by_libarchive({f"{number}": b"" for number in range(1, 300)}, "newc")
    assert Unreadable.TOO_MANY in {why for _, why in reasons(opened(many, parts=200))}


def test_without_the_library_nothing_of_it_is_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libarchive, "_library", None)
    for name in ("7z lzma2", "RAR", "CAB", "LHA", "ISO 9660", "TAR and Zstandard", "cpio"):
        assert reasons(opened(ARCHIVES[name])) == {("", Unreadable.NOT_SUPPORTED)}
    assert has_known(opened(zipped(FILES)), "a.jpg")
