"""Making a backup of a house while it serves."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

import tutela
from tutela.accounts.tables import NOT_BACKED_UP
from tutela.backup.envelope import new_backup_id, sealed
from tutela.backup.form import encode
from tutela.backup.model import (
    BackupId,
    Blob,
    Contents,
    DestroyedMeanwhile,
    End,
    Lack,
    LackingBlob,
    LedgerHead,
    LostBlobError,
    Piece,
)
from tutela.backup.places import make_durable, place_for, put_in_place, remove_older, writing_part
from tutela.backup.pristine import rows_at_first
from tutela.backup.reading import Checked, Tell, Watched, check_file
from tutela.backup.snapshot import all_rows, all_tables, count_rows, snapshot
from tutela.errors import StorageError
from tutela.evidence.model import BlobState
from tutela.evidence.tables import blobs, evidence_items
from tutela.evidence.vault import Vault
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.ledger.reading import read_head
from tutela.storage.blobs.model import BlobId, BlobMissingError
from tutela.storage.migration import revision_of
from tutela.storage.settings import Settings

_BLOBS_AT_ONCE = 1000
_ITEMS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, read again, and is in its place.

    Attributes:
        path: Where.
        checked: What it was found to hold.
        removed: The older ones that had to go.
    """

    path: Path
    checked: Checked
    removed: tuple[Path, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The blobs that should have been in the vault, and were not."""
        return tuple(each.id for each in self.checked.lacking if each.lack is Lack.MISSING)


def make_backup(
    vault: Vault,
    settings: Settings,
    target: Path,
    actor: Actor,
    *,
    with_blobs: bool = True,
    keep: int | None = None,
    tell: Tell = lambda _: None,
) -> Made:
    """Make a backup, read it again from its beginning to its end, and only then give it its name.

    That a backup was made is in the ledger before the backup can be seen.

    Args:
        vault: The house's vault, its database open.
        settings: The configuration.
        target: A file that is not there yet, or a folder.
        actor: Who wants it.
        with_blobs: Whether the sealed evidence is to be in it.
        keep: How many backups to leave in the folder, this one among them. Older ones go only
            when this one is in its place and lacks nothing.
        tell: Is told how far it is.

    Raises:
        AlreadyExistsError: The file is there already.
        StorageError: Something cannot be read or written. There is no backup then, and the house
            is as it was.
    """
    path = place_for(target, vault.clock())
    with writing_part(path) as file:
        backup = new_backup_id()
        progress = Watched(file, tell)
        with snapshot(vault.database) as connection:
            pieces = _pieces(connection, vault, settings, backup, progress, with_blobs=with_blobs)
            for chunk in sealed(backup, encode(pieces), vault.keyring):
                file.write(chunk)
        make_durable(file)
        file.seek(0)
        checked = check_file(file, vault.keyring, tell=lambda _: None)
        if checked.contents.id != backup:
            raise StorageError(f"the backup {path} cannot be read again: check the disk")
        with vault.database.writing() as connection:
            append(
                connection, actor, Act.BACKUP_MADE, vault.clock, thing=checked.contents.ledger_name
            )
        put_in_place(path)
    made = Made(path, checked, ())
    if keep is not None and not made.missing:
        made = replace(made, removed=tuple(remove_older(path, keep)))
    return made


def _pieces(
    connection: Connection,
    vault: Vault,
    settings: Settings,
    backup: BackupId,
    progress: Watched,
    *,
    with_blobs: bool,
) -> Iterator[Piece]:
    revision = revision_of(connection) or ""
    shapes = all_tables(connection, rows_at_first(revision).keys() - NOT_BACKED_UP)
    head = read_head(connection)
    contents = Contents(
        id=backup,
        made_at=vault.clock(),
        version=tutela.__version__,
        revision=revision,
        database=connection.dialect.name,
        rows={shape.name: count_rows(connection, shape) for shape in shapes},
        blobs=_count_blobs(connection) if with_blobs else None,
        ledger=LedgerHead(head.size, head.frontier.root),
        settings=_telling(settings),
    )
    progress.contents = contents
    yield contents
    for shape in shapes:
        yield shape
        for rows in all_rows(connection, shape):
            yield rows
            progress.rows += rows.count
            progress.tell()
    whole = 0
    if with_blobs:
        for blob in _live_blobs(connection):
            taken = _Taken(vault, blob, progress)
            yield taken.piece()
            whole += not taken.was_lost
            progress.blobs += 1
    # As late as can be: what is destroyed from here on is as in any older backup.
    yield from _destroyed_meanwhile(connection, vault)
    yield End(progress.rows, whole)


def _destroyed_meanwhile(connection: Connection, vault: Vault) -> Iterator[DestroyedMeanwhile]:
    """What has its key in the snapshot, and has none any more."""
    with_key = select(evidence_items.c.id).where(evidence_items.c.wrapped_key.is_not(None))
    found = connection.execute(
        with_key.order_by(evidence_items.c.id), execution_options={"yield_per": _ITEMS_AT_ONCE}
    )
    for then in found.scalars().partitions(_ITEMS_AT_ONCE):
        with vault.database.reading() as present:
            still = with_key.where(evidence_items.c.id.in_(then))
            now = set(present.execute(still).scalars())
        gone = tuple(item for item in then if item not in now)
        if gone:
            yield DestroyedMeanwhile(gone)


class _Taken:
    """A blob that is taken from the store, if it is there."""

    def __init__(self, vault: Vault, blob: BlobId, progress: Watched) -> None:
        self.was_lost = False
        self._progress = progress
        self._vault = vault
        self._blob = blob

    def piece(self) -> Blob:
        return Blob(self._blob, self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        try:
            for chunk in self._vault.store.read(self._blob):
                yield chunk
                self._progress.tell()
        except BlobMissingError:
            self.was_lost = True
            raise LostBlobError(LackingBlob(self._blob, self._why())) from None

    def _why(self) -> Lack:
        # The snapshot tells of the time before: what is true now decides.
        with self._vault.database.reading() as connection:
            state = connection.execute(
                select(blobs.c.state).where(blobs.c.id == self._blob)
            ).scalar_one_or_none()
        return Lack.MISSING if state == BlobState.LIVE else Lack.DESTROYED


def _count_blobs(connection: Connection) -> int:
    live = blobs.c.state == BlobState.LIVE
    return int(connection.execute(select(func.count()).select_from(blobs).where(live)).scalar_one())


def _live_blobs(connection: Connection) -> Iterator[BlobId]:
    found = connection.execute(
        select(blobs.c.id).where(blobs.c.state == BlobState.LIVE).order_by(blobs.c.id),
        execution_options={"yield_per": _BLOBS_AT_ONCE},
    )
    for name in found.scalars():
        yield BlobId(name)


def _telling(settings: Settings) -> dict[str, Any]:
    """The settings that say what verdicts meant and what wraps the keys. None is a secret."""
    return settings.model_dump(mode="json", include={"policy", "vault_key"})
