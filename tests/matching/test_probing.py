"""Every variant of the kernel, and NumPy without it, answers as the reference does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.matching.hard_lists import hard_list, hard_queries
from tutela.fingerprints.model import Kind
from tutela.kernel.library import Variant, variant, variants
from tutela.matching.building import Batch
from tutela.matching.index import Index
from tutela.matching.model import Query
from tutela.matching.probing import find_members
from tutela.matching.scanning import scan
from tutela.matching.tables import in_order, layout_for, sorted_order

DISTANCES = (0, 1, 7, 15, 16, 30, 31, 32, 40, 63, 64, 65, 128)

ANSWERS = """
import sys
from pathlib import Path
from tests.matching.test_probing import DISTANCES, answers
from tutela.matching.index import Index
with Index.open(Path(sys.argv[1])) as index:
    for distance in DISTANCES:
        print(answers(index, distance))
"""


def filled(folder: Path, values: npt.NDArray[np.uint8], withdrawn: range) -> Index:
    index = Index.open(folder)
    rows = len(values)
    kinds = np.full(rows, list(Kind).index(Kind.PDQ), np.int8)
    batch = Batch(kinds, values, np.arange(rows), np.ones(rows, np.int64))
    with index.writing() as writer:
        writer.update([batch], withdrawn, revision=1)
    return index


def answers(index: Index, distance: int) -> int:
    """All that is found for the hard queries, in one number."""
    queries = [Query(pdq=query.tobytes()) for query in hard_queries()]
    found = index.look_up_many(queries, distance)
    return hash(tuple(tuple((hit.distance, hit.entry) for hit in hits) for hits in found))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of everything that is hard for tables, with every fiftieth entry withdrawn."""
    folder = tmp_path_factory.mktemp("hard") / "index"
    filled(folder, hard_list(), range(0, len(hard_list()), 50)).close()
    return folder


@pytest.fixture(scope="module")
def expected(folder: Path) -> list[int]:
    queries = hard_queries()
    told = []
    with Index.open(folder) as index:
        for distance in DISTANCES:
            found: list[list[tuple[int, int]]] = [[] for _ in queries]
            segments = index._current.segments
            for place, block, rows, distances in scan(segments, Kind.PDQ, queries, distance):
                entries = block.entries_of(rows).tolist()
                found[place] += zip(distances.tolist(), entries, strict=True)
            told.append(hash(tuple(tuple(sorted(hits)) for hits in found)))
    return told


@pytest.mark.parametrize("kernel", variants())
def test_every_variant_finds_what_looking_at_all_finds(
    kernel: Variant, folder: Path, expected: list[int]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS, str(folder)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TUTELA_KERNEL": kernel},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [int(line) for line in done.stdout.splitlines()] == expected


@pytest.mark.skipif(variant() is Variant.NUMPY, reason="there is no kernel")
def test_a_large_segment_has_tables_and_equal_hashes_are_in_them_once(folder: Path) -> None:
    with Index.open(folder) as index:
        (segment,) = index._current.segments
        (block,) = segment.blocks
        assert block.layout
        assert block.layout.rows == len(np.unique(hard_list(), axis=0))


@pytest.mark.skipif(variant() is Variant.NUMPY, reason="there is no kernel")
@pytest.mark.parametrize("offset", [0x7FFF_FFFF, 6000])
def test_where_a_table_names_places_that_it_has_not_all_rows_are_read(
    offset: int, tmp_path: Path
) -> None:
    values = np.random.default_rng(4).integers(0, 256, (5000, 32), dtype=np.uint8)
    with filled(tmp_path / "index", values, range(0)) as index:
        (segment,) = index._current.segments
        (block,) = segment.blocks
        assert block.tables is not None
        assert block.layout is not None
        begin = block.tables.ctypes.data - np.frombuffer(segment.mapping, np.uint8).ctypes.data
        size, offsets = block.layout.size, (1 << block.layout.bits) + 1
        path = tmp_path / "index" / segment.record.file_name
    with path.open("r+b") as file:
        for table in range(16):
            file.seek(begin + table * size)
            file.write(np.full(offsets, offset, "<u4").tobytes())
    with Index.open(tmp_path / "index") as index:
        for row in range(0, 5000, 1000):
            (hit,) = index.look_up(Query(pdq=values[row].tobytes()), 31)
            assert hit.entry == row


@settings(max_examples=20, deadline=None)
@given(
    rows=st.integers(0, 3000),
    different=st.integers(1, 3000),
    common=st.integers(0, 31),
    seed=st.integers(0, 2**32 - 1),
)
def test_hashes_are_sorted_by_their_bytes_and_equal_ones_stay_in_order(
    rows: int, different: int, common: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    values = chance.integers(0, 256, (different, 32), dtype=np.uint8)
    values[:, :common] = 7
    values = values[chance.integers(0, different, rows)]
    order = sorted_order(values)
    assert order.tolist() == sorted(range(rows), key=lambda row: (values[row].tobytes(), row))
    assert (in_order(values, order) == values[order]).all()


@given(
    numbers=st.lists(st.integers(0, 70_000)),
    wanted=st.sets(st.integers(0, 70_000) | st.integers(2**32 - 3, 2**32 - 1)),
)
def test_members_are_found_wherever_they_stand(numbers: list[int], wanted: set[int]) -> None:
    for kind in (np.uint32, np.uint64):
        places = find_members(np.array(numbers, kind), np.array(sorted(wanted), kind))
        assert places.tolist() == [at for at, each in enumerate(numbers) if each in wanted]


def test_few_hashes_get_no_tables() -> None:
    assert layout_for(np.zeros((100, 32), np.uint8)) is None


@pytest.mark.parametrize("kind", [Kind.MD5, Kind.SHA1, Kind.SHA256])
def test_digests_are_found_where_they_crowd(kind: Kind, tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    values = np.zeros((6000, 32), np.uint8)
    values[:, : kind.width] = chance.integers(0, 256, (6000, kind.width), dtype=np.uint8)
    # A third begins alike, a third is at one end, and one value is there many times.
    values[:2000, :8] = 9
    values[2000:4000, :7] = 0
    values[4000:4100] = values[4000]
    kinds = np.full(6000, list(Kind).index(kind), np.int8)
    batch = Batch(kinds, values, np.arange(6000), np.ones(6000, np.int64))
    by_value: dict[bytes, list[int]] = {}
    for number, value in enumerate(values):
        by_value.setdefault(value[: kind.width].tobytes(), []).append(number)
    with Index.open(tmp_path / "index") as index:
        with index.writing() as writer:
            writer.update([batch], (), revision=1)
        for value, numbers in list(by_value.items())[::7]:
            assert [hit.entry for hit in index.look_up(Query(**{kind.value: value}), 0)] == numbers
            other = value[:-1] + bytes([value[-1] ^ 1])
            found = index.look_up(Query(**{kind.value: other}), 0)
            assert [hit.entry for hit in found] == by_value.get(other, [])
