"""Bringing the database to the shape that this version of Tutela needs."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, inspect, text

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
    newest = revisions()[-1]
    with database.reading() as connection:
        if revision_of(connection) == newest:
            return
    with _only_one(database, folder), database.writing() as connection:
        current = revision_of(connection)
        if current == newest:
            return
        if current is not None and not is_known(current):
            raise StorageError(
                f"the database was made by a newer Tutela (its revision is {current}); "
                "install that version again, or restore the backup made before the upgrade"
            )
        tell(
            "Making the database ..."
            if current is None
            else f"Upgrading the database from revision {current} to {newest} ..."
        )
        upgrade_within(connection)


def upgrade_within(connection: Connection, revision: str = "head") -> None:
    """Make the tables, or upgrade them, as far as a revision, in the caller's transaction."""
    # Only here, since nearly every command finds the database as it should be, and need not wait.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "tutela.storage:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revision_of(connection: Connection) -> str | None:
    """The revision of the database's tables, or ``None`` if there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_known(revision: str) -> bool:
    """Whether this Tutela knows the revision, and so can upgrade from it."""
    return revision in revisions()


def revisions() -> list[str]:
    """Every revision that this Tutela knows, oldest first: what its scripts' names begin with."""
    scripts = (file.name for file in files("tutela.storage.migrations.versions").iterdir())
    return sorted(name[:4] for name in scripts if name[:4].isdigit())


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
