"""Paper, type and colour of the cover sheet: how things are printed, not what is said.

The type is Bitstream Vera, which comes with reportlab and is embedded, so that a sheet looks the
same everywhere. It knows the letters of western Europe. Where the machine has DejaVu, Vera's sister
with the same shapes and widths, that is used instead: it adds the rest of Europe, Greek and
Cyrillic. Where it has a type of eastern Asia, the letters of that are taken from there. Letters
that are in no type, that would be joined or run from right to left, or that nobody can see, are
printed as their numbers, ``{U+0635}``: never wrongly, and never as a trick.
"""

import functools
import io
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    PageTemplate,
    Paragraph,
    Table,
    TableStyle,
)

TEXT, QUIET, LINE = HexColor("#1f2a2e"), HexColor("#546067"), HexColor("#c9c4b8")
ACCENT, GROUND = HexColor("#0b6b62"), HexColor("#f3f1ec")

PAGE = A4
MARGIN = 20 * mm
# What is at the same place on A4 and on US Letter, so that it prints on both.
TOP, BOTTOM = 26 * mm, 30 * mm
WIDTH = PAGE[0] - 2 * MARGIN

# Those whose outlines can be embedded, by the packages fonts-droid-fallback and fonts-wqy-*.
_OF_EASTERN_ASIA = (
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
)
_FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_HASHES = "Courier"
# Strong letters from right to left, and the marks that change the direction of others.
_OTHER_DIRECTIONS = {"R", "AL", "AN", "RLE", "RLO", "LRE", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"}


@functools.cache
def fonts() -> tuple[str, str]:
    """The regular and the bold type, ready to be used."""
    for regular, bold in (("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"), ("Vera.ttf", "VeraBd.ttf")):
        found = [path for path in (_find(regular), _find(bold)) if path]
        if len(found) == 2:
            for path in found:
                pdfmetrics.registerFont(TTFont(path.stem, str(path)))
            return found[0].stem, found[1].stem
    raise RuntimeError("reportlab came without its fonts: install it again")


@functools.cache
def second_font() -> str | None:
    """The type of eastern Asia, if the machine has one, ready to be used."""
    for name in _OF_EASTERN_ASIA:
        path = _find(name)
        if path:
            pdfmetrics.registerFont(TTFont(path.stem, str(path)))
            return path.stem
    return None


def printable(text: str) -> str:
    """The text with every letter that the first type cannot print rightly as its number."""
    return "".join(written for written, _ in _letters(text, second=False))


def said(text: str, style: str = "text") -> Paragraph:
    """A paragraph of any text; long words are broken."""
    return Paragraph(_in_its_types(text), styles()[style])


def marked(text: str, style: str = "text") -> Paragraph:
    """A paragraph of our own words, with reportlab's marks in them."""
    return Paragraph(text, styles()[style])


def pairs(rows: Sequence[tuple[str, Flowable | str]], left: float = 38 * mm) -> Table:
    """Names on the left, what they stand for on the right."""
    table = Table(
        [
            [said(name, "label"), said(value) if isinstance(value, str) else value]
            for name, value in rows
        ],
        colWidths=[left, None],
        # However long a text is, it goes on on the next page.
        splitInRow=1,
    )
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                ("TOPPADDING", (0, 0), (-1, -1), 1.2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1.2),
            ]
        )
    )
    return table


def rows(head: Sequence[str], body: Sequence[Sequence[str]], widths: Sequence[float]) -> Table:
    """A table that goes on over pages with its head repeated."""
    cells = [[said(each, "head") for each in head]]
    cells += [[said(each, "cell") for each in row] for row in body]
    table = Table(cells, colWidths=widths, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, 0), GROUND),
                ("LINEBELOW", (0, 0), (-1, -1), 0.3, LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ]
        )
    )
    return table


@functools.cache
def styles() -> dict[str, ParagraphStyle]:
    """The styles of paragraphs, by name."""
    regular, bold = fonts()
    text = ParagraphStyle("text", fontName=regular, fontSize=8.5, leading=12, textColor=TEXT)

    def like(name: str, **changes: object) -> ParagraphStyle:
        return ParagraphStyle(name, parent=text, **changes)

    all_of_them = (
        text,
        like("title", fontName=bold, fontSize=19, leading=24, spaceAfter=1 * mm),
        like("under-title", fontSize=10, leading=14, textColor=QUIET, spaceAfter=5 * mm),
        like(
            "heading",
            fontName=bold,
            fontSize=11.5,
            leading=15,
            textColor=ACCENT,
            spaceBefore=7 * mm,
            spaceAfter=2 * mm,
        ),
        like("name", fontName=bold, fontSize=9, leading=12.5),
        like("number", fontName=bold, fontSize=9, leading=12.5, textColor=ACCENT),
        like("standing", fontSize=8, leading=12.5, textColor=QUIET, alignment=TA_RIGHT),
        like("label", fontSize=8, textColor=QUIET),
        like("hash", fontName=_HASHES, fontSize=8.4, leading=11),
        like("command", fontName=_HASHES, fontSize=8.6, leading=13, leftIndent=4 * mm),
        like("head", fontName=bold, fontSize=7.5, leading=10),
        like("cell", fontSize=7.5, leading=10),
        like("note", fontSize=7.5, leading=10.5, textColor=QUIET),
    )
    return {style.name: style for style in all_of_them}


def bound(
    story: Iterable[Flowable], *, title: str, author: str, subject: str, top: str, foot: str
) -> bytes:
    """What is printed on pages that follow one another, as a PDF.

    Args:
        story: What is printed, in its order.
        title: The document's title.
        author: Who it is from.
        subject: What it is.
        top: What stands at the top of each page, besides our name.
        foot: What stands at its foot, besides the page's number.
    """

    def draw_top(canvas: Canvas, _document: BaseDocTemplate) -> None:
        y = PAGE[1] - TOP + 7 * mm
        canvas.saveState()
        canvas.setFont(fonts()[1], 9)
        canvas.setFillColor(ACCENT)
        canvas.drawString(MARGIN, y, "Tutela")
        canvas.setFont(fonts()[0], 7.5)
        canvas.setFillColor(QUIET)
        canvas.drawRightString(PAGE[0] - MARGIN, y, top)
        canvas.restoreState()

    written = io.BytesIO()
    document = BaseDocTemplate(
        written,
        pagesize=PAGE,
        title=title,
        author=author,
        subject=subject,
        creator="Tutela",
        lang="en",
        initialFontName=fonts()[0],
    )
    frame = Frame(MARGIN, BOTTOM, WIDTH, PAGE[1] - TOP - BOTTOM, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate("page", [frame], onPage=draw_top)])
    document.build(list(story), canvasmaker=_numbered_canvas(foot))
    return written.getvalue()


def _numbered_canvas(foot: str) -> Callable[..., Canvas]:
    """What reportlab draws pages on, with this line and ``1 of n`` at the foot of each."""

    class Numbered(Canvas):  # type: ignore[misc]  # reportlab has no types
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)
            self._pages: list[dict[str, object]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            # How many there are is known only at the end, so pages are drawn then.
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                _draw_foot(self, foot, f"{number} of {len(self._pages)}")
                super().showPage()
            super().save()

    return Numbered


def _draw_foot(canvas: Canvas, foot: str, number: str) -> None:
    canvas.saveState()
    y = BOTTOM - 12 * mm
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.4)
    canvas.line(MARGIN, y + 5 * mm, PAGE[0] - MARGIN, y + 5 * mm)
    canvas.setFont(fonts()[0], 7.5)
    canvas.setFillColor(QUIET)
    canvas.drawString(MARGIN, y, printable(foot))
    canvas.drawRightString(PAGE[0] - MARGIN, y, number)
    canvas.restoreState()


def _in_its_types(text: str) -> str:
    """The text with reportlab's marks where it is set in the second type."""
    runs = itertools.groupby(_letters(text, second=True), key=lambda each: each[1])
    return "".join(_run("".join(letter for letter, _ in run), font) for font, run in runs)


def _run(text: str, font: str | None) -> str:
    written = escape(text)
    return f'<font name="{font}">{written}</font>' if font else written


def _letters(text: str, *, second: bool) -> Iterator[tuple[str, str | None]]:
    """What is printed for each letter, and in which type if not in the first."""
    known = pdfmetrics.getFont(fonts()[0]).face.charToGlyph
    for letter in unicodedata.normalize("NFC", text):
        if letter == " " or _is_plain(letter, known):
            yield letter, None
            continue
        other = second_font() if second and letter > "\u2e7f" else None
        if other and _is_plain(letter, pdfmetrics.getFont(other).face.charToGlyph):
            yield letter, other
        else:
            yield f"{{U+{ord(letter):04X}}}", None


def _is_plain(letter: str, known: dict[int, int]) -> bool:
    if unicodedata.category(letter)[0] in "CZM":
        return False
    if unicodedata.bidirectional(letter) in _OTHER_DIRECTIONS:
        return False
    return bool(known.get(ord(letter)))


def _find(name: str) -> Path | None:
    own = Path(reportlab.__file__).parent / "fonts" / name
    if own.exists():
        return own
    return next((found for each in _FONT_FOLDERS for found in each.rglob(name)), None)


def breakable(text: str, every: int = 4) -> str:
    """A long key in groups, so that people can read it aloud and compare it."""
    return " ".join(re.findall(f".{{1,{every}}}", text))
