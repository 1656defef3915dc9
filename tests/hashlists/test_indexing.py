"""The index follows the database, and is never taken for a copy of another one."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import event

from tests.conftest import TurnedClock
from tests.hashlists.filling import ACTOR, add, md5, new_list, withdraw
from tutela.errors import StorageError
from tutela.hashlists.entries import current_revision, restore_entry
from tutela.hashlists.indexing import Mark, catch_up, newest_change, open_index
from tutela.hashlists.lists import remove_list
from tutela.matching.index import Index
from tutela.matching.model import Query
from tutela.matching.writing import Writer
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import load_settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


def known(index: Index, numbers: range = range(20)) -> set[int]:
    found = index.look_up_many([Query(md5=md5(number).value) for number in numbers], 0)
    return {number for number, hits in zip(numbers, found, strict=True) if hits}


def test_the_index_follows_what_is_added_withdrawn_and_restored(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    with open_index(folder, database) as index:
        assert known(index) == set()
        hash_list = new_list(database, clock)
        add(database, hash_list, clock, *map(md5, range(1, 6)))
        catch_up(database, index)
        assert known(index) == {1, 2, 3, 4, 5}
        withdraw(database, hash_list, clock, md5(2))
        catch_up(database, index)
        assert known(index) == {1, 3, 4, 5}
        with database.writing() as connection:
            restore_entry(connection, hash_list, md5(2), reason="x", actor=ACTOR, clock=clock)
        catch_up(database, index)
        assert known(index) == {1, 2, 3, 4, 5}
        with database.reading() as connection:
            assert index.revision == current_revision(connection)


def test_the_index_is_whole_when_it_is_opened_late(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    hash_list = new_list(database, clock)
    add(database, hash_list, clock, *map(md5, range(1, 6)))
    withdraw(database, hash_list, clock, md5(3))
    with open_index(folder, database) as index:
        assert known(index) == {1, 2, 4, 5}


def test_nothing_is_written_when_nothing_changed(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    add(database, new_list(database, clock), clock, md5(1))
    with open_index(folder, database) as index:
        before = {path: path.stat().st_mtime_ns for path in folder.parent.rglob("index*/*")}
        catch_up(database, index)
        assert {path: path.stat().st_mtime_ns for path in folder.parent.rglob("index*/*")} == before


def test_a_damaged_index_is_built_anew(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    add(database, new_list(database, clock), clock, md5(1), md5(2))
    open_index(folder, database).close()
    (folder / "manifest").write_bytes(b"rubbish")
    with open_index(folder, database) as index:
        assert known(index) == {1, 2}


def test_a_lost_index_is_built_anew(database: Database, clock: TurnedClock, folder: Path) -> None:
    add(database, new_list(database, clock), clock, md5(1), md5(2))
    open_index(folder, database).close()
    shutil.rmtree(folder)
    with open_index(folder, database) as index:
        assert known(index) == {1, 2}


def test_a_folder_of_other_files_is_left_alone(database: Database, folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(StorageError, match="other files"):
        open_index(folder, database)
    assert (folder / "thesis.txt").read_text() == "years of work"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Database]:
    settings = load_settings(data=tmp_path / "other")
    opened = Database.open(settings)
    upgrade(opened, settings.data, tell=lambda _: None)
    yield opened
    opened.close()


@pytest.mark.parametrize("changes", [0, 1, 2, 3])
def test_the_index_of_another_database_is_built_anew(
    database: Database, other: Database, clock: TurnedClock, folder: Path, changes: int
) -> None:
    # The other database is behind, at, or ahead of the first one's revision.
    first = new_list(database, clock)
    add(database, first, clock, md5(1), md5(2))
    with open_index(folder, database) as index:
        second = new_list(other, clock)
        for number in range(changes):
            add(other, second, clock, md5(10 + number))
        catch_up(other, index)
        assert known(index) == set(range(10, 10 + changes))
    with open_index(folder, database) as index:
        assert known(index) == {1, 2}


@pytest.mark.parametrize("changes", [0, 1, 2])
def test_the_index_is_built_anew_when_the_database_was_restored_from_a_backup(
    tmp_path: Path, clock: TurnedClock, folder: Path, changes: int
) -> None:
    settings = load_settings(data=tmp_path / "data")
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    hash_list = new_list(database, clock)
    add(database, hash_list, clock, md5(1))
    database.close()
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    add(database, hash_list, clock, md5(2))
    open_index(folder, database).close()
    database.close()
    shutil.rmtree(tmp_path / "data")
    shutil.copytree(tmp_path / "backup", tmp_path / "data")
    for number in range(changes):
        add(database, hash_list, clock, md5(10 + number))
    with open_index(folder, database) as index:
        assert known(index) == {1, *range(10, 10 + changes)}
    database.close()


@pytest.mark.parametrize("mark", [None, "", "rubbish", "7 00", "999999999999999999999 ab\n"])
def test_an_index_without_a_good_mark_is_built_anew(
    database: Database, clock: TurnedClock, folder: Path, mark: str | None
) -> None:
    add(database, new_list(database, clock), clock, md5(1))
    open_index(folder, database).close()
    path = folder.with_name("index.origin")
    path.unlink()
    if mark is not None:
        path.write_text(mark)
    with open_index(folder, database) as index:
        assert known(index) == {1}


def test_an_index_whose_catching_up_failed_catches_up_later(
    database: Database, clock: TurnedClock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_list = new_list(database, clock)
    add(database, hash_list, clock, md5(1))
    with open_index(folder, database) as index:
        add(database, hash_list, clock, md5(2))
        # A folder in the way of the next segment stands for a disk that fails after the mark.
        taken = max(int(path.stem) for path in folder.glob("*.segment")) + 1
        (folder / f"{taken:010}.segment").mkdir()
        with pytest.raises(StorageError):
            catch_up(database, index)
        assert known(index) == {1}
        (folder / f"{taken:010}.segment").rmdir()
        catch_up(database, index)
        assert known(index) == {1, 2}


def test_a_removed_list_leaves_an_index_that_is_built_anew(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    gone, kept = new_list(database, clock, "gone"), new_list(database, clock, "kept")
    add(database, gone, clock, md5(1))
    add(database, kept, clock, md5(2))
    with database.writing() as connection:
        remove_list(connection, "gone", "done", ACTOR, clock)
    with open_index(folder, database) as index:
        assert known(index) == {2}


def test_a_removed_list_leaves_an_open_index_at_the_next_catching_up(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    gone, kept = new_list(database, clock, "gone"), new_list(database, clock, "kept")
    add(database, gone, clock, md5(1), md5(2))
    add(database, kept, clock, md5(2), md5(3))
    with open_index(folder, database) as index:
        assert len(index) == 4
        add(database, gone, clock, md5(4))
        with database.writing() as connection:
            remove_list(connection, "gone", "done", ACTOR, clock)
        add(database, new_list(database, clock, "gone"), clock, md5(5))
        catch_up(database, index)
        assert known(index) == {2, 3, 5}
        assert len(index) == 3
        add(database, kept, clock, md5(6))
        catch_up(database, index)
        assert known(index) == {2, 3, 5, 6}


def test_many_threads_catch_up_while_entries_are_added(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    hash_list = new_list(database, clock)
    with open_index(folder, database) as index, open_index(folder, database) as second:
        failures: list[BaseException] = []
        ended = threading.Event()

        def follow(which: Index) -> None:
            try:
                while not ended.is_set():
                    catch_up(database, which)
            except BaseException as error:
                failures.append(error)

        threads = [
            threading.Thread(target=follow, args=(which,)) for which in (index, index, second)
        ]
        for thread in threads:
            thread.start()
        for number in range(1, 16):
            add(database, hash_list, clock, md5(number))
        ended.set()
        for thread in threads:
            thread.join()
        assert not failures
        for which in (index, second):
            catch_up(database, which)
            assert known(which) == set(range(1, 16))


@examples(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.booleans()), max_size=12))
def test_the_index_holds_what_the_database_does_whatever_happened(
    database: Database,
    clock: TurnedClock,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[bool, int, bool]],
) -> None:
    with database.reading() as connection:
        name = f"list {current_revision(connection)}"
    hash_list = new_list(database, clock, name)
    live: set[int] = set()
    gone: set[int] = set()
    with open_index(tmp_path_factory.mktemp("index") / "index", database) as index:
        for adding, number, looking in steps:
            if adding:
                add(database, hash_list, clock, md5(number))
                live |= {number} - gone
            elif number in live:
                withdraw(database, hash_list, clock, md5(number))
                live.remove(number)
                gone.add(number)
            if looking:
                catch_up(database, index)
                hits = index.look_up_many([Query(md5=md5(n).value) for n in range(10)], 0)
                assert live == {
                    n
                    for n, found in enumerate(hits)
                    if any(hit.hash_list == hash_list.id for hit in found)
                }


def test_a_single_flipped_bit_is_found_when_the_index_is_opened(
    database: Database, clock: TurnedClock, data: Path
) -> None:
    known = new_list(database, clock)
    add(database, known, clock, *(md5(number) for number in range(100)))
    open_index(data / "index", database).close()
    segment = max((data / "index").iterdir(), key=lambda file: file.stat().st_size)
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    with open_index(data / "index", database) as index:
        for number in range(100):
            assert index.look_up(Query(md5=md5(number).value), 0)


def deleted(folder: Path) -> None:
    shutil.rmtree(folder)


def emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def without_manifest(folder: Path) -> None:
    (folder / "manifest").unlink()


def garbled(folder: Path) -> None:
    (folder / "manifest").write_bytes(b"rubbish")


def zeroed(folder: Path) -> None:
    for path in folder.glob("*.segment"):
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.write(bytes(size))


def with_segments_missing(folder: Path) -> None:
    for path in folder.glob("*.segment"):
        path.unlink()


DAMAGES = [deleted, emptied, without_manifest, garbled, zeroed, with_segments_missing]


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_index_damaged_while_it_is_open_is_whole_after_catching_up(
    database: Database, clock: TurnedClock, folder: Path, damage: Callable[[Path], None]
) -> None:
    hash_list = new_list(database, clock)
    add(database, hash_list, clock, *map(md5, range(1, 6)))
    with open_index(folder, database) as index, open_index(folder, database) as second:
        damage(folder)
        add(database, hash_list, clock, *map(md5, range(6, 11)))
        for which in (index, second):
            catch_up(database, which)
            assert known(which) == set(range(1, 11))
            which.verify()
        with Index.open(folder) as third:
            third.verify()
            assert known(third) == set(range(1, 11))


@pytest.mark.parametrize("damage", [deleted, emptied, without_manifest, with_segments_missing])
def test_an_index_deleted_while_it_is_open_still_answers(
    database: Database, clock: TurnedClock, folder: Path, damage: Callable[[Path], None]
) -> None:
    add(database, new_list(database, clock), clock, md5(1), md5(2))
    with open_index(folder, database) as index:
        damage(folder)
        catch_up(database, index)
        assert known(index) == {1, 2}


def test_readers_of_a_damaged_index_find_what_they_did_until_it_is_built_anew(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    add(database, new_list(database, clock), clock, md5(1), md5(2))
    with open_index(folder, database) as index, open_index(folder, database) as reader:
        without_manifest(folder)
        with index.writing(mending=True) as writer:
            assert writer.revision == 0
            for which in (index, reader):
                assert known(which) == {1, 2}
            writer.replace([], revision=1)


@pytest.mark.parametrize("damage", [deleted, emptied, without_manifest, zeroed])
def test_mending_that_failed_is_done_later(
    database: Database,
    clock: TurnedClock,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Path], None],
) -> None:
    hash_list = new_list(database, clock)
    add(database, hash_list, clock, *map(md5, range(1, 6)))
    with open_index(folder, database) as index:
        damage(folder)
        add(database, hash_list, clock, *map(md5, range(6, 11)))

        def unreachable(*_: object, **__: object) -> None:
            raise StorageError("the database does not answer")

        with monkeypatch.context() as patched:
            patched.setattr(Writer, "replace", unreachable)
            with pytest.raises(StorageError, match="database does not answer"):
                catch_up(database, index)
        catch_up(database, index)
        assert known(index) == set(range(1, 11))


def test_files_of_others_in_a_deleted_index_are_left_alone(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    hash_list = new_list(database, clock)
    add(database, hash_list, clock, md5(1))
    with open_index(folder, database) as index:
        emptied(folder)
        (folder / "thesis.txt").write_text("years of work")
        add(database, hash_list, clock, md5(2))
        with pytest.raises(StorageError, match="other files"):
            catch_up(database, index)
        assert (folder / "thesis.txt").read_text() == "years of work"
        (folder / "thesis.txt").unlink()
        catch_up(database, index)
        assert known(index) == {1, 2}


def test_another_databases_index_is_not_taken_for_ours_when_building_anew_failed(
    database: Database, other: Database, clock: TurnedClock, folder: Path
) -> None:
    # Both databases are at the same revision.
    add(database, new_list(database, clock), clock, md5(1))
    add(other, new_list(other, clock), clock, md5(2))
    with open_index(folder, other) as index:
        taken = max(int(path.stem) for path in folder.glob("*.segment")) + 1
        (folder / f"{taken:010}.segment").mkdir()
        with pytest.raises(StorageError):
            catch_up(database, index)
        (folder / f"{taken:010}.segment").rmdir()
        catch_up(database, index)
        assert known(index) == {1}


def test_the_newest_change_tells_a_restored_database_from_the_one_before(
    database: Database, other: Database, clock: TurnedClock
) -> None:
    def newest(which: Database) -> Mark:
        with which.reading() as connection:
            return newest_change(connection)

    assert newest(database) == newest(other)
    hash_list = new_list(database, clock)
    new_list(other, clock)
    before = newest(database)
    assert before == newest(database)
    assert before[0] == newest(other)[0]
    assert before != newest(other)
    add(database, hash_list, clock, md5(1))
    assert newest(database) != before


def test_what_is_sound_of_a_damaged_index_answers_until_it_is_built_anew(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    hash_list = new_list(database, clock)
    add(database, hash_list, clock, *map(md5, range(1, 11)))
    open_index(folder, database).close()
    add(database, hash_list, clock, md5(11))
    open_index(folder, database).close()
    newer = max(folder.glob("*.segment"))
    content = bytearray(newer.read_bytes())
    content[0] ^= 1
    newer.write_bytes(content)
    with open_index(folder, database, whole=False) as index:
        assert not index.is_whole
        assert known(index) == set(range(1, 11))
        # What another process adds meanwhile does not make the damage look sound.
        add(database, hash_list, clock, md5(12))
        with open_index(folder, database) as other:
            assert known(other) == set(range(1, 13))
        assert known(index) == set(range(1, 11))
        catch_up(database, index)
        assert index.is_whole
        assert known(index) == set(range(1, 13))


def test_a_damaged_index_of_another_database_never_answers(
    database: Database, other: Database, clock: TurnedClock, folder: Path
) -> None:
    hash_list = new_list(other, clock)
    add(other, hash_list, clock, *map(md5, range(1, 11)))
    open_index(folder, other).close()
    add(other, hash_list, clock, md5(11))
    open_index(folder, other).close()
    max(folder.glob("*.segment")).write_bytes(b"short")
    with open_index(folder, database, whole=False) as index:
        assert index.is_whole
        assert known(index) == set()


def test_a_change_is_read_without_looking_a_list_through(
    database: Database, clock: TurnedClock, folder: Path
) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL chooses by what it knows of the rows")
    hash_list = new_list(database, clock)
    add(database, hash_list, clock, *map(md5, range(1, 6)))
    read: list[tuple[str, object]] = []
    with open_index(folder, database) as index:
        add(database, hash_list, clock, md5(6))

        @event.listens_for(database.engine, "before_cursor_execute")
        def listen(connection, cursor, statement, parameters, context, many) -> None:
            if "entries.revision >" in statement:
                read.append((statement, parameters))

        catch_up(database, index)
        event.remove(database.engine, "before_cursor_execute", listen)
        assert known(index) == {1, 2, 3, 4, 5, 6}
    assert read
    with database.reading() as connection:
        for statement, parameters in read:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            assert "ix_entries_revision" in " ".join(row.detail for row in plan)
