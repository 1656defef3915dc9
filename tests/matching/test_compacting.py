"""Large segments are merged while others read and write, and no change is lost meanwhile."""

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.matching.brute_force import BruteForce, asking, some_entries
from tutela.matching.compacting import compact
from tutela.matching.index import Index

COMPACTS_UNTIL_KILLED = """
import sys
from pathlib import Path
from tutela.matching.compacting import compact
print("ready", flush=True)
while True:
    compact(Path(sys.argv[1]))
"""


@pytest.fixture
def index(tmp_path: Path):
    """An index whose changes leave all merging to be done later."""
    with Index.open(tmp_path / "index", merged_at_once=1) as opened:
        yield opened


def segments(index: Index) -> int:
    return len(list(index.folder.glob("*.segment")))


def assert_holds(index: Index, expected: BruteForce, numbers: range) -> None:
    asked = [asking(each) for each in some_entries(len(numbers), first=numbers.start)]
    assert index.look_up_many(asked, 0) == [expected.look_up(query, 0) for query in asked]
    assert len(index) == len(expected.live)
    index.verify()


def test_many_segments_become_few_and_hold_the_same(index: Index) -> None:
    expected = BruteForce()
    for revision in range(1, 31):
        added, gone = some_entries(20, first=20 * revision), range(20 * revision, 20 * revision + 3)
        index.update(added, gone, revision=revision)
        expected.update(added, gone)
    assert segments(index) == 30
    assert index.compact() == 1
    assert segments(index) == 1
    assert index.compact() == 0
    assert_holds(index, expected, range(700))
    assert not (index.folder / "segment.new").exists()


def test_what_changes_while_a_merge_is_under_way_counts_afterwards(index: Index) -> None:
    expected = BruteForce()
    chance = random.Random(7)
    revision = 0

    def change() -> None:
        nonlocal revision
        revision += 1
        first = chance.randrange(0, 900)
        added = some_entries(60, seed=revision % 3, first=first)
        gone = chance.sample(range(1000), 20)
        index.update(added, gone, revision=revision)
        expected.update(added, gone)

    ended = threading.Event()
    merges = 0

    def merge() -> None:
        nonlocal merges
        while not ended.is_set():
            merges += compact(index.folder)

    for _ in range(20):
        change()
    thread = threading.Thread(target=merge)
    thread.start()
    try:
        for _ in range(150):
            change()
    finally:
        ended.set()
        thread.join()
    assert merges >= 1
    index.compact()
    assert segments(index) <= 4
    asked = [asking(each) for seed in range(3) for each in some_entries(1000, seed=seed)]
    assert index.look_up_many(asked, 0) == [expected.look_up(query, 0) for query in asked]
    index.verify()


def test_whoever_is_killed_while_merging_leaves_a_whole_index(index: Index) -> None:
    expected = BruteForce()
    chance = random.Random(9)
    revision = 0
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", COMPACTS_UNTIL_KILLED, str(index.folder)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout
            process.stdout.readline()
            until = time.monotonic() + chance.uniform(0, 0.15)
            while time.monotonic() < until or not revision:
                revision += 1
                added = some_entries(10, first=10 * revision)
                index.update(added, [10 * revision - 4], revision=revision)
                expected.update(added, [10 * revision - 4])
            process.kill()
        index.refresh()
        assert_holds(index, expected, range(10 * revision + 20))
    index.compact()
    assert_holds(index, expected, range(10 * revision + 20))
    assert sorted(path.suffix for path in index.folder.iterdir() if path.suffix) == [
        ".lock",
        *[".segment"] * segments(index),
        *[".withdrawn"] * len(list(index.folder.glob("*.withdrawn"))),
    ]
