"""Counts add up, whoever counts, and are lost to no failure of the database."""

import threading

import pytest

from tutela.errors import StorageError
from tutela.fingerprints.model import Unreadable
from tutela.screening.counts import FILES, Counts, totals
from tutela.screening.model import Failure, Verdict
from tutela.screening.samples import latest_samples
from tutela.screening.unreadable import totals_unreadable
from tutela.storage.database import Database
from tutela.storage.settings import OnUnreadable, Settings


def saved(database: Database) -> dict[tuple[str, int], int]:
    with database.reading() as connection:
        return totals(connection)


def test_files_are_counted_once_and_each_list_for_itself(database: Database, clock) -> None:
    counts = Counts(clock)
    counts.add(Verdict.CLEAR)
    counts.add(Verdict.MATCH, [1, 2])
    counts.save(database)
    counts.save(database)
    assert saved(database) == {
        ("clear", FILES): 1,
        ("match", FILES): 1,
        ("match", 1): 1,
        ("match", 2): 1,
    }


def test_days_add_up(database: Database, clock) -> None:
    counts = Counts(clock)
    counts.add(Verdict.CLEAR)
    clock.turn(days=1)
    counts.add(Verdict.CLEAR)
    counts.save(database)
    assert saved(database) == {("clear", FILES): 2}


def test_many_counters_at_once_lose_nothing(database: Database, clock) -> None:
    def count() -> None:
        counts = Counts(clock)
        for _ in range(20):
            counts.add(Verdict.MATCH, [3, 1, 2])
            counts.save(database)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert saved(database)["match", 2] == 80


def test_what_could_not_be_saved_is_saved_later(
    database: Database, clock, settings: Settings
) -> None:
    counts = Counts(clock)
    counts.add(Verdict.CLEAR)
    away = Database.open(
        settings.model_copy(update={"database_url": "postgresql://me@127.0.0.1:1/none"})
    )
    with pytest.raises(StorageError):
        counts.save(away)
    counts.add(Verdict.CLEAR)
    counts.save(database)
    assert saved(database) == {("clear", FILES): 2}


def test_what_could_not_be_looked_at_is_saved_also_before_its_verdict_is_counted(
    database: Database, clock
) -> None:
    counts = Counts(clock)
    counts.add_unreadable(Failure("damaged", Unreadable.DAMAGED), OnUnreadable.REFUSE, ".jpg", 9)
    counts.save(database)
    counts.add(Verdict.UNREADABLE)
    counts.save(database)
    with database.reading() as connection:
        assert totals_unreadable(connection) == {("damaged", "", "refuse"): 1}
        assert len(latest_samples(connection)) == 1
    assert saved(database) == {("unreadable", FILES): 1}


def test_whoever_has_saved_finds_everything_counted_before(database: Database, clock) -> None:
    counts = Counts(clock)
    missing = []

    def count() -> None:
        for number in range(1, 21):
            counts.add(Verdict.CLEAR)
            counts.save(database)
            if saved(database)["clear", FILES] < number:
                missing.append(number)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert missing == []
    assert saved(database)["clear", FILES] == 80
