"""Putting tables back into an empty database, of either kind, in the caller's transaction."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from sqlalchemy import Connection, MetaData, func, inspect, select, table, text
from sqlalchemy.engine.interfaces import ReflectedColumn

from tutela.backup import columns
from tutela.backup.model import Kind, Rows, TableShape
from tutela.backup.pristine import rows_at_first
from tutela.backup.snapshot import REVISION_TABLE, all_tables, count_rows
from tutela.errors import AlreadyExistsError, InvalidInputError
from tutela.storage.migration import is_known, revision_of, upgrade_within


def refuse_unless_empty(connection: Connection) -> None:
    """See to it that nothing is overwritten.

    A house is empty that has no tables, or has in them no more than the migrations put there.
    Tables of other programs are left alone.

    Raises:
        AlreadyExistsError: The house is not empty.
    """
    revision = revision_of(connection)
    if revision is None:
        return
    where = connection.engine.url.render_as_string(hide_password=True)
    if not is_known(revision):
        raise AlreadyExistsError(
            f"the database {where} is of a newer Tutela: restore into an empty one"
        )
    at_first = rows_at_first(revision)
    for shape in all_tables(connection, at_first):
        if count_rows(connection, shape) > at_first[shape.name]:
            raise AlreadyExistsError(
                f"the database {where} is not empty (there are {shape.name.replace('_', ' ')}): "
                "a backup is only restored into an empty one, so that nothing is overwritten; "
                "choose another with --data or TUTELA_DATABASE_URL"
            )


def make_tables(connection: Connection, revision: str) -> list[TableShape]:
    """Make the tables of an empty house as they were at a revision, without a single row.

    Returns:
        Their shapes.

    Raises:
        InvalidInputError: This Tutela does not know the revision.
    """
    if not is_known(revision):
        raise InvalidInputError(
            f"the backup was made by a newer Tutela (its revision is {revision}): "
            "install that version to restore it"
        )
    present = revision_of(connection)
    if present is not None:
        _drop_tables(connection, present)
    upgrade_within(connection, revision)
    shapes = all_tables(connection, rows_at_first(revision))
    for shape in reversed(shapes):
        connection.execute(table(shape.name).delete())
    if connection.dialect.name == "sqlite":
        # Rows may refer to rows that come later, in this one transaction.
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    return shapes


def load_rows(connection: Connection, shape: TableShape, rows: Rows) -> None:
    """Put rows into their table.

    Raises:
        ValueError: The rows are not of the table's shape.
    """
    decoded = [
        _converted(
            connection.dialect.name, column.kind, columns.decode(column.kind, each, rows.count)
        )
        for column, each in zip(shape.columns, rows.columns, strict=True)
    ]
    load = _load_sqlite if connection.dialect.name == "sqlite" else _load_postgresql
    load(connection, shape, list(zip(*decoded, strict=True)))


def set_sequences(connection: Connection) -> None:
    """Let PostgreSQL count on from the greatest number that was loaded."""
    if connection.dialect.name == "sqlite":
        return
    inspector = inspect(connection)
    for shape in all_tables(connection, rows_at_first(revision_of(connection) or "head")):
        for column in inspector.get_columns(shape.name):
            _set_sequence(connection, shape.name, column)


def _set_sequence(connection: Connection, name: str, column: ReflectedColumn) -> None:
    sequence = connection.execute(
        select(func.pg_get_serial_sequence(f'"{name}"', column["name"]))
    ).scalar_one()
    if sequence is not None:
        connection.execute(
            text(
                f'SELECT setval(:sequence, coalesce(max("{column["name"]}") + 1, 1), false) '  # noqa: S608 - names of our own tables
                f'FROM "{name}"'
            ),
            {"sequence": sequence},
        )


def _drop_tables(connection: Connection, revision: str) -> None:
    unwanted = {*rows_at_first(revision), REVISION_TABLE}
    present = MetaData()
    present.reflect(connection, only=lambda name, _: name in unwanted)
    present.drop_all(connection)


def _load_sqlite(connection: Connection, shape: TableShape, rows: list[tuple[Any, ...]]) -> None:
    places = ", ".join("?" for _ in shape.columns)
    statement = f'INSERT INTO "{shape.name}" ({_names(shape)}) VALUES ({places})'  # noqa: S608
    connection.exec_driver_sql(statement, rows)


def _load_postgresql(
    connection: Connection, shape: TableShape, rows: list[tuple[Any, ...]]
) -> None:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(driver)
    with (
        driver.cursor() as cursor,
        cursor.copy(f'COPY "{shape.name}" ({_names(shape)}) FROM STDIN') as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _names(shape: TableShape) -> str:
    return ", ".join(f'"{column.name}"' for column in shape.columns)


def _converted(database: str, kind: Kind, values: Sequence[Any]) -> Sequence[Any]:
    """The values as the driver takes them."""
    convert = _FOR_DRIVER.get((database, kind))
    if convert is None:
        return values
    return [None if value is None else convert(value) for value in values]


def _sqlite_moment(at: datetime) -> str:
    # As SQLAlchemy writes them, so that old and new ones compare.
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


_FOR_DRIVER: dict[tuple[str, Kind], Callable[[Any], Any]] = {
    ("sqlite", Kind.MOMENT): _sqlite_moment,
    ("sqlite", Kind.DAY): date.isoformat,
    ("sqlite", Kind.JSON): json.dumps,
    ("postgresql", Kind.JSON): json.dumps,
}
