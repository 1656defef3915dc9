"""Opening a case."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, insert, select

from tutela.cases.model import CaseId, Item, ItemKind, Match
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
    """Open a case in the caller's transaction; ``enter_opened`` has to follow in the same one.

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
    now = clock()
    connection.execute(insert(cases).values(id=case, state=State.OPEN, opened_at=now, rank_at=now))
    added = connection.execute(
        insert_or_ignore(connection, case_items)
        .values(
            case_id=case,
            kind=ItemKind.FILE if item.fingerprints.pdq is None else ItemKind.PICTURE,
            evidence_id=evidence,
            name=_storable(item.name),
            origin=item.origin,
            request=request,
            received_at=now,
            **asdict(item.fingerprints),
        )
        .returning(case_items.c.id)
    ).scalar_one_or_none()
    if added is None:
        connection.execute(cases.delete().where(cases.c.id == case))
        return CaseId(
            connection.execute(
                select(case_items.c.case_id).where(case_items.c.request == request)
            ).scalar_one()
        )
    if matches:
        connection.execute(
            insert(case_matches),
            [
                {
                    "item_id": added,
                    "list_id": match.hash_list,
                    "entry_id": match.entry,
                    "kind": match.kind,
                    "distance": match.distance,
                }
                for match in matches
            ],
        )
    return case


def enter_opened(connection: Connection, case: CaseId, actor: Actor, clock: Clock) -> None:
    """Say in the ledger that somebody opened a case."""
    append(connection, actor, Act.CASE_OPENED, clock, case=case)


def _storable(name: str) -> str:
    # A path may hold bytes that are not UTF-8, and PostgreSQL takes neither those nor NUL.
    readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return readable.replace("\0", "\\x00")[:_MAX_NAME]
