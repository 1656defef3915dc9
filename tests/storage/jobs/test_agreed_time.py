"""Machines that share a PostgreSQL go by its time, however wrong their own clocks are."""

from datetime import datetime, timedelta

import pytest

from tests.conftest import TurnedClock
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.agreed_time import DatabaseClock, agreed_clock
from tutela.storage.settings import load_settings


@pytest.mark.parametrize("wrong_by", [timedelta(hours=-3), timedelta(), timedelta(days=400)])
def test_a_machine_whose_clock_is_wrong_goes_by_the_databases_time(
    data, postgresql_url: str, wrong_by: timedelta
) -> None:
    database = Database.open(load_settings(data=data, database_url=postgresql_url))

    def wrong_clock() -> datetime:
        return system_clock() + wrong_by

    # The server runs on the machine that tests it, whose clock is right by definition.
    assert abs(DatabaseClock(database, wrong_clock)() - system_clock()) < timedelta(seconds=5)
    database.close()


def test_a_clock_that_a_test_turns_is_left_alone(database: Database, clock: TurnedClock) -> None:
    assert agreed_clock(database, clock) is clock


def test_sqlite_goes_by_the_clock_of_its_machine_and_postgresql_by_its_own(
    database: Database,
) -> None:
    agreed = agreed_clock(database, system_clock)
    assert (agreed is system_clock) == database.is_sqlite
    assert isinstance(agreed, DatabaseClock) != database.is_sqlite


def test_a_database_that_does_not_answer_leaves_the_time_as_it_was(data) -> None:
    nowhere = load_settings(data=data, database_url="postgresql://tutela@127.0.0.1:1/nowhere")
    database = Database.open(nowhere)
    assert abs(DatabaseClock(database, system_clock)() - system_clock()) < timedelta(seconds=5)
    database.close()
