"""Bringing the database to the shape that this version of Tutela needs."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from tutela.errors import StorageError
from tutela.storage.database import Database

# Any number will do, so long as nobody else locks by it in the same database.
_POSTGRESQL_LOCK = 0x7475_7465_6C61


def upgrade(database: Database, folder: Path, tell: Callable[[str], None]) -> None:
    """Make the tables, or upgrade them, in one transaction. Does nothing when they are right.

    Several processes may call this at once: one does the work, the others wait.

    Args:
        database: The open database.
        folder: The data folder, which holds the lock for SQLite.
        tell: Is given one line for people when there is work to do.

    Raises:
        StorageError: The database belongs to a newer Tutela, or cannot be written.
    """
    config = Config()
    config.set_main_option("script_location", "tutela.storage:migrations")
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    with database.reading() as connection:
        if _revision(connection) == newest:
            return
    with _only_one(database, folder), database.writing() as connection:
        current = _revision(connection)
        if current == newest:
            return
        try:
            scripts.get_revision(current or "head")
        except CommandError:
            raise StorageError(
                f"the database was made by a newer Tutela (its revision is {current}); "
                "install that version again, or restore the backup made before the upgrade"
            ) from None
        tell(
            "Making the database ..."
            if current is None
            else f"Upgrading the database from revision {current} to {newest} ..."
        )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _only_one(database: Database, folder: Path) -> Iterator[None]:
    if database.is_sqlite:
        with (folder / "migration.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    with database.engine.connect() as connection:
        key = {"key": _POSTGRESQL_LOCK}
        connection.execute(text("SELECT pg_advisory_lock(:key)"), key)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
