"""Comparing the rows of evidence, holds and events with what the ledger says was done.

Whoever can change the database can delete a row or set it to another state. The ledger's entries
cannot be changed without ``tutela ledger verify`` telling of it: each row has to agree with them.
"""

import hmac
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, or_, select

from tutela.evidence.events import committed_words
from tutela.evidence.holds import held_words
from tutela.evidence.model import State
from tutela.evidence.retention import EventKind
from tutela.evidence.tables import destructions, evidence_items, legal_events, legal_holds
from tutela.ledger.encoding import commitment
from tutela.ledger.model import Act
from tutela.ledger.tables import ledger_entries, ledger_reasons
from tutela.storage.database import Database

_RESTORE = (
    "stop whatever may change the database, and restore it from a backup in which "
    '"tutela evidence verify" finds nothing'
)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something of which the database says otherwise than the ledger.

    Attributes:
        case: The case that it is about.
        item: The piece of evidence, if it is not about all of a case.
        problem: What is wrong and what to do.
        of_row: Whether it is about the row of the evidence itself, not an event or a hold.
    """

    case: str
    item: str | None
    problem: str
    of_row: bool = False


def compare_with_ledger(database: Database) -> list[Discrepancy]:
    """All that does not agree with the ledger.

    What changes while this looks may seem to disagree for a moment. So what is found is looked for
    once more, and only what is found again is told.
    """
    with database.reading() as connection:
        found = discrepancies(connection)
    if not found:
        return []
    with database.reading() as connection:
        again = set(discrepancies(connection))
    return [each for each in found if each in again]


def discrepancies(connection: Connection) -> list[Discrepancy]:
    """All that does not agree with the ledger, as this transaction sees it."""
    return [*_evidence(connection), *_events(connection), *_holds(connection)]


def _evidence(connection: Connection) -> Iterator[Discrepancy]:
    # Each is one statement: in both databases that sees one moment.
    for gone in connection.execute(_VANISHED):
        yield Discrepancy(
            gone.case_id,
            gone.item,
            f"the evidence {gone.item} of case {gone.case_id} was sealed, says entry {gone.number} "
            f"of the ledger, but its row has vanished: {_RESTORE}",
            of_row=True,
        )
    for wrong, says in _CONTRADICTIONS:
        for row in connection.execute(wrong):
            problem = f"the evidence {row.id} is {row.state}, but {says}: {_RESTORE}"
            yield Discrepancy(row.case_id, row.id, problem, of_row=True)


def _said(act: Act) -> ColumnElement[bool]:
    # The ledger has an index of cases, and none of items.
    return exists().where(
        ledger_entries.c.case_id == evidence_items.c.case_id,
        ledger_entries.c.item == evidence_items.c.id,
        ledger_entries.c.act == act,
    )


def _rows(*conditions: ColumnElement[bool]) -> Select[Any]:
    columns = (evidence_items.c.id, evidence_items.c.case_id, evidence_items.c.state)
    return select(*columns).where(*conditions).order_by(evidence_items.c.id)


_VANISHED = (
    select(ledger_entries.c.number, ledger_entries.c.case_id, ledger_entries.c.item)
    .where(
        ledger_entries.c.act.in_((Act.EVIDENCE_SEALED, Act.EVIDENCE_MISSED)),
        ~exists().where(evidence_items.c.id == ledger_entries.c.item),
    )
    .order_by(ledger_entries.c.number)
)
_KEPT = evidence_items.c.state.in_((State.SEALED, State.DESTROYING))
_MISSED = evidence_items.c.state == State.MISSED
_CONTRADICTIONS = (
    (
        _rows(evidence_items.c.state == State.SEALED, evidence_items.c.wrapped_key.is_(None)),
        "its key is gone",
    ),
    (
        _rows(_KEPT, _said(Act.EVIDENCE_DESTROYED)),
        "the ledger says that it was destroyed",
    ),
    (
        _rows(~_MISSED, ~_said(Act.EVIDENCE_SEALED)),
        "the ledger does not say that it was ever sealed into its case",
    ),
    (
        _rows(_MISSED, _said(Act.EVIDENCE_SEALED)),
        "the ledger says that it was sealed",
    ),
    (
        _rows(_MISSED, ~_said(Act.EVIDENCE_MISSED)),
        "the ledger does not say that it was missed",
    ),
    (
        _rows(
            evidence_items.c.state == State.DESTROYING,
            or_(
                ~_said(Act.DESTRUCTION_BEGUN),
                ~exists().where(destructions.c.item_id == evidence_items.c.id),
            ),
        ),
        "no destruction of it has begun",
    ),
)


def _events(connection: Connection) -> Iterator[Discrepancy]:
    rows = {row.id: row for row in connection.execute(select(legal_events)).all()}
    things = {_thing(row) for row in rows.values()}
    recorded = _by_event(connection, Act.EVIDENCE_EVENT)
    agreed = _by_event(connection, Act.EVIDENCE_EVENT_AGREED)
    withdrawn = _by_event(connection, Act.EVIDENCE_EVENT_WITHDRAWN)
    for thing, entry in recorded.items():
        if thing not in things:
            yield _about(
                entry,
                f"the event that entry {entry.number} of the ledger tells of ({thing}) is gone, or "
                "its kind was changed",
            )
    orders = Counter(
        entry.item
        for entry in _entries(connection, Act.DESTRUCTION_BEGUN)
        if entry.thing == "order"
    )
    for row in rows.values():
        if row.kind == EventKind.DESTRUCTION_ORDERED:
            if not orders[row.item_id]:
                yield _about(row, f"the ledger does not tell of the order {row.id}")
            continue
        said = recorded.get(_thing(row))
        if said is None:
            yield _about(row, f"the ledger does not tell of the event {row.id} ({row.kind})")
        elif not _same_subject(said, row) or not _binds(said, committed_words(row)):
            yield _about(
                row,
                f"the event {row.id} reads otherwise than when entry {said.number} of the ledger "
                "was made of it: its date, term, reference, reason or subject was changed",
            )
        if (_thing(row) in agreed) is not (row.agreed_at is not None):
            yield _about(
                row,
                f"whether another person agreed to the event {row.id} is told otherwise by the "
                "ledger",
            )
        ended = withdrawn.get(_thing(row))
        if (ended is None) is not (row.withdrawn_at is None):
            yield _about(
                row,
                f"the event {row.id} "
                + (
                    "counts as withdrawn, which the ledger does not say"
                    if ended is None
                    else f"still counts, but entry {ended.number} of the ledger withdrew it"
                ),
            )
        elif ended is not None and not _binds(ended, row.withdrawn_reason or ""):
            yield _about(row, f"the reason for withdrawing the event {row.id} was changed")


def _holds(connection: Connection) -> Iterator[Discrepancy]:
    rows = connection.execute(select(legal_holds).order_by(legal_holds.c.id)).all()
    held = [(row, held_words(row.reference, row.reason)) for row in rows]
    released = [
        (row, held_words(row.reference, row.released_reason or ""))
        for row in rows
        if row.released_at is not None
    ]
    for act, what, worded in (
        (Act.EVIDENCE_HELD, "hold", held),
        (Act.EVIDENCE_RELEASED, "release of a hold", released),
    ):
        lone_rows, lone_entries = _unpaired(worded, _entries(connection, act))
        for entry in lone_entries:
            yield _about(
                entry,
                f"the {what} that entry {entry.number} of the ledger tells of is gone, or its "
                "reference or reason was changed",
            )
        for row in lone_rows:
            yield _about(
                row,
                f'the ledger tells of no {what} "{row.reference}" that reads as this one does',
            )


def _unpaired(
    worded: Iterable[tuple[Any, str]], entries: Iterable[Any]
) -> tuple[list[Any], list[Any]]:
    """The rows without an entry, and the entries without a row, of the same subject and words."""
    waiting: defaultdict[tuple[str, str | None], list[Any]] = defaultdict(list)
    for entry in entries:
        # Those whose words are erased bind nothing, and are left for what finds no better one.
        waiting[entry.case_id, entry.item].append(entry)
    for several in waiting.values():
        several.sort(key=lambda entry: entry.salt is None)
    alone = []
    for row, words in worded:
        several = waiting[row.case_id, row.item_id]
        match = next((entry for entry in several if _binds(entry, words)), None)
        if match is None:
            alone.append(row)
        else:
            several.remove(match)
    return alone, [entry for several in waiting.values() for entry in several]


def _by_event(connection: Connection, act: Act) -> dict[str, Any]:
    return {entry.thing: entry for entry in _entries(connection, act)}


def _entries(connection: Connection, act: Act) -> list[Any]:
    return list(
        connection.execute(
            select(
                ledger_entries.c.number,
                ledger_entries.c.case_id,
                ledger_entries.c.item,
                ledger_entries.c.thing,
                ledger_entries.c.reason,
                ledger_reasons.c.salt,
            )
            .join_from(
                ledger_entries,
                ledger_reasons,
                ledger_entries.c.number == ledger_reasons.c.entry,
                isouter=True,
            )
            .where(ledger_entries.c.act == act)
            .order_by(ledger_entries.c.number)
        )
    )


def _binds(entry: Any, words: str) -> bool:
    """Whether an entry was made of these words, or does not tell any more."""
    if entry.salt is None or entry.reason is None:
        return True
    return hmac.compare_digest(commitment(entry.salt, words), entry.reason)


def _same_subject(entry: Any, row: Any) -> bool:
    return (entry.case_id, entry.item) == (row.case_id, row.item_id)


def _thing(row: Any) -> str:
    return f"event:{row.id}:{row.kind}"


def _about(what: Any, problem: str) -> Discrepancy:
    """A discrepancy about the subject of an entry or a row."""
    item = what.item if hasattr(what, "item") else what.item_id
    subject = f"the evidence {item}" if item else f"the evidence of case {what.case_id}"
    return Discrepancy(what.case_id, item, f"{subject}: {problem}: {_RESTORE}")
