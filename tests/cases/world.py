"""People and cases for the tests of deciding."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, insert, select, update

from tutela.accounts.model import Caller, PersonId
from tutela.accounts.people import add_person
from tutela.accounts.permissions import Role, permissions_of
from tutela.cases.deciding import Decision, Outcome, decide
from tutela.cases.grounds import Basis
from tutela.cases.model import CaseId, Item, ItemKind, Match, new_case_id
from tutela.cases.moving import Hold, take
from tutela.cases.opening import open_case
from tutela.cases.states import State
from tutela.cases.tables import case_decisions, case_items, case_matches, cases, viewings
from tutela.fingerprints.model import Fingerprint, FingerprintSet, Kind
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.lists import create_list
from tutela.hashlists.model import ListRow, Provenance
from tutela.hashlists.tables import entries
from tutela.ledger.model import Actor
from tutela.ledger.tables import ledger_entries
from tutela.sandbox.model import Level, Shown
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Review, Settings


def person(number: int, *roles: Role) -> Caller:
    """Somebody with these roles, a reviewer if none are given."""
    actor = Actor(f"person {number}", f"person:{number}", "person", "console")
    return Caller(actor, permissions_of(roles or (Role.REVIEWER,)), PersonId(number))


ANNA, BEN = person(1), person(2)
LEAD, OTHER_LEAD = person(3, Role.LEAD), person(4, Role.LEAD)
OPERATOR = Caller(Actor("cli:root", "os:0", "operator", "cli"), permissions_of(Role))
PROGRAM = Caller(Actor("key:forum", "key:1", "program", "api"), permissions_of(Role))


def employ(database: Database, clock: Clock) -> None:
    """Have Anna, Ben and two leads work here, under their numbers."""
    with database.writing() as connection:
        for number, role in enumerate((Role.REVIEWER, Role.REVIEWER, Role.LEAD, Role.LEAD), 1):
            add_person(
                connection,
                f"person {number}",
                f"{number}@organisation.example",
                [role],
                actor=OPERATOR.actor,
                clock=clock,
            )


def reviewing(settings: Settings, **changes: object) -> Settings:
    """The settings, with no second look unless one is asked for."""
    review = Review.model_validate({"second_look_percent": 0, "second_look_for": (), **changes})
    return settings.model_copy(update={"review": review})


def a_case(database: Database, clock: Clock, content: bytes = b"", **values: object) -> CaseId:
    """An open case of whose file only the digests are known."""
    known = FingerprintSet(
        size=len(content),
        md5=hashlib.md5(content).digest(),
        sha256=hashlib.sha256(content).digest(),
    )
    with database.writing() as connection:
        case = open_case(connection, new_case_id(), Item("p.png", "scan", known), (), clock)
        plain = {"rank_at": clock(), "severe": False, "facts": ""}
        connection.execute(update(cases).where(cases.c.id == case).values(plain | values))
    return case


def with_evidence(database: Database, case: CaseId, kind: ItemKind = ItemKind.FILE) -> CaseId:
    """The same case, as if its file, or words, had been sealed."""
    with database.writing() as connection:
        connection.execute(
            update(case_items)
            .where(case_items.c.case_id == case)
            .values(evidence_id="e" * 26, kind=kind)
        )
    return case


def matched(
    database: Database, clock: Clock, case: CaseId, kind: Kind = Kind.MD5, place: str = ""
) -> Match:
    """Have a case's item match an entry of a list by this kind."""
    actor = Actor("test", "test:1", "operator", "cli")
    with database.writing() as connection:
        partner = create_list(connection, f"partner {case}", "", actor, clock)
        row = ListRow(1, Fingerprint(kind, bytes(kind.width)))
        add_with_provenance(
            connection, partner, Provenance("a test"), [row], actor=actor, clock=clock
        )
        entry = connection.execute(
            select(entries.c.id).where(entries.c.list_id == partner.id)
        ).scalar_one()
        item = connection.execute(
            select(case_items.c.id).where(case_items.c.case_id == case)
        ).scalar_one()
        connection.execute(
            insert(case_matches).values(
                item_id=item, list_id=partner.id, entry_id=entry, kind=kind, distance=0, place=place
            )
        )
    return Match(partner.id, partner.name, entry, kind, 0, place)


def looked(
    database: Database,
    clock: Clock,
    case: CaseId,
    caller: Caller,
    level: Level = Level.WHOLE,
    shown: Shown | None = Shown.PICTURE,
    item: int | None = None,
) -> None:
    """Have somebody look at a case's item, the first one if none is named."""
    with database.writing() as connection:
        first = select(func.min(case_items.c.id)).where(case_items.c.case_id == case)
        item = item or connection.execute(first).scalar_one()
        connection.execute(
            insert(viewings).values(
                case_id=case,
                item_id=item,
                evidence_id="e" * 26,
                person=caller.person,
                level=level,
                shown=shown,
                reason="decide",
                began_at=clock(),
            )
        )


def taken(database: Database, clock: Clock, case: CaseId, caller: Caller) -> Hold:
    """Have somebody take a case."""
    with database.writing() as connection:
        return take(connection, case, caller, clock, 15)


def decided(
    database: Database,
    clock: Clock,
    settings: Settings,
    case: CaseId,
    caller: Caller,
    decision: Decision = Decision.CONFIRMED,
    basis: Basis = Basis.READ,
    **options: object,
) -> Outcome:
    """Have somebody take a case and decide on it."""
    hold = taken(database, clock, case, caller)
    with database.writing() as connection:
        return decide(
            connection,
            case,
            decision,
            caller,
            clock,
            settings,
            hold=hold.number,
            basis=basis,
            **options,  # type: ignore[arg-type]
        )


def state_of(database: Database, case: CaseId) -> State:
    """Where a case stands."""
    with database.reading() as connection:
        return State(
            connection.execute(select(cases.c.state).where(cases.c.id == case)).scalar_one()
        )


def moves_of(database: Database, case: CaseId) -> Sequence[str]:
    """What the ledger says of a case's moves, in order, as ``move actor``."""
    with database.reading() as connection:
        rows = connection.execute(
            select(ledger_entries.c.thing, ledger_entries.c.actor)
            .where(ledger_entries.c.case_id == case, ledger_entries.c.act == "case.moved")
            .order_by(ledger_entries.c.number)
        ).all()
    return [f"{row.thing.removeprefix('move:')} {row.actor}" for row in rows]


A_WHILE = timedelta(minutes=2)
"""After so long nothing can be undone."""


def made_final(database: Database, clock: Clock, case: CaseId) -> None:
    """Have what was decided on a case be so long ago that nothing can be undone."""
    with database.writing() as connection:
        connection.execute(
            update(case_decisions)
            .where(case_decisions.c.case_id == case)
            .values(decided_at=clock() - A_WHILE)
        )
