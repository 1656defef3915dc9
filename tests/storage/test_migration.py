"""The database is brought to the right shape, once, and never from a newer version."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import tutela.accounts.tables
import tutela.cases.tables
import tutela.evidence.disclosure.tables
import tutela.evidence.tables
import tutela.hashlists.tables
import tutela.ledger.tables
import tutela.reporting.authorities.tables
import tutela.reporting.following.tables
import tutela.reporting.tables
import tutela.screening.tables
import tutela.storage.jobs.tables
import tutela.webhooks.tables  # noqa: F401 - each import declares its room's tables
from tutela.errors import StorageError
from tutela.storage.database import Database
from tutela.storage.migration import revisions, upgrade
from tutela.storage.schema import metadata
from tutela.storage.settings import Settings


def test_the_migrations_make_exactly_the_tables_that_the_code_declares(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert set(inspect(connection).get_table_names()) == {
            *metadata.tables,
            "alembic_version",
        }


def test_the_revisions_are_known_by_the_names_of_their_scripts() -> None:
    scripts = ScriptDirectory("src/tutela/storage/migrations")
    one_after_another = [each.revision for each in scripts.walk_revisions()]
    assert revisions() == one_after_another[::-1]


def test_an_upgrade_says_what_it_does_and_does_it_once(new_settings: Settings) -> None:
    database = Database.open(new_settings)
    said: list[str] = []
    upgrade(database, new_settings.data, said.append)
    upgrade(database, new_settings.data, said.append)
    assert said == ["Making the database ..."]
    database.close()


def test_processes_that_start_together_do_not_trip_over_each_other(new_settings: Settings) -> None:
    said: list[str] = []
    failures: list[Exception] = []

    def start() -> None:
        database = Database.open(new_settings)
        try:
            upgrade(database, new_settings.data, said.append)
        except Exception as error:
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert said == ["Making the database ..."]


def test_a_database_from_a_newer_version_is_left_alone(database: Database, data) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="newer Tutela"):
        upgrade(database, data, tell=lambda _: None)
