"""The nouns of a backup: what is in it, and what making one or putting one back came to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from tutela.errors import TutelaError

BackupId = NewType("BackupId", str)
"""Names one backup: 32 random hex digits."""


class Kind(StrEnum):
    """What a column holds, said without any database's words."""

    INTEGER = "integer"
    REAL = "real"
    BOOLEAN = "boolean"
    TEXT = "text"
    BYTES = "bytes"
    MOMENT = "moment"
    """Microseconds since 1970 in UTC."""
    DAY = "day"
    """Days since 0001-01-01, which is day 1."""
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table as a backup describes it."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of the table described last: for each column its encoded values.

    Attributes:
        count: How many rows.
        columns: As ``tutela.backup.columns.encode`` gives them, in the table's order.
    """

    count: int
    columns: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Blob:
    """A sealed blob, as it lies in the blob store.

    Attributes:
        id: Its name there.
        chunks: Its bytes, which can be walked through once. Raises ``LostBlobError`` where the
            blob vanished while it was being backed up.
    """

    id: str
    chunks: Iterator[bytes]


class Lack(StrEnum):
    """Why a blob that the database names is not in the backup."""

    DESTROYED = "destroyed"
    """Its evidence was destroyed while the backup was being made, as the law asks."""
    MISSING = "missing"
    """It should have been in the blob store, and was not."""


@dataclass(frozen=True, slots=True)
class LackingBlob:
    """A blob that the database names and the backup does not hold."""

    id: str
    lack: Lack


@dataclass(frozen=True, slots=True)
class DestroyedMeanwhile:
    """Pieces of evidence whose keys are in the backup and were erased while it was being made."""

    items: tuple[str, ...]


class LostBlobError(TutelaError):
    """A blob vanished while it was being read, now or when it was backed up."""

    def __init__(self, lacking: LackingBlob) -> None:
        super().__init__(f"the blob {lacking.id} is {lacking.lack}")
        self.lacking = lacking


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """How far the ledger was: so many entries, with this root hash."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup says of itself, at its beginning. It is encrypted like all the rest.

    Attributes:
        id: The backup.
        made_at: When its snapshot was taken.
        version: The Tutela that made it.
        revision: The revision of the database's schema.
        database: ``sqlite`` or ``postgresql``: where it came from, which does not bind where it
            goes.
        rows: How many rows each table has.
        blobs: How many blobs the database names, or ``None`` if they were left out.
        ledger: The head of the ledger.
        settings: Those settings without which the rest cannot be understood.
    """

    id: BackupId
    made_at: datetime
    version: str
    revision: str
    database: str
    rows: Mapping[str, int]
    blobs: int | None
    ledger: LedgerHead
    settings: Mapping[str, Any]

    @property
    def ledger_name(self) -> str:
        """What the ledger calls the backup: its id, and the ledger's size and root in it."""
        return f"backup:{self.id}@{self.ledger.size}:{self.ledger.root.hex()}"


@dataclass(frozen=True, slots=True)
class End:
    """The last word of a backup: without it, it is not whole."""

    rows: int
    blobs: int


Piece = Contents | TableShape | Rows | Blob | LackingBlob | DestroyedMeanwhile | End


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backup or a restore is. The totals are 0 while they are not known."""

    rows: int
    rows_total: int
    blobs: int
    blobs_total: int
    bytes: int
