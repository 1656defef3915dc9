"""Removing blobs that no row names: what a crash, or a destruction cut short, has left."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import select

from tutela.errors import StorageError
from tutela.evidence.model import BlobState
from tutela.evidence.tables import blobs, vault_keys
from tutela.evidence.vault import Vault
from tutela.storage.blobs.model import BlobInfo
from tutela.storage.jobs.model import Job, Kind

SWEEP = "evidence.sweep"
GRACE = timedelta(hours=24)
"""So long a blob may be there before its row is. Nobody keeps a content that was sealed earlier."""

_AT_ONCE = 500
# As BlobId has it. Nothing else in the folder or bucket is ours.
_NAME = re.compile(r"[a-z2-7]{26}")


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep has removed.

    Attributes:
        blobs: How many blobs that no evidence needs.
        unfinished: How many writes that were cut short.
    """

    blobs: int
    unfinished: int


def sweep(vault: Vault) -> Swept:
    """Remove blobs without a row or whose evidence is destroyed, and what unfinished writes left.

    May be done at any time, by several at once, and again after having been cut short. A database
    may have been put beside the blobs of another by mistake: of what is older than the first key
    that this one has used, it removes nothing but what it knows itself.

    Raises:
        StorageError: The blob store or the database fails. A blob that cannot be removed does not
            keep the others from being removed.
    """
    before = vault.clock() - GRACE
    unfinished = vault.store.clear_away(before)
    removed, failure = 0, None
    since = _first_sealing(vault)
    old = (
        each for each in vault.store.list() if each.written_at < before and _NAME.fullmatch(each.id)
    )
    for several in _portions(old):
        with vault.database.reading() as connection:
            rows = connection.execute(
                select(blobs.c.id, blobs.c.state).where(blobs.c.id.in_([one.id for one in several]))
            )
            states = {row.id: BlobState(row.state) for row in rows}
        for each in several:
            state = states.get(each.id)
            if state is BlobState.LIVE:
                continue
            if state is None and (since is None or each.written_at < since):
                continue
            try:
                # What was destroyed is to go, however long the store was to retain it. Of what has
                # no row, nobody knows: it may belong to another house that shares the store.
                vault.store.delete(each.id, early=state is BlobState.DOOMED)
                removed += 1
            except StorageError as error:
                failure = error
    if failure is not None:
        raise failure
    return Swept(removed, unfinished)


def sweeping(vault: Vault) -> Kind:
    """The job that sweeps once a day, at an hour of little work."""

    def run(_job: Job) -> None:
        sweep(vault)

    return Kind(SWEEP, run, lease_seconds=300, schedule="41 3 * * *")


def _first_sealing(vault: Vault) -> datetime | None:
    """When this database first used a key. A key is remembered before it wraps anything."""
    with vault.database.reading() as connection:
        first: datetime | None = connection.execute(
            select(vault_keys.c.first_used_at).order_by(vault_keys.c.first_used_at).limit(1)
        ).scalar()
    # S3 tells whole seconds.
    return None if first is None else first.replace(microsecond=0)


def _portions(found: Iterable[BlobInfo]) -> Iterator[list[BlobInfo]]:
    remaining = iter(found)
    while several := list(islice(remaining, _AT_ONCE)):
        yield several
