"""Making evidence unreadable for good: its key is erased, and the blob goes with its last item."""

from sqlalchemy import Connection, select, update

from tutela.errors import NotFoundError
from tutela.evidence.model import BlobState, ItemId, State
from tutela.evidence.tables import blobs, evidence_items
from tutela.storage.blobs.model import BlobId
from tutela.storage.clock import Clock


def shred(
    connection: Connection, item: ItemId, clock: Clock, state: State = State.DESTROYED
) -> BlobId | None:
    """Erase an item's data key in the caller's transaction.

    One item a transaction, and before anything is said to the ledger there, so that no two
    transactions wait for each other. The blob is the caller's to delete once the transaction has
    committed; if that does not come to pass, the sweep does it.

    Args:
        connection: The transaction.
        item: The item.
        clock: The time.
        state: What there is of it from then on.

    Returns:
        The blob, if no other item needs it: it can be deleted, and nobody shares it any more.

    Raises:
        NotFoundError: There is no such evidence.
    """
    row = connection.execute(
        select(evidence_items.c.blob_id).where(evidence_items.c.id == item)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f'there is no evidence {item}: see "tutela evidence ls"')
    blob = row.blob_id
    if blob is not None:
        # Whoever seals the same content meanwhile waits here, and then looks again.
        connection.execute(select(blobs.c.id).where(blobs.c.id == blob).with_for_update())
    connection.execute(
        update(evidence_items)
        .where(evidence_items.c.id == item)
        .values(state=state, wrapped_key=None, key_id=None)
    )
    others = select(evidence_items.c.id).where(
        evidence_items.c.blob_id == blob, evidence_items.c.wrapped_key.is_not(None)
    )
    if blob is None or connection.execute(others.limit(1)).first() is not None:
        return None
    connection.execute(
        update(blobs)
        .where(blobs.c.id == blob, blobs.c.state == BlobState.LIVE)
        .values(state=BlobState.DOOMED, doomed_at=clock())
    )
    return BlobId(blob)
