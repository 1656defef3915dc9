"""An entry's bytes say what it says, in one way only."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.ledger.encoding import commitment, leaf, leaves, microseconds, moment

_TEXTS = st.none() | st.text(max_size=8) | st.sampled_from(["],[", '"', "\\", "null", "é\0\ud800"])
_ENTRIES = st.tuples(st.integers(0, 2**62), st.integers(-(2**62), 2**62), *[_TEXTS] * 7, _TEXTS)


@given(_ENTRIES, _ENTRIES)
def test_two_entries_have_the_same_bytes_only_if_they_are_the_same(one, other) -> None:
    assert (leaf("o", one) == leaf("o", other)) == (one == other)
    assert leaf("o", one) != leaf("p", one)


@given(_ENTRIES)
def test_a_json_library_reads_an_entry_back(entry) -> None:
    said = leaf("o", entry)
    assert said.isascii()
    assert json.loads(said) == ["o", *entry]


@given(st.text(max_size=5), st.lists(_ENTRIES, max_size=6))
def test_many_at_once_have_the_bytes_of_each(origin, entries) -> None:
    assert leaves(origin, entries) == [leaf(origin, entry) for entry in entries]


@pytest.mark.parametrize("value", [b"x", object(), {1}])
def test_what_no_entry_holds_is_refused(value) -> None:
    with pytest.raises(TypeError):
        leaf("o", (value,))


def test_a_commitment_is_hmac_sha_256() -> None:
    # RFC 4231, section 4.3 (test case 2), with a shorter key than ours.
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert commitment(b"Jefe", "what do ya want for nothing?").hex() == expected


@given(st.datetimes(timezones=st.just(moment(0).tzinfo)))
def test_a_moment_is_kept_to_the_microsecond(at) -> None:
    assert moment(microseconds(at)) == at
