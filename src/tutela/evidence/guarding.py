"""Telling the blob store what may not be removed, where it can see to that itself (Object Lock).

Whoever changes a hold or a clock enqueues a job in the same transaction. The job makes the store's
protection what the database says by then, so that it may run late, twice, or out of order.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from tutela.evidence.model import BlobState, ItemId
from tutela.evidence.rules import RuleBook
from tutela.evidence.standing import standings_of
from tutela.evidence.tables import blobs, evidence_items
from tutela.storage.blobs.model import BlobId, BlobStore
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue

GUARD = "evidence.guard"


def guard_blobs(connection: Connection, evidence: Iterable[Any], clock: Clock) -> None:
    """Have the store told about these items' blobs, if this transaction commits."""
    for blob in sorted({row.blob_id for row in evidence if row.blob_id is not None}):
        enqueue(connection, GUARD, {"blob": blob}, clock)


def guard_blob(
    database: Database, store: BlobStore, book: RuleBook, blob: BlobId, clock: Clock
) -> None:
    """Make the store's protection of a blob what the holds and clocks of its items say.

    A date is only ever moved to later ones, as stores demand.

    Raises:
        StorageError: The database or the store fails.
    """
    with database.reading() as connection:
        live = select(evidence_items.c.id).where(
            evidence_items.c.blob_id == blob, evidence_items.c.wrapped_key.is_not(None)
        )
        state = select(blobs.c.state).where(blobs.c.id == blob)
        if connection.execute(state).scalar_one_or_none() != BlobState.LIVE:
            return
        items = [ItemId(item) for item in connection.execute(live).scalars()]
        standings = standings_of(connection, book, items, clock())
    store.hold(blob, held=any(each.holds for each in standings))
    until = max((each.due.at for each in standings if each.due.at is not None), default=None)
    if until is not None and until > clock():
        store.retain(blob, until)
