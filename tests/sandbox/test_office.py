"""A known picture in a document of Microsoft Office before 2007 is found, however it lies in it."""

import struct
from pathlib import Path

import pytest

from tests.archived import zipped
from tests.old_office import (
    attached,
    compound,
    drawing,
    drawing_of_old,
    drawing_record,
    pixels,
    record,
    sheets,
)
from tests.pictures import encoded
from tests.sandbox.looking import photograph
from tests.sandbox.test_archives import in_a_cell, opened, reasons
from tests.sandbox.test_documents import JPEG, KNOWN, files_in, places_of_known
from tutela.fingerprints.model import Unreadable
from tutela.sandbox.pool import CellPool

WORDS = {"WordDocument": bytes(5000), "\x05SummaryInformation": b"words" * 40}
PNG = encoded(KNOWN)
WHOLE = {
    "doc": {**WORDS, "Data": b"\x44" * 68 + record(0xF01D, JPEG)},
    "doc, another identity": {**WORDS, "Data": record(0xF01D, JPEG, identities=2)},
    "xls": {"Workbook": sheets(b"\x0f\0" * 40 + record(0xF01D, JPEG))},
    "ppt": {"Pictures": record(0xF01D, encoded(photograph(1), "JPEG")) + record(0xF01D, JPEG)},
    "a message": {"__substg1.0_37010102": JPEG},
    "an object": {**WORDS, "\x01Ole10Native": attached("a.jpg", JPEG)},
    "an archive": {**WORDS, "Package": zipped({"word/media/a.jpg": JPEG})},
}
SEEN = {
    "PNG": {**WORDS, "Data": record(0xF01E, PNG)},
    "pixels": {**WORDS, "Data": record(0xF01F, pixels(KNOWN))},
    "a drawing": {**WORDS, "Data": drawing_record(drawing(KNOWN))},
    "previews": {"256_1": b"\x18\0\0\0" + bytes(20) + JPEG},
}


@pytest.mark.parametrize("how", WHOLE)
def test_a_whole_file_in_it_has_digests_of_its_own(how: str) -> None:
    parts = opened(compound(WHOLE[how]))
    assert files_in(parts, JPEG)
    assert places_of_known(parts)
    assert reasons(parts) == set()


@pytest.mark.parametrize("how", SEEN)
def test_a_known_picture_is_found(how: str) -> None:
    parts = opened(zipped({"a.doc": compound(SEEN[how])}))
    assert all(place.startswith("a.doc/") for place in places_of_known(parts))
    assert places_of_known(parts)
    assert reasons(parts) == set()


@pytest.mark.parametrize("make", [drawing, drawing_of_old])
def test_drawings_of_office_are_looked_into(make) -> None:
    for archive in (make(KNOWN), zipped({"word/media/image1.emf": make(KNOWN)})):
        parts = opened(archive)
        assert len(places_of_known(parts)) == 1
        assert reasons(parts) == set()


def test_what_is_encrypted_is_said_to_be() -> None:
    word = bytes(10) + struct.pack("<H", 0x0100) + bytes(5000)
    for streams in (
        {"EncryptionInfo": b"words", "EncryptedPackage": bytes(9000)},
        {"WordDocument": word},
        {"Workbook": sheets(b"", locked=True)},
        {"Current User": struct.pack("<8xII", 20, 0xF3D1C4DF)},
    ):
        assert reasons(opened(compound(streams))) == {("", Unreadable.ENCRYPTED)}


def test_what_is_broken_is_not_clear(tmp_path: Path) -> None:
    whole = compound({**WORDS, "Data": record(0xF01D, JPEG)})
    assert reasons(opened(whole[:9000]))
    loop = bytearray(whole)
    at = whole.rindex(b"\xfe\xff\xff\xff")
    loop[at : at + 4] = bytes(4)
    with CellPool(1) as cells:
        in_a_cell(cells, tmp_path, bytes(loop))
        found = in_a_cell(cells, tmp_path, whole)
        assert files_in(list(found.parts), JPEG)
