"""What an event or a hold is about: one piece of evidence, or all of a case."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from tutela.errors import InvalidInputError, NotFoundError
from tutela.evidence.model import ItemId, State
from tutela.evidence.tables import evidence_items

_KEPT = (State.SEALED, State.DESTROYING)
_MAX_REFERENCE, _MAX_REASON = 200, 1000


@dataclass(frozen=True, slots=True)
class Subject:
    """A piece of evidence, or, without one, all that its case has or will have.

    Attributes:
        case: The case's number.
        item: The piece of evidence.
    """

    case: str
    item: ItemId | None = None

    @property
    def words(self) -> str:
        """What to call it."""
        return f"the evidence {self.item}" if self.item else f"the evidence of case {self.case}"


def subject_item(connection: Connection, item: ItemId) -> Subject:
    """One piece of evidence that is still there.

    Raises:
        NotFoundError: There is no such evidence, or it was missed or is destroyed.
    """
    row = connection.execute(
        select(evidence_items.c.case_id, evidence_items.c.state).where(evidence_items.c.id == item)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f'there is no evidence {item}: see "tutela evidence ls"')
    if row.state not in _KEPT:
        raise NotFoundError(f"the evidence {item} is not there any more: it is {row.state}")
    return Subject(row.case_id, item)


def subject_case(connection: Connection, case: str) -> Subject:
    """All the evidence of a case that has some.

    Raises:
        NotFoundError: The case has no evidence.
    """
    kept = select(evidence_items.c.id).where(
        evidence_items.c.case_id == case, evidence_items.c.state.in_(_KEPT)
    )
    if connection.execute(kept.limit(1)).first() is None:
        raise NotFoundError(f'there is no evidence of a case {case}: see "tutela evidence ls"')
    return Subject(case)


def items_of(connection: Connection, subject: Subject) -> list[ItemId]:
    """The pieces of evidence that are there, in the order of their ids."""
    kept = select(evidence_items.c.id).where(
        evidence_items.c.case_id == subject.case, evidence_items.c.state.in_(_KEPT)
    )
    if subject.item is not None:
        kept = kept.where(evidence_items.c.id == subject.item)
    return [ItemId(id_) for id_ in connection.execute(kept.order_by(evidence_items.c.id)).scalars()]


def lock_evidence(connection: Connection, subject: Subject) -> list[Any]:
    """The rows of the evidence that is there, locked until the transaction ends.

    Whoever changes what is to become of evidence, or destroys it, locks it first. All lock in one
    order, so that none waits for the other in a circle.
    """
    rows = select(evidence_items).where(
        evidence_items.c.case_id == subject.case, evidence_items.c.state.in_(_KEPT)
    )
    if subject.item is not None:
        rows = rows.where(evidence_items.c.id == subject.item)
    return list(connection.execute(rows.order_by(evidence_items.c.id).with_for_update()))


def concerns(table: Table, cases: Sequence[str], items: Sequence[str]) -> ColumnElement[bool]:
    """The rows of events or holds that are about one of these items."""
    about = or_(table.c.item_id.is_(None), table.c.item_id.in_(items))
    return and_(table.c.case_id.in_(cases), about)


def is_about(table: Table, subject: Subject) -> ColumnElement[bool]:
    """The rows of events or holds that were recorded for exactly this subject."""
    same_item = (
        table.c.item_id.is_(None) if subject.item is None else table.c.item_id == subject.item
    )
    return and_(table.c.case_id == subject.case, same_item)


def check_words(reference: str, reason: str) -> tuple[str, str]:
    """A reference and a reason as they are kept.

    Raises:
        InvalidInputError: One is blank or too long.
    """
    reference, reason = reference.strip(), reason.strip()
    if not 0 < len(reference) <= _MAX_REFERENCE or not reference.isprintable():
        raise InvalidInputError("a reference has 1 to 200 characters, on one line")
    return reference, check_reason(reason)


def check_reason(reason: str) -> str:
    """A reason as it is kept.

    Raises:
        InvalidInputError: It is blank or too long.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= _MAX_REASON or "\0" in reason:
        raise InvalidInputError(
            "say why with --reason, in 1 to 1000 characters: the ledger keeps it"
        )
    return reason
