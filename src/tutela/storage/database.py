"""The database: how it is opened, and the two ways to talk to it."""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
    Engine,
    Executable,
    Table,
    create_engine,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from tutela.errors import StorageError
from tutela.storage.settings import Settings

_BEGIN = "tutela_begin"
_LOG_SECONDS = 10.0
_PATIENCE_SECONDS = 60


class Database:
    """An open database, SQLite or PostgreSQL. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._line = _line_of(engine)

    @classmethod
    def open(cls, settings: Settings) -> "Database":
        """Open the configured database, making the data folder where it is missing.

        The tables are made and upgraded by ``tutela.storage.migration.upgrade``.

        Raises:
            SettingsError: The database's address cannot be understood.
            StorageError: The data folder cannot be made or written.
        """
        try:
            settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(
                f"the data folder {settings.data} cannot be made: {error.strerror}; "
                "choose another with --data or TUTELA_DATA"
            ) from None
        url = settings.database
        if url.get_backend_name() == "sqlite":
            return cls(_sqlite_engine(url))
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=16,
            max_overflow=16,
            connect_args={"connect_timeout": 10},
        )
        return cls(engine)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite and not PostgreSQL."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads.

        Raises:
            StorageError: The database cannot be reached or is damaged.
        """
        with _failures_explained(self), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, or leaves no trace of it.

        SQLite takes its write lock at once, so that two writers queue instead of failing.

        Raises:
            StorageError: The database cannot be reached, is full, read-only or damaged.
        """
        with (
            _failures_explained(self),
            self._line.turn(),
            self.engine.connect().execution_options(**{_BEGIN: "BEGIN IMMEDIATE"}) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


class _Line:
    """The line in which those who write to an SQLite file stand, before they take a connection.

    SQLite lets one write at a time, but keeps no line: whoever waits looks again now and then, at
    last ten times a second, and finds that others were quicker. Here nobody is passed over for
    long. In one process they come one after the other; of several processes, one at a time is the
    next, and is woken as soon as whoever writes is done.

    Args:
        database: The file; ``None`` where the database itself has many write at once, and for one
            in memory, which is nobody else's.
    """

    def __init__(self, database: Path | None) -> None:
        self._database = database
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The time in which nobody else writes.

        Raises:
            StorageError: It did not come for a minute.
        """
        if self._database is None:
            yield
            return
        if not self._lock.acquire(timeout=_PATIENCE_SECONDS):
            raise StorageError(_BUSY)
        try:
            with ExitStack() as until_next:
                until_next.enter_context(_locked(Path(f"{self._database}-next")))
                with _locked(Path(f"{self._database}-writer")):
                    until_next.close()
                    yield
        finally:
            self._lock.release()


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        # SQLite itself says what is wrong with the folder.
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _line_of(engine: Engine) -> _Line:
    file = engine.url.database
    is_shared = engine.dialect.name == "sqlite" and file not in (None, "", ":memory:")
    return _Line(Path(file or "") if is_shared else None)


def insert_or_ignore(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that passes over rows which a unique constraint says are there already."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def changed_rows(connection: Connection, statement: Executable, *arguments: Any) -> int:
    """Run a statement and count the rows that it changed."""
    result = connection.execute(statement, *arguments)
    return result.rowcount if isinstance(result, CursorResult) else 0


def overwrite_erased(database: Database, table: Table) -> None:
    """Take what was erased from a table out of the database's files, as far as the database can.

    SQLite has overwritten it with zeros already (``secure_delete``); here its write-ahead log is
    emptied, which still has the pages as they were. PostgreSQL frees the place of the old rows for
    new ones, which is when their bytes are overwritten.

    Raises:
        StorageError: Others read from SQLite without a pause, so that its log cannot be emptied
            now. Nothing is wrong; it has to be tried again.
    """
    with _failures_explained(database):
        if database.is_sqlite:
            _empty_log(database)
            return
        with database.engine.connect() as connection:
            autocommitting = connection.execution_options(isolation_level="AUTOCOMMIT")
            autocommitting.exec_driver_sql(f'VACUUM "{table.name}"')


def _empty_log(database: Database) -> None:
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        # While it waits for readers, nobody can write: so it tries often instead of waiting long.
        cursor.execute("PRAGMA busy_timeout=200")
        deadline = time.monotonic() + _LOG_SECONDS
        while cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > deadline:
                raise StorageError(
                    "the database's log cannot be emptied while others read from it without a "
                    "pause: it is tried again later by itself"
                )
            time.sleep(0.05)
    finally:
        # Not given back to the pool, where others would inherit its impatience.
        connection.invalidate()


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": _PATIENCE_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(dbapi_connection: Any, _record: object) -> None:
        # The driver would otherwise begin transactions by itself, too late and without a lock.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            # What is deleted is overwritten with zeros: keys of destroyed evidence among it.
            "secure_delete=ON",
            "temp_store=MEMORY",
            "cache_size=-65536",
        ):
            try:
                cursor.execute(f"PRAGMA {pragma}")
            except UnicodeDecodeError:
                # SQLite quotes the damaged schema, whatever bytes it now has.
                raise sqlite3.DatabaseError("malformed database schema") from None
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    return engine


@contextmanager
def _failures_explained(database: Database) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        explanation = _explanation(database, error)
        if explanation is None:
            raise
        raise StorageError(explanation) from error


def _explanation(database: Database, error: DBAPIError) -> str | None:
    text = str(error.orig).lower()
    where = database.engine.url.render_as_string(hide_password=True)
    for sign, explanation in _EXPLANATIONS.items():
        if sign in text:
            return explanation.format(where=where)
    unreachable = isinstance(error, OperationalError) and not database.is_sqlite
    if unreachable or error.connection_invalidated:
        first_line = str(error.orig).strip().splitlines()[0]
        return f"the database {where} does not answer: {first_line}"
    return None


_BUSY = "the database has been busy with another writer for a minute; try again"
_FULL = "the disk is full; nothing already saved is lost: free some space and run it again"
_READ_ONLY = "the database {where} is read-only; make the data folder writable for this user"
_DAMAGED = "the database {where} is damaged; restore it from a backup"
_EXPLANATIONS = {
    "disk is full": _FULL,
    "no space left": _FULL,
    "readonly": _READ_ONLY,
    "read-only": _READ_ONLY,
    "malformed": _DAMAGED,
    "not a database": _DAMAGED,
    # Its schema is text in the file, which may be damaged as well.
    "no such column": _DAMAGED,
    "no such table": _DAMAGED,
    "unable to open": "the database {where} cannot be opened; check that the data folder is "
    "writable",
    "database is locked": _BUSY,
    "disk i/o error": "the disk failed while reading or writing {where}; check the disk and its "
    "free space",
}
