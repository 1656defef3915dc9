"""Streams become batches of bounded size, with each entry number once."""

from itertools import count, islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.matching.brute_force import entry
from tutela.fingerprints.model import Kind
from tutela.matching.building import read_batches


@given(numbers=st.lists(st.integers(0, 20), max_size=60), rows=st.integers(1, 25))
def test_of_a_number_given_twice_in_a_batch_the_last_counts(numbers: list[int], rows: int) -> None:
    stream = [
        entry(number, Kind.MD5, place.to_bytes(16), hash_list=place)
        for place, number in enumerate(numbers)
    ]
    batches = list(read_batches(iter(stream), rows))
    read = {}
    for batch in batches:
        assert 1 <= len(batch.entries) < 2 * rows
        assert (np.diff(batch.entries) > 0).all()
        for number, hash_list, value in zip(
            batch.entries.tolist(), batch.hash_lists.tolist(), batch.values, strict=True
        ):
            read[number] = hash_list, bytes(value[:16])
    assert read == {each.entry: (each.hash_list, each.value) for each in stream}


def test_a_stream_is_read_no_further_than_the_batch_needs() -> None:
    endless = (entry(number, Kind.MD5, bytes(16)) for number in count())
    sizes = [len(batch.entries) for batch in islice(read_batches(endless, 100), 3)]
    assert sizes == [100, 100, 100]
    assert next(endless).entry == 300
