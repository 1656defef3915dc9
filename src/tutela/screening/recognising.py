"""Seeing whether lists have what a person opens a case about in words."""

from collections.abc import Sequence
from dataclasses import replace

from tutela.cases.by_hand import Given
from tutela.cases.model import ItemKind
from tutela.errors import InvalidInputError
from tutela.screening.model import Known
from tutela.screening.screening import Screener
from tutela.screening.words import known_of_text, known_of_url


def recognised(screener: Screener, given: Sequence[Given]) -> list[Given]:
    """Addresses and texts, each with what it matches.

    What cannot be looked up, such as an address that is none of the web, matches nothing.

    Raises:
        StorageError: The database fails.
    """
    known = [_known(each) for each in given]
    matches = screener.matches_of(known, screener.look_up(known))
    return [replace(each, matches=found) for each, found in zip(given, matches, strict=True)]


def _known(given: Given) -> Known:
    words = b"".join(given.content()).decode("utf-8", "replace")
    try:
        return known_of_url(words) if given.kind is ItemKind.URL else known_of_text(words)
    except InvalidInputError:
        return Known(given.fingerprints)
