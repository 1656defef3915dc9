"""An index in a folder: opened, changed, shared, damaged and mended."""

import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matching.brute_force import asking, entry, some_entries
from tutela.errors import InvalidInputError, StorageError
from tutela.fingerprints.model import Kind
from tutela.matching.building import read_batches
from tutela.matching.index import Index
from tutela.matching.model import IndexEntry, Query


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "index"


def found(index: Index, *entries: IndexEntry) -> list[int]:
    answers = index.look_up_many([asking(each) for each in entries], 0)
    return sorted(hit.entry for hits in answers for hit in hits)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_index_is_empty_at_revision_zero(folder: Path) -> None:
    with Index.open(folder) as index:
        assert (len(index), index.revision) == (0, 0)
        assert index.look_up(Query(bytes(16), bytes(20), bytes(32), bytes(32)), 256) == []


def test_what_was_added_is_there_after_reopening(folder: Path) -> None:
    entries = some_entries(100)
    with Index.open(folder) as index:
        index.add(entries, revision=7)
    with Index.open(folder) as index:
        assert (len(index), index.revision) == (100, 7)
        assert found(index, *entries) == list(range(100))


def test_an_entry_added_twice_is_found_once(folder: Path) -> None:
    entries = some_entries(20)
    with Index.open(folder) as index:
        index.add([*entries, *entries], revision=1)
        index.add(entries, revision=2)
        assert len(index) == 20
        assert found(index, *entries) == list(range(20))


def test_a_withdrawn_entry_never_matches_until_added_again(folder: Path) -> None:
    first, second = some_entries(2)
    with Index.open(folder) as index:
        index.add([first, second], revision=1)
        index.withdraw([first.entry, 12345], revision=2)
        assert found(index, first, second) == [second.entry]
        index.add(some_entries(50, seed=1, first=100), revision=3)
        assert found(index, first, second) == [second.entry]
        index.add([first], revision=4)
        assert found(index, first, second) == [first.entry, second.entry]


def test_an_update_to_an_old_revision_reads_and_changes_nothing(folder: Path) -> None:
    def untouchable() -> Iterator[IndexEntry]:
        pytest.fail("was read")
        yield

    with Index.open(folder) as index:
        index.add(some_entries(5), revision=3)
        for revision in (0, 2, 3):
            index.update(untouchable(), untouchable(), revision=revision)
        assert (len(index), index.revision) == (5, 3)


def test_an_update_that_fails_half_way_changes_nothing(folder: Path) -> None:
    def failing() -> Iterator[IndexEntry]:
        yield from some_entries(10, first=100)
        raise ConnectionError("the database went away")

    with Index.open(folder) as index:
        index.add(some_entries(10), revision=1)
        before = names(folder)
        with pytest.raises(ConnectionError):
            index.update(failing(), [1], revision=2)
        with pytest.raises(InvalidInputError, match="16 bytes, not 3"):
            index.add([*some_entries(3, first=200), entry(9, Kind.MD5, b"abc")], revision=2)
        assert (len(index), index.revision) == (10, 1)
        assert names(folder) == before


def test_more_entries_than_one_batch_are_one_update(folder: Path) -> None:
    count = 1_100_000
    stream = (IndexEntry(n, 1, Kind.MD5, n.to_bytes(16)) for n in range(count))
    with Index.open(folder) as index:
        index.add(stream, revision=1)
        assert len(index) == count
        for number in (0, 1, 2**20 - 1, 2**20, count - 1):
            hits = index.look_up(Query(md5=number.to_bytes(16)), 0)
            assert [hit.entry for hit in hits] == [number]
        assert len(list(folder.glob("*.segment"))) <= 2


def test_replacing_all_is_seen_as_a_whole_even_at_a_lower_revision(folder: Path) -> None:
    old, new = some_entries(10), some_entries(4, seed=1, first=8)
    with Index.open(folder) as index, Index.open(folder) as reader:
        index.add(old, revision=50)
        reader.refresh()
        with index.writing() as writer:
            writer.replace(read_batches(new), revision=3)
            assert found(reader, *old) == list(range(10))
        assert (len(index), index.revision) == (4, 3)
        assert found(index, *old) == []
        assert reader.refresh()
        assert found(reader, *new) == [8, 9, 10, 11]


def test_a_cleared_index_starts_again_and_leaves_no_files(folder: Path) -> None:
    with Index.open(folder) as index:
        index.add(some_entries(10), revision=5)
        index.clear()
        assert (len(index), index.revision) == (0, 0)
        assert names(folder) == ["lock", "manifest"]
        index.add(some_entries(3), revision=1)
        assert len(index) == 3


def test_the_writer_knows_the_revision_that_another_left(folder: Path) -> None:
    with Index.open(folder) as one, Index.open(folder) as other:
        one.add(some_entries(3), revision=4)
        assert other.revision == 0
        with other.writing() as writer:
            assert writer.revision == 4
            writer.update(read_batches(some_entries(3, first=3)), [0], revision=6)
            assert writer.revision == 6
        assert (len(other), other.revision) == (5, 6)


def test_a_reader_keeps_its_view_until_refreshed(folder: Path) -> None:
    entries = some_entries(30)
    with Index.open(folder) as writer:
        writer.add(entries[:10], revision=1)
        with Index.open(folder) as reader:
            assert not reader.refresh()
            for revision in range(2, 22):
                writer.update([entries[revision + 8]], [revision - 2], revision=revision)
            writer.clear()
            # All the files that it reads are deleted by now.
            assert found(reader, *entries) == list(range(10))
            reader.verify()
            assert reader.refresh()
            assert not reader.refresh()
            assert found(reader, *entries) == []


def test_a_change_is_noticed_however_soon_it_follows(folder: Path) -> None:
    with Index.open(folder) as writer, Index.open(folder) as reader:
        for revision in range(1, 100):
            writer.update([], [], revision=revision)
            assert reader.refresh()
            assert reader.revision == revision


def test_look_ups_in_threads_see_a_whole_update_or_none_of_it(folder: Path) -> None:
    value, ended, wrong = bytes(range(32)), threading.Event(), []

    def pair(revision: int) -> list[IndexEntry]:
        return [entry(2 * revision + i, Kind.PDQ, value) for i in range(2)]

    with Index.open(folder) as index, Index.open(folder) as reader:
        index.add(pair(0), revision=1)
        reader.refresh()

        def read() -> None:
            while not ended.is_set():
                numbers = [hit.entry for hit in reader.look_up(Query(pdq=value), 31)]
                if len(numbers) != 2 or numbers[0] % 2 or numbers[1] != numbers[0] + 1:
                    wrong.append(numbers)
                reader.refresh()

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for revision in range(2, 80):
            gone = [each.entry for each in pair(revision - 2)]
            index.update(pair(revision - 1), gone, revision=revision)
        ended.set()
        for thread in threads:
            thread.join()
        assert wrong == []


def test_opening_is_not_disturbed_by_a_merge_half_way_through(folder: Path) -> None:
    entries = some_entries(8)
    todo: list[Index] = []

    def merge_before_the_segment_is_opened(event: str, details: tuple[object, ...]) -> None:
        # Audit hooks cannot be removed; with nothing to do this one costs next to nothing.
        if event == "open" and todo and str(details[0]).endswith(".segment"):
            todo.pop().add(entries[4:], revision=2)

    sys.addaudithook(merge_before_the_segment_is_opened)
    with Index.open(folder) as writer:
        writer.add(entries[:4], revision=1)
        todo.append(writer)
        with Index.open(folder) as reader:
            assert todo == []
            assert reader.revision == 2
            assert found(reader, *entries) == list(range(8))


def test_a_folder_of_other_files_is_refused_without_advice_to_delete_it(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("keep me")
    for start in (Index.open, Index.mend):
        with pytest.raises(StorageError, match="not an index") as refused:
            start(tmp_path)
        assert "delete" not in refused.value.message
    assert names(tmp_path) == ["holiday.txt"]


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("")
    with pytest.raises(StorageError, match="cannot create the index"):
        Index.open(tmp_path / "index")


@pytest.mark.parametrize("damage", ["cut", "longer", "gone"])
@pytest.mark.parametrize("pattern", ["manifest", "*.segment", "*.withdrawn"])
def test_a_damaged_file_is_noticed_at_opening_and_mended(
    folder: Path, pattern: str, damage: str
) -> None:
    entries = some_entries(40)
    with Index.open(folder) as index:
        index.update(entries, [], revision=1)
        index.update([], [1, 2], revision=2)
    (path,) = folder.glob(pattern)
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if damage == "cut" else content + b"\0")
    with pytest.raises(StorageError, match=r"damaged.*delete the folder, it is rebuilt"):
        Index.open(folder)
    with Index.mend(folder) as index:
        assert (len(index), index.revision) == (0, 0)
        assert names(folder) == ["lock", "manifest"]
        index.add(entries, revision=9)
    with Index.mend(folder) as index:
        assert (len(index), index.revision) == (40, 9)


def test_a_reader_tells_a_mended_index_from_the_one_it_knew(folder: Path) -> None:
    old, new = some_entries(8), some_entries(8, seed=1)
    with Index.open(folder) as reader:
        reader.add(old, revision=1)
        (folder / "manifest").write_text("nonsense")
        with Index.mend(folder) as mended:
            mended.add(new, revision=1)
            # The same number, the same length, another content.
            assert len(list(folder.glob("*1.segment"))) == 1
        reader.refresh()
        assert found(reader, *new) == list(range(8))
        assert found(reader, *old) == []


def test_a_turned_bit_in_a_segment_is_found_by_verifying(folder: Path) -> None:
    with Index.open(folder) as index:
        index.add(some_entries(40), revision=1)
        index.verify()
    (path,) = folder.glob("*.segment")
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)
    with Index.open(folder) as index, pytest.raises(StorageError, match=r"damaged.*segment"):
        index.verify()


def test_a_folder_deleted_under_an_open_index_is_reported(folder: Path) -> None:
    with Index.open(folder) as index:
        index.add(some_entries(4), revision=1)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        for attempt in (index.refresh, index.clear):
            with pytest.raises(StorageError, match="index"):
                attempt()
        assert found(index, *some_entries(4)) == [0, 1, 2, 3]


def test_a_closed_index_says_so(folder: Path) -> None:
    index = Index.open(folder)
    index.close()
    index.close()
    for attempt in (index.refresh, index.clear, index.verify, lambda: index.revision):
        with pytest.raises(StorageError, match="closed"):
            attempt()


def test_readers_keep_what_they_have_while_a_lost_index_is_built_anew(folder: Path) -> None:
    entries = some_entries(10)
    with Index.open(folder) as reader:
        reader.add(entries, revision=5)
        shutil.rmtree(folder)
        with Index.open(folder) as builder, builder.writing() as writer:
            assert not reader.refresh()
            assert (len(reader), reader.revision) == (10, 5)
            assert found(reader, *entries) == list(range(10))
            writer.replace(read_batches(some_entries(3, first=20)), revision=6)
            assert reader.refresh()
            assert (len(reader), reader.revision) == (3, 6)


def test_a_writer_of_an_index_that_was_lost_begins_with_nothing(folder: Path) -> None:
    with Index.open(folder) as index:
        index.add(some_entries(10), revision=5)
        shutil.rmtree(folder)
        Index.open(folder).close()
        with index.writing() as writer:
            assert writer.revision == 0
            writer.replace(read_batches(some_entries(4)), revision=5)
        assert len(index) == 4
        index.verify()


def test_damage_that_merging_finds_leaves_what_is_sound(folder: Path) -> None:
    with Index.open(folder, merged_at_once=1) as index:
        for revision in (1, 2, 3):
            index.add(some_entries(10, first=10 * revision), revision=revision)
        newest = max(folder.glob("*.segment"))
        content = bytearray(newest.read_bytes())
        content[0] ^= 1
        newest.write_bytes(content)
        with pytest.raises(StorageError, match="damaged"):
            index.compact()
        assert not index.is_whole
        assert found(index, *some_entries(30, first=10)) == list(range(10, 30))
