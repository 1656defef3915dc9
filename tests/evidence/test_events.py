"""What happens in law is recorded once, with its reason, and counts for what it was meant for."""

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from tests.evidence.custody import (
    ANA,
    acts,
    american_vault,
    report,
    reported_item,
    sealed_item,
    standing,
)
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotAgreedError,
    NotFoundError,
    NotPermittedError,
)
from tutela.evidence.comparing import discrepancies
from tutela.evidence.destruction import destroy
from tutela.evidence.events import agree_to_event, events_about, record_event, withdraw_event
from tutela.evidence.holds import hold, holds_about, release
from tutela.evidence.retention import EventKind, LegalEvent, Period
from tutela.evidence.subjects import Subject, subject_case, subject_item
from tutela.evidence.tables import legal_events
from tutela.evidence.vault import Vault
from tutela.ledger.model import Actor
from tutela.storage.database import Database
from tutela.storage.settings import Settings


@pytest.fixture
def vault(settings: Settings, database: Database, clock) -> Vault:
    return american_vault(settings, database, clock)


def record(vault: Vault, subject: Subject, kind: EventKind, reason="as asked", **values) -> int:
    event = LegalEvent(
        kind, values.pop("at", vault.clock()), values.pop("reference", "R-1"), **values
    )
    with vault.database.writing() as connection:
        return record_event(connection, subject, event, ANA, vault.clock, reason=reason)


def test_a_finished_report_starts_the_clock_of_all_that_the_case_has(
    vault, new_case, clock
) -> None:
    case = new_case()
    first, second = sealed_item(vault, case, b"one"), sealed_item(vault, case, b"two")
    elsewhere = sealed_item(vault, new_case(), b"one")
    assert "starts when a report" in standing(vault, first).due.why
    report(vault, case, clock())
    assert standing(vault, first).due.at == standing(vault, second).due.at is not None
    assert standing(vault, elsewhere).due.at is None


def told_otherwise(vault: Vault) -> str:
    """What the database says of the events otherwise than the ledger."""
    with vault.database.reading() as connection:
        return " ".join(each.problem for each in discrepancies(connection))


def test_what_one_person_says_is_to_be_destroyed_another_one_agrees_to(
    vault, new_case, clock
) -> None:
    case = new_case()
    item = reported_item(vault, case, b"one")
    wish = LegalEvent(EventKind.DESTRUCTION_REQUESTED, clock(), "R-1")
    first, second = (Actor(name, f"key:{n}", "program", "api") for n, name in ((1, "a"), (2, "b")))
    with vault.database.writing() as connection:
        event = record_event(connection, Subject(case), wish, first, clock, reason="as asked")
    assert not standing(vault, item).due.is_due(clock())
    for who, own in ((first, {"key:1"}), (second, {"key:1", "key:2"}), (second, set())):
        with vault.database.writing() as connection, pytest.raises(NotPermittedError):
            agree_to_event(connection, event, who, own, clock)
    with pytest.raises(NotPermittedError):
        destroy(vault, [item], first, reason="as asked")
    with vault.database.writing() as connection:
        assert agree_to_event(connection, event, second, {"key:2"}, clock).agreed_by == "b"
    assert standing(vault, item).due.is_due(clock())
    assert acts(vault)[-1] == "evidence.event-agreed"
    with vault.database.writing() as connection, pytest.raises(NotAgreedError):
        agree_to_event(connection, event, second, {"key:2"}, clock)
    assert told_otherwise(vault) == ""
    for change, problem in (
        ({"asked_by": None}, "reads otherwise"),
        ({"agreed_at": None}, "agree"),
    ):
        with vault.database.writing() as connection:
            connection.execute(update(legal_events).values(change))
        assert problem in told_otherwise(vault)
        with vault.database.writing() as connection:
            whole = {"asked_by": "key:1", "agreed_at": clock()}
            connection.execute(update(legal_events).values(whole))


def test_what_is_sealed_after_a_report_was_not_in_it(vault, new_case, clock) -> None:
    case = new_case()
    sealed_item(vault, case, b"one")
    report(vault, case, clock())
    record(vault, Subject(case), EventKind.DESTRUCTION_REQUESTED)
    record(vault, Subject(case), EventKind.PRESERVATION_LETTER, period=Period(days=90))
    clock.turn(hours=1)
    later = sealed_item(vault, case, b"two")
    # The letter counts all the same: it can only make it be kept for longer.
    assert [event.kind for event in standing(vault, later).events] == ["preservation-letter"]
    report(vault, case, clock(), "CT-2")
    assert standing(vault, later).due.at is not None


def test_the_same_event_is_recorded_once(vault, new_case, clock) -> None:
    case = new_case()
    item = sealed_item(vault, case, b"one")
    at = clock()
    report(vault, case, at)
    before = acts(vault)
    clock.turn(days=1)
    report(vault, case, at)
    assert acts(vault) == before
    assert len(standing(vault, item).events) == 1


def test_a_withdrawn_event_does_not_count_but_stays_in_the_list(vault, new_case) -> None:
    item = reported_item(vault, new_case(), b"one")
    case = standing(vault, item).case
    due_at = standing(vault, item).due.at
    event = record(vault, Subject(case, item), EventKind.DESTRUCTION_REQUESTED)
    assert standing(vault, item).due.is_due(vault.clock())
    with vault.database.writing() as connection:
        withdraw_event(connection, event, ANA, vault.clock, reason="the wrong case")
    assert standing(vault, item).due.at == due_at
    with vault.database.reading() as connection:
        recorded = events_about(connection, Subject(case, item))
    assert [(each.event.kind, each.withdrawn_at is None) for each in recorded] == [
        ("report-finished", True),
        ("destruction-requested", False),
    ]
    assert acts(vault)[-1] == "evidence.event-withdrawn"
    with vault.database.writing() as connection, pytest.raises(NotFoundError, match="in force"):
        withdraw_event(connection, event, ANA, vault.clock, reason="again")


MISTAKES = [
    (EventKind.PRESERVATION_LETTER, {}, "--until"),
    (EventKind.PRESERVATION_LETTER, {"until": date(2020, 1, 1)}, "cannot be the letter's"),
    (EventKind.PRESERVATION_LETTER, {"until": date(9999, 1, 1)}, "cannot be the letter's"),
    (EventKind.REPORT_FINISHED, {"until": date(2027, 1, 1)}, "no last day"),
    (EventKind.REPORT_FINISHED, {"reference": " "}, "reference"),
    (EventKind.REPORT_FINISHED, {"reference": "a\nb"}, "one line"),
    (EventKind.REPORT_FINISHED, {"reason": " "}, "say why"),
]


def test_what_cannot_be_meant_is_refused(vault, new_case) -> None:
    case = new_case()
    sealed_item(vault, case, b"one")
    for kind, values, complaint in MISTAKES:
        with pytest.raises(InvalidInputError, match=complaint):
            record(vault, Subject(case), kind, **values)
    ahead = vault.clock() + timedelta(days=2)
    with pytest.raises(InvalidInputError, match="in the future"):
        record(vault, Subject(case), EventKind.REPORT_FINISHED, at=ahead)
    before = vault.clock() - timedelta(days=2)
    with pytest.raises(InvalidInputError, match="cannot contain what was sealed"):
        record(vault, Subject(case), EventKind.REPORT_FINISHED, at=before)
    assert acts(vault)[-1] == "evidence.sealed"


def test_each_hold_is_released_by_its_own_name(vault, new_case, clock) -> None:
    case = new_case()
    item = reported_item(vault, case, b"one")
    whole, single = Subject(case), Subject(case, item)
    clock.turn(days=400)

    def change(what, subject, reference):
        with vault.database.writing() as connection:
            what(connection, subject, ANA, clock, reference=reference, reason="a court")

    change(hold, whole, "H-1")
    change(hold, single, "H-1")
    change(hold, single, "H-2")
    with pytest.raises(AlreadyExistsError, match="held already"):
        change(hold, single, "H-2")
    assert standing(vault, item).holds == ("H-1", "H-2")
    assert standing(vault, item).due.why == "held: H-1, H-2"
    for subject, reference in ((single, "H-1"), (single, "H-2")):
        change(release, subject, reference)
        assert standing(vault, item).due.at is None
    with pytest.raises(NotFoundError, match="of its own"):
        change(release, single, "H-1")
    later = sealed_item(vault, case, b"sealed under the hold")
    assert standing(vault, later).holds == ("H-1",)
    change(release, whole, "H-1")
    assert standing(vault, item).due.is_due(clock())
    with vault.database.reading() as connection:
        assert len(holds_about(connection, single)) == 3


def test_nothing_is_recorded_about_what_is_not_there(vault, new_case, clock) -> None:
    item = reported_item(vault, new_case(), b"one")
    case = standing(vault, item).case
    clock.turn(days=400)
    destroy(vault, [item], ANA, reason="due")
    with vault.database.reading() as connection:
        with pytest.raises(NotFoundError, match="destroyed"):
            subject_item(connection, item)
        with pytest.raises(NotFoundError, match="no evidence of a case"):
            subject_case(connection, case)
        with pytest.raises(NotFoundError, match="no evidence"):
            subject_item(connection, "a" * 26)
