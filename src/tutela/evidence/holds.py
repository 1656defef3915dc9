"""Legal holds: orders to keep evidence, each by its reference, that stop every clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tutela.errors import AlreadyExistsError, NotFoundError
from tutela.evidence.guarding import guard_blobs
from tutela.evidence.subjects import Subject, check_words, is_about, lock_evidence
from tutela.evidence.tables import legal_holds
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock


@dataclass(frozen=True, slots=True)
class Hold:
    """An order to keep evidence.

    Attributes:
        subject: What is held.
        reference: What the order is called.
        reason: Why, in a person's words.
        held_at: From when on.
        held_by: Who recorded it.
        released_at: When it was released, if it was.
    """

    subject: Subject
    reference: str
    reason: str
    held_at: datetime
    held_by: str
    released_at: datetime | None


def hold(
    connection: Connection,
    subject: Subject,
    actor: Actor,
    clock: Clock,
    *,
    reference: str,
    reason: str,
) -> None:
    """Have evidence kept until this hold is released. A hold on a case covers what comes later too.

    A destruction that has begun is stopped by it, unless the key is erased already.

    Raises:
        AlreadyExistsError: There is such a hold already.
        InvalidInputError: The reference or the reason is blank or too long.
        NotFoundError: All of it is destroyed.
    """
    reference, reason = check_words(reference, reason)
    evidence = lock_evidence(connection, subject)
    if not any(row.wrapped_key is not None for row in evidence):
        raise NotFoundError(
            f"{subject.words} cannot be held: there is none any more whose key is not erased"
        )
    if connection.execute(select(legal_holds.c.id).where(_active(subject, reference))).first():
        raise AlreadyExistsError(
            '{subject} is held already by "{reference}"', subject=subject, reference=reference
        )
    connection.execute(
        insert(legal_holds).values(
            case_id=subject.case,
            item_id=subject.item,
            reference=reference,
            reason=reason,
            held_at=clock(),
            held_by=actor.name,
        )
    )
    guard_blobs(connection, evidence, clock)
    append(
        connection,
        actor,
        Act.EVIDENCE_HELD,
        clock,
        case=subject.case,
        item=subject.item,
        reason=held_words(reference, reason),
    )


def release(
    connection: Connection,
    subject: Subject,
    actor: Actor,
    clock: Clock,
    *,
    reference: str,
    reason: str,
) -> None:
    """End a hold. Other holds on the same evidence stay.

    Raises:
        InvalidInputError: The reference or the reason is blank or too long.
        NotFoundError: There is no such hold on exactly this.
    """
    reference, reason = check_words(reference, reason)
    evidence = lock_evidence(connection, subject)
    released = connection.execute(
        update(legal_holds)
        .where(_active(subject, reference))
        .values(released_at=clock(), released_by=actor.name, released_reason=reason)
        .returning(legal_holds.c.id)
    )
    if released.first() is None:
        raise NotFoundError(
            f'{subject.words} has no hold "{reference}" of its own: '
            'see "tutela evidence events" for what it is held by'
        )
    guard_blobs(connection, evidence, clock)
    append(
        connection,
        actor,
        Act.EVIDENCE_RELEASED,
        clock,
        case=subject.case,
        item=subject.item,
        reason=held_words(reference, reason),
    )


def holds_about(connection: Connection, subject: Subject) -> Sequence[Hold]:
    """Every hold of a case, or those that concern one piece of its evidence, the oldest first."""
    rows = select(legal_holds).where(legal_holds.c.case_id == subject.case)
    if subject.item is not None:
        rows = rows.where(legal_holds.c.item_id.is_(None) | (legal_holds.c.item_id == subject.item))
    return [_hold(row) for row in connection.execute(rows.order_by(legal_holds.c.id))]


def held_words(reference: str, reason: str) -> str:
    """What the ledger's entry of a hold, or of its release, is bound to."""
    return f"{reference}: {reason}"


def _active(subject: Subject, reference: str) -> Any:
    return (
        is_about(legal_holds, subject)
        & (legal_holds.c.reference == reference)
        & legal_holds.c.released_at.is_(None)
    )


def _hold(row: Any) -> Hold:
    return Hold(
        subject=Subject(row.case_id, row.item_id),
        reference=row.reference,
        reason=row.reason,
        held_at=row.held_at,
        held_by=row.held_by,
        released_at=row.released_at,
    )
