"""Whatever the database says otherwise than the ledger is found, and named with what to do."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, update

from tests.evidence.custody import ANA, acts, american_vault, report, reported_item, sealed_item
from tutela.evidence.comparing import Discrepancy, discrepancies
from tutela.evidence.destruction import begin, destroy
from tutela.evidence.events import record_event, withdraw_event
from tutela.evidence.holds import hold, release
from tutela.evidence.model import Missed, State, new_item_id
from tutela.evidence.reading import find_evidence
from tutela.evidence.retention import EventKind, LegalEvent, Period
from tutela.evidence.subjects import Subject
from tutela.evidence.tables import evidence_items, item_rules, legal_events, legal_holds
from tutela.evidence.vault import Vault
from tutela.evidence.verifying import Verified, verify, verify_all
from tutela.ledger.erasing import erase_reason
from tutela.ledger.model import EntryNumber
from tutela.storage.database import Database
from tutela.storage.settings import Settings


@pytest.fixture
def vault(settings: Settings, database: Database, clock) -> Vault:
    return american_vault(settings, database, clock)


@pytest.fixture
def house(vault, new_case, clock) -> dict[str, str]:
    """One of each: sealed, missed, destroyed, being destroyed, held, released, reported, asked."""
    case, other, third = new_case(), new_case(), new_case()
    missed = new_item_id()
    with vault.database.writing() as connection:
        vault.keep_missed(connection, Missed(case, missed, "it went"))
    destroyed, begun = reported_item(vault, other, b"two"), sealed_item(vault, other, b"three")
    destroy(vault, [destroyed], ANA, reason="a court", ordered_by="C-1")
    begin(vault, begun, ANA, reason="a court", ordered_by="C-2")
    sealed = sealed_item(vault, case, b"one")
    held = sealed_item(vault, third, b"four")
    report(vault, case, clock())
    letter = LegalEvent(EventKind.PRESERVATION_LETTER, clock(), "P-1", period=Period(days=90))
    wish = LegalEvent(EventKind.DESTRUCTION_REQUESTED, clock(), "D-1")
    with vault.database.writing() as connection:
        record_event(connection, Subject(case), letter, ANA, clock, reason="asked")
        wrong = record_event(connection, Subject(third, held), wish, ANA, clock, reason="asked")
        withdraw_event(connection, wrong, ANA, clock, reason="the wrong one")
        for reference in ("H-1", "H-2"):
            hold(connection, Subject(third), ANA, clock, reference=reference, reason="a court")
        hold(connection, Subject(third, held), ANA, clock, reference="H-1", reason="a court")
        release(connection, Subject(third), ANA, clock, reference="H-2", reason="over")
    return {
        "sealed": sealed,
        "missed": missed,
        "destroyed": destroyed,
        "begun": begun,
        "held": held,
        "case": case,
        "third": third,
    }


def problems(vault: Vault) -> list[Verified]:
    return [each for each in verify_all(vault, ANA) if each.problem is not None]


def test_a_house_that_nobody_touched_agrees(vault, house) -> None:
    assert problems(vault) == []
    assert acts(vault)[-1] == "evidence.verified"


def row(item: str):
    return update(evidence_items).where(evidence_items.c.id == item)


def gone(house, item):
    yield delete(item_rules).where(item_rules.c.item_id == house[item])
    yield delete(evidence_items).where(evidence_items.c.id == house[item])


ROWS = [
    ("sealed", lambda house: [*gone(house, "sealed")], "its row has vanished"),
    ("missed", lambda house: [*gone(house, "missed")], "its row has vanished"),
    ("sealed", lambda house: [row(house["sealed"]).values(wrapped_key=None)], "its key is gone"),
    (
        "sealed",
        lambda house: [row(house["sealed"]).values(state=State.MISSED)],
        "the ledger says that it was sealed",
    ),
    (
        "destroyed",
        lambda house: [row(house["destroyed"]).values(state=State.SEALED)],
        "its key is gone",
    ),
    (
        "destroyed",
        lambda house: [row(house["destroyed"]).values(state=State.SEALED, wrapped_key=b"x")],
        "the ledger says that it was destroyed",
    ),
    (
        "destroyed",
        lambda house: [row(house["destroyed"]).values(state=State.MISSED)],
        "the ledger says that it was sealed",
    ),
    (
        "sealed",
        lambda house: [row(house["sealed"]).values(state=State.DESTROYING)],
        "no destruction of it has begun",
    ),
    (
        "missed",
        lambda house: [row(house["missed"]).values(state=State.SEALED)],
        "its key is gone",
    ),
    (
        "sealed",
        lambda house: [row(house["sealed"]).values(case_id=house["third"])],
        "does not say that it was ever sealed into its case",
    ),
]


def test_a_row_that_was_changed_behind_the_ledger_is_found(vault, house) -> None:
    for which, deed, says in ROWS:
        first, *_ = after(vault, *deed(house))
        assert first.item == house[which]
        assert says in first.problem
        assert house[which] in first.problem


def after(vault: Vault, *deeds) -> list[Discrepancy]:
    """What is found after deeds that are then taken back."""
    with vault.database.writing() as connection:
        tried = connection.begin_nested()
        for deed in deeds:
            connection.execute(deed)
        found = discrepancies(connection)
        tried.rollback()
    return found


def test_each_item_is_told_of_once_and_the_ledger_hears_of_it(vault, house) -> None:
    with vault.database.writing() as connection:
        connection.execute(row(house["destroyed"]).values(state=State.SEALED))
        for deed in gone(house, "sealed"):
            connection.execute(deed)
        connection.execute(row(house["held"]).values(state=State.DESTROYED))
    found = {each.item: each.problem for each in problems(vault)}
    assert found.keys() == {house["destroyed"], house["sealed"], house["held"]}
    assert "no tombstone" in found[house["held"]]
    assert acts(vault)[-4:] == [*["evidence.damaged"] * 3, "evidence.verified"]


def test_a_key_that_is_gone_is_found_where_only_that_item_is_asked_for(vault, house) -> None:
    with vault.database.writing() as connection:
        connection.execute(row(house["sealed"]).values(wrapped_key=None))
        evidence = find_evidence(connection, house["sealed"])
    (found,) = verify(vault, [evidence], ANA)
    assert "its key is gone" in found.problem


def event_of(kind: EventKind):
    return legal_events.c.kind == kind


REPORT, LETTER, WISH, ORDER = (
    event_of(kind)
    for kind in (
        EventKind.REPORT_FINISHED,
        EventKind.PRESERVATION_LETTER,
        EventKind.DESTRUCTION_REQUESTED,
        EventKind.DESTRUCTION_ORDERED,
    )
)
LAW = [
    (delete(legal_events).where(LETTER), ["is gone"]),
    (
        update(legal_events).where(LETTER).values(kind=EventKind.REPORT_FINISHED),
        ["is gone, or its kind was changed", "does not tell of the event"],
    ),
    (update(legal_events).where(LETTER).values(period="0y0m9d"), ["its date, term"]),
    (update(legal_events).where(LETTER).values(reference="P-2"), ["reads otherwise"]),
    (update(legal_events).where(LETTER).values(reason="other"), ["reads otherwise"]),
    (update(legal_events).where(WISH).values(withdrawn_at=None), ["still counts, but entry"]),
    (update(legal_events).where(WISH).values(withdrawn_reason="x"), ["reason for withdrawing"]),
    (update(legal_holds).values(released_at=None), ["release of a hold"]),
    (
        update(legal_holds).where(legal_holds.c.reference == "H-2").values(reference="H-3"),
        ["the hold that entry", 'no hold "H-3"', "the release", 'no release of a hold "H-3"'],
    ),
    (
        update(legal_holds).where(legal_holds.c.reference == "H-2").values(reason="other"),
        ["the hold that entry", 'no hold "H-2"'],
    ),
    (
        delete(legal_holds).where(legal_holds.c.item_id.is_not(None)),
        ["the hold that entry"],
    ),
    (
        update(legal_holds).where(legal_holds.c.item_id.is_not(None)).values(item_id=None),
        ["the hold that entry", 'no hold "H-1"'],
    ),
]


def test_a_hold_or_event_that_was_changed_behind_the_ledger_is_found(vault, house) -> None:
    for deed, says in LAW:
        found = after(vault, deed)
        assert len(found) == len(says)
        for words in says:
            assert any(words in each.problem for each in found), (words, found)
        assert all(each.case in (house["case"], house["third"]) for each in found)


def test_the_date_of_an_event_is_bound(vault, house, clock) -> None:
    with vault.database.writing() as connection:
        of_case = legal_events.c.case_id == house["case"]
        earlier = clock() - timedelta(days=400)
        connection.execute(update(legal_events).where(REPORT, of_case).values(at=earlier))
    (found,) = problems(vault)
    assert found.case == house["case"]
    assert "its date, term" in found.problem


def test_what_the_ledger_never_heard_of_is_found(vault, house, clock) -> None:
    said = {"case_id": house["case"], "reference": "X", "reason": "none"}
    event = said | {"at": clock(), "recorded_at": clock(), "recorded_by": "eve"}
    with vault.database.writing() as connection:
        connection.execute(insert(legal_holds).values(**said, held_at=clock(), held_by="eve"))
        connection.execute(insert(legal_events).values(**event, kind=EventKind.REPORT_FINISHED))
        ordered = {"kind": EventKind.DESTRUCTION_ORDERED, "item_id": house["sealed"]}
        connection.execute(insert(legal_events).values(**event | ordered))
    found = [each.problem for each in problems(vault)]
    assert len(found) == 3
    assert any("does not tell of the event" in each for each in found)
    assert any("does not tell of the order" in each for each in found)
    assert any('no hold "X"' in each for each in found)


def test_words_that_were_erased_from_the_ledger_are_no_fault(vault, house, clock) -> None:
    numbers = [
        number
        for number, act in enumerate(acts(vault))
        if act.startswith(("evidence.held", "evidence.event", "evidence.released"))
    ]
    with vault.database.writing() as connection:
        for number in numbers:
            erase_reason(connection, EntryNumber(number), ANA, clock)
    assert problems(vault) == []
