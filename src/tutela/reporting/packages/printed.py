"""The report on paper, for people. It shows no picture and nothing of any file's content."""

import io
from collections.abc import Iterator, Sequence

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    HRFlowable,
    PageTemplate,
    Spacer,
)

from tutela.evidence.disclosure.typesetting import (
    ACCENT,
    BOTTOM,
    LINE,
    MARGIN,
    PAGE,
    QUIET,
    TOP,
    WIDTH,
    fonts,
    numbered_canvas,
    pairs,
    said,
)
from tutela.reporting.packages.model import Enclosure, Letter
from tutela.reporting.packages.wording import Line, facts, facts_of_file, not_real, sections

_LEFT = 48 * mm


def printed(letter: Letter) -> bytes:
    """The report as a PDF."""
    written = io.BytesIO()
    document = BaseDocTemplate(
        written,
        pagesize=PAGE,
        title=letter.title,
        author=letter.organisation or "Tutela",
        subject="Report to an authority",
        creator="Tutela",
        lang="en",
        initialFontName=fonts()[0],
    )
    frame = Frame(MARGIN, BOTTOM, WIDTH, PAGE[1] - TOP - BOTTOM, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate("page", [frame], onPage=_draw_top)])
    foot = f"{letter.title}, {letter.message}"
    document.build(list(_sheet(letter)), canvasmaker=numbered_canvas(foot))
    return written.getvalue()


def _draw_top(canvas: Canvas, _document: BaseDocTemplate) -> None:
    y = PAGE[1] - TOP + 7 * mm
    canvas.saveState()
    canvas.setFont(fonts()[1], 9)
    canvas.setFillColor(ACCENT)
    canvas.drawString(MARGIN, y, "Tutela")
    canvas.setFont(fonts()[0], 7.5)
    canvas.setFillColor(QUIET)
    canvas.drawRightString(PAGE[0] - MARGIN, y, "Confidential report")
    canvas.restoreState()


def _sheet(letter: Letter) -> Iterator[Flowable]:
    yield said(letter.title, "title")
    yield said(f"For {letter.authority}", "under-title")
    for warning in (not_real(letter), letter.repetition):
        if warning:
            yield said(warning, "name")
            yield Spacer(0, 3 * mm)
    yield from _listed(facts(letter))
    for section in sections(letter.content):
        yield CondPageBreak(35 * mm)
        yield said(section.title, "heading")
        yield from _listed(section.lines)
    yield CondPageBreak(35 * mm)
    yield said("Files", "heading")
    yield said(f"{len(letter.enclosures)} in this package, in the folder media.")
    for number, enclosure in enumerate(letter.enclosures, start=1):
        yield _rule()
        yield from _enclosed(number, enclosure)
    yield _rule()
    yield said(
        "Everything here is also in report.json, for programs, and in report.html, which any "
        "browser shows in every script. Letters that this type lacks are printed as their numbers, "
        "such as {U+0635}. README.txt says how to open and check the package.",
        "note",
    )


def _enclosed(number: int, enclosure: Enclosure) -> Iterator[Flowable]:
    yield said(f"{number}. {enclosure.name or '(no name was given)'}", "name")
    yield from _listed(facts_of_file(enclosure))


def _listed(said_lines: Sequence[Line]) -> Iterator[Flowable]:
    # A table for each line: a table measures all that it holds, and a report may have thousands.
    for line in said_lines:
        label = line.label
        for each in line.value.splitlines() or [""]:
            yield pairs([(label, each)], left=_LEFT)
            label = ""


def _rule() -> Flowable:
    return HRFlowable("100%", 0.4, color=LINE, spaceBefore=2 * mm, spaceAfter=2 * mm)
