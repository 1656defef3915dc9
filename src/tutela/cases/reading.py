"""Finding cases again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, select

from tutela.accounts.keys import ids_of
from tutela.accounts.model import Caller, PersonId
from tutela.accounts.permissions import Permission
from tutela.cases.deciding import KeptDecision, Stage, decisions_of
from tutela.cases.facts import facts_told
from tutela.cases.grounds import Basis, Ground, bases_for, ground_of, same_file
from tutela.cases.model import CaseId, Item, ItemKind, Match
from tutela.cases.moving import absent, holder_of, state_of
from tutela.cases.states import State
from tutela.cases.tables import case_items, case_labels, case_matches, case_notes, cases, subjects
from tutela.evidence.model import Evidence, ItemId
from tutela.evidence.reading import evidence_of
from tutela.fingerprints.model import FingerprintSet, Kind, Unreadable
from tutela.hashlists.tables import hash_lists
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.storage.clock import Clock


@dataclass(frozen=True, slots=True)
class Label:
    """What somebody says that a case, or one of its items, is.

    Attributes:
        id: Its number.
        item: The item's number; ``None`` if it is of the case as a whole.
        scheme: The scheme that it is taken from.
        version: The scheme's version.
        label: The label's code.
        set_at: When.
        set_by: The actor's id in the ledger.
    """

    id: int
    item: int | None
    scheme: str
    version: str
    label: str
    set_at: datetime
    set_by: str


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote about a case.

    Attributes:
        id: Its number.
        written_at: When.
        written_by: The actor's id in the ledger.
        words: What they wrote.
    """

    id: int
    written_at: datetime
    written_by: str
    words: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another case, seen from this one.

    Attributes:
        case: Its number.
        state: Where it stands.
        opened_at: When it was opened.
    """

    case: CaseId
    state: State
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class WholeItem:
    """An item with all that is known of it.

    Attributes:
        id: Its number.
        item: What it is, its name, origin and fingerprints.
        received_at: When it came.
        matches: Which entries it matched, the nearest first.
        evidence: What was sealed of it.
        elsewhere: Other cases that have the very same file, the newest first.
    """

    id: int
    item: Item
    received_at: datetime
    matches: tuple[Match, ...]
    evidence: Evidence | None
    elsewhere: tuple[Elsewhere, ...]

    @property
    def kind(self) -> ItemKind:
        """What it is."""
        return self.item.kind

    @property
    def reference(self) -> str | None:
        """What the platform calls the upload."""
        return self.item.reference


@dataclass(frozen=True, slots=True)
class Case:
    """A case and what it is about, without what people say of it.

    Attributes:
        id: Its number.
        state: Where it stands.
        opened_at: When it was opened.
        items: What it is about.
        evidence: All that was sealed for it.
    """

    id: CaseId
    state: State
    opened_at: datetime
    items: tuple[WholeItem, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class WholeCase:
    """A case with all that a person who decides on it may know.

    While a second look is due, nobody but whoever took the first one sees what was decided,
    labelled or noted in it: ``blind`` says so, and these are left out.

    Attributes:
        id: Its number.
        state: Where it stands.
        opened_at: When it was opened.
        subject: Whom it is about, as the platform calls them.
        facts: The names of the facts that are true of it.
        rank_at: The moment that it is queued by.
        severe: Whether it is hard on whoever looks.
        due_at: When it has to be decided, if the law or the operator says so.
        assigned_to: Whose it is, if it is not everybody's.
        held_by: Who holds it; ``None`` for nobody, and for the machine's operator.
        held_until: Until when somebody holds it.
        hold: The number of the last hold.
        decided_at: When it was decided, if it is.
        items: What it is about.
        labels: What people say it is.
        notes: What people wrote about it, in their order.
        decisions: What people decided, in their order, also what was undone.
        blind: Whether a first decision is kept from this caller.
        bases: What this caller's decision could rest on, the one that spares most first.
        ground: What there is to rest a decision on.
        earlier: Other cases of the same subject, the newest first.
    """

    id: CaseId
    state: State
    opened_at: datetime
    subject: str | None
    facts: tuple[str, ...]
    rank_at: datetime
    severe: bool
    due_at: datetime | None
    assigned_to: PersonId | None
    held_by: PersonId | None
    held_until: datetime | None
    hold: int
    decided_at: datetime | None
    items: tuple[WholeItem, ...]
    labels: tuple[Label, ...]
    notes: tuple[Note, ...]
    decisions: tuple[KeptDecision, ...]
    blind: bool
    bases: tuple[Basis, ...]
    ground: frozenset[Ground]
    earlier: tuple[Elsewhere, ...]

    def is_held_by(self, person: PersonId | None, now: datetime) -> bool:
        """Whether a person has it now."""
        held = self.held_until is not None and self.held_until > now
        return held and person is not None and self.held_by == person


MOST_LINKED = 20
"""So many other cases are shown beside an item, and of a subject."""


def find_case(connection: Connection, case: CaseId) -> Case:
    """A case and what it is about.

    Raises:
        NotFoundError: There is no case of this number.
    """
    row = connection.execute(
        select(cases.c.state, cases.c.opened_at).where(cases.c.id == case)
    ).one_or_none()
    if row is None:
        raise absent(case)
    return Case(
        id=case,
        state=State(row.state),
        opened_at=row.opened_at,
        items=_items(connection, case),
        evidence=evidence_of(connection, {case}).get(case, ()),
    )


def read_case(
    connection: Connection, case: CaseId, caller: Caller, undo_since: datetime | None = None
) -> WholeCase:
    """A case with all that this caller may know of it.

    Whoever may not see what matched is told neither how well a list knows the files, nor what a
    decision rests on, which says the same, nor the fingerprints that others could look up.

    Args:
        connection: A transaction.
        case: The case.
        caller: Who reads it.
        undo_since: What was decided on other cases since then can still be undone, so that no
            decision on this one may rest on it.

    Raises:
        NotFoundError: There is no case of this number.
    """
    row = connection.execute(
        select(cases, subjects.c.key)
        .join_from(cases, subjects, cases.c.subject_id == subjects.c.id, isouter=True)
        .where(cases.c.id == case)
    ).one_or_none()
    if row is None:
        raise absent(case)
    state = State(row.state)
    decisions = decisions_of(connection, case)
    hidden = _hidden_from(caller, state, decisions)
    unheard = _ids_behind(connection, hidden)
    ground = ground_of(connection, case, undo_since)
    whole = WholeCase(
        id=CaseId(row.id),
        state=state,
        opened_at=row.opened_at,
        subject=row.key,
        facts=tuple(row.facts.split()),
        rank_at=row.rank_at,
        severe=row.severe,
        due_at=row.due_at,
        assigned_to=row.assigned_to,
        held_by=row.held_by,
        held_until=row.held_until,
        hold=row.hold,
        decided_at=row.decided_at,
        items=_items(connection, case),
        labels=tuple(each for each in labels_of(connection, case) if each.set_by not in unheard),
        notes=tuple(each for each in notes_of(connection, case) if each.written_by not in unheard),
        decisions=tuple(each for each in decisions if each is not hidden),
        blind=hidden is not None,
        bases=tuple(bases_for(connection, case, ground, caller)),
        ground=ground,
        earlier=_earlier(connection, case, row.subject_id),
    )
    return whole if Permission.SCREEN_DETAILS in caller.permissions else _without_details(whole)


def enter_read(connection: Connection, case: CaseId, caller: Caller, clock: Clock) -> None:
    """Say in the ledger that somebody reads a case. Do it last in the transaction."""
    append(connection, caller.actor, Act.CASE_READ, clock, case=case)


def ids_kept_from(connection: Connection, case: CaseId, caller: Caller) -> frozenset[str]:
    """By which ids the one labelled and wrote whose first decision this caller is not to know."""
    hidden = _hidden_from(caller, state_of(connection, case), decisions_of(connection, case))
    return _ids_behind(connection, hidden)


def labels_of(connection: Connection, case: CaseId) -> list[Label]:
    """The labels of a case and its items that were not removed, in their order."""
    rows = connection.execute(
        select(case_labels)
        .where(case_labels.c.case_id == case, case_labels.c.removed_at.is_(None))
        .order_by(case_labels.c.id)
    )
    return [
        Label(row.id, row.item_id, row.scheme, row.version, row.label, row.set_at, row.set_by)
        for row in rows
    ]


def notes_of(connection: Connection, case: CaseId) -> list[Note]:
    """What people wrote about a case, in their order."""
    rows = connection.execute(
        select(case_notes).where(case_notes.c.case_id == case).order_by(case_notes.c.id)
    )
    return [Note(row.id, row.written_at, row.written_by, row.words) for row in rows]


def _without_details(case: WholeCase) -> WholeCase:
    return replace(
        case,
        facts=facts_told(case.facts, details=False),
        items=tuple(_without_fingerprints(each) for each in case.items),
        decisions=tuple(replace(each, basis=None) for each in case.decisions),
        bases=(),
        ground=case.ground - {Ground.EVERY_DIGEST},
    )


def _without_fingerprints(item: WholeItem) -> WholeItem:
    kept = FingerprintSet(size=item.item.fingerprints.size)
    return replace(item, item=replace(item.item, fingerprints=kept))


def _hidden_from(
    caller: Caller, state: State, decisions: list[KeptDecision]
) -> KeptDecision | None:
    """The first decision, while another person is to decide without knowing it."""
    if state not in (State.SECOND_LOOK, State.IN_SECOND_LOOK):
        return None
    firsts = [each for each in decisions if each.stage is Stage.FIRST and each.undone_at is None]
    return None if caller.is_human and firsts[-1].person == holder_of(caller) else firsts[-1]


def _ids_behind(connection: Connection, hidden: KeptDecision | None) -> frozenset[str]:
    """By which ids whoever took a decision labels and writes: also by keys, and on the pages."""
    if hidden is None:
        return frozenset()
    if hidden.person is None:
        return frozenset({hidden.decided_by})
    return ids_of(connection, hidden.person)


def _items(connection: Connection, case: CaseId) -> tuple[WholeItem, ...]:
    rows = connection.execute(
        select(case_items).where(case_items.c.case_id == case).order_by(case_items.c.id)
    ).all()
    matches = _matches_of(connection, [row.id for row in rows])
    evidence = {each.id: each for each in evidence_of(connection, {case}).get(case, ())}
    return tuple(
        WholeItem(
            id=row.id,
            item=_item(row._mapping),
            received_at=row.received_at,
            matches=tuple(matches[row.id]),
            evidence=evidence.get(ItemId(row.evidence_id)) if row.evidence_id else None,
            elsewhere=_elsewhere(connection, case, row),
        )
        for row in rows
    )


def _elsewhere(
    connection: Connection, case: CaseId, item: Row[*tuple[Any, ...]]
) -> tuple[Elsewhere, ...]:
    others = (
        select(cases.c.id, cases.c.state, cases.c.opened_at)
        .distinct()
        .join_from(case_items, cases)
        .where(same_file([item]), case_items.c.case_id != case)
        .order_by(cases.c.opened_at.desc())
        .limit(MOST_LINKED)
    )
    return _linked(connection.execute(others).all())


def _earlier(connection: Connection, case: CaseId, subject: int | None) -> tuple[Elsewhere, ...]:
    if subject is None:
        return ()
    others = (
        select(cases.c.id, cases.c.state, cases.c.opened_at)
        .where(cases.c.subject_id == subject, cases.c.id != case)
        .order_by(cases.c.opened_at.desc())
        .limit(MOST_LINKED)
    )
    return _linked(connection.execute(others).all())


def _linked(rows: Iterable[Row[*tuple[Any, ...]]]) -> tuple[Elsewhere, ...]:
    return tuple(Elsewhere(CaseId(row.id), State(row.state), row.opened_at) for row in rows)


_FINGERPRINTS = tuple(field.name for field in fields(FingerprintSet))


def _item(row: RowMapping) -> Item:
    return Item(
        name=row["name"],
        origin=row["origin"],
        fingerprints=FingerprintSet(**{name: row[name] for name in _FINGERPRINTS}),
        kind=ItemKind(row["kind"]),
        reference=row["reference"],
        unreadable=Unreadable(row["unreadable"]) if row["unreadable"] else None,
        unreadable_at=row["unreadable_at"] or "",
    )


def _matches_of(connection: Connection, items: list[int]) -> Mapping[int, list[Match]]:
    matches: defaultdict[int, list[Match]] = defaultdict(list)
    found = connection.execute(
        select(*case_matches.c, hash_lists.c.name)
        .join_from(case_matches, hash_lists)
        .where(case_matches.c.item_id.in_(items))
        .order_by(case_matches.c.distance, case_matches.c.id)
    ).mappings()
    for match in found:
        matches[match["item_id"]].append(
            Match(
                hash_list=match["list_id"],
                list_name=match["name"],
                entry=match["entry_id"],
                kind=Kind(match["kind"]),
                distance=match["distance"],
                place=match["place"],
                query_percent=match["query_percent"],
                compared_percent=match["compared_percent"],
            )
        )
    return matches
