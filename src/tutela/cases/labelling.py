"""Labelling a case, or one of its items, by a scheme."""

from sqlalchemy import Connection, insert, select, update

from tutela.accounts.model import Caller
from tutela.cases.model import CaseId
from tutela.cases.moving import lock_case
from tutela.cases.reading import ids_kept_from
from tutela.cases.schemes import find_scheme
from tutela.cases.tables import case_items, case_labels
from tutela.errors import NotFoundError
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.storage.clock import Clock
from tutela.storage.settings import Settings


def label(
    connection: Connection,
    case: CaseId,
    scheme: str,
    code: str,
    caller: Caller,
    clock: Clock,
    *,
    settings: Settings,
    item: int | None = None,
) -> int:
    """Label a case, or one of its items. Do it last in the transaction.

    Where an item has at most one label of a scheme, the new one takes the old one's place. One that
    is there already stays as it is. What is kept from whoever takes a second look is passed over.

    Args:
        connection: A transaction that writes.
        case: The case.
        scheme: The scheme's id.
        code: The label's code.
        caller: Who labels it.
        clock: The time.
        settings: The configuration, which may have schemes of the operator's.
        item: The item's number; ``None`` for the case as a whole.

    Returns:
        The label's number.

    Raises:
        NotFoundError: There is no such case, item, scheme or label.
    """
    taken_from = find_scheme(settings, scheme)
    taken_from.label(code)
    lock_case(connection, case)
    if item is not None:
        _check_item(connection, case, item)
    there = connection.execute(
        select(case_labels.c.id, case_labels.c.label).where(
            case_labels.c.case_id == case,
            case_labels.c.item_id.is_not_distinct_from(item),
            case_labels.c.scheme == scheme,
            case_labels.c.removed_at.is_(None),
            case_labels.c.set_by.not_in(ids_kept_from(connection, case, caller)),
        )
    ).all()
    for each in there:
        if each.label == code:
            return int(each.id)
    replaced = [each.id for each in there] if taken_from.one_only else []
    now = clock()
    if replaced:
        connection.execute(
            update(case_labels)
            .where(case_labels.c.id.in_(replaced))
            .values(removed_at=now, removed_by=caller.actor.id)
        )
    number = connection.execute(
        insert(case_labels)
        .values(
            case_id=case,
            item_id=item,
            scheme=scheme,
            version=taken_from.version,
            label=code,
            set_at=now,
            set_by=caller.actor.id,
        )
        .returning(case_labels.c.id)
    ).scalar_one()
    for old in replaced:
        _enter(connection, Act.CASE_LABEL_REMOVED, case, old, caller, clock)
    _enter(connection, Act.CASE_LABELLED, case, number, caller, clock)
    return int(number)


def unlabel(
    connection: Connection, case: CaseId, number: int, caller: Caller, clock: Clock
) -> None:
    """Take a label away; that it was there stays on record. Do it last in the transaction.

    Raises:
        NotFoundError: There is no such case, or it has no such label.
    """
    lock_case(connection, case)
    removed = connection.execute(
        update(case_labels)
        .where(
            case_labels.c.id == number,
            case_labels.c.case_id == case,
            case_labels.c.removed_at.is_(None),
            case_labels.c.set_by.not_in(ids_kept_from(connection, case, caller)),
        )
        .values(removed_at=clock(), removed_by=caller.actor.id)
        .returning(case_labels.c.id)
    ).scalar_one_or_none()
    if removed is None:
        raise NotFoundError(f"{case} has no label {number}: it may have been taken away already")
    _enter(connection, Act.CASE_LABEL_REMOVED, case, number, caller, clock)


def _check_item(connection: Connection, case: CaseId, item: int) -> None:
    found = select(case_items.c.id).where(case_items.c.id == item, case_items.c.case_id == case)
    if connection.execute(found).scalar_one_or_none() is None:
        raise NotFoundError(f"{case} has no item {item}")


def _enter(
    connection: Connection, act: Act, case: CaseId, label_id: int, caller: Caller, clock: Clock
) -> None:
    append(connection, caller.actor, act, clock, case=case, thing=f"label:{label_id}")
