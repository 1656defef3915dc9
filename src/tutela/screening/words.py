"""What is known of an address or a text that is to be judged: no file, but words."""

from dataclasses import replace

from tutela.cases.model import ItemKind
from tutela.evidence.model import Content
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.links import expressions
from tutela.fingerprints.model import FingerprintSet, Unreadable
from tutela.fingerprints.texts import text_digest
from tutela.fingerprints.urls import Url, read_url
from tutela.screening.model import Failure, Known


def known_of_url(text: str) -> Known:
    """What an address is looked up by.

    Raises:
        InvalidInputError: It is no address of the web.
    """
    return known_of_read_url(text, read_url(text))


def known_of_read_url(text: str, url: Url) -> Known:
    """The same of an address that was taken apart already."""
    return Known(fingerprints_of(text), listed_as=tuple(expressions(url)), words=ItemKind.URL)


def known_of_text(text: str) -> Known:
    """What a text is looked up by: in the form in which texts are compared, and bit by bit.

    Raises:
        InvalidInputError: There are no words in it, or too many.
    """
    return Known(fingerprints_of(text), listed_as=(text_digest(text),), words=ItemKind.TEXT)


def known_not_fetched(text: str, reason: str) -> Known:
    """That what is at an address is not known, and why.

    Whatever the reason, to policy and counters its bytes could not be read: what is said there of
    files that are too large, say, is said of files that were looked at.
    """
    failures = (Failure(Unreadable.NOT_READ, reason),)
    # How long the address is says nothing of what is there.
    fingerprints = replace(fingerprints_of(text), size=None)
    return Known(fingerprints, failures=failures, words=ItemKind.URL)


def content_of(text: str) -> Content:
    """What is sealed of an address or a text with a case."""
    return lambda: [_sealed_as(text)]


def fingerprints_of(text: str) -> FingerprintSet:
    """The digests of what is kept of an address or a text."""
    return FingerprintSet.of(digests_of(_sealed_as(text)))


def _sealed_as(text: str) -> bytes:
    return text.encode("utf-8", "replace")
