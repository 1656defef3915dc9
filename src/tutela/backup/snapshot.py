"""The database as it was at one moment, while others go on writing to it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, MetaData, Table, func, select

from tutela.backup import columns
from tutela.backup.model import Column, Kind, Rows, TableShape
from tutela.errors import StorageError
from tutela.storage.database import Database
from tutela.storage.schema import Moment

ROWS_AT_ONCE = 4096
"""Rows that are held in memory at a time."""

REVISION_TABLE = "alembic_version"
"""Where the revision is kept, which a backup says in another way."""

# The first that fits counts: what SQLAlchemy says of a column, and what that is to a backup.
_KINDS: tuple[tuple[type[sa.types.TypeEngine[Any]], Kind], ...] = (
    (sa.Boolean, Kind.BOOLEAN),
    (sa.Integer, Kind.INTEGER),
    (sa.Float, Kind.REAL),
    (sa.String, Kind.TEXT),
    (sa.LargeBinary, Kind.BYTES),
    (sa.DateTime, Kind.MOMENT),
    (sa.Date, Kind.DAY),
    (sa.JSON, Kind.JSON),
)
_TYPES: dict[Kind, sa.types.TypeEngine[Any]] = {
    Kind.BOOLEAN: sa.Boolean(),
    Kind.INTEGER: sa.BigInteger(),
    Kind.REAL: sa.Double(),
    Kind.TEXT: sa.Text(),
    Kind.BYTES: sa.LargeBinary(),
    Kind.MOMENT: Moment(),
    Kind.DAY: sa.Date(),
    Kind.JSON: sa.JSON(none_as_null=True),
}


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """A transaction that sees the whole database as it is now, for as long as it lasts.

    Nobody waits for it. Until it ends, SQLite's log of changes (``tutela.db-wal``) only grows.

    Raises:
        StorageError: The database cannot be reached or is damaged.
    """
    with database.reading() as connection:
        if database.is_sqlite:
            # BEGIN alone sees nothing yet: the first thing read decides what is seen.
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection


def all_tables(connection: Connection, names: Collection[str] | None = None) -> list[TableShape]:
    """Every table that there is, or those of some names; those that others refer to come first.

    What is in the database decides, not what this version's code declares: a database of an older
    revision is described as it is.

    Raises:
        StorageError: A column is of a type that backups cannot hold.
    """
    found = MetaData()
    found.reflect(connection, only=lambda name, _: names is None or name in names)
    return [_shape(table) for table in found.sorted_tables if table.name != REVISION_TABLE]


def count_rows(connection: Connection, shape: TableShape) -> int:
    """How many rows a table has."""
    statement = select(func.count()).select_from(sa.table(shape.name))
    return int(connection.execute(statement).scalar_one())


def all_rows(connection: Connection, shape: TableShape) -> Iterator[Rows]:
    """The rows of a table, some thousands at a time."""
    found = connection.execute(select(_table(shape)), execution_options={"yield_per": ROWS_AT_ONCE})
    for rows in found.partitions():
        encoded = (
            columns.encode(column.kind, values)
            for column, values in zip(shape.columns, zip(*rows, strict=True), strict=True)
        )
        yield Rows(len(rows), tuple(encoded))


def _shape(table: Table) -> TableShape:
    return TableShape(table.name, tuple(Column(each.name, _kind(each)) for each in table.columns))


def _kind(column: sa.Column[object]) -> Kind:
    for sql_type, kind in _KINDS:
        if isinstance(column.type, sql_type):
            return kind
    raise StorageError(
        f"the column {column.table.name}.{column.name} is of the type {column.type!r}, which a "
        "backup cannot hold: another program changed it"
    )


def _table(shape: TableShape) -> Table:
    described = (sa.Column(column.name, _TYPES[column.kind]) for column in shape.columns)
    return Table(shape.name, MetaData(), *described)
