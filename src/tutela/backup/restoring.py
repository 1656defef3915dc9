"""Putting a backup back into an empty house: all of it, or nothing."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from tutela.accounts.tables import NOT_BACKED_UP
from tutela.backup.envelope import damaged
from tutela.backup.loading import load_rows, make_tables, refuse_unless_empty, set_sequences
from tutela.backup.model import (
    Blob,
    Contents,
    DestroyedMeanwhile,
    Lack,
    LackingBlob,
    LedgerHead,
    LostBlobError,
    Piece,
    Rows,
    TableShape,
)
from tutela.backup.reading import Tell, Watched, opened_file, read_backup
from tutela.backup.snapshot import count_rows
from tutela.errors import StorageError
from tutela.evidence.model import ItemId
from tutela.evidence.shredding import shred
from tutela.evidence.tables import destructions, evidence_items
from tutela.evidence.tombstones import attest
from tutela.evidence.vault import Vault
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.ledger.reading import read_head
from tutela.reporting.delivery.doubting import doubt_unsent
from tutela.storage.blobs.model import BlobId
from tutela.storage.database import overwrite_erased
from tutela.storage.migration import upgrade_within

_ITEMS_AT_ONCE = 1000
_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back.

    Attributes:
        contents: What the backup says of itself.
        rows: How many rows there are.
        blobs: How many blobs were written.
        destroyed: The pieces of evidence that were destroyed while the backup was being made, and
            are so here too.
        doubted: How many reports may have been sent since the backup: none of them goes before
            somebody has said whether it was.
    """

    contents: Contents
    rows: int
    blobs: int
    destroyed: tuple[str, ...]
    doubted: int


def restore_backup(vault: Vault, path: Path, actor: Actor, tell: Tell = lambda _: None) -> Restored:
    """Put a backup back. It is proved by ``tutela.backup.proving``.

    Everything goes into one transaction of the database, which ends when the file has been read to
    its end and everything in it was authentic. Blobs are durable before it ends; those of a restore
    that failed are named by no row, and the next one writes them again.

    Args:
        vault: The new house's vault, its database open: without tables, or with empty ones.
        path: The backup.
        actor: Who wants it.
        tell: Is told how far it is.

    Raises:
        AlreadyExistsError: The house is not empty.
        InvalidInputError: The backup is damaged, unfinished, from a newer Tutela, or no backup.
        StorageError: Something cannot be read or written, or the key provider lacks the key.
    """
    with opened_file(path) as file, vault.database.writing() as connection:
        refuse_unless_empty(connection)
        # Nobody else writes into an empty house: this is what a killed restore left.
        vault.store.clear_away(_EVER)
        progress = Watched(file, tell)
        restoring = _Restoring(connection, vault, progress)
        try:
            for piece in read_backup(file, vault.keyring):
                restoring.take(piece)
                progress.tell()
        except OSError as error:
            raise StorageError(f"the backup {path} cannot be read: {error.strerror}") from error
        contents = restoring.contents
        if contents is None:
            raise damaged()
        restoring.refuse_miscounts()
        upgrade_within(connection)
        set_sequences(connection)
        doubted = doubt_unsent(connection, contents.made_at)
        destroyed, doomed = _destroy_again(connection, vault, restoring, actor, contents)
        append(connection, actor, Act.BACKUP_RESTORED, vault.clock, thing=contents.ledger_name)
    # Where this fails, the sweep and the next destruction do it.
    with suppress(StorageError):
        for blob in doomed:
            vault.store.delete(blob, early=True)
        if destroyed:
            overwrite_erased(vault.database, evidence_items)
    return Restored(contents, progress.rows, restoring.blobs, destroyed, doubted)


class _Restoring:
    """Takes the pieces of a backup, one by one."""

    def __init__(self, connection: Connection, vault: Vault, progress: Watched) -> None:
        self.contents: Contents | None = None
        self.blobs = 0
        self.lacking: list[LackingBlob] = []
        self.destroyed: list[str] = []
        self._connection = connection
        self._vault = vault
        self._progress = progress
        self._expected: dict[str, TableShape] = {}
        self._table: TableShape | None = None

    def take(self, piece: Piece) -> None:
        match piece:
            case Contents():
                self.contents = self._progress.contents = piece
                shapes = make_tables(self._connection, piece.revision)
                self._expected = {
                    shape.name: shape for shape in shapes if shape.name not in NOT_BACKED_UP
                }
            case TableShape():
                self._table = piece
                self._refuse_other_shape(piece)
            case Rows() if self._table is not None:
                load_rows(self._connection, self._table, piece)
                self._progress.rows += piece.count
            case Blob():
                self._take_blob(piece)
                self._progress.blobs += 1
            case LackingBlob():
                self.lacking.append(piece)
            case DestroyedMeanwhile():
                self.destroyed += piece.items
            case _:
                pass

    def refuse_miscounts(self) -> None:
        """Compare what is there with what the backup says: every table, and the ledger's head."""
        if self.contents is None or self._expected.keys() != self.contents.rows.keys():
            raise StorageError(_MISCOUNTED)
        for name, rows in self.contents.rows.items():
            if count_rows(self._connection, self._expected[name]) != rows:
                raise StorageError(_MISCOUNTED)
        head = read_head(self._connection)
        if LedgerHead(head.size, head.frontier.root) != self.contents.ledger:
            raise StorageError(_MISCOUNTED)

    def _take_blob(self, blob: Blob) -> None:
        try:
            self._vault.store.write(BlobId(blob.id), self._told(blob))
            self.blobs += 1
        except LostBlobError as error:
            self.lacking.append(error.lacking)

    def _told(self, blob: Blob) -> Iterator[bytes]:
        for chunk in blob.chunks:
            yield chunk
            self._progress.tell()

    def _refuse_other_shape(self, shape: TableShape) -> None:
        here = self._expected.get(shape.name)
        if here is None or set(here.columns) != set(shape.columns):
            raise StorageError(
                f"the table {shape.name} of the backup is not that of its revision: another "
                "program changed the database; restore with the Tutela that made the backup"
            )


_MISCOUNTED = (
    "the database does not hold what the backup does, though all was written; nothing was kept: "
    "please report it"
)


def _destroy_again(
    connection: Connection,
    vault: Vault,
    restoring: _Restoring,
    actor: Actor,
    contents: Contents,
) -> tuple[tuple[str, ...], list[BlobId]]:
    """Destroy what had been destroyed by the time the backup's end was written.

    Who ordered it, and what the tombstone said, came after the backup's moment and is not in it.

    Returns:
        What was destroyed, and the blobs that can go once the transaction has committed.
    """
    lost = [each.id for each in restoring.lacking if each.lack is Lack.DESTROYED]
    destroyed: list[str] = []
    doomed: list[BlobId] = []
    for column, names in (
        (evidence_items.c.blob_id, lost),
        (evidence_items.c.id, restoring.destroyed),
    ):
        for start in range(0, len(names), _ITEMS_AT_ONCE):
            some = names[start : start + _ITEMS_AT_ONCE]
            still_there = select(evidence_items).where(
                column.in_(some), evidence_items.c.wrapped_key.is_not(None)
            )
            for item in connection.execute(still_there).all():
                begun = select(destructions.c.item_id).where(destructions.c.item_id == item.id)
                if connection.execute(begun).first() is None:
                    _begin_destruction(connection, vault, item, actor, contents)
                blob = shred(connection, ItemId(item.id), vault.clock)
                attest(connection, item, vault.clock)
                destroyed.append(item.id)
                doomed += [blob] if blob is not None else []
    return tuple(destroyed), doomed


def _begin_destruction(
    connection: Connection, vault: Vault, item: Any, actor: Actor, contents: Contents
) -> None:
    name = f"backup:{contents.id}"
    entry = append(
        connection,
        actor,
        Act.DESTRUCTION_BEGUN,
        vault.clock,
        case=item.case_id,
        item=item.id,
        thing=name,
        reason="it was destroyed while the backup was being made",
    )
    connection.execute(
        insert(destructions).values(
            item_id=item.id,
            begun_at=vault.clock(),
            begun_entry=entry,
            ordered_by=name,
            actor_id=actor.id,
            actor_role=actor.role,
            actor_face=actor.face,
        )
    )
