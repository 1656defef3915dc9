"""Destroying evidence, in four steps that survive a crash between any two of them.

1. ``begin``: an entry in the ledger, and the item is being destroyed. Nobody opens it any more.
2. ``erase``: its wrapped key is erased, and ``scrub`` takes the erased bytes out of the files.
3. ``remove``: its blob is removed, unless another item still needs it.
4. ``bury``: a tombstone, and a second entry that attests it.

Each step is a transaction of its own that looks again, under the item's lock, at what is there, so
that any of them may be done twice. Up to the second one, a hold stops it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from tutela.errors import NotFoundError, NotPermittedError, TutelaError
from tutela.evidence.model import BlobState, ItemId, State
from tutela.evidence.retention import EventKind, stands_against
from tutela.evidence.shredding import shred
from tutela.evidence.standing import Standing, standings_of
from tutela.evidence.subjects import Subject, check_words, lock_evidence, subject_item
from tutela.evidence.tables import blobs, destructions, evidence_items, legal_events
from tutela.evidence.tombstones import attest, beginning_of
from tutela.evidence.vault import Vault
from tutela.ledger.appending import append
from tutela.ledger.model import SYSTEM, Act, Actor
from tutela.storage.blobs.model import BlobId
from tutela.storage.database import overwrite_erased
from tutela.storage.jobs.enqueueing import enqueue

RESUME = "evidence.resume-destruction"
"""The job that finishes what a crash has interrupted."""

_AT_ONCE = 100
# Who begins a destruction usually ends it. After this long a worker looks whether that is so.
_GRACE = timedelta(minutes=1)


def destroy(
    vault: Vault,
    items: Sequence[ItemId],
    actor: Actor,
    *,
    reason: str,
    ordered_by: str | None = None,
    passing_over: bool = False,
) -> list[ItemId]:
    """Destroy pieces of evidence for good, with all four steps.

    Args:
        vault: Where they are.
        items: Which ones.
        actor: Who does it.
        reason: Why, for the ledger.
        ordered_by: The reference of whoever orders what is not due. No order destroys what is held,
            or what a preservation letter asks to keep.
        passing_over: Whether to leave out, without an error, what must not be destroyed.

    Returns:
        Those that are destroyed now. One that came to be held meanwhile is left out.

    Raises:
        NotFoundError: One of them is not there.
        NotPermittedError: One of them is not due and not ordered, or is held. Nothing of that one
            and of those after it is touched.
        DamagedEvidenceError: One of them lacks a row that it must have.
        StorageError: The database or the store fails. What has begun is finished later. What cannot
            be finished keeps nothing else from being destroyed.
    """
    destroyed: list[ItemId] = []
    failure: TutelaError | None = None
    for start in range(0, len(items), _AT_ONCE):
        some = items[start : start + _AT_ONCE]
        begun: list[ItemId] = []
        try:
            for item in some:
                try:
                    begin(vault, item, actor, reason=reason, ordered_by=ordered_by)
                except (NotFoundError, NotPermittedError):
                    if not passing_over:
                        raise
                else:
                    begun.append(item)
        finally:
            try:
                destroyed += finish(vault, begun)
            except TutelaError as error:
                failure = failure or error
    if failure is not None:
        raise failure
    return destroyed


def finish(vault: Vault, begun: Iterable[ItemId]) -> list[ItemId]:
    """Do what is left to do of destructions that have begun.

    Returns:
        Those that are destroyed now. The others are held: they are as they were before.

    Raises:
        DamagedEvidenceError: One of them lacks a row that it must have.
        StorageError: The database or the store fails. One that cannot be finished does not keep the
            others from being finished; the first failure is told at the end.
    """
    shredded: list[ItemId] = []
    destroyed: list[ItemId] = []
    failure: TutelaError | None = None
    for item in begun:
        try:
            if erase(vault, item):
                shredded.append(item)
        except TutelaError as error:
            failure = failure or error
    if shredded:
        scrub(vault)
    for item in shredded:
        try:
            remove(vault, item)
            bury(vault, item)
        except TutelaError as error:
            failure = failure or error
        else:
            destroyed.append(item)
    if failure is not None:
        raise failure
    return destroyed


def begun_destructions(vault: Vault) -> list[ItemId]:
    """What is being destroyed: by somebody else right now, or left so by a crash."""
    with vault.database.reading() as connection:
        rows = connection.execute(
            select(evidence_items.c.id)
            .where(evidence_items.c.state == State.DESTROYING)
            .order_by(evidence_items.c.id)
        )
        return [ItemId(item) for item in rows.scalars()]


def begin(
    vault: Vault,
    item: ItemId,
    actor: Actor,
    *,
    reason: str,
    ordered_by: str | None = None,
) -> None:
    """The first step: say in the ledger that it will be destroyed, and let nobody open it any more.

    Raises:
        NotFoundError: There is no such evidence any more.
        NotPermittedError: It is neither due nor ordered, or it is held.
    """
    _, reason = check_words(ordered_by or "due", reason)
    with vault.database.writing() as connection:
        subject = subject_item(connection, item)
        (row,) = lock_evidence(connection, subject) or (None,)
        if row is None or row.state == State.DESTROYING:
            # Another one was quicker.
            return
        now = vault.clock()
        standing = _standing(connection, vault, item, now)
        why = _permitted(standing, ordered_by, now)
        connection.execute(
            update(evidence_items).where(evidence_items.c.id == item).values(state=State.DESTROYING)
        )
        if ordered_by is not None:
            _record_order(connection, subject, actor, now, ordered_by=ordered_by, reason=reason)
        # Whoever does this may be killed: a worker then finishes it.
        enqueue(connection, RESUME, {}, vault.clock, dedupe=RESUME, at=now + _GRACE)
        entry = append(
            connection,
            actor,
            Act.DESTRUCTION_BEGUN,
            vault.clock,
            case=subject.case,
            item=item,
            thing="order" if ordered_by is not None else f"rule:{standing.rule}",
            reason=f"{why}: {reason}",
        )
        connection.execute(
            insert(destructions).values(
                item_id=item,
                begun_at=now,
                begun_entry=entry,
                ordered_by=ordered_by,
                actor_id=actor.id,
                actor_role=actor.role,
                actor_face=actor.face,
            )
        )


def erase(vault: Vault, item: ItemId) -> bool:
    """The second step: erase its wrapped key, after which nobody can open it ever again.

    If it came to be held since it began, or is not due any more, the destruction is stopped
    instead and the evidence is as it was.

    Returns:
        Whether its key is erased and it is still to be buried.

    Raises:
        DamagedEvidenceError: No row says who began it.
    """
    with vault.database.writing() as connection:
        row = connection.execute(
            select(evidence_items).where(evidence_items.c.id == item).with_for_update()
        ).one()
        if row.state != State.DESTROYING:
            return False
        if row.wrapped_key is None:
            return True
        begun = beginning_of(connection, item)
        now = vault.clock()
        try:
            _permitted(_standing(connection, vault, item, now), begun.ordered_by, now)
        except NotPermittedError as error:
            _stop(connection, vault, row, str(error))
            return False
        shred(connection, item, vault.clock, State.DESTROYING)
        return True


def scrub(vault: Vault) -> None:
    """Still the second step: take erased keys out of the database's files, as far as it can.

    Raises:
        StorageError: Others read from SQLite all the time, so that its log cannot be emptied.
    """
    overwrite_erased(vault.database, evidence_items)


def remove(vault: Vault, item: ItemId) -> None:
    """The third step: remove its blob, unless another item still needs it.

    Raises:
        StorageError: The database or the store fails.
    """
    with vault.database.reading() as connection:
        doomed = connection.execute(
            select(blobs.c.id)
            .join_from(evidence_items, blobs)
            .where(evidence_items.c.id == item, blobs.c.state == BlobState.DOOMED)
        ).scalar_one_or_none()
    if doomed is not None:
        # Not if a crash has come between removing it and burying the item.
        if vault.store.find(BlobId(doomed)) is not None:
            vault.store.hold(BlobId(doomed), held=False)
        vault.store.delete(BlobId(doomed), early=True)


def bury(vault: Vault, item: ItemId) -> None:
    """The fourth step: leave a tombstone, and attest it in the ledger. Done twice, it is one.

    Raises:
        DamagedEvidenceError: No row says who began it.
    """
    with vault.database.writing() as connection:
        row = connection.execute(
            select(evidence_items).where(evidence_items.c.id == item).with_for_update()
        ).one()
        if row.state != State.DESTROYING:
            return
        connection.execute(
            update(evidence_items).where(evidence_items.c.id == item).values(state=State.DESTROYED)
        )
        attest(connection, row, vault.clock)


def _permitted(standing: Standing, ordered_by: str | None, now: datetime) -> str:
    """Why it may be destroyed."""
    if ordered_by is None:
        if not standing.due.is_due(now):
            if standing.holds:
                raise _held(standing)
            when = f"due on {standing.due.at:%Y-%m-%d}" if standing.due.at else "not due"
            raise NotPermittedError(
                "the evidence {item} is {when} ({why}): it is kept until then, or until "
                "somebody orders otherwise with --ordered-by",
                item=standing.item,
                when=when,
                why=standing.due.why,
            )
        return standing.due.why
    if standing.holds:
        raise _held(standing)
    against = stands_against(standing.events, standing.holds, now)
    if against is not None:
        raise NotPermittedError(
            "the evidence {item} cannot be destroyed even by order: {against}",
            item=standing.item,
            against=against,
        )
    return f"ordered by {ordered_by}"


def _held(standing: Standing) -> NotPermittedError:
    return NotPermittedError(
        "the evidence {item} is held: {holds}: no order destroys it until each hold is released "
        'with "tutela evidence release"',
        item=standing.item,
        holds=", ".join(standing.holds),
    )


def _standing(connection: Connection, vault: Vault, item: ItemId, now: datetime) -> Standing:
    (standing,) = standings_of(connection, vault.rules, [item], now)
    return standing


def _record_order(
    connection: Connection,
    subject: Subject,
    actor: Actor,
    now: datetime,
    *,
    ordered_by: str,
    reason: str,
) -> None:
    connection.execute(
        insert(legal_events).values(
            case_id=subject.case,
            item_id=subject.item,
            kind=EventKind.DESTRUCTION_ORDERED,
            at=now,
            reference=ordered_by,
            reason=reason,
            recorded_at=now,
            recorded_by=actor.name,
        )
    )


def _stop(connection: Connection, vault: Vault, row: Any, why: str) -> None:
    connection.execute(
        update(evidence_items).where(evidence_items.c.id == row.id).values(state=State.SEALED)
    )
    connection.execute(delete(destructions).where(destructions.c.item_id == row.id))
    append(
        connection,
        SYSTEM,
        Act.DESTRUCTION_STOPPED,
        vault.clock,
        case=row.case_id,
        item=row.id,
        reason=why,
    )
