"""Keeping the index of fingerprints in step with the database.

The index is a copy, and must never be taken for a copy of another database: of one that was since
exchanged, or of this one before an older backup was restored. So a mark beside its folder says
which revision of the lists it was made from, with the random token that this revision has in this
database alone. The mark is written before the index is brought forward: then, at whatever instant
a process is killed, the index is never ahead of its mark. While the index is built anew it has no
mark: what a build that failed leaves is never taken for this database's.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, func, select

from tutela.errors import StorageError
from tutela.fingerprints.model import Kind
from tutela.fingerprints.vpdq import count_of, packed_values
from tutela.hashlists.entries import KINDS, VPDQ_NUMBER
from tutela.hashlists.tables import (
    entries,
    entry_frames,
    hash_lists,
    list_changes,
    list_revision,
)
from tutela.matching.building import KINDS as KINDS_IN_BATCHES
from tutela.matching.building import Batch, batch_of, joined
from tutela.matching.durable import DamagedIndexError
from tutela.matching.index import Index
from tutela.matching.model import frame_numbers
from tutela.storage.database import Database

_ROWS_AT_ONCE = 10_000
_VIDEOS_AT_ONCE = 50
_PDQ = KINDS_IN_BATCHES.index(Kind.PDQ)

Mark = tuple[int, str]
"""A revision of the lists, and the token that it has in one database alone."""


def open_index(folder: Path, database: Database, *, whole: bool = True) -> Index:
    """Open the index, as it should be for this database.

    The files are read whole, and an index that is damaged, or was made from another state of the
    database, is built anew.

    Args:
        folder: The index's folder, made where it is missing. The mark is the file beside it.
        database: What the index shall hold.
        whole: Wait until a damaged index is built anew. If not, and some of its segments are sound,
            it is opened with those; ``Index.is_whole`` is false until ``catch_up`` has built it.

    Raises:
        StorageError: The folder holds files that no index wrote, or cannot be written.
    """
    try:
        index = Index.open_sound(folder)
    except StorageError:
        index = Index.mend(folder)
    try:
        if whole or index.is_whole or not len(index) or not _is_ours(database, index):
            catch_up(database, index)
    except BaseException:
        index.close()
        raise
    return index


def catch_up(database: Database, index: Index) -> None:
    """Bring the index to the database's revision. Takes one select if it is there already.

    An index that is not whole is built anew, and so is one whose files were deleted or damaged
    meanwhile, as far as that shows: the files are read whole by ``open_index`` only.

    Raises:
        StorageError: The database does not answer, the index cannot be written, or its folder
            holds files that no index wrote.
    """
    try:
        _follow(database, index)
    except DamagedIndexError:
        _rebuild(database, index)


def newest_change(connection: Connection) -> Mark:
    """The last change of any list: equal to an earlier answer only if nothing changed since.

    Other than the revision alone it tells a database that was restored from a backup, and since
    changed as many times, from the one before. Takes one select of two rows by their keys.
    """
    revision, token = connection.execute(
        select(list_revision.c.value, list_changes.c.token).outerjoin(
            list_changes, list_changes.c.revision == list_revision.c.value
        )
    ).one()
    return int(revision), token or ""


def _rebuild(database: Database, index: Index) -> None:
    # What is there stays in use everywhere until the new one is whole.
    _remove_mark(index.folder)
    _follow(database, index, mending=True)


def _follow(database: Database, index: Index, *, mending: bool = False) -> None:
    with database.reading() as connection:
        if not mending and _is_current(connection, index):
            return
    # The writer is awaited without a connection in hand, so that none is kept from others.
    with index.writing(mending=mending) as writer, database.reading() as connection:
        newest = newest_change(connection)
        revision = newest[0]
        if not _is_copy(connection, index.folder, writer.revision):
            _remove_mark(index.folder)
            writer.replace(_added(connection, 0, revision), revision=revision)
            _write_mark(index.folder, newest)
        elif writer.revision != revision:
            _write_mark(index.folder, newest)
            writer.update(
                _added(connection, writer.revision, revision),
                _withdrawn(connection, writer.revision, revision),
                revision=revision,
            )


def _is_current(connection: Connection, index: Index) -> bool:
    newest = newest_change(connection)
    if index.revision != newest[0] or not index.is_whole:
        index.refresh()
    return index.is_whole and index.revision == newest[0] and _read_mark(index.folder) == newest


def _is_ours(database: Database, index: Index) -> bool:
    with database.reading() as connection:
        return _is_copy(connection, index.folder, index.revision)


def _is_copy(connection: Connection, folder: Path, revision: int) -> bool:
    """Whether the index in a folder, which is at a revision, was made from this database."""
    mark = _read_mark(folder)
    return mark is not None and 0 < revision <= mark[0] and _knows(connection, mark)


def _knows(connection: Connection, mark: Mark) -> bool:
    revision, token = mark
    found = connection.execute(
        select(list_changes.c.token).where(list_changes.c.revision == revision)
    ).scalar_one_or_none()
    return found == token


_COLUMNS = select(entries.c.id, entries.c.list_id, entries.c.kind, entries.c.value)
_VIDEO_COLUMNS = (
    select(entries.c.id, entries.c.list_id, entry_frames.c.frames)
    .join_from(entries, entry_frames)
    .where(entries.c.kind == VPDQ_NUMBER)
)


def _added(connection: Connection, after: int, until: int) -> Iterator[Batch]:
    in_use = select(hash_lists.c.id).where(hash_lists.c.removed_at.is_(None))
    live = (
        entries.c.live.is_(True),
        # Not by the list's number itself: SQLite would look all of a list through for one change.
        (entries.c.list_id + 0).in_(in_use),
    )
    statement = _between(_COLUMNS, after, until).where(*live, entries.c.kind != VPDQ_NUMBER)
    videos = _between(_VIDEO_COLUMNS, after, until).where(*live)
    return joined(
        chain(
            (
                batch_of(numbers, list_numbers, [KINDS[kind] for kind in kinds], values)
                for numbers, list_numbers, kinds, values in _columns(connection, statement)
            ),
            _batches_of_videos(connection, videos),
        )
    )


def _batches_of_videos(connection: Connection, statement: Select[Any]) -> Iterator[Batch]:
    """One batch for each video: its frames are found as the PDQ hashes that they are."""
    for entry, hash_list, frames in _streamed(connection, statement, _VIDEOS_AT_ONCE):
        values = np.unique(packed_values(frames), axis=0)
        numbers = frame_numbers(entry, len(values))
        yield Batch(
            np.full(len(values), _PDQ, np.int8),
            values,
            np.array(numbers, np.int64),
            np.full(len(values), hash_list, np.int64),
        )


def _withdrawn(connection: Connection, after: int, until: int) -> Iterator[int]:
    withdrawn = _between(select(entries.c.id), after, until).where(entries.c.live.is_(False))
    removed = select(hash_lists.c.id).where(
        hash_lists.c.removed_revision > after, hash_lists.c.removed_revision <= until
    )
    on_removed = select(entries.c.id).where(entries.c.list_id.in_(removed))
    for statement in (withdrawn, on_removed):
        for row in _streamed(connection, statement):
            yield row[0]
        videos = statement.join(entry_frames).add_columns(func.length(entry_frames.c.frames))
        for entry, length in _streamed(connection, videos.where(entries.c.kind == VPDQ_NUMBER)):
            yield from frame_numbers(entry, count_of(length))


def _between(statement: Select[Any], after: int, until: int) -> Select[Any]:
    # What changes while this is read has a greater revision, and is left to the next time.
    return statement.where(entries.c.revision > after, entries.c.revision <= until)


def _columns(connection: Connection, statement: Select[Any]) -> Iterator[tuple[Any, ...]]:
    result = connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE})
    for rows in result.partitions():
        yield tuple(zip(*rows, strict=True))


def _streamed(
    connection: Connection, statement: Select[Any], rows: int = _ROWS_AT_ONCE
) -> Iterator[Any]:
    return iter(connection.execute(statement, execution_options={"yield_per": rows}))


def _mark_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.origin")


def _read_mark(folder: Path) -> Mark | None:
    try:
        text = _mark_file(folder).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    found = re.fullmatch(r"([0-9]{1,18}) ([0-9a-f]*)\n", text)
    return (int(found[1]), found[2]) if found else None


def _remove_mark(folder: Path) -> None:
    path = _mark_file(folder)
    with _failure_named(path):
        path.unlink(missing_ok=True)


def _write_mark(folder: Path, mark: Mark) -> None:
    path = _mark_file(folder)
    unfinished = path.with_name(f"{path.name}.new")
    with _failure_named(path):
        with unfinished.open("w", encoding="ascii") as file:
            file.write(f"{mark[0]} {mark[1]}\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _failure_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror}): check free space and permissions there"
        ) from None
