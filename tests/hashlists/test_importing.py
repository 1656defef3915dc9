"""Imports: idempotent, resumable, exact in their counts, and careful with what they reject."""

import csv
import gzip
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

import tutela.hashlists.importing
from tests.actors import actor_called
from tests.conftest import TurnedClock
from tests.hashlists.filling import (
    ACTOR,
    add,
    import_list,
    md5,
    new_list,
    summary_of,
    withdraw,
    write_list,
)
from tutela.errors import InvalidInputError, NotFoundError, StorageError
from tutela.fingerprints.model import Kind
from tutela.hashlists.importing import Progress, import_file
from tutela.hashlists.lists import find_list, remove_list
from tutela.hashlists.model import Provenance
from tutela.hashlists.tables import entries, imports
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tutela.hashlists.importing, "ROWS_AT_ONCE", 10)


def rejects_of(path: Path) -> list[list[str]]:
    with path.with_name(path.name + ".rejects.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_a_file_imported_twice_adds_nothing_and_is_on_record_twice(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = write_list(tmp_path / "list.txt", [1, 2, 3, 2])
    first = import_list(database, known, clock, path)
    assert (first.rows, first.added, first.already, first.rejected) == (4, 3, 1, 0)
    clock.turn(days=1)
    second = import_list(database, known, clock, path)
    assert (second.rows, second.added, second.already, second.resumed_at) == (4, 0, 4, 0)
    summary = summary_of(database, known)
    assert summary.live == {Kind.MD5: 3}
    assert [each.file_name for each in summary.imports] == ["list.txt"] * 2
    assert all(each.finished_at for each in summary.imports)
    assert not list(tmp_path.glob("*.rejects.csv"))


def test_provenance_says_who_what_when_and_why(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    import_file(
        database,
        known,
        write_list(tmp_path / "list.txt", [1]),
        Provenance(" Hotline ", "A1", "agreement of May"),
        actor=ACTOR,
        clock=clock,
        rejects_path=tmp_path / "rejects.csv",
    )
    [record] = summary_of(database, known).imports
    assert record.provenance == Provenance("Hotline", "A1", "agreement of May")
    assert (record.imported_by, record.started_at, record.finished_at) == (
        ACTOR.name,
        clock(),
        clock(),
    )


@pytest.mark.parametrize(
    "provenance",
    [
        Provenance(""),
        Provenance("a\nb"),
        Provenance("x", label="y" * 201),
        Provenance("x", reason="y" * 1001),
    ],
)
def test_provenance_is_one_line_and_has_a_source(
    provenance: Provenance, database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    with pytest.raises(InvalidInputError):
        import_file(
            database,
            known,
            write_list(tmp_path / "list.txt", [1]),
            provenance,
            actor=ACTOR,
            clock=clock,
            rejects_path=tmp_path / "rejects.csv",
        )
    assert summary_of(database, known).imports == ()


def test_withdrawn_entries_stay_withdrawn(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1), md5(2))
    withdraw(database, known, clock, md5(1))
    result = import_list(database, known, clock, write_list(tmp_path / "list", range(1, 4)))
    assert (result.added, result.already, result.withdrawn) == (1, 1, 1)


def test_bad_rows_are_named_with_their_lines_and_the_rest_is_imported(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = tmp_path / "list.csv"
    path.write_bytes(
        b"md5,label\n" + md5(1).text.encode() + b",A1\nxyz,A1\n\xff\xfe,\n" + md5(2).text.encode()
    )
    result = import_list(database, known, clock, path)
    assert (result.rows, result.added, result.rejected) == (4, 2, 2)
    assert [row[0] for row in rejects_of(path)] == ["line", "3", "4"]
    assert rejects_of(path)[1][1:] == [
        "is not a hash: it is not hexadecimal digits alone",
        "xyz,A1",
    ]
    rejects = path.with_name("list.csv.rejects.csv")
    assert rejects.stat().st_mode & 0o777 == 0o600


def test_rejects_of_an_earlier_version_of_the_file_do_not_stay(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = tmp_path / "list.txt"
    path.write_text(f"{md5(1).text}\noops\n")
    import_list(database, known, clock, path)
    assert len(rejects_of(path)) == 2
    write_list(path, [1])
    import_list(database, known, clock, path)
    assert not path.with_name("list.txt.rejects.csv").exists()


def test_rejects_are_readable_by_their_owner_alone_though_the_file_was_there(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = tmp_path / "list.txt"
    path.write_text(f"{md5(1).text}\noops\n")
    rejects = tmp_path / "list.txt.rejects.csv"
    rejects.write_text("line,reason,text\n")
    rejects.chmod(0o644)
    import_list(database, known, clock, path)
    assert len(rejects_of(path)) == 2
    assert rejects.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_not_of_rejects_is_never_overwritten(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    precious = tmp_path / "list.txt.rejects.csv"
    precious.write_text("years of work\n")
    path = tmp_path / "list.txt"
    path.write_text(f"{md5(1).text}\noops\n")
    with pytest.raises(InvalidInputError, match="--rejects"):
        import_list(database, known, clock, path)
    assert precious.read_text() == "years of work\n"


def test_the_list_file_itself_is_never_overwritten(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = tmp_path / "list.txt"
    path.write_text(f"line,reason,text\n{md5(1).text}\n")
    with pytest.raises(InvalidInputError, match="itself"):
        import_file(
            database,
            known,
            path,
            Provenance("x"),
            actor=ACTOR,
            clock=clock,
            rejects_path=path,
        )
    assert md5(1).text in path.read_text()


def test_rejects_that_cannot_be_written_stop_the_import(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = tmp_path / "list.txt"
    path.write_text(f"{md5(1).text}\noops\n")
    with pytest.raises(StorageError, match="--rejects"):
        import_file(
            database,
            known,
            path,
            Provenance("x"),
            actor=ACTOR,
            clock=clock,
            rejects_path=tmp_path / "no such folder" / "rejects.csv",
        )


def interrupted_after(
    batches: int, database: Database, clock: TurnedClock, path: Path, **options: object
) -> None:
    seen = 0

    def stop(_progress: Progress) -> None:
        nonlocal seen
        seen += 1
        if seen == batches:
            raise KeyboardInterrupt

    with database.reading() as connection:
        known = find_list(connection, "known")
    with pytest.raises(KeyboardInterrupt):
        import_list(database, known, clock, path, progress=stop, **options)


@pytest.mark.usefixtures("small_batches")
def test_an_interrupted_import_goes_on_where_it_stopped(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = tmp_path / "list.txt"
    path.write_text("".join(f"{md5(n).text}\n" if n % 7 else "oops\n" for n in range(1, 101)))
    interrupted_after(3, database, clock, path)
    assert summary_of(database, known).imports[0].finished_at is None
    interrupted_after(6, database, clock, path)
    result = import_list(database, known, clock, path)
    assert (result.resumed_at, result.rows, result.added, result.rejected) == (60, 100, 86, 14)
    assert [int(row[0]) for row in rejects_of(path)[1:]] == list(range(7, 101, 7))
    assert len(summary_of(database, known).imports) == 1
    again = import_list(database, known, clock, path)
    assert (again.resumed_at, again.added, again.already) == (0, 0, 86)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("change", ["content", "list", "kind", "source", "actor"])
def test_only_the_same_import_is_gone_on_with(
    change: str, database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known, other = new_list(database, clock), new_list(database, clock, "other")
    path = write_list(tmp_path / "list.txt", range(1, 101))
    interrupted_after(3, database, clock, path)
    if change == "content":
        write_list(path, range(2, 102))
    result = import_file(
        database,
        other if change == "list" else known,
        path,
        Provenance("else" if change == "source" else "tests"),
        actor=actor_called("cli:else") if change == "actor" else ACTOR,
        clock=clock,
        rejects_path=tmp_path / "rejects.csv",
        kind=Kind.MD5 if change == "kind" else None,
    )
    assert result.resumed_at == 0
    assert result.added + result.already == 100


@pytest.mark.usefixtures("small_batches")
def test_progress_ends_at_the_end_of_the_file(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = write_list(tmp_path / "list.txt", range(1, 101))
    seen: list[Progress] = []
    import_list(database, known, clock, path, progress=seen.append)
    assert [each.rows for each in seen] == list(range(10, 101, 10))
    assert seen[-1].bytes_read == seen[-1].bytes_total == path.stat().st_size


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("same", [True, False])
def test_two_imports_at_once_come_right(
    same: bool, database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    first = write_list(tmp_path / "first.txt", range(1, 301))
    second = first if same else write_list(tmp_path / "second.txt", range(151, 451))
    interrupted_after(1, database, clock, first)
    failures: list[BaseException] = []
    start = threading.Barrier(2)

    def run(path: Path) -> None:
        try:
            start.wait()
            import_list(database, known, clock, path)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(path,)) for path in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    summary = summary_of(database, known)
    assert summary.live == {Kind.MD5: 300 if same else 450}
    for record in summary.imports:
        assert record.finished_at
        assert record.rows == record.added + record.already == 300
    assert sum(record.added for record in summary.imports) == summary.live[Kind.MD5]


@pytest.mark.usefixtures("small_batches")
def test_a_list_removed_meanwhile_takes_nothing_more(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = write_list(tmp_path / "list.txt", range(1, 101))

    def remove(progress: Progress) -> None:
        if progress.rows == 30:
            with database.writing() as connection:
                remove_list(connection, "known", "done", ACTOR, clock)

    with pytest.raises(NotFoundError, match="was removed"):
        import_list(database, known, clock, path, progress=remove)
    assert summary_of(database, known).live == {Kind.MD5: 30}


@pytest.mark.usefixtures("small_batches")
def test_a_file_that_changes_while_it_is_read_is_no_finished_import(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = write_list(tmp_path / "list.txt", range(1, 101))

    def change(progress: Progress) -> None:
        if progress.rows == 50:
            with path.open("a") as file:
                file.write(f"{md5(999).text}\n")

    with pytest.raises(InvalidInputError, match="changed while"):
        import_list(database, known, clock, path, progress=change)
    assert summary_of(database, known).imports[0].finished_at is None


def test_gzip_is_understood_and_damage_in_it_is_told(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    plain = write_list(tmp_path / "plain", range(1, 20_001)).read_bytes()
    path = tmp_path / "list.gz"
    path.write_bytes(gzip.compress(plain))
    assert import_list(database, known, clock, path).added == 20_000
    path.write_bytes(gzip.compress(plain)[:-50_000])
    with pytest.raises(InvalidInputError, match="gzip data is damaged"):
        import_list(database, known, clock, path)


@pytest.mark.parametrize("what", ["missing", "folder", "empty", "pipe", "forbidden"])
def test_what_is_no_file_is_told_in_one_line(
    what: str, database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = tmp_path / "list.txt"
    match what:
        case "folder":
            path.mkdir()
        case "empty":
            path.touch()
        case "pipe":
            os.mkfifo(path)
        case "forbidden":
            write_list(path, [1]).chmod(0)
            if os.geteuid() == 0:
                path = Path("/proc/self/mem")
    with pytest.raises((NotFoundError, InvalidInputError, StorageError)) as refused:
        import_list(database, known, clock, path)
    assert str(path) in refused.value.message
    assert "\n" not in refused.value.message
    assert summary_of(database, known).imports == ()


SCRIPT = """
import sys
from pathlib import Path
import tutela.hashlists.importing as importing
from tests.hashlists.filling import import_list
from tutela.hashlists.lists import find_list
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import load_settings
importing.ROWS_AT_ONCE = 500
database = Database.open(load_settings(data=Path(sys.argv[1]), database_url=sys.argv[2] or None))
with database.reading() as connection:
    known = find_list(connection, "known")
def tell(progress):
    print(progress.rows, flush=True)
result = import_list(database, known, system_clock, Path(sys.argv[3]), progress=tell)
print("done", result.rows, result.added, result.already, result.rejected)
"""


def start(settings: Settings, path: Path, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            SCRIPT,
            str(settings.data),
            settings.database_url or "",
            str(path),
        ],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def test_an_import_killed_again_and_again_ends_with_exact_counts(
    database: Database, settings: Settings, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = tmp_path / "list.txt"
    numbers = [number % 18_000 for number in range(1, 20_001)]
    path.write_text("".join(f"{md5(n).text}\n" if n % 100 else f"oops {n}\n" for n in numbers))
    for rows in range(1_500, 14_000, 2_500):
        process = start(settings, path)
        assert process.stdout
        while int(process.stdout.readline()) < rows:
            pass
        # It goes on meanwhile, so the signal meets it anywhere within a batch.
        process.kill()
        process.communicate()
    process = start(settings, path)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    good = [number for number in numbers if number % 100]
    added = len(set(good))
    assert output.splitlines()[-1].split()[1:] == [
        str(count) for count in (20_000, added, len(good) - added, 20_000 - len(good))
    ]
    assert summary_of(database, known).live == {Kind.MD5: added}
    assert [int(row[0]) for row in rejects_of(path)[1:]] == [
        line for line, number in enumerate(numbers, 1) if number % 100 == 0
    ]
    with database.reading() as connection:
        counted = connection.execute(
            select(func.count(), func.count(func.distinct(entries.c.value)))
        ).one()
        assert tuple(counted) == (added, added)
        assert connection.execute(select(func.count()).select_from(imports)).scalar_one() == 1


def test_a_full_disk_is_told_and_nothing_imported_before_is_lost(
    data: Path, tmp_path: Path, clock: TurnedClock
) -> None:
    settings = load_settings(data=data)
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    known = new_list(database, clock)
    path = write_list(tmp_path / "list.txt", range(1, 20_001))

    def small_disk() -> None:
        # Files cannot grow past this, as on a disk that is full.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, resource.RLIM_INFINITY))

    process = start(settings, path, preexec_fn=small_disk)
    _output, errors = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "StorageError: the disk" in errors.splitlines()[-1]
    [record] = summary_of(database, known).imports
    assert record.finished_at is None
    assert 0 < record.rows < 20_000
    assert summary_of(database, known).live == {Kind.MD5: record.rows}
    result = import_list(database, known, clock, path)
    assert (result.resumed_at, result.rows, result.added) == (record.rows, 20_000, 20_000)
    database.close()


MEMORY = """
import resource, sys
from pathlib import Path
from tutela.hashlists.reading import ListFile
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
rows = sum(1 for _ in ListFile(Path(sys.argv[1])).rows())
print(rows, (peak() - before) // 1024)
"""


@pytest.mark.parametrize("form", ["lines", "vic", "one line", "one record"])
def test_a_file_of_any_size_is_read_in_little_memory(form: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    with path.open("w") as file:
        match form:
            case "lines":
                file.writelines(f"{md5(number).text}\n" for number in range(1, 300_001))
            case "vic":
                file.write('{"odata.metadata": "x#Media", "value": [{}')
                file.writelines(
                    f', {{"MD5": "{md5(number).text}", "Tags": "{"x" * 200}"}}'
                    for number in range(2, 100_001)
                )
                file.write("]}")
            case "one line":
                file.write(f"{md5(1).text}\n")
                for _ in range(100):
                    file.write("a" * 1_000_000)
                file.write(f"\n{md5(2).text}\n")
            case "one record":
                file.write(f'[{{"md5": "{md5(1).text}"}}, {{"x": "')
                for _ in range(100):
                    file.write("a" * 1_000_000)
                file.write(f'"}}, {{"md5": "{md5(2).text}"}}]')
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    rows, mebibytes = map(int, done.stdout.split())
    assert rows == {"lines": 300_000, "vic": 100_000, "one line": 3, "one record": 3}[form]
    assert mebibytes < 20


def test_only_rows_with_the_wanted_labels_are_taken_and_the_others_are_named(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = tmp_path / "list.csv"
    labels = ["1", "2", "5", ""]
    rows = "".join(f"{md5(n).text},{label}\n" for n, label in enumerate(labels))
    path.write_text(f"md5,category\n{rows}")
    result = import_file(
        database,
        known,
        path,
        Provenance("a test"),
        actor=ACTOR,
        clock=clock,
        rejects_path=tmp_path / "list.csv.rejects.csv",
        only_labels={"1", "2"},
    )
    assert (result.rows, result.added, result.rejected) == (4, 2, 2)
    assert [row[1] for row in rejects_of(path)[1:]] == [
        'left out: its label is "5"',
        "left out: no label",
    ]


@pytest.mark.parametrize(
    ("label", "only", "added"),
    [("A1", {"A1"}, [1, 2]), ("A1", {"B2"}, [3]), ("", {" A1 "}, [2]), ("B2", {"A1"}, [2])],
)
def test_a_row_without_a_label_is_wanted_by_that_of_its_import(
    label: str,
    only: set[str],
    added: list[int],
    database: Database,
    clock: TurnedClock,
    tmp_path: Path,
) -> None:
    known = new_list(database, clock)
    path = tmp_path / "list.csv"
    path.write_text(f"md5,label\n{md5(1).text},\n{md5(2).text},A1\n{md5(3).text},B2\n")
    import_file(
        database,
        known,
        path,
        Provenance("a test", label),
        actor=ACTOR,
        clock=clock,
        rejects_path=tmp_path / "list.csv.rejects.csv",
        only_labels=only,
    )
    with database.reading() as connection:
        found = connection.execute(select(entries.c.value)).scalars()
        assert sorted(found) == [md5(number).value for number in added]


def test_as_many_labels_may_be_wanted_as_can_be_kept(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    known = new_list(database, clock)
    path = write_list(tmp_path / "list.txt", [1])
    # Each is seven characters in JSON, comma and space included.
    many = [f"{number:03}" for number in range(285)]
    assert import_list(database, known, clock, path, only_labels=many).rejected == 1
    with pytest.raises(InvalidInputError, match="--only"):
        import_list(database, known, clock, path, only_labels=[*many, "one more"])
    with pytest.raises(InvalidInputError, match="label"):
        import_list(database, known, clock, path, only_labels=["a\0"])
    assert len(summary_of(database, known).imports) == 1
