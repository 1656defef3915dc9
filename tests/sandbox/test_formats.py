"""Telling pictures from other files by their content."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drawing import landscape
from tutela.sandbox.formats import HEAD_BYTES, recognise


@pytest.mark.parametrize(
    ("pillow_format", "name"),
    [
        ("JPEG", "JPEG"),
        ("PNG", "PNG"),
        ("WEBP", "WebP"),
        ("GIF", "GIF"),
        ("AVIF", "AVIF"),
        ("BMP", "BMP"),
        ("TIFF", "TIFF"),
        ("JPEG2000", "JPEG 2000"),
        ("ICO", "ICO"),
        ("PPM", "PNM"),
    ],
)
def test_a_picture_is_recognised_by_how_it_begins(pillow_format: str, name: str) -> None:
    file = io.BytesIO()
    landscape().save(file, pillow_format)
    found = recognise(file.getvalue()[:HEAD_BYTES])
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"BM is short for many things, none of which are pictures at all.",
        b"P1 is the first of our priorities",
        b"MM* is a pattern",
        b"GIF89 is a year in formats",
        b"\x00\x00\x01\xba\x44\x00\x04\x00\x04\x01",
        b"PK\x03\x04 and the rest of a zip",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"%PDF-1.7\n",
        b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x00\x00\x00\x1cftypmp42\x00\x00\x00\x00mp42isomavc1",
        b"\x00\x00\x01\x00" + b"\x07" * 60,
        b"\x00\x00\x02\x00" * 40,
    ],
)
def test_other_files_are_no_pictures(content: bytes) -> None:
    assert recognise(content) is None


@given(st.text(max_size=HEAD_BYTES))
def test_a_text_is_no_picture(text: str) -> None:
    assert recognise(text.encode()) is None


def test_formats_that_cannot_be_decoded_are_still_pictures() -> None:
    found = recognise(b"II\xbc\x01\x20\x00\x00\x00")
    assert found is not None
    assert found.name == "JPEG XR"
    assert found.decoders == ()


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x00\x00\x00\x18ftypmiaf\x00\x00\x00\x00mif1avif", "AVIF"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00avifmif1miaf", "HEIF"),
        (b"\x00\x00\x00\x18ftypMiHE\x00\x00\x00\x00mif1heic", "HEIC"),
        (b"\x00\x00\x00\x14ftypavis\x00\x00\x00\x00msf1", "AVIF"),
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", "CR3"),
        (b"\xff\x0a\xfa\x7f\x01", "JPEG XL"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00", "JPEG XL"),
        (b"BM" + bytes(12) + b"\x14\x00\x00\x00", "BMP"),
        (b"\x00\x00\x02\x00\x01\x00" + bytes(8) + b"\x90\0\0\0\x16\0\0\0", "CUR"),
    ],
)
def test_what_browsers_take_for_a_picture_is_one(head: bytes, name: str) -> None:
    found = recognise(head)
    assert found is not None
    assert found.name == name
