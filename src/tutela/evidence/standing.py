"""How evidence stands: its rule, what happened to it, its holds, and when it is due."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from tutela.evidence.model import ItemId, State
from tutela.evidence.retention import Due, EventKind, LegalEvent, Period, Rule, due
from tutela.evidence.rules import RuleBook
from tutela.evidence.subjects import concerns
from tutela.evidence.tables import (
    KEPT_FOR_GOOD,
    confirmed_rules,
    evidence_items,
    item_rules,
    legal_events,
    legal_holds,
)

# Well below what both databases take as parameters of one statement.
_AT_ONCE = 500
_DECIDED = "kept for good: a person has decided so"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a piece of evidence stands.

    Attributes:
        item: The piece of evidence.
        case: Its case.
        state: What there is of it.
        sealed_at: When it was sealed.
        rule: The name of the rule that it is kept under, such as ``us-2258a@1``, if any.
        events: What happened to it in law.
        holds: The references of the holds that are on it.
        due: When it is due to be destroyed, and why.
    """

    item: ItemId
    case: str
    state: State
    sealed_at: datetime
    rule: str | None
    events: tuple[LegalEvent, ...]
    holds: tuple[str, ...]
    due: Due

    def as_fields(self, now: datetime) -> dict[str, object]:
        """The standing by names, as programs are given it."""
        return {
            "item": self.item,
            "case": self.case,
            "state": self.state,
            "sealed_at": self.sealed_at.isoformat(),
            "rule": self.rule,
            "holds": list(self.holds),
            "due_at": self.due.at.isoformat() if self.due.at else None,
            "due": self.due.is_due(now),
            "why": self.due.why,
        }


def standings_of(
    connection: Connection, book: RuleBook, items: Sequence[ItemId], now: datetime
) -> list[Standing]:
    """How some pieces of evidence stand, in the order of their ids. Those that are gone are not."""
    found: list[Standing] = []
    for start in range(0, len(items), _AT_ONCE):
        some = _kept.where(evidence_items.c.id.in_(items[start : start + _AT_ONCE]))
        rows = connection.execute(some.order_by(evidence_items.c.id)).all()
        found += _standings(connection, book, rows, now)
    return found


def all_standings(connection: Connection, book: RuleBook, now: datetime) -> Iterator[Standing]:
    """How every piece of evidence stands that is not destroyed, in the order of their ids."""
    last = ""
    while True:
        some = _kept.where(evidence_items.c.id > last).order_by(evidence_items.c.id).limit(_AT_ONCE)
        rows = connection.execute(some).all()
        yield from _standings(connection, book, rows, now)
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1].id


def read_event(row: Any) -> LegalEvent:
    """What a row of ``legal_events`` says."""
    return LegalEvent(
        kind=EventKind(row.kind),
        at=row.at,
        reference=row.reference,
        until=row.until,
        period=Period.read(row.period) if row.period else None,
    )


_kept = (
    select(
        evidence_items.c.id,
        evidence_items.c.case_id,
        evidence_items.c.state,
        evidence_items.c.sealed_at,
        item_rules.c.rule_id,
        item_rules.c.rule_version,
        item_rules.c.digest,
    )
    .join_from(evidence_items, item_rules, isouter=True)
    .where(evidence_items.c.state.in_((State.SEALED, State.DESTROYING)))
)


def _standings(
    connection: Connection, book: RuleBook, rows: Sequence[Any], now: datetime
) -> list[Standing]:
    if not rows:
        return []
    confirmed = set(connection.execute(select(confirmed_rules.c.digest)).scalars())
    events = _about(connection, legal_events, legal_events.c.withdrawn_at, rows)
    holds = _about(connection, legal_holds, legal_holds.c.released_at, rows)
    return [
        _standing(
            row,
            book,
            confirmed,
            tuple(read_event(each) for each in events[row.id] if _counts(each, row)),
            tuple(sorted({each.reference for each in holds[row.id]})),
            now=now,
        )
        for row in rows
    ]


def _standing(
    row: Any,
    book: RuleBook,
    confirmed: set[str],
    events: tuple[LegalEvent, ...],
    holds: tuple[str, ...],
    *,
    now: datetime,
) -> Standing:
    name = f"{row.rule_id}@{row.rule_version}" if row.rule_id else None
    rule = None if name is None else book.find(row.rule_id, row.rule_version)
    decided = row.rule_id == KEPT_FOR_GOOD
    unruled = _DECIDED if decided else _lacks(name, rule, row.digest)
    if unruled:
        rule = None
    return Standing(
        item=ItemId(row.id),
        case=row.case_id,
        state=State(row.state),
        sealed_at=row.sealed_at,
        rule=name,
        events=events,
        holds=holds,
        due=due(
            rule,
            rule is not None and rule.digest in confirmed,
            row.sealed_at,
            events,
            holds,
            now=now,
            unruled=unruled,
        ),
    )


def _lacks(name: str | None, rule: Rule | None, digest: str | None) -> str:
    give = 'give it one with "tutela evidence assign-rule"'
    if name is None:
        return f"no rule: {give}"
    if rule is None:
        return f"its rule {name} is not among the rules any more: put it back, or {give}"
    if rule.digest != digest:
        return f"its rule {name} reads otherwise than when it was sealed: {give} anew"
    return ""


def _counts(event: Any, row: Any) -> bool:
    if event.asked_by is not None and event.agreed_at is None:
        return False
    # A report or a request about a case cannot have meant what was sealed after it.
    is_letter = event.kind == EventKind.PRESERVATION_LETTER
    return event.item_id is not None or is_letter or event.recorded_at >= row.sealed_at


def _about(
    connection: Connection, table: Table, ended_at: Any, rows: Sequence[Any]
) -> defaultdict[str, list[Any]]:
    cases: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        cases[row.case_id].append(row.id)
    found: defaultdict[str, list[Any]] = defaultdict(list)
    of_these = concerns(table, list(cases), [row.id for row in rows]) & ended_at.is_(None)
    for each in connection.execute(select(table).where(of_these).order_by(table.c.id)):
        for item in [each.item_id] if each.item_id is not None else cases[each.case_id]:
            found[item].append(each)
    return found
