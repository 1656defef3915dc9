"""Whoever is concerned is heard by somebody who has not decided before."""

import pytest
from sqlalchemy import select

from tests.cases.telling import effects, listening, told, uploaded
from tests.cases.world import (
    A_WHILE,
    ANNA,
    LEAD,
    OPERATOR,
    OTHER_LEAD,
    PROGRAM,
    a_case,
    decided,
    matched,
    moves_of,
    reviewing,
    state_of,
    taken,
)
from tutela.cases.appealing import (
    AppealOutcome,
    appeals_of,
    decide_appeal,
    find_appeal,
    receive_appeal,
    waiting_appeals,
)
from tutela.cases.counting import Counted, Technology, counts_between
from tutela.cases.deciding import Decision, undo
from tutela.cases.forgetting import erase_words
from tutela.cases.moving import AlreadyHeldError
from tutela.cases.states import State
from tutela.errors import InvalidInputError, NotFoundError, NotPermittedError, OutOfTurnError
from tutela.fingerprints.model import Kind
from tutela.hashlists.flagging import open_flags
from tutela.ledger.tables import ledger_reasons

GRANTED, UPHELD = AppealOutcome
WORDS = "it is a picture of our garden"


@pytest.fixture
def house(settings, database, clock):
    return reviewing(listening(settings, database, clock))


@pytest.fixture
def confirmed(database, clock, house):
    """A case that Anna confirmed, and of which the platform knows."""
    case = a_case(database, clock)
    uploaded(database, clock, case, "upload-1", "user-1")
    matched(database, clock, case, Kind.PDQ)
    decided(database, clock, house, case, ANNA)
    clock.now += A_WHILE
    effects(database, clock)
    return case


def appealed(database, clock, case, caller=PROGRAM, undo_seconds=60):
    with database.writing() as connection:
        return receive_appeal(connection, case, WORDS, caller, clock, undo_seconds=undo_seconds)


def decided_on(database, clock, appeal, outcome, caller=LEAD, reason="it is a garden"):
    with database.writing() as connection:
        return decide_appeal(connection, appeal.id, outcome, caller, clock, reason=reason)


def test_a_granted_appeal_lets_the_upload_free_and_puts_the_entry_in_doubt(
    database, clock, house, confirmed
) -> None:
    appeal = appealed(database, clock, confirmed)
    assert state_of(database, confirmed) is State.UNDER_APPEAL
    clock.turn(hours=5)
    done = decided_on(database, clock, appeal, GRANTED)
    assert (done.outcome, done.decided_by) == (GRANTED, "person:3")
    assert state_of(database, confirmed) is State.NOT_CONFIRMED
    assert told(database)[2:] == [
        ("item.lifted", {"items": ["upload-1"], "subject": "user-1"}),
        ("account.cleared", {"subject": "user-1"}),
        ("appeal.decided", {"outcome": "granted", "subject": "user-1"}),
    ]
    assert moves_of(database, confirmed)[-2:] == ["appeal key:1", "grant person:3"]
    with database.reading() as connection:
        (flag,) = open_flags(connection)
        assert flag.case == confirmed
        today = clock().date()
        assert counts_between(connection, today, today) == {
            (Counted.CONFIRMED, Technology.PDQ): 1,
            (Counted.APPEALED, Technology.PDQ): 1,
            (Counted.GRANTED, Technology.PDQ): 1,
        }


def test_an_upheld_appeal_leaves_the_case_as_it_was(database, clock, house, confirmed) -> None:
    appeal = appealed(database, clock, confirmed)
    decided_on(database, clock, appeal, UPHELD)
    assert state_of(database, confirmed) is State.CONFIRMED
    assert told(database)[2:] == [("appeal.decided", {"outcome": "upheld", "subject": "user-1"})]
    with database.reading() as connection:
        assert open_flags(connection) == []


def test_whoever_decided_the_case_does_not_decide_its_appeal(database, clock, house) -> None:
    case = a_case(database, clock)
    decided(database, clock, house, case, LEAD)
    clock.now += A_WHILE
    appeal = appealed(database, clock, case)
    with pytest.raises(OutOfTurnError, match="another lead"):
        decided_on(database, clock, appeal, GRANTED, LEAD)
    decided_on(database, clock, appeal, UPHELD, OTHER_LEAD)
    clock.now += A_WHILE
    # Nor does whoever decided an earlier one decide the next.
    again = appealed(database, clock, case)
    with pytest.raises(OutOfTurnError, match="another lead"):
        decided_on(database, clock, again, GRANTED, OTHER_LEAD)
    assert decided_on(database, clock, again, GRANTED, OPERATOR).outcome is GRANTED


def test_only_people_who_lead_decide_appeals_and_say_why(database, clock, house, confirmed) -> None:
    appeal = appealed(database, clock, confirmed)
    with pytest.raises(NotPermittedError):
        decided_on(database, clock, appeal, GRANTED, ANNA)
    with pytest.raises(NotPermittedError):
        decided_on(database, clock, appeal, GRANTED, PROGRAM)
    with pytest.raises(InvalidInputError, match="say why"):
        decided_on(database, clock, appeal, GRANTED, LEAD, " ")
    decided_on(database, clock, appeal, UPHELD)
    with pytest.raises(OutOfTurnError, match="decided already"):
        decided_on(database, clock, appeal, GRANTED, OTHER_LEAD)
    with database.reading() as connection, pytest.raises(NotFoundError):
        find_appeal(connection, appeal.id + 1, LEAD)


def test_a_lead_who_looks_at_it_is_not_disturbed(database, clock, house, confirmed) -> None:
    appeal = appealed(database, clock, confirmed)
    taken(database, clock, confirmed, LEAD)
    with pytest.raises(AlreadyHeldError):
        decided_on(database, clock, appeal, GRANTED, OTHER_LEAD)
    decided_on(database, clock, appeal, GRANTED, LEAD)


@pytest.mark.parametrize("decision", [None, Decision.NOT_CONFIRMED, Decision.NOT_SURE])
def test_there_is_no_appeal_where_nothing_is_confirmed(database, clock, house, decision) -> None:
    case = a_case(database, clock)
    if decision:
        decided(database, clock, house, case, ANNA, decision)
    with pytest.raises(OutOfTurnError, match="once it is confirmed"):
        appealed(database, clock, case)


def test_one_appeal_is_decided_at_a_time(database, clock, house, confirmed) -> None:
    appealed(database, clock, confirmed)
    with pytest.raises(OutOfTurnError, match="already"):
        appealed(database, clock, confirmed)


def test_the_words_are_for_leads_and_for_a_time(database, clock, house, confirmed) -> None:
    appeal = appealed(database, clock, confirmed)
    with database.reading() as connection:
        (waiting,) = waiting_appeals(connection, LEAD)
        assert waiting.words == WORDS
        assert waiting_appeals(connection, ANNA)[0].words is None
        assert waiting_appeals(connection, LEAD, after=appeal.id) == []
        # The ledger and its reasons have none of it.
        assert WORDS not in str(connection.execute(select(ledger_reasons)).all())
    decided_on(database, clock, appeal, GRANTED)
    clock.turn(days=179)
    with database.writing() as connection:
        assert erase_words(connection, clock, days=180) == 0
    clock.turn(days=2)
    with database.writing() as connection:
        assert erase_words(connection, clock, days=180) == 1
        assert erase_words(connection, clock, days=180) == 0
        (found,) = appeals_of(connection, confirmed, LEAD)
    assert (found.words, found.outcome) == ("", GRANTED)


def test_an_appeal_does_not_end_another_persons_minute_to_undo(database, clock, house) -> None:
    case = a_case(database, clock)
    matched(database, clock, case, Kind.PDQ)
    decided(database, clock, house, case, ANNA)
    for caller in (PROGRAM, LEAD):
        with pytest.raises(OutOfTurnError, match="may still take it back"):
            appealed(database, clock, case, caller)
    with database.writing() as connection:
        undo(connection, case, ANNA, clock, house)
    assert state_of(database, case) is State.IN_REVIEW
