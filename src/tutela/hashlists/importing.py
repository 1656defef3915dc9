"""Putting a file on a list, so that it may be interrupted anywhere and repeated at will.

Each batch is one transaction: its entries, and beside them how far the import has come. So an
import that was killed goes on behind its last batch, and two processes that import the same file
into the same list share the work without counting anything twice.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, RowMapping, insert, select, update

from tutela.errors import InvalidInputError, NotFoundError
from tutela.fingerprints.model import Kind
from tutela.hashlists.entries import add_entries, next_revision
from tutela.hashlists.model import (
    HashList,
    ImportId,
    ImportResult,
    ListRow,
    Provenance,
    RejectedRow,
)
from tutela.hashlists.reading import ListFile
from tutela.hashlists.rejects import RejectsFile
from tutela.hashlists.tables import hash_lists, imports
from tutela.hashlists.wording import checked_text
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.database import Database

ROWS_AT_ONCE = 100_000
"""Rows in a transaction: bounds the memory, what an interruption costs, and how long other writers
wait. More are quicker: each batch touches most pages of a large list's index. A video counts for
more than one.
"""

_BYTES_A_ROW = 1000

# What the column ``only_labels`` holds.
_LONGEST_ONLY = 2000
_Row = ListRow | RejectedRow


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is.

    Attributes:
        bytes_read: Bytes of the file, as it is on the disk.
        bytes_total: All of them.
        rows: Rows done, those of earlier runs included.
        resumed_at: Rows that earlier runs had done.
    """

    bytes_read: int
    bytes_total: int
    rows: int
    resumed_at: int


def import_file(
    database: Database,
    hash_list: HashList,
    path: Path,
    provenance: Provenance,
    *,
    actor: Actor,
    clock: Clock,
    rejects_path: Path,
    kind: Kind | None = None,
    only_labels: Collection[str] = (),
    progress: Callable[[Progress], None] = lambda _: None,
) -> ImportResult:
    """Put the hashes of a file on a list.

    An import of the same file into the same list by the same actor, with the same provenance,
    kind and wanted labels, that was interrupted is gone on with. A finished one repeated
    adds nothing.

    Args:
        database: Where the list is.
        hash_list: The list.
        path: The file, in any format of ``tutela.hashlists.formats``.
        provenance: Why its hashes are known.
        actor: Who imports.
        clock: The time.
        rejects_path: Where rows go that cannot be understood; absent afterwards if there are none.
        kind: What the hashes are, in so far as they do not say it themselves.
        only_labels: The labels whose rows are wanted; none for all. Others count as rejected. A
            row without its own has that of the provenance.
        progress: Is told of every batch.

    Raises:
        InvalidInputError: The file is no list that can be read, or a text cannot be used.
        NotFoundError: There is no such file, or the list was removed meanwhile.
        StorageError: The disk is full, the file or the database cannot be read or written; what
            was imported before is kept.
    """
    provenance = Provenance(
        checked_text("source", provenance.source, required=True),
        checked_text("label", provenance.label),
        checked_text("reason", provenance.reason),
    )
    only = sorted({checked_text("label", each) for each in only_labels})
    only_as_json = json.dumps(only) if only else None
    if only_as_json and len(only_as_json) > _LONGEST_ONLY:
        raise InvalidInputError(
            "too many labels are wanted ({count}): name fewer with --only, in several imports",
            count=len(only),
        )
    file = ListFile(path, kind)
    if rejects_path.exists() and rejects_path.samefile(path):
        raise InvalidInputError("--rejects names the list file itself: choose another name")
    same = {
        "list_id": hash_list.id,
        "source": provenance.source,
        "label": provenance.label,
        "reason": provenance.reason,
        "imported_by": actor.name,
        "file_sha256": file.sha256,
        "kind": kind,
        "only_labels": only_as_json,
    }
    number, resumed_at = _begin(database, path, same, actor, clock)
    with RejectsFile(rejects_path) as rejects:
        done, position = resumed_at, 0
        for batch in _batches(_wanted(file.rows(), frozenset(only), provenance.label)):
            # Every run writes the rejects anew: nothing tells how much of them reached the disk.
            rejects.write(row for row in batch if isinstance(row, RejectedRow))
            if done < position + len(batch):
                done = _save(database, hash_list, number, position, batch)
            position += len(batch)
            progress(Progress(file.bytes_read, file.size, max(done, position), resumed_at))
    with database.writing() as connection:
        connection.execute(
            update(imports)
            .where(imports.c.id == number, imports.c.finished_at.is_(None))
            .values(finished_at=clock())
        )
        return _result(_import(connection, number), resumed_at)


def _begin(
    database: Database, path: Path, same: Mapping[str, object], actor: Actor, clock: Clock
) -> tuple[ImportId, int]:
    """Find the import to go on with, or begin one; gives its number and the rows it has done."""
    with database.writing() as connection:
        found = connection.execute(
            select(imports.c.id, imports.c.rows_done)
            .where(imports.c.finished_at.is_(None))
            .where(*(imports.c[name].is_not_distinct_from(value) for name, value in same.items()))
            .order_by(imports.c.id.desc())
            .limit(1)
        ).one_or_none()
        if found is not None:
            return ImportId(found.id), int(found.rows_done)
        counts = dict.fromkeys(("rows_done", "added", "already", "withdrawn", "rejected"), 0)
        began = connection.execute(
            insert(imports)
            .values(started_at=clock(), file_name=_name(path), **same, **counts)
            .returning(imports.c.id)
        )
        number = ImportId(began.scalar_one())
        thing = f"list:{same['list_id']}/import:{number}"
        append(connection, actor, Act.ENTRIES_ADDED, clock, thing=thing, reason=str(same["reason"]))
        return number, 0


def _save(
    database: Database,
    hash_list: HashList,
    number: ImportId,
    position: int,
    batch: Sequence[_Row],
) -> int:
    """Save what no run has saved of a batch; gives how many rows the import has done then."""
    with database.writing() as connection:
        # From here on no other run saves anything until this one has.
        revision = next_revision(connection)
        _check_in_use(connection, hash_list)
        done = int(_import(connection, number)["rows_done"])
        rows = batch[max(0, done - position) :]
        if not rows:
            return done
        good = [row for row in rows if isinstance(row, ListRow)]
        added = add_entries(connection, hash_list.id, number, good, revision)
        connection.execute(
            update(imports)
            .where(imports.c.id == number)
            .values(
                rows_done=imports.c.rows_done + len(rows),
                added=imports.c.added + added.added,
                already=imports.c.already + added.already,
                withdrawn=imports.c.withdrawn + added.withdrawn,
                rejected=imports.c.rejected + len(rows) - len(good),
            )
        )
        return done + len(rows)


def _check_in_use(connection: Connection, hash_list: HashList) -> None:
    removed_at = connection.execute(
        select(hash_lists.c.removed_at).where(hash_lists.c.id == hash_list.id)
    ).scalar_one()
    if removed_at is not None:
        raise NotFoundError(f'the list "{hash_list.name}" was removed while importing into it')


def _import(connection: Connection, number: ImportId) -> RowMapping:
    return connection.execute(select(imports).where(imports.c.id == number)).mappings().one()


def _wanted(rows: Iterator[_Row], only: frozenset[str], default_label: str) -> Iterator[_Row]:
    for row in rows:
        if only and isinstance(row, ListRow) and (label := row.label or default_label) not in only:
            reason = f'left out: its label is "{label}"' if label else "left out: no label"
            yield RejectedRow(row.number, reason, row.fingerprint.text)
        else:
            yield row


def _batches(rows: Iterator[_Row]) -> Iterator[Sequence[_Row]]:
    batch: list[_Row] = []
    weight = 0
    for row in rows:
        batch.append(row)
        weight += 1 + (len(row.frames) // _BYTES_A_ROW if isinstance(row, ListRow) else 0)
        if weight >= ROWS_AT_ONCE:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _name(path: Path) -> str:
    readable = path.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else "?" for each in readable)[:1000]


def _result(row: RowMapping, resumed_at: int) -> ImportResult:
    return ImportResult(
        id=ImportId(row["id"]),
        rows=row["rows_done"],
        added=row["added"],
        already=row["already"],
        withdrawn=row["withdrawn"],
        rejected=row["rejected"],
        resumed_at=resumed_at,
    )
