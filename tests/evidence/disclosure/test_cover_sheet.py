"""The cover sheet says everything, prints any name, and shows nothing of the media."""

import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from tests.evidence.disclosure.parcels import IDS, parcel
from tests.requirements import missing
from tutela.evidence.disclosure.cover_sheet import cover_sheet
from tutela.evidence.disclosure.typesetting import printable, second_font


def _read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def _text(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def test_everything_that_matters_is_on_it() -> None:
    reader = _read(cover_sheet(parcel()))
    text = _text(reader)
    for expected in (
        *("7K3M-9QPD-2X4H", "State Police of Example", "12 Js 345/26", "District Court"),
        *("Example Forum Ltd", "ada (key:5)", "ben (key:8)", "2026-01-15 12:00:00 UTC"),
        *("holiday.jpg", "123,456", "ab" * 16, "cd" * 20, "01" * 32, f"media/{IDS[0]}.bin"),
        *("partner by md5", "in this package", "left out of this package", "destroyed"),
        *("gone before it was sealed", "no file was received", "it may not be destroyed"),
        *("case.opened", "disclosure.requested", "1007", "age -d -i", "sha256sum -c SHA256SUMS"),
    ):
        assert expected in text, expected
    assert reader.metadata is not None
    assert reader.metadata.title == "Disclosure 3 of case 7K3M-9QPD-2X4H"


def test_pages_are_numbered_of_how_many() -> None:
    reader = _read(cover_sheet(parcel(count=400)))
    pages = [page.extract_text() for page in reader.pages]
    assert len(pages) > 5
    for number, page in enumerate(pages, start=1):
        assert f"{number} of {len(pages)}" in page
        assert "7K3M-9QPD-2X4H" in page


def test_there_is_no_picture_in_it() -> None:
    assert not any(page.images for page in _read(cover_sheet(parcel())).pages)


@pytest.mark.parametrize(
    "name",
    [
        "x" * 4096,
        "a/" * 2000,
        "<b>bold</b> & <para> </para> &amp; \" '",
        "Фото из отпуска.png",
        "北京の写真.png",
        "صورة.png",
        "\x00\x07\x1b[31m\ud800\U0001f600.png",
        "北" * 4096,
        "",
    ],
)
def test_any_name_is_printed(name: str) -> None:
    sheet = cover_sheet(
        parcel(name, authority=f"Office {name[:200]}", legal_basis=f"§ 1 {name[:2990]}")
    )
    assert sheet.startswith(b"%PDF-")
    assert "of case 7K3M-9QPD-2X4H" in _text(_read(sheet))


@settings(max_examples=10)
@given(st.text(max_size=300))
def test_no_name_breaks_it(name: str) -> None:
    assert cover_sheet(parcel(name)).startswith(b"%PDF-")


def test_letters_that_deceive_or_are_unknown_are_printed_as_numbers() -> None:
    assert printable("a b\u00e9\u010d") == "a b\u00e9\u010d"
    assert printable("exe.\u202egpj") == "exe.{U+202E}gpj"
    assert printable("\u200bx\n\u5317") == "{U+200B}x{U+000A}{U+5317}"
    assert printable("\u0635") == "{U+0635}"


@given(st.text())
def test_what_is_printed_tells_different_names_apart(text: str) -> None:
    written = printable(text)
    assert written.isprintable()
    if "{" not in text:
        read = "".join(
            part
            if number == 0
            else chr(int(part[2:].partition("}")[0], 16)) + part.partition("}")[2]
            for number, part in enumerate(written.split("{"))
        )
        assert read == unicodedata.normalize("NFC", text)


def test_chinese_is_printed_where_the_machine_has_its_type() -> None:
    if second_font() is None:
        missing("a type of eastern Asia", "install it with: apt-get install fonts-droid-fallback")
    text = _text(_read(cover_sheet(parcel("北京の写真.png صور <b>", authority="警察 & ٣"))))
    assert "北京の写真.png {U+0635}{U+0648}{U+0631} <b>" in text
    assert "警察 & {U+0663}" in text
