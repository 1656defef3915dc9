"""However an index came to be, it consists of few segments, and what is withdrawn goes."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.matching.brute_force import asking, entry, some_entries
from tutela.fingerprints.model import Kind
from tutela.matching.durable import DamagedIndexError
from tutela.matching.index import Index
from tutela.matching.merging import choose_merge


class Sized:
    """As much of a segment as choosing looks at."""

    def __init__(self, live: int, withdrawn: int = 0) -> None:
        self.live, self.withdrawn = live, range(withdrawn)


@given(
    sizes=st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 5000)), max_size=60),
    largest=st.integers(1, 20_000),
)
def test_merging_ends_and_leaves_few_segments(sizes: list[tuple[int, int]], largest: int) -> None:
    segments = [Sized(*size) for size in sizes]
    merges = 0
    while chosen := choose_merge(segments, largest):
        total = sum(segment.live for segment in chosen)
        assert len(chosen) == 1 or total <= largest
        segments = [each for each in segments if each not in chosen] + [Sized(total)]
        merges += 1
    assert merges <= 2 * len(sizes)
    assert sum(segment.live for segment in segments) == sum(live for live, _ in sizes)
    ascending = sorted(segment.live for segment in segments)
    for place in range(1, len(ascending)):
        smaller = sum(ascending[:place])
        assert ascending[place] > 2 * smaller or smaller + ascending[place] > largest


def test_many_small_updates_leave_few_segments(tmp_path: Path) -> None:
    entries = some_entries(400)
    with Index.open(tmp_path) as index:
        for revision in range(1, 401):
            index.add([entries[revision - 1]], revision=revision)
            # Each is more than twice as large as all smaller ones: 3**5 = 243 < 400 < 3**6.
            assert len(list(tmp_path.glob("*.segment"))) <= 6
        assert all(index.look_up(asking(each), 0)[0].entry == each.entry for each in entries)


def test_withdrawn_rows_are_dropped_and_their_space_given_back(tmp_path: Path) -> None:
    entries = some_entries(4000)
    chance = random.Random(3)
    gone = set(chance.sample(range(4000), 3600))

    def size() -> int:
        return sum(path.stat().st_size for path in tmp_path.glob("0*"))

    with Index.open(tmp_path) as index:
        index.add(entries, revision=1)
        before = size()
        index.withdraw(gone, revision=2)
        assert size() < before / 5
        answers = index.look_up_many([asking(each) for each in entries], 0)
        found = {hit.entry for hits in answers for hit in hits}
        assert found == set(range(4000)) - gone
        index.withdraw(range(4000), revision=3)
        assert (len(index), size()) == (0, 0)


def test_a_digest_block_is_in_order_after_merging(tmp_path: Path) -> None:
    chance = random.Random(4)
    values = [chance.randbytes(20) for _ in range(300)]
    with Index.open(tmp_path) as index:
        for revision, start in enumerate((0, 100, 200), start=1):
            rows = range(start, start + 100)
            index.add((entry(row, Kind.SHA1, values[row]) for row in rows), revision=revision)
        assert len(list(tmp_path.glob("*.segment"))) == 1
        for number, value in enumerate(values):
            hits = index.look_up(asking(entry(0, Kind.SHA1, value)), 0)
            assert [hit.entry for hit in hits] == [number]


def zero(path: Path) -> None:
    """Leave the length as it is and nothing else, as some file systems do after a power cut."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(bytes(size))


def cut(path: Path) -> None:
    """Leave half of the file."""
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [zero, cut])
def test_damage_is_never_merged_into_a_segment_that_looks_sound(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    entries = some_entries(40)
    with Index.open(tmp_path) as index:
        index.add(entries[:20], revision=1)
        (path,) = tmp_path.glob("*.segment")
        damage(path)
        with pytest.raises(DamagedIndexError):
            index.add(entries[20:], revision=2)
        assert path.exists()
        with pytest.raises(DamagedIndexError):
            index.verify()
    with Index.mend(tmp_path) as index:
        assert index.revision == 0
