"""The report on paper, for people. It shows no picture and nothing of any file's content."""

from collections.abc import Iterator, Sequence

from reportlab.lib.units import mm
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    HRFlowable,
    Spacer,
)

from tutela.evidence.disclosure.typesetting import (
    LINE,
    bound,
    pairs,
    said,
)
from tutela.reporting.packages.model import Enclosure, Letter
from tutela.reporting.packages.wording import Line, facts, facts_of_file, not_real, sections

_LEFT = 48 * mm


def printed(letter: Letter) -> bytes:
    """The report as a PDF."""
    return bound(
        _sheet(letter),
        title=letter.title,
        author=letter.organisation or "Tutela",
        subject="Report to an authority",
        top="Confidential report",
        foot=f"{letter.title}, {letter.message}",
    )


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
