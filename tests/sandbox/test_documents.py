"""A known picture in a PDF is found however it comes to be shown."""

import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
from PIL import Image, ImageOps

from tests.archived import zipped
from tests.pictures import encoded
from tests.portable import WORDS, document, jpeg, picture, stream
from tests.sandbox.looking import alike, hash_of, heard, photograph
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import Part, PictureState, Unreadable, file_of
from tutela.sandbox.archives import members_of
from tutela.sandbox.decoding import Room, prepare
from tutela.sandbox.model import Limits
from tutela.sandbox.pool import CellPool

prepare()

KNOWN, OTHER = photograph(2), photograph(1)
SIZE = KNOWN.size
JPEG, JPEG_2000 = encoded(KNOWN, "JPEG"), encoded(KNOWN, "JPEG2000")
SHOWN = b"q 320 0 0 240 100 300 cm /I Do Q\n"
BESIDE = b"BT /F 14 Tf 150 200 Td (More words beside it) Tj ET\n"
# What of 256 bits a picture may lose where it is drawn anew; another one differs in more than 100.
MOST_BITS = 20


def opened(file: bytes, **limits: float) -> list[Part]:
    limit = Limits(**limits)  # type: ignore[arg-type]
    return [heard(part) for part in members_of(io.BytesIO(file), limit, Room())]


def reasons(parts: list[Part]) -> set[tuple[str, Unreadable]]:
    return {(part.place, part.unreadable) for part in parts if part.unreadable is not None}


def places_of_known(parts: list[Part]) -> list[str]:
    known = hash_of(KNOWN)
    return [part.place for part in parts if part.pdq and alike(part.pdq, known, MOST_BITS)]


def files_in(parts: list[Part], content: bytes) -> list[str]:
    return [part.place for part in parts if part.digests == digests_of(content)]


def beside(one: Image.Image, other: Image.Image) -> Image.Image:
    both = Image.new("RGB", (one.width + other.width, one.height))
    both.paste(one)
    both.paste(other, (one.width, 0))
    return both


def cut(rows: int, columns: int) -> tuple[bytes, list[bytes]]:
    """The known picture cut up, and what draws the pieces where they belong."""
    width, height = SIZE[0] // columns, SIZE[1] // rows
    content, pieces = b"", []
    for row in range(rows):
        for column in range(columns):
            left, top = column * width, row * height
            pieces.append(picture(KNOWN.crop((left, top, left + width, top + height))))
            place = (width, height, 100 + left, 540 - top - height, len(pieces))
            content += b"q %d 0 0 %d %d %d cm /P%d Do Q\n" % place
    return content, pieces


def in_pieces(rows: int, columns: int) -> bytes:
    content, pieces = cut(rows, columns)
    named = b" ".join(b"/P%d %d 0 R" % (number, number + 5) for number in range(1, len(pieces) + 1))
    whole = stream(
        b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << %s >> >>"
        % named,
        content,
    )
    return document(WORDS + b"/I Do\n" + BESIDE, whole, *pieces)


def drawn_by_rectangles() -> bytes:
    small = KNOWN.resize((80, 60))
    content = b"".join(
        b"%.2f %.2f %.2f rg %d %d 5 5 re f\n"
        % (*(each / 255 for each in small.getpixel((x, y))), 100 + 4 * x, 540 - 4 * y)
        for x in range(80)
        for y in range(60)
    )
    return document(WORDS + content + BESIDE)


def form(content: bytes, more: bytes) -> bytes:
    return stream(b"/Type /XObject /Subtype /Form /BBox [0 0 320 240] %s" % more, content)


def noted(kind: bytes) -> bytes:
    """A picture in what is drawn of a note, or of a field."""
    look = form(b"320 0 0 240 0 0 cm /J Do", b"/Resources << /XObject << /J 5 0 R >> >>")
    note = b"<< /Type /Annot %s /F 4 /Rect [100 300 420 540] /AP << /N 6 0 R >> >>" % kind
    return document(WORDS, picture(KNOWN), look, note, page=b"/Annots [7 0 R]")


def with_pypdf(file: bytes, change) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(file))
    change(writer)
    into = io.BytesIO()
    writer.write(into)
    return into.getvalue()


def polyglot() -> bytes:
    """A JPEG of another picture with a PDF in its comment."""
    inner = document(SHOWN, jpeg(JPEG, SIZE))
    comment = b"\xff\xfe" + (len(inner) + 2).to_bytes(2) + inner
    return b"\xff\xd8" + comment + encoded(OTHER, "JPEG")[2:]


PLAIN = document(WORDS + SHOWN + BESIDE, picture(KNOWN))
INLINE = b"q 320 0 0 240 100 300 cm BI /W 320 /H 240 /CS /RGB /BPC 8 /F /Fl ID %s\nEI Q\n"
PALETTE = KNOWN.quantize(200)
TURNED = KNOWN.transpose(Image.Transpose.ROTATE_270)
SEEN_THROUGH = b"/Group << /S /Transparency >>"
FILES = {
    "pixels": PLAIN,
    "inline": document(WORDS + INLINE % zlib.compress(KNOWN.tobytes()) + BESIDE),
    "palette": document(
        WORDS + SHOWN,
        stream(
            b"/Subtype /Image /Width 320 /Height 240 /BitsPerComponent 8 /ColorSpace "
            b"[/Indexed /DeviceRGB 199 <%s>]" % bytes(PALETTE.getpalette()[:600]).hex().encode(),
            PALETTE.tobytes(),
        ),
    ),
    "inverted": document(
        WORDS + SHOWN + BESIDE, picture(ImageOps.invert(KNOWN), b"/Decode [1 0 1 0 1 0]")
    ),
    "in a form in a form": document(
        WORDS + b"q 0.5 0 0 0.5 80 200 cm /I Do Q" + BESIDE,
        form(b"2 0 0 2 0 0 cm /J Do", b"/Resources << /XObject << /J 6 0 R >> >>"),
        form(b"320 0 0 240 0 0 cm /K Do", b"/Resources << /XObject << /K 7 0 R >> >>"),
        picture(KNOWN),
    ),
    "a stamp": noted(b"/Subtype /Stamp"),
    "a field": noted(b"/Subtype /Widget /FT /Btn /T (a)"),
    "a page turned": document(
        WORDS + b"q 240 0 0 320 100 300 cm /I Do Q" + BESIDE,
        picture(KNOWN.transpose(Image.Transpose.ROTATE_90)),
        page=b"/Rotate 90",
    ),
    "turned": document(WORDS + b"q 0 320 -240 0 400 300 cm /I Do Q" + BESIDE, picture(TURNED)),
    "upside down": document(
        WORDS + b"q 320 0 0 -240 100 540 cm /I Do Q" + BESIDE, picture(ImageOps.flip(KNOWN))
    ),
    "a page cut": document(
        WORDS + b"q 640 0 0 240 -200 300 cm /I Do Q",
        picture(beside(OTHER, KNOWN)),
        page=b"/CropBox [120 300 440 540]",
    ),
    "cut": document(
        WORDS + b"q 220 300 320 240 re W n 640 0 0 240 -100 300 cm /I Do Q" + BESIDE,
        picture(beside(OTHER, KNOWN)),
    ),
    "drawn by opacity": document(
        WORDS + SHOWN + BESIDE,
        picture(Image.new("RGB", SIZE), b"/SMask 6 0 R"),
        picture(ImageOps.invert(KNOWN.convert("L"))),
    ),
    "in strips": in_pieces(60, 1),
    "in tiles": in_pieces(5, 8),
    "by rectangles": drawn_by_rectangles(),
    "a pattern among words": document(
        WORDS + b"/Pattern cs /P scn 100 300 320 240 re f\n" + BESIDE,
        picture(KNOWN),
        stream(
            b"/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 320 240] /XStep 320 "
            b"/YStep 240 /Matrix [1 0 0 1 100 300] /Resources << /XObject << /J 5 0 R >> >>",
            b"320 0 0 240 0 0 cm /J Do",
        ),
        names=b"/Pattern << /P 6 0 R >>",
    ),
    "in a layer that is off": document(
        b"/OC /L BDC " + SHOWN + b" EMC",
        picture(KNOWN),
        b"<< /Type /OCG /Name (a) >>",
        names=b"/Properties << /L 6 0 R >>",
        catalogue=b"/OCProperties << /OCGs [6 0 R] /D << /OFF [6 0 R] >> >>",
    ),
    "behind something else": b"GET / HTTP/1.1\r\n\r\n" * 40 + PLAIN,
    "without a beginning": PLAIN.removeprefix(b"%PDF-1.7\n"),
    "without a table": PLAIN.replace(b"\nxref\n", b"\n").replace(b"startxref", b""),
    "only its owner's password": with_pypdf(
        PLAIN, lambda writer: writer.encrypt("", "owner", algorithm="AES-256")
    ),
}


@pytest.mark.parametrize("how", FILES)
def test_a_known_picture_is_found(how: str) -> None:
    parts = opened(FILES[how])
    assert places_of_known(parts)
    assert reasons(parts) == set()


def test_strips_are_nothing_by_themselves() -> None:
    places = [part.place for part in opened(FILES["in strips"])]
    assert places_of_known(opened(FILES["in strips"])) == ["page 1 picture 1 with those beside it"]
    assert "page 1 picture 2" not in places


@pytest.mark.parametrize(
    ("content", "filters"),
    [
        (JPEG, b"/DCTDecode"),
        (JPEG_2000, b"/JPXDecode"),
        (zlib.compress(JPEG), b"[/FlateDecode /DCTDecode]"),
    ],
)
def test_a_file_in_it_has_digests_of_its_own(content: bytes, filters: bytes) -> None:
    file = document(WORDS + SHOWN, jpeg(content, SIZE, filters=filters), pages=2)
    parts = opened(zipped({"a.pdf": file, "b.txt": b"words"}))
    whole = JPEG_2000 if content is JPEG_2000 else JPEG
    assert files_in(parts, whole) == ["a.pdf page 1 picture 1"]
    assert "a.pdf page 1 picture 1" in places_of_known(parts)
    assert {file_of(part.place) for part in parts} == {"a.pdf", "b.txt"}


def test_files_attached_to_it_are_opened_too() -> None:
    def attach(writer: pypdf.PdfWriter) -> None:
        writer.add_attachment("page 3", JPEG)
        writer.add_attachment("inner.zip", zipped({"a.jpg": JPEG}))

    parts = opened(with_pypdf(document(WORDS), attach))
    assert {"inner.zip/a.jpg", "“page 3”"} <= set(files_in(parts, JPEG))
    noted_down = document(
        WORDS,
        b"<< /Type /Annot /Subtype /FileAttachment /Rect [9 9 30 30] /FS 6 0 R >>",
        b"<< /Type /Filespec /F (b.jpg) /UF (b.jpg) /EF << /F 7 0 R >> >>",
        stream(b"/Type /EmbeddedFile", JPEG, packed=True),
        page=b"/Annots [5 0 R]",
    )
    assert files_in(opened(noted_down), JPEG) == ["b.jpg"]


def test_what_is_a_pdf_too_is_opened_as_one() -> None:
    assert files_in(opened(polyglot()), JPEG) == ["page 1 picture 1"]
    assert opened(b"%%PDF in the middle of words, and\n startxref too") == []
    assert opened(b"words of %PDF") == []


def test_what_cannot_be_opened_is_not_clear() -> None:
    locked = with_pypdf(PLAIN, lambda writer: writer.encrypt("secret", algorithm="AES-256"))
    assert reasons(opened(locked)) == {("", Unreadable.ENCRYPTED)}
    assert reasons(opened(zipped({"a.pdf": locked}))) == {("a.pdf", Unreadable.ENCRYPTED)}
    assert reasons(opened(b"%PDF-1.7\nand nothing else")) == {("", Unreadable.DAMAGED)}
    assert reasons(opened(b"words, then %PDF-1.7\n1 0 obj\n<<")) == {("", Unreadable.DAMAGED)}
    broken = document(SHOWN, jpeg(JPEG, SIZE)).partition(b"trailer")[0]
    assert places_of_known(opened(zipped({"a.pdf": broken}))) == ["a.pdf picture 2"]
    lost = document(WORDS).replace(b"/Kids [3 0 R", b"/Kids [9 0 R")
    assert reasons(opened(lost)) == {("page 1", Unreadable.DAMAGED)}


def test_whatever_it_costs_has_a_limit() -> None:
    many = document(WORDS, pages=300)
    assert Unreadable.TOO_MANY in {why for _, why in reasons(opened(many, parts=40))}
    assert reasons(opened(PLAIN, pixels=50_000)) == {("page 1", Unreadable.TOO_MANY_PIXELS)}
    assert ("page 1", Unreadable.TOO_SLOW) in reasons(opened(drawn_by_rectangles(), seconds=1e-4))
    inner = zipped({"a.zip": zipped({"b.zip": zipped({"a.pdf": PLAIN})})})
    assert reasons(opened(inner)) == {("a.zip/b.zip/a.pdf", Unreadable.TOO_DEEP)}


@pytest.fixture(scope="module")
def cells() -> Iterator[CellPool]:
    with CellPool(1) as pool:
        yield pool


def test_a_sealed_cell_opens_them(cells: CellPool, tmp_path: Path) -> None:
    everything = pypdf.PdfWriter()
    for how in ("pixels", "palette", "a stamp", "in tiles", "drawn by opacity", "by rectangles"):
        everything.append(io.BytesIO(FILES[how]))
    everything.append(io.BytesIO(document(SHOWN, jpeg(JPEG_2000, SIZE, filters=b"/JPXDecode"))))
    everything.add_attachment("a.jpg", JPEG)
    everything.write(tmp_path / "a.pdf")
    with (tmp_path / "a.pdf").open("rb") as file:
        found = cells.fingerprint(file)
    assert found.archive == "PDF"
    assert found.picture.state is PictureState.NONE
    places = places_of_known(list(found.parts))
    assert {place.partition(" picture")[0] for place in places} >= {
        *(f"page {number}" for number in (1, 2, 3, 4, 5, 7)),
        "page 6 block 1",
        "a.jpg",
    }


def test_a_long_document_is_read_as_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(document(SHOWN, picture(KNOWN), stream(b"", bytes(33 << 20))))
    with CellPool(1, Limits(memory_bytes=256 << 20)) as cells, path.open("rb") as file:
        assert "page 1 picture 1" in places_of_known(list(cells.fingerprint(file).parts))
