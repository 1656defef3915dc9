"""People read every word of a report, in every script, on paper or in a browser."""

import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from tests.reporting.packages.letters import (
    ARABIC,
    CHINESE,
    MESSAGE,
    RUSSIAN,
    enclosure,
    letter,
)
from tests.requirements import missing
from tutela.evidence.disclosure.typesetting import fonts, second_font
from tutela.reporting.packages.model import Letter
from tutela.reporting.packages.printed import printed
from tutela.reporting.packages.shown import shown, visible
from tutela.reporting.packages.wording import sections

JOINERS = "\u200c\u200d"


def paper(made: Letter) -> str:
    pages = PdfReader(io.BytesIO(printed(made))).pages
    return "\n".join(page.extract_text() for page in pages)


def said(made: Letter) -> dict[str, str]:
    return {
        f"{section.title}: {line.label}": line.value
        for section in sections(made.content)
        for line in section.lines
    }


def test_every_field_that_is_filled_is_said_in_words() -> None:
    assert said(letter()) == {
        "Report: Additional info": f"{RUSSIAN}. exe.\u202egpj",
        "Incident summary: Incident type": "misleading words",
        "Incident summary: Report annotations": "spam",
        "Incident summary: Incident date time": "2026-01-14T23:30:00+02:00",
        "Internet details 1: Web page incident / URLs": "https://forum.example/a?b=<c>&d",
        "Internet details 2: Chat instant messaging incident / Chat client": "Forum chat",
        "Internet details 2: Chat instant messaging incident / Content": "words of the chat\n"
        f"more words: {CHINESE}",
        "Reporter: Reporting person / First name": "Ada",
        "Reporter: Reporting person / Emails / Address": "ada@forum.example",
        "Reporter: Reporting person / Emails / Type": "work",
        "Person or user reported: Screen name": f"user <b>17</b> {ARABIC}",
        "Person or user reported: IP capture events 1 / IP address": "192.0.2.1",
        "Person or user reported: IP capture events 1 / Event name": "upload",
        "Person or user reported: IP capture events 1 / Possible proxy": "no",
        "Person or user reported: IP capture events 2 / IP address": "2001:db8::1",
    }


def test_the_paper_has_it_all() -> None:
    text = paper(letter())
    for expected in (
        *("Report 7", "State Police of Example", "Example Forum Ltd", MESSAGE, "Copy"),
        *("misleading words", "words of the chat", "ada@forum.example", "192.0.2.1", "no"),
        *("landscape.png", "11 bytes", "media/" + "a" * 26 + ".bin", "B2"),
        *("user <b>17</b>", "exe.{U+202E}gpj", "a?b=<c>&d"),
    ):
        assert expected in text, expected
    if fonts()[0] == "DejaVuSans":
        assert RUSSIAN in text
    # What would have to be joined and run the other way is told by its numbers, never wrongly.
    assert "{U+0645}{U+0644}" in text


def test_the_paper_has_chinese_where_the_machine_has_its_type() -> None:
    if second_font() is None:
        missing("a type of eastern Asia", "install it with: apt-get install fonts-droid-fallback")
    assert f"more words: {CHINESE}" in paper(letter())


def test_the_page_has_every_script_and_no_trick() -> None:
    page = shown(letter()).decode()
    for expected in (ARABIC, CHINESE, RUSSIAN, "exe.{U+202E}gpj", "&lt;b&gt;17&lt;/b&gt;"):
        assert expected in page, expected
    assert "<b>17" not in page
    assert "default-src 'none'" in page
    for forbidden in ("<script", "<img", "<link", "<a ", "src=", "href="):
        assert forbidden not in page, forbidden


@pytest.mark.parametrize("copies", [0, 2])
def test_the_paper_says_which_copy_it_is(copies: int) -> None:
    text = " ".join(paper(letter(earlier=(MESSAGE,) * copies)).split())
    assert ("It is not known whether an earlier copy" in text) == bool(copies)
    assert f"Copy {copies + 1}" in text


@pytest.mark.parametrize(
    "words",
    ["x" * 3000, "a/" * 1500, "\n" * 500, "北" * 3000, "x\u0300" * 1000, "\U0001f600\u200d" * 50],
)
def test_any_words_fit_on_the_paper_and_the_page(words: str) -> None:
    made = letter(enclosure(name=words), authority=words)
    assert printed(made).startswith(b"%PDF-")
    assert shown(made)


@settings(max_examples=15)
@given(st.text(max_size=300))
def test_no_words_break_it(words: str) -> None:
    made = letter(organisation=words, authority=words)
    assert printed(made).startswith(b"%PDF-")
    hidden = {each for each in shown(made).decode() if unicodedata.category(each)[0] == "C"}
    assert hidden <= {"\n", *JOINERS}


@given(st.text())
def test_what_is_shown_hides_nothing(words: str) -> None:
    for letter_shown in visible(words):
        assert letter_shown in ("\n", *JOINERS) or letter_shown.isprintable()


def test_joiners_stay_where_they_join_and_show_elsewhere() -> None:
    assert visible("می\u200cروم क्\u200dष") == "می\u200cروم क्\u200dष"
    assert visible("a\u200cb") == "a{U+200C}b"
