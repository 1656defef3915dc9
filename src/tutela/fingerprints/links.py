"""What an address is looked up by in lists of addresses, and what such lists keep.

Lists keep no address, only SHA-256 digests of expressions: an address, one with all that lie below
it, or a host with all below it. A handful of digests is made of an address that is looked up, so
that it takes the same time however long a list is. See ``docs/links.md``.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.fingerprints.urls import Url, read_url

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

MOST_STEPS = 64
"""So many steps down a path, and behind it through a query, an entry for all below it may have."""


def expressions(url: Url) -> Iterator[Fingerprint]:
    """All that a list may have of an address, the narrowest first."""
    for form in dict.fromkeys((_form(url), _host(url) + url.path)):
        yield _digest(Kind.URL, form)
    for form in reversed(_above(url)):
        yield _digest(Kind.URL_PREFIX, form)
    for host in _hosts(url):
        yield _digest(Kind.DOMAIN, host)


def entry_for(kind: Kind, text: str) -> Fingerprint:
    """What a list keeps of an address.

    Args:
        kind: How far the entry reaches: ``URL``, ``URL_PREFIX`` or ``DOMAIN``.
        text: The address. For a domain the host alone will do, also with ``*.`` before it.

    Raises:
        InvalidInputError: It is none, or an entry cannot reach as far as it says.
    """
    if kind is Kind.DOMAIN:
        return _digest(kind, _domain(text))
    url = read_url(text)
    _check_host(url)
    if kind is Kind.URL:
        return _digest(kind, _form(url))
    steps = _above(url, most=MOST_STEPS + 1)
    if len(steps) > MOST_STEPS:
        raise InvalidInputError(
            "an entry for all that lies below an address has at most {most} steps: shorten it",
            most=MOST_STEPS,
        )
    return _digest(kind, steps[-1])


def _domain(text: str) -> str:
    url = read_url(text.strip().removeprefix("*.").removeprefix("."))
    if url.path != "/" or url.query:
        raise InvalidInputError(
            "a domain is a host alone: for what lies below an address use the kind url_prefix"
        )
    _check_host(url)
    if url.address is None and _suffixes().is_public(url.host):
        raise InvalidInputError(
            "anybody may have a name below this host: list those hosts below it that are meant"
        )
    return url.host


@cache
def _suffixes() -> "PublicSuffixList":
    """The hosts below which anybody may have a name, as browsers know them (publicsuffix.org)."""
    # Only where a domain is listed: it is some ten thousand lines long.
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    # What it does not have yet is nobody's suffix by that.
    return PublicSuffixList(accept_unknown=False)


def _check_host(url: Url) -> None:
    # A list that named a whole country's names, or a machine of one's own, would be a mistake.
    if "." not in url.host and url.address is None:
        raise InvalidInputError("the host of a listed address has at least one dot in it")


def _form(url: Url) -> str:
    return f"{_host(url)}{url.path}{url.query and '?' + url.query}"


def _host(url: Url) -> str:
    """The host, whether or not ``www.`` was written before it."""
    bare = url.host.removeprefix("www.")
    return bare if "." in bare else url.host


def _above(url: Url, most: int = MOST_STEPS) -> list[str]:
    """The address in all lengths, from its host to the whole of it, as far as entries reach."""
    host = _host(url)
    forms = [host]
    for segment in url.path.rstrip("/").split("/")[1:]:
        if len(forms) >= most:
            return forms
        forms.append(f"{forms[-1]}/{segment}")
    if url.query:
        query = host + url.path + "?"
        for number, part in enumerate(url.query.split("&")):
            if len(forms) >= most:
                return forms
            query += ("&" if number else "") + part
            forms.append(query)
    return forms


def _hosts(url: Url) -> Iterator[str]:
    yield url.host
    if url.address is None:
        labels = url.host.split(".")
        yield from (".".join(labels[at:]) for at in range(1, len(labels) - 1))


def _digest(kind: Kind, form: str) -> Fingerprint:
    return Fingerprint(kind, hashlib.sha256(form.encode("ascii")).digest())
