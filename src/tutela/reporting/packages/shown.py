"""The report as one page for a browser, which knows how every script is written.

It needs nothing but itself: no script, no picture, no address is fetched. Marks that change the
direction of text are shown as their numbers, and each value keeps its own direction, so that none
makes another one look like what it is not.
"""

import unicodedata
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from tutela.reporting.packages.model import Letter
from tutela.reporting.packages.wording import facts, facts_of_file, not_real, sections

# They join or part the letters of scripts that are written joined, and do nothing elsewhere.
_JOINERS = "\u200c\u200d"


def shown(letter: Letter) -> bytes:
    """The report as HTML, in UTF-8."""
    page = _template().render(
        letter=letter,
        facts=facts(letter),
        warnings=[each for each in (not_real(letter), letter.repetition) if each],
        sections=list(sections(letter.content)),
        files=[(each, facts_of_file(each)) for each in letter.enclosures],
    )
    return page.encode()


def visible(text: object) -> str:
    """The text with every letter that nobody can see as its number."""
    before = " "
    written = []
    for letter in unicodedata.normalize("NFC", str(text)):
        written.append(letter if _can_be_seen(letter, before) else f"{{U+{ord(letter):04X}}}")
        before = letter
    return "".join(written)


def _can_be_seen(letter: str, before: str) -> bool:
    if letter in _JOINERS:
        return unicodedata.bidirectional(before) == "AL" or unicodedata.combining(before) == 9
    category = unicodedata.category(letter)
    return letter in " \n" or category[0] not in "CZ"


@cache
def _template() -> Template:
    pages = Environment(
        loader=PackageLoader("tutela.reporting.packages", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["visible"] = visible
    return pages.get_template("report.html.jinja")
