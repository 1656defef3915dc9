"""Opening a case, and adding items to one that is open."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from tutela.cases.counting import Counted, count, technology_of
from tutela.cases.facts import Fact, facts_of_matches, rank, read_facts
from tutela.cases.model import CaseId, Item, Match
from tutela.cases.states import State
from tutela.cases.tables import case_items, case_matches, cases
from tutela.evidence.model import ItemId
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.database import insert_or_ignore

_MAX_NAME = 4096


def open_case(
    connection: Connection,
    case: CaseId,
    item: Item,
    matches: Sequence[Match],
    clock: Clock,
    *,
    request: str | None = None,
    evidence: ItemId | None = None,
) -> CaseId:
    """Open a case with one item; ``enter_opened`` has to follow in the same transaction.

    They are apart for whoever opens several: all cases, of which each may wait for another one's
    request, come before the first entry of the ledger, for which everybody waits.

    Args:
        connection: The transaction; the case is there if and only if it commits.
        case: The number that the case is to have.
        item: What was found.
        matches: Why.
        clock: The time.
        request: Up to 64 characters that name this very request. A second one of the same name
            opens nothing and gives the first one's case.
        evidence: What is sealed of the item.

    Returns:
        The number of the case: this one, or that of the first.
    """
    make_case(connection, case, facts_of_matches(matches), clock)
    added = add_item(connection, case, item, matches, clock, request=request, evidence=evidence)
    if added is not None:
        return case
    remove_empty(connection, case)
    return case_of_request(connection, request)


def make_case(
    connection: Connection,
    case: CaseId,
    facts: Collection[Fact],
    clock: Clock,
    *,
    subject: int | None = None,
    due_at: datetime | None = None,
) -> None:
    """Make the row of a case that has no item yet."""
    now = clock()
    connection.execute(
        insert(cases).values(
            id=case,
            state=State.OPEN,
            opened_at=now,
            subject_id=subject,
            **rank(facts, now, due_at).as_values(),
        )
    )


def add_item(
    connection: Connection,
    case: CaseId,
    item: Item,
    matches: Sequence[Match],
    clock: Clock,
    *,
    request: str | None = None,
    evidence: ItemId | None = None,
) -> int | None:
    """Add an item to a case.

    Returns:
        The item's number, or ``None`` if the request was known: then nothing was added.
    """
    added = connection.execute(
        insert_or_ignore(connection, case_items)
        .values(
            case_id=case,
            kind=item.kind,
            evidence_id=evidence,
            name=_storable(item.name),
            origin=item.origin,
            reference=item.reference,
            request=request,
            received_at=clock(),
            unreadable=item.unreadable,
            unreadable_at=_storable(item.unreadable_at) if item.unreadable else None,
            **asdict(item.fingerprints),
        )
        .returning(case_items.c.id)
    ).scalar_one_or_none()
    if added is not None and matches:
        connection.execute(
            insert(case_matches),
            [
                {
                    "item_id": added,
                    "list_id": match.hash_list,
                    "entry_id": match.entry,
                    "kind": match.kind,
                    "distance": match.distance,
                    "place": _storable(match.place),
                    "query_percent": match.query_percent,
                    "compared_percent": match.compared_percent,
                }
                for match in matches
            ],
        )
    return added


def add_facts(connection: Connection, case: CaseId, facts: Collection[Fact]) -> bool:
    """Note what else is known of a case, and queue it by that.

    Returns:
        Whether that is new.
    """
    row = connection.execute(
        select(cases.c.facts, cases.c.opened_at, cases.c.due_at).where(cases.c.id == case)
    ).one()
    before = read_facts(row.facts)
    if before >= frozenset(facts):
        return False
    changed = rank(before | frozenset(facts), row.opened_at, row.due_at)
    connection.execute(update(cases).where(cases.c.id == case).values(changed.as_values()))
    return True


def remove_empty(connection: Connection, case: CaseId) -> None:
    """Remove a case that was just made, and that no item came to."""
    connection.execute(cases.delete().where(cases.c.id == case))


def case_of_request(connection: Connection, request: str | None) -> CaseId:
    """The case that a request's item is in."""
    found = select(case_items.c.case_id).where(case_items.c.request == request)
    return CaseId(connection.execute(found).scalar_one())


def enter_opened(
    connection: Connection, case: CaseId, matches: Sequence[Match], actor: Actor, clock: Clock
) -> None:
    """Say in the ledger that somebody opened a case, and count it."""
    append(connection, actor, Act.CASE_OPENED, clock, case=case)
    technology = technology_of([match.kind for match in matches])
    count(connection, Counted.OPENED, technology, clock().date())


def enter_item(connection: Connection, case: CaseId, item: int, actor: Actor, clock: Clock) -> None:
    """Say in the ledger that somebody added an item to a case."""
    append(connection, actor, Act.CASE_ITEM_ADDED, clock, case=case, thing=f"item:{item}")


def _storable(name: str) -> str:
    # A path may hold bytes that are not UTF-8, and PostgreSQL takes neither those nor NUL.
    readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return readable.replace("\0", "\\x00")[:_MAX_NAME]
