"""Words that were erased are gone, and the ledger is as sound as before."""

import threading
import time
from pathlib import Path

import pytest

from tests.ledger.filling import ACTOR, fill
from tutela.errors import NotFoundError, StorageError
from tutela.ledger.appending import append
from tutela.ledger.erasing import clear_remains, erase_reason
from tutela.ledger.model import Act
from tutela.ledger.reading import find_entry, newest_entries, words_of
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import load_settings


def test_erased_words_are_in_no_file_any_more(database, clock, data: Path) -> None:
    fill(database, clock, 50)
    with database.writing() as connection:
        append(connection, ACTOR, Act.LIST_REMOVED, clock, reason="asked for by Jo Unlikely-Name")
    fill(database, clock, 50, first=51)
    with database.writing() as connection:
        erase_reason(connection, 50, ACTOR, clock)
    clear_remains(database)
    if database.is_sqlite:
        for file in data.iterdir():
            assert b"Unlikely-Name" not in file.read_bytes()
    with database.reading() as connection:
        assert words_of(connection, newest_entries(connection, 200)).keys() == {
            *range(0, 50, 4),
            *range(52, 100, 4),
        } - {50} | {number for number in range(51, 101) if number % 4 == 0}


def test_an_erasure_is_an_entry_itself(database, clock) -> None:
    fill(database, clock, 1)
    with database.writing() as connection:
        told = erase_reason(connection, 0, ACTOR, clock)
        entry = find_entry(connection, told)
    assert (entry.act, entry.thing, entry.actor) == (Act.REASON_ERASED, "entry:0", ACTOR.id)


def test_what_cannot_be_erased_is_said(database, clock) -> None:
    fill(database, clock, 2)
    for number, words in ((0, None), (0, "erased already"), (1, "never had"), (9, "no entry 9")):
        if words is None:
            with database.writing() as connection:
                erase_reason(connection, number, ACTOR, clock)
        else:
            with pytest.raises(NotFoundError, match=words), database.writing() as connection:
                erase_reason(connection, number, ACTOR, clock)


def test_while_a_backup_reads_nobody_waits_and_what_is_left_is_said(clock, data: Path) -> None:
    settings = load_settings(data=data)
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    with database.writing() as connection:
        told = append(connection, ACTOR, Act.LIST_REMOVED, clock, reason="Jo Unlikely-Name")
    waits: list[float] = []
    stop = threading.Event()

    def keep_writing() -> None:
        while not stop.wait(0.2):
            began = time.monotonic()
            fill(database, clock, 1)
            waits.append(time.monotonic() - began)

    writer = threading.Thread(target=keep_writing)
    with database.reading() as backup:
        backup.exec_driver_sql("SELECT count(*) FROM sqlite_master").all()
        with database.writing() as connection:
            erase_reason(connection, told, ACTOR, clock)
        writer.start()
        with pytest.raises(StorageError, match="still hold them"):
            clear_remains(database)
        stop.set()
        writer.join()
    assert len(waits) > 2
    assert max(waits) < 8
    clear_remains(database)
    database.close()
    assert not any(b"Unlikely-Name" in file.read_bytes() for file in data.glob("tutela.db*"))
