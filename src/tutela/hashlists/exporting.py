"""Writing a list's live entries, in a form that can be imported again."""

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from sqlalchemy import Connection, Row, func, select

from tutela.errors import AlreadyExistsError, StorageError
from tutela.fingerprints.model import Fingerprint
from tutela.fingerprints.vpdq import to_text, unpack
from tutela.hashlists.entries import KINDS, VPDQ_NUMBER
from tutela.hashlists.model import HashList, WithdrawnEntry
from tutela.hashlists.tables import entries, entry_frames, imports, withdrawals

_ROWS_AT_ONCE = 10_000
_COLUMNS = ("kind", "hash", "quality", "label", "source", "reason", "added_at", "added_by")


class ExportFormat(StrEnum):
    """The forms that a list can be written in."""

    CSV = "csv"
    JSON = "jsonl"


def export_list(
    connection: Connection, hash_list: HashList, form: ExportFormat, file: TextIO
) -> int:
    """Write every live entry with where it came from, ordered by kind and value.

    Args:
        connection: Where to read.
        hash_list: The list.
        form: CSV with a header, or one JSON object a line.
        file: Where to write; for CSV opened with ``newline=""``.

    Returns:
        How many entries were written.
    """
    count = 0
    table = csv.writer(file, lineterminator="\n")
    if form is ExportFormat.CSV:
        table.writerow(_COLUMNS)
    for row in _live_rows(connection, hash_list):
        values = (
            str(KINDS[row.kind]),
            to_text(unpack(row.frames)) if row.kind == VPDQ_NUMBER else row.value.hex(),
            row.quality,
            row.label,
            row.source,
            row.reason,
            row.started_at.isoformat(),
            row.imported_by,
        )
        if form is ExportFormat.CSV:
            table.writerow(values)
        else:
            fields = dict(zip(_COLUMNS, values, strict=True))
            file.write(json.dumps(fields, ensure_ascii=False) + "\n")
        count += 1
    return count


def withdrawn_entries(connection: Connection, hash_list: HashList) -> Iterator[WithdrawnEntry]:
    """Every entry that is withdrawn now, with who withdrew it, when and why."""
    rows = connection.execute(
        select(entries.c.kind, entries.c.value, *withdrawals.c)
        .join_from(entries, withdrawals)
        .where(
            entries.c.list_id == hash_list.id,
            entries.c.live.is_(False),
            withdrawals.c.restored_at.is_(None),
        )
        .order_by(withdrawals.c.id),
        execution_options={"yield_per": _ROWS_AT_ONCE},
    )
    for row in rows:
        yield WithdrawnEntry(
            fingerprint=Fingerprint(KINDS[row.kind], row.value),
            withdrawn_at=row.withdrawn_at,
            withdrawn_by=row.withdrawn_by,
            reason=row.reason,
        )


@contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[TextIO]:
    """A file that its owner alone can read, and that is there whole or not at all.

    Raises:
        AlreadyExistsError: There is a file of this name, and it shall not be replaced.
        StorageError: It cannot be written.
    """
    if not replace and os.path.lexists(path):
        raise AlreadyExistsError(
            "{path} exists: choose another name, or replace it with --force", path=path
        )
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with suppress(FileNotFoundError):
            unfinished.unlink()
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                yield file
            unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from None


def _live_rows(connection: Connection, hash_list: HashList) -> Iterator[Row[tuple[object, ...]]]:
    statement = (
        select(
            entries.c.kind,
            entries.c.value,
            entries.c.quality,
            func.coalesce(entries.c.label, imports.c.label).label("label"),
            imports.c.source,
            imports.c.reason,
            imports.c.started_at,
            imports.c.imported_by,
            entry_frames.c.frames,
        )
        .join_from(entries, imports)
        .outerjoin(entry_frames, entry_frames.c.entry_id == entries.c.id)
        .where(entries.c.list_id == hash_list.id, entries.c.live.is_(True))
        .order_by(entries.c.kind, entries.c.value)
    )
    return iter(connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE}))
