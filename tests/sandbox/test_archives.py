"""The files within archives are found, and no archive costs more than it may."""

import bz2
import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.archived import tarred, zipped
from tests.moving import clip
from tests.pictures import encoded
from tests.sandbox.looking import alike, hash_of, photograph
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import FileFingerprints, Part, PictureState, Unreadable
from tutela.sandbox.archives import members_of
from tutela.sandbox.decoding import Room, prepare
from tutela.sandbox.model import Limits
from tutela.sandbox.pool import CellPool

prepare()

COVER, KNOWN = photograph(1), photograph(2)
JPEG = encoded(KNOWN, "JPEG")
WORDS = b"just words"
MEBIBYTE = 1 << 20
SOAK = bool(os.environ.get("TUTELA_TEST_SOAK"))


def opened(file: bytes, **limits: float) -> list[Part]:
    """The parts of a file, each of which may be told."""
    return list(members_of(io.BytesIO(file), Limits(**limits), Room()))  # type: ignore[arg-type]


def has_known(parts: list[Part], place: str) -> bool:
    """Whether the known picture is at this place, by its bytes and by its pixels."""
    digests = [part.digests for part in parts if part.place == place and part.digests]
    hashes = [part.pdq for part in parts if part.place == place and part.pdq]
    return digests == [digests_of(JPEG)] and all(alike(each, hash_of(KNOWN)) for each in hashes)


def reasons(parts: list[Part]) -> set[tuple[str, Unreadable]]:
    return {(part.place, part.unreadable) for part in parts if part.unreadable is not None}


@pytest.fixture(scope="module")
def cells() -> Iterator[CellPool]:
    with CellPool(1) as pool:
        yield pool


def in_a_cell(cells: CellPool, folder: Path, content: bytes) -> FileFingerprints:
    path = folder / "file"
    path.write_bytes(content)
    with path.open("rb") as file:
        return cells.fingerprint(file)


FILES = {"notes.txt": WORDS, "photos/a.jpg": JPEG}


@pytest.mark.parametrize(
    "archive",
    [
        *(zipped(FILES, method) for method in (0, 8, 12, 14)),
        *(tarred(FILES, mode) for mode in ("w", "w:gz", "w:bz2", "w:xz")),
        tarred(FILES, form=tarfile.USTAR_FORMAT),
        tarred(FILES, form=tarfile.GNU_FORMAT),
        b"#!/bin/sh\nan archive that opens itself\n" + zipped(FILES),
        encoded(COVER, "JPEG") + zipped(FILES),
    ],
    ids=[
        "stored",
        "deflated",
        "bzip2",
        "lzma",
        "tar",
        "gz",
        "bz2",
        "xz",
        "ustar",
        "gnu",
        "self-opening",
        "polyglot",
    ],
)
def test_members_have_fingerprints_of_their_own(
    archive: bytes, cells: CellPool, tmp_path: Path
) -> None:
    found = in_a_cell(cells, tmp_path, archive)
    assert has_known(list(found.parts), "photos/a.jpg")
    assert Part("notes.txt", digests_of(WORDS)) in found.parts
    assert reasons(list(found.parts)) == set()
    assert found.picture.state is not PictureState.UNREADABLE


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_picture_is_looked_at(packed: Callable[[bytes], bytes]) -> None:
    assert has_known(opened(packed(JPEG)), "unpacked")
    in_two = packed(JPEG[:100]) + packed(JPEG[100:])
    assert has_known(opened(in_two + bytes(20) + b"and more"), "unpacked")


def test_a_picture_packed_by_lzma_alone_is_looked_at() -> None:
    assert has_known(opened(lzma.compress(JPEG, lzma.FORMAT_ALONE)), "unpacked")


def test_archives_in_archives_are_opened_up_to_a_depth() -> None:
    inner = tarred({"inner.zip": zipped(FILES)}, "w:gz")
    parts = opened(zipped({"b.tar.gz": inner}))
    assert has_known(parts, "b.tar.gz/inner.zip/photos/a.jpg")
    assert Part("b.tar.gz", digests_of(inner)) in parts
    deeper = opened(zipped({"c.zip": zipped({"b.tar.gz": inner})}))
    assert reasons(deeper) == {("c.zip/b.tar.gz/inner.zip", Unreadable.TOO_DEEP)}


def test_frames_of_members_have_both_places() -> None:
    moving = io.BytesIO()
    COVER.save(moving, "GIF", save_all=True, append_images=[KNOWN])
    places = [part.place for part in opened(zipped({"b.gif": moving.getvalue()}))]
    assert places[:2] == ["b.gif", "b.gif"]
    assert "b.gif frame 2" in places


def test_frames_of_videos_in_archives_say_when() -> None:
    parts = opened(zipped({"b.mp4": clip(1)}))
    frames = [part for part in parts if part.seconds is not None]
    assert frames[0].place == "b.mp4 00:00:00"
    assert reasons(parts) == set()


def test_encrypted_members_are_said_to_be() -> None:
    archive = bytearray(zipped(FILES))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        archive[archive.index(mark) + place] |= 1
    parts = opened(bytes(archive))
    assert reasons(parts) == {("notes.txt", Unreadable.ENCRYPTED)}
    assert has_known(parts, "photos/a.jpg")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("manifest.xml", b"<manifest:file-entry><manifest:encryption-data/>"),
        (
            "encryption.xml",
            b'<EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes" />',
        ),
    ],
)
def test_documents_that_are_encrypted_in_their_own_way_are_said_to_be(
    name: str, content: bytes
) -> None:
    place = f"META-INF/{name}"
    parts = opened(zipped({place: content, "Pictures/a.jpg": os.urandom(5000)}))
    assert reasons(parts) == {(place, Unreadable.ENCRYPTED)}


@pytest.mark.parametrize("mark", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01\x00"])
def test_what_cannot_be_opened_here_is_not_clear(
    mark: bytes, cells: CellPool, tmp_path: Path
) -> None:
    assert in_a_cell(cells, tmp_path, mark + bytes(200)).picture.unreadable is not None
    assert {place for place, _ in reasons(opened(zipped({"a": mark + bytes(200)})))} == {"a"}


def packed_zeros(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(MEBIBYTE)
    return b"".join(packer.compress(zeros) for _ in range(size >> 20)) + packer.flush()


def raw_zip(entries: list[tuple[int, bytes]], body: bytes, packed: int, size: int) -> bytes:
    """A ZIP whose directory says of each name where it is, whatever is there."""
    directory = b"".join(
        struct.pack(
            "<4sHHHHHHIIIHHHHHII",
            *(b"PK\x01\x02", 20, 20, 0, 8, 0, 0, 0, packed, size, len(name), 0, 0, 0, 0, 0, start),
        )
        + name
        for start, name in entries
    )
    count = len(entries)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def test_overlapping_members_are_a_bomb() -> None:
    content = packed_zeros(MEBIBYTE)
    local = struct.pack(
        "<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(content), MEBIBYTE, 1, 0
    )
    entries = [(0, bytes([65 + number % 26]) + b"%d" % number) for number in range(5000)]
    archive = raw_zip(entries, local + b"a" + content, len(content), MEBIBYTE)
    assert ("", Unreadable.BOMB) in reasons(opened(archive))


@pytest.mark.parametrize("nested", [False, True])
def test_what_unpacks_to_far_more_than_it_is_is_left(nested: bool) -> None:
    bomb = zipped({"zeros": bytes(8 * MEBIBYTE)})
    archive = zipped({f"{number}.zip": bomb for number in range(5)}) if nested else bomb
    parts = opened(archive, freely_unpacked_bytes=2 * MEBIBYTE)
    place = "0.zip/zeros" if nested else "zeros"
    assert reasons(parts) == {(place, Unreadable.BOMB)}


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_bomb_is_left(packed: Callable[[bytes], bytes]) -> None:
    bomb = packed(packed(bytes(30 * MEBIBYTE)))
    assert Unreadable.BOMB in {
        why for _, why in reasons(opened(bomb, freely_unpacked_bytes=MEBIBYTE))
    }


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    bomb = zipped({f"{number}.gz": gzip.compress(bytes(60 * MEBIBYTE)) for number in range(4)})
    with CellPool(1, Limits(memory_bytes=160 * MEBIBYTE)) as cells:
        found = in_a_cell(cells, tmp_path, zipped({"all.zip": bomb}))
        assert ("all.zip/1.gz/unpacked", Unreadable.BOMB) in reasons(list(found.parts))
        assert in_a_cell(cells, tmp_path, JPEG).picture.state is PictureState.DECODED


def test_too_many_members_are_too_many() -> None:
    archive = zipped({f"{number}": WORDS for number in range(300)})
    for file in (archive, tarred({f"{number}": b"" for number in range(300)})):
        assert Unreadable.TOO_MANY in {why for _, why in reasons(opened(file, parts=200))}


def test_of_a_damaged_archive_what_can_be_read_is_judged() -> None:
    for file in (zipped(FILES), tarred(FILES), tarred(FILES, "w:gz")):
        parts = opened(file[: file.rindex(b"PK\x01\x02") if file[:2] == b"PK" else -700])
        assert Part("notes.txt", digests_of(WORDS)) in parts
        assert reasons(parts) or has_known(parts, "photos/a.jpg")
    without_directory = zipped({**FILES, "b.txt": WORDS}).partition(b"PK\x01\x02")[0]
    parts = opened(without_directory)
    assert has_known(parts, "photos/a.jpg")
    assert ("", Unreadable.DAMAGED) in reasons(parts)


def test_a_member_that_ends_early_is_shown_as_far_as_it_goes() -> None:
    whole = zipped({"a.jpg": JPEG}, zipfile.ZIP_STORED)
    parts = opened(whole[: 40 + len(JPEG) * 3 // 4])
    assert any(part.pdq and part.place == "a.jpg as far as it can be decoded" for part in parts)


def test_what_is_not_as_said_is_damaged_and_judged_all_the_same() -> None:
    archive = bytearray(zipped({"a.jpg": JPEG}, zipfile.ZIP_STORED))
    archive[archive.index(b"PK\x01\x02") + 16] ^= 1
    parts = opened(bytes(archive))
    assert reasons(parts) == {("a.jpg", Unreadable.DAMAGED)}
    assert has_known(parts, "a.jpg")


def test_settings_of_lzma_that_liblzma_does_not_know_cost_that_member_alone() -> None:
    archive = bytearray(zipped(FILES, zipfile.ZIP_LZMA))
    # Behind the name: a version, how long they are, and then they themselves.
    at = archive.index(b"notes.txt") + len(b"notes.txt") + 4
    assert archive[at] == 93
    archive[at] = 8
    parts = opened(bytes(archive))
    assert reasons(parts) == {("notes.txt", Unreadable.NOT_SUPPORTED)}
    assert has_known(parts, "photos/a.jpg")


def test_names_steer_nothing_and_are_short() -> None:
    (part,) = opened(zipped({"\x1b[2J\u202egpj." + "a" * 5000: WORDS}))
    assert part.place.startswith("\ufffd[2J\ufffdgpj.aaa")
    assert len(part.place) < 300


@pytest.mark.parametrize("name", ["word/media/image1.jpeg", "Pictures/1.jpg", "OEBPS/cover.jpg"])
def test_pictures_in_documents_are_found(name: str) -> None:
    assert has_known(opened(zipped({"mimetype": b"a document", name: JPEG})), name)


def test_a_long_name_and_a_link_lead_nobody_astray() -> None:
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        long = "/".join(["folder"] * 30) + "/a.jpg"
        assert has_known(opened(tarred({long: JPEG}, form=form)), long)


def test_whatever_is_changed_ends_in_time_and_without_a_fault() -> None:
    """Archives with bytes changed at random: each is judged, or told why not."""
    chance = random.Random(7)
    small = encoded(KNOWN.resize((32, 32)), "PNG")
    files = {"a.png": small, "b.txt": WORDS}
    seeds = [
        zipped({**files, "c.zip": zipped(files)}),
        zipped(files, zipfile.ZIP_LZMA),
        *(tarred(files, mode) for mode in ("w", "w:gz", "w:bz2", "w:xz")),
    ]
    for number in range(200_000 if SOAK else 400):
        file = bytearray(seeds[number % len(seeds)])
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(file))
            file[at] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
        if chance.random() < 0.3:
            del file[chance.randrange(len(file)) :]
        opened(bytes(file), freely_unpacked_bytes=MEBIBYTE)
