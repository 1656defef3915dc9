"""The same words are known again however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.errors import InvalidInputError
from tutela.fingerprints.texts import LONGEST_TEXT, normal_text, text_digest


@pytest.mark.parametrize(
    "text",
    [
        "An excerpt, with words.",
        "  an EXCERPT,\r\n\twith\u00a0 words.\n",
        "An ex\u200bcerpt,\ufeff with wo\u00adrds\u2060.",
        "\uff21\uff4e excerpt, \uff57\uff49\uff54\uff48 words\uff0e",
        "An excerpt, with wor\ufe0fds.",
        "\u202eAn excerpt, with words.\u202c",
        "An excerpt,\x00with\x1fwords.",
    ],
)
def test_case_width_space_and_what_is_not_seen_do_not_matter(text: str) -> None:
    assert normal_text(text) == "an excerpt, with words."


def test_letters_that_are_composed_in_two_ways_are_one() -> None:
    assert text_digest("Stra\u00dfe caf\u00e9 \ufb01ne") == text_digest("STRASSE cafe\u0301 FINE")


def test_other_words_and_other_marks_are_other_texts() -> None:
    digests = {text_digest(text).value for text in ("some words", "some word", "some, words")}
    assert len(digests) == 3


@given(st.text(max_size=40))
def test_the_form_has_itself_as_its_form(text: str) -> None:
    assert normal_text(normal_text(text)) == normal_text(text)
    assert normal_text(f" {text.upper().lower()}") == normal_text(text.upper().lower() + "\n")


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u00ad", "a" * (LONGEST_TEXT + 1)])
def test_no_words_and_too_many_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        text_digest(text)
