"""Hits are a sequence like any other, in order, however many there are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.matching.brute_force import HELD
from tutela.fingerprints.model import Kind
from tutela.matching.hits import NO_HITS, Found, Hits
from tutela.matching.model import Hit
from tutela.matching.segment import Block

HITS = st.builds(
    Hit,
    distance=st.integers(0, 5),
    hash_list=st.integers(1, 4),
    entry=st.integers(0, 10**12),
    kind=st.sampled_from(HELD),
)


def hits_of(some: list[Hit]) -> Hits:
    found: list[Found] = []
    for kind in {hit.kind for hit in some}:
        part = [hit for hit in some if hit.kind is kind]
        block = Block(
            kind,
            first_row=0,
            values=(),
            entries=np.array([hit.entry for hit in part], np.uint64),
            lowest=0,
            hash_lists=np.array([hit.hash_list for hit in part], np.uint8),
            tables=None,
            layout=None,
        )
        # The kernel's only hit of a kind comes as a tuple.
        rows = np.arange(len(part)) if len(part) > 1 else (0,)
        found.append((0, block, rows, np.array([hit.distance for hit in part], np.uint16)))
    return Hits.of(found) if found else NO_HITS


@given(some=st.lists(HITS, max_size=400, unique_by=lambda hit: (hit.entry, hit.kind)))
def test_hits_are_in_order_and_can_be_taken_as_from_any_sequence(some: list[Hit]) -> None:
    hits = hits_of(some)
    expected = sorted(some, key=lambda hit: (hit.distance, hit.hash_list, hit.entry))
    got = list(hits)
    assert [(hit.distance, hit.hash_list, hit.entry) for hit in got] == [
        (hit.distance, hit.hash_list, hit.entry) for hit in expected
    ]
    assert set(got) == set(some)
    assert len(hits) == len(some)
    assert bool(hits) is bool(some)
    assert hits == got
    assert hits.pairs() == {(hit.hash_list, hit.kind) for hit in some}
    assert hits[1:3] == got[1:3]
    for place in (0, -1, len(some) // 2):
        if some:
            assert hits[place] == got[place]
    with pytest.raises(IndexError):
        hits[len(some)]


def test_one_hit_of_a_digest_beside_many_of_pdq_is_among_them() -> None:
    many = [Hit(1, 2, number, Kind.PDQ) for number in range(100)]
    one = Hit(0, 1, 7, Kind.MD5)
    assert list(hits_of([*many, one])) == [one, *many]
