"""Killed, raced or out of space: the index is the old one or the new one, and whole."""

import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.matching.brute_force import asking, some_entries
from tutela.errors import StorageError
from tutela.matching.building import read_batches
from tutela.matching.index import Index

# Revision r adds the ten entries from 10 r on, and withdraws three that revision r - 1 added.
CHANGES_UNTIL_KILLED = """
import sys
from pathlib import Path
from tests.matching.brute_force import some_entries
from tutela.matching.index import Index
with Index.open(Path(sys.argv[1])) as index:
    print("ready", flush=True)
    for revision in range(index.revision + 1, 100_000):
        withdrawn = range(10 * revision - 10, 10 * revision - 7)
        index.update(some_entries(10, first=10 * revision), withdrawn, revision=revision)
"""

CATCHES_UP = """
import sys
from pathlib import Path
from tests.matching.brute_force import some_entries
from tutela.matching.building import read_batches
from tutela.matching.index import Index
with Index.open(Path(sys.argv[1])) as index:
    for revision in range(1, 31):
        index.add(some_entries(5, first=5 * revision), revision=revision)
    with index.writing() as writer:
        for revision in range(writer.revision + 1, 41):
            writer.update(read_batches(some_entries(5, first=5 * revision)), (), revision=revision)
"""

REFRESHES_WHEN_TOLD = """
import sys
from pathlib import Path
from tutela.matching.index import Index
with Index.open(Path(sys.argv[1])) as index:
    print(index.revision, len(index), flush=True)
    for line in sys.stdin:
        print(index.refresh(), index.revision, len(index), flush=True)
"""


def start(script: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def expected_after(revision: int) -> set[int]:
    added = set(range(10, 10 * revision + 10))
    return added - {10 * r + i for r in range(1, revision) for i in range(3)}


def test_a_writer_killed_at_any_moment_leaves_a_whole_index(tmp_path: Path) -> None:
    chance = random.Random(5)
    folder, reached, killed = tmp_path / "index", 0, 0
    while killed < 12 or reached <= 12:
        killed += 1
        assert killed < 300, "it gets nowhere"
        with start(CHANGES_UNTIL_KILLED, folder) as process:
            process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.1))
            process.kill()
        with Index.open(folder) as index:
            index.verify()
            assert index.revision >= reached
            reached = index.revision
            expected = expected_after(reached)
            assert len(index) == len(expected)
            asked = [each for r in range(reached + 2) for each in some_entries(10, first=10 * r)]
            answers = index.look_up_many([asking(each) for each in asked], 0)
            assert {hit.entry for hits in answers for hit in hits} == expected


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    with Index.open(tmp_path) as index:
        index.add(some_entries(4), revision=1)
        for name in ("0000000099.segment", "0000000100.withdrawn", "manifest.new"):
            (tmp_path / name).write_bytes(b"unfinished")
        assert len(index) == 4
        with index.writing() as writer:
            # Before anything is written: they may be what fills the disk.
            assert len(list(tmp_path.iterdir())) == 3
            writer.update(read_batches(some_entries(4, first=4)), (), revision=2)
        (segment,) = tmp_path.glob("*.segment")
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == sorted(["lock", "manifest", segment.name])


def test_a_creation_cut_short_is_finished_by_the_next_opening(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "manifest.new").write_bytes(b"tutela-in")
    with Index.open(tmp_path) as index:
        assert len(index) == 0


def test_processes_that_catch_up_at_the_same_time_do_it_once(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    processes = [start(CATCHES_UP, folder) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    for process in processes:
        process.communicate()
    with Index.open(folder) as index:
        index.verify()
        assert (len(index), index.revision) == (200, 40)
        answers = index.look_up_many([asking(each) for each in some_entries(200, first=5)], 0)
        assert [[hit.entry for hit in hits] for hits in answers] == [[n] for n in range(5, 205)]


def test_a_reader_in_another_process_sees_an_update_after_refreshing(tmp_path: Path) -> None:
    with Index.open(tmp_path) as index, start(REFRESHES_WHEN_TOLD, tmp_path) as reader:

        def told() -> str:
            reader.stdin.write("refresh\n")
            reader.stdin.flush()
            return reader.stdout.readline().strip()

        assert reader.stdout.readline().strip() == "0 0"
        assert told() == "False 0 0"
        index.add(some_entries(9), revision=1)
        assert told() == "True 1 9"
        index.update(some_entries(3, first=9), range(6), revision=2)
        assert told() == "True 2 6"
        assert told() == "False 2 6"
        reader.stdin.close()


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """A full disk, as far as writing is concerned: it fails part of the way through a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_reported_and_leaves_the_old_state(tmp_path: Path) -> None:
    entries = some_entries(5000)
    with Index.open(tmp_path) as index:
        index.add(entries[:1000], revision=1)
        before = sorted(path.name for path in tmp_path.iterdir())
        # First the segment does not fit, then the withdrawals, then not even the manifest.
        for room, added, withdrawn in (
            (20_000, entries[1000:], ()),
            (1000, (), range(400)),
            (40, (), ()),
        ):
            with no_file_longer_than(room), pytest.raises(StorageError, match="free space"):
                index.update(added, withdrawn, revision=2)
            assert (len(index), index.revision) == (1000, 1)
            assert sorted(path.name for path in tmp_path.iterdir()) == before
        index.update(entries[1000:], [], revision=2)
        assert len(index) == 5000


def test_a_disk_too_full_to_merge_does_not_undo_the_update(tmp_path: Path) -> None:
    entries = some_entries(1000)
    with Index.open(tmp_path) as index:
        index.add(entries[:500], revision=1)
        longest = max(path.stat().st_size for path in tmp_path.iterdir())
        with no_file_longer_than(longest + 1000):
            index.add(entries[500:], revision=2)
        assert (len(index), index.revision) == (1000, 2)
        assert len(list(tmp_path.glob("*.segment"))) == 2
        index.update([], [], revision=3)
        assert len(list(tmp_path.glob("*.segment"))) == 1
        answers = index.look_up_many([asking(each) for each in entries], 0)
        assert [[hit.entry for hit in hits] for hits in answers] == [[n] for n in range(1000)]


OPENS_SOUND = """
import sys
from pathlib import Path
from tutela.matching.index import Index
print("ready", flush=True)
for line in sys.stdin:
    with Index.open_sound(Path(sys.argv[1])) as index:
        print(index.is_whole, flush=True)
"""


def test_what_was_replaced_while_the_index_is_opened_is_not_taken_for_damaged(
    tmp_path: Path,
) -> None:
    with Index.open(tmp_path) as index, start(OPENS_SOUND, tmp_path) as reader:
        index.add(some_entries(2000), revision=1)
        reader.stdout.readline()
        for revision in range(2, 80):
            reader.stdin.write("open\n")
            reader.stdin.flush()
            index.withdraw([revision], revision=revision)
            assert reader.stdout.readline().strip() == "True"
        reader.stdin.close()
