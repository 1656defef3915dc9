"""What is listed of an address is found by all addresses that it reaches, and by no others."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.errors import InvalidInputError
from tutela.fingerprints.links import MOST_STEPS, entry_for, expressions
from tutela.fingerprints.model import Kind
from tutela.fingerprints.urls import read_url

EXACT, BELOW, DOMAIN = Kind.URL, Kind.URL_PREFIX, Kind.DOMAIN


def finds(kind: Kind, listed: str, text: str) -> bool:
    return entry_for(kind, listed) in list(expressions(read_url(text)))


@pytest.mark.parametrize(
    ("kind", "listed", "text", "found"),
    [
        (EXACT, "https://example.org/a.jpg", "http://www.example.org/a.jpg#x", True),
        (EXACT, "https://www.example.org/a.jpg", "https://example.org/a.jpg", True),
        (EXACT, "https://example.org/a.jpg", "https://example.org/a.jpg?again=1", True),
        (EXACT, "https://example.org/a?b=1", "https://example.org/a?b=1", True),
        (EXACT, "https://example.org/a?b=1", "https://example.org/a?b=2", False),
        (EXACT, "https://example.org/a?b=1", "https://example.org/a", False),
        (EXACT, "https://example.org/a", "https://example.org/a/b", False),
        (EXACT, "https://example.org/a", "https://img.example.org/a", False),
        (EXACT, "https://example.org/A", "https://example.org/a", False),
        (BELOW, "https://example.org/a", "https://example.org/a", True),
        (BELOW, "https://example.org/a/", "https://www.example.org/a", True),
        (BELOW, "https://example.org/a", "https://example.org/a/b/c?d", True),
        (BELOW, "https://example.org/a", "https://example.org/a?d", True),
        (BELOW, "https://example.org/a", "https://example.org/ab", False),
        (BELOW, "https://example.org/a", "https://example.org/", False),
        (BELOW, "https://example.org/", "https://example.org/a", True),
        (BELOW, "https://example.org/", "https://img.example.org/a", False),
        (BELOW, "https://example.org/t?id=5", "https://example.org/t?id=5&page=2", True),
        (BELOW, "https://example.org/t?id=5", "https://example.org/t?id=55", False),
        (BELOW, "https://example.org/t?id=5", "https://example.org/t?page=2&id=5", False),
        (BELOW, "https://example.org/t/?id=5", "https://example.org/t/?id=5&x", True),
        (DOMAIN, "example.org", "https://example.org/a", True),
        (DOMAIN, "*.example.org", "https://a.b.example.org:8443/c", True),
        (DOMAIN, "https://Example.ORG/", "http://x.example.org", True),
        (DOMAIN, "www.example.org", "https://example.org/", False),
        (DOMAIN, "example.org", "https://badexample.org/", False),
        (DOMAIN, "münchen.example", "https://a.xn--mnchen-3ya.example/", True),
        (DOMAIN, "192.0.2.7", "http://3221225991/x", True),
        (DOMAIN, "192.0.2.7", "http://1.192.0.2.7.example/", False),
        (DOMAIN, "[2001:db8::1]", "http://[2001:db8:0::1]/x", True),
    ],
)
def test_an_entry_reaches_as_far_as_its_kind_says(
    kind: Kind, listed: str, text: str, found: bool
) -> None:
    assert finds(kind, listed, text) is found


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        (DOMAIN, "https://example.org/a"),
        (DOMAIN, "https://example.org/?a"),
        (DOMAIN, "org"),
        (DOMAIN, "co.uk"),
        (DOMAIN, "*.github.io"),
        (DOMAIN, "個人.香港"),
        (DOMAIN, "xn--mxtq1m.xn--j6w193g"),
        (EXACT, "http://localhost/a"),
        (BELOW, "https://example.org" + "/a" * MOST_STEPS),
    ],
)
def test_an_entry_that_would_reach_further_than_is_meant_is_refused(
    kind: Kind, listed: str
) -> None:
    with pytest.raises(InvalidInputError):
        entry_for(kind, listed)


@pytest.mark.parametrize("listed", ["example.co.uk", "user.github.io", "host.example"])
def test_a_host_that_somebody_has_may_be_listed_whole(listed: str) -> None:
    assert finds(DOMAIN, listed, f"https://img.{listed}/a")


def test_a_digest_is_the_sha256_of_the_form_so_that_others_can_make_it() -> None:
    expected = hashlib.sha256(b"example.org/a?b=1").digest()
    assert entry_for(EXACT, "HTTPS://www.example.org//a?b=1#c").value == expected


def test_however_long_an_address_is_a_bounded_number_of_digests_is_looked_up() -> None:
    deepest = "https://example.org" + "/a" * (MOST_STEPS - 1)
    text = f"https://{'a.' * 100}example.org{'/a' * 1000}?{'&b' * 1000}"
    looked_up = list(expressions(read_url(text)))
    assert len(looked_up) < 2 + MOST_STEPS + 127
    assert finds(BELOW, deepest, f"{deepest}/b/c?d")


names = st.lists(st.sampled_from(["a", "b", "x.y", "%20", "é"]), max_size=4)


@given(names, names, st.sampled_from(["", "?p=1", "?p=1&q=2"]))
def test_whatever_lies_below_is_found_and_nothing_beside_it(
    above: list[str], below: list[str], query: str
) -> None:
    listed = "https://example.org/" + "/".join(above)
    assert finds(BELOW, listed, "/".join([listed.rstrip("/"), *below]) + query)
    assert not finds(BELOW, listed + "/z", listed + query)
