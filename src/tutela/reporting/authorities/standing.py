"""The directory as it stands: what is written in files and in the house, and who stands for it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy import Row as SqlRow

from tutela.reporting.authorities.model import (
    Authority,
    Channel,
    Confirmation,
    Directory,
    Duty,
    RowKind,
)
from tutela.reporting.authorities.reading import read_row, written_directory
from tutela.reporting.authorities.tables import confirmed_rows, house_rows
from tutela.storage.settings import Settings

_Confirmations = Mapping[tuple[str, str], Confirmation]
_Row = TypeVar("_Row", Authority, Channel, Duty)


def directory_now(connection: Connection, settings: Settings) -> Directory:
    """The directory with all that this house added to it, and with who stands for which row.

    Raises:
        SettingsError: The operator's file cannot be read, or says something that it cannot mean.
    """
    written = written_directory(settings)
    authorities, channels, duties = (
        dict(written.authorities),
        dict(written.channels),
        dict(written.duties),
    )
    for own in connection.execute(select(house_rows).order_by(house_rows.c.id)):
        row = read_row(RowKind(own.kind), own.terms, own.version, own.notes)
        if isinstance(row, Authority):
            authorities[row.id] = row
        elif isinstance(row, Channel):
            channels[row.id] = row
        else:
            duties[row.id] = row
    confirmed = _confirmations(connection)
    return Directory(
        edition=written.edition,
        authorities={name: _stood_for(row, confirmed) for name, row in authorities.items()},
        channels={name: _stood_for(row, confirmed) for name, row in channels.items()},
        duties={name: _stood_for(row, confirmed) for name, row in duties.items()},
        groups=written.groups,
    )


def _stood_for(row: _Row, confirmed: _Confirmations) -> _Row:
    found = confirmed.get((row.id, row.digest))
    return row if found is None else replace(row, confirmation=found)


def _confirmations(connection: Connection) -> _Confirmations:
    rows = connection.execute(select(confirmed_rows).where(confirmed_rows.c.withdrawn_at.is_(None)))
    return {(row.row_id, row.digest): _confirmation(row) for row in rows}


def _confirmation(row: SqlRow[Any]) -> Confirmation:
    return Confirmation(row.confirmed_at, row.confirmed_by, row.source)
