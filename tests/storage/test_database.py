"""Transactions hold together, and failures are explained."""

import itertools
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from tutela.accounts.tables import api_keys
from tutela.errors import SettingsError, StorageError
from tutela.hashlists.entries import current_revision, next_revision
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import load_settings


def test_a_block_that_fails_leaves_no_trace(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        next_revision(connection)
        _ = 1 / 0
    with database.reading() as connection:
        assert current_revision(connection) == 0


def test_writers_queue_instead_of_failing(database: Database) -> None:
    def write() -> None:
        for _ in range(10):
            with database.writing() as connection:
                next_revision(connection)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert current_revision(connection) == 80


_WRITE = """
import sys, threading, time
from pathlib import Path
from sqlalchemy import text
from tutela.storage.database import Database
from tutela.storage.settings import load_settings

name, database = sys.argv[2], Database.open(load_settings(data=Path(sys.argv[1])))
print("ready", flush=True)
input()

def write():
    for _ in range(40):
        with database.writing() as connection:
            time.sleep(0.002)
            connection.execute(text("INSERT INTO turns (who) VALUES (:who)"), {"who": name})

threads = [threading.Thread(target=write) for _ in range(4)]
for each in threads:
    each.start()
for each in threads:
    each.join()
"""


def test_no_process_is_passed_over_for_long(tmp_path: Path) -> None:
    database = Database.open(load_settings(data=tmp_path))
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE turns (id INTEGER PRIMARY KEY, who TEXT)"))
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITE, str(tmp_path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "other")
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.wait(60) for process in running] == [0, 0]
    with database.reading() as connection:
        turns = list(connection.execute(text("SELECT who FROM turns ORDER BY id")).scalars())
    changes = sum(before != after for before, after in itertools.pairwise(turns))
    # SQLite by itself has one process write over and over while the other one waits.
    assert changes > 100


def test_a_moment_comes_back_as_the_same_moment(database: Database) -> None:
    east = timezone(timedelta(hours=5))
    at = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=east)
    with database.writing() as connection:
        connection.execute(
            insert(api_keys).values(
                name="k", secret_sha256=bytes(32), scopes="screen", created_at=at, created_by="t"
            )
        )
    with database.reading() as connection:
        kept = connection.execute(select(api_keys.c.created_at)).scalar_one()
    assert kept == at
    assert kept.tzinfo == UTC


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"data folder .* cannot be made.*--data"):
        Database.open(load_settings(data=tmp_path / "file" / "data"))


@pytest.mark.parametrize(
    "damaged", [b"CREATE \xb2\xb2\xb2\xb2\xb2 api_keys", b"CREATE TABLE apj_keys"]
)
def test_a_damaged_schema_is_named_whatever_bytes_it_has(data: Path, damaged: bytes) -> None:
    settings = load_settings(data=data)
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    database.close()
    file = data / "tutela.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    file.write_bytes(
        file.read_bytes()
        .replace(b"CREATE TABLE api_keys", damaged)
        .replace(b'CREATE TABLE "api_keys"', damaged)
    )
    with (
        pytest.raises(StorageError, match="damaged; restore it from a backup"),
        database.reading() as connection,
    ):
        connection.execute(select(api_keys))
    database.close()


def test_a_damaged_database_is_named_and_not_overwritten(data: Path) -> None:
    data.mkdir()
    file = data / "tutela.db"
    file.write_bytes(b"this is no database" * 1000)
    with pytest.raises(StorageError, match="damaged; restore it from a backup"):
        upgrade(Database.open(load_settings(data=data)), data, tell=lambda _: None)
    assert file.read_bytes().startswith(b"this is no database")


def test_a_postgresql_that_does_not_answer_is_named_without_its_password(data: Path) -> None:
    settings = load_settings(data=data, database_url="postgresql://me:hunter2@127.0.0.1:1/tutela")
    with pytest.raises(StorageError, match="does not answer") as caught:
        upgrade(Database.open(settings), data, tell=lambda _: None)
    assert "hunter2" not in caught.value.message


def test_a_database_address_of_another_kind_is_refused(data: Path) -> None:
    with pytest.raises(SettingsError, match="write it as postgresql://"):
        load_settings(data=data, database_url="mysql://me@here/tutela")
