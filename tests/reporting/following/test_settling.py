"""What waits for a person is done by one who may, once, and the ledger has why."""

from datetime import date

import pytest
from sqlalchemy import select

from tests.cases.world import OPERATOR
from tests.reporting.following.answered import REVIEWER, came, case_of, ledger_of, sent
from tests.reporting.world import World
from tutela.accounts.model import Caller
from tutela.accounts.permissions import Permission
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
    OutOfTurnError,
)
from tutela.evidence.events import events_about
from tutela.evidence.retention import EventKind
from tutela.evidence.subjects import Subject
from tutela.ledger.model import Actor
from tutela.reporting.finding import find_report
from tutela.reporting.following.finding import count_open, find_feedback
from tutela.reporting.following.model import FeedbackId, FeedbackKind
from tutela.reporting.following.settling import (
    attach_feedback,
    follow_feedback,
    settle_feedback,
)
from tutela.reporting.following.tables import report_feedback
from tutela.reporting.model import ReportId

KEEPER = Caller(
    Actor("Kim", "person:7", "person", "console"),
    frozenset({Permission.EVIDENCE_KEEP, Permission.FEEDBACK_WRITE}),
)


def waits(world: World, report: ReportId) -> bool:
    """Whether what was recorded last waits for another person to agree."""
    with world.database.reading() as connection:
        return events_about(connection, Subject(case_of(world, report)))[-1].waits


def settle(world: World, feedback: FeedbackId | None, reason: str = "answered") -> None:
    assert feedback is not None
    with world.database.writing() as connection:
        settle_feedback(connection, feedback, REVIEWER, world.clock, reason=reason)


def follow(world: World, feedback: FeedbackId | None, caller=OPERATOR, reason: str = "so") -> None:
    assert feedback is not None
    with world.database.writing() as connection:
        follow_feedback(connection, feedback, caller, world.clock, reason=reason)


def attach(world: World, feedback: FeedbackId | None, report: ReportId, caller=OPERATOR) -> None:
    assert feedback is not None
    with world.database.writing() as connection:
        attach_feedback(connection, feedback, report, caller, world.clock)


def events(world: World, report: ReportId) -> list[EventKind]:
    with world.database.reading() as connection:
        return [
            each.event.kind for each in events_about(connection, Subject(case_of(world, report)))
        ]


def test_a_request_for_more_is_settled_once_with_a_reason(world: World) -> None:
    sent(world)
    feedback = came(world, FeedbackKind.MORE_WANTED)
    with pytest.raises(InvalidInputError, match="ledger"):
        settle(world, feedback, " ")
    settle(world, feedback)
    with pytest.raises(OutOfTurnError):
        settle(world, feedback)
    with pytest.raises(NotFoundError):
        settle(world, FeedbackId(99))
    with world.database.reading() as connection:
        assert count_open(connection) == 0
        found = find_feedback(connection, FeedbackId(feedback or 0))
        assert (found.settled_by, found.has_words) == (REVIEWER.actor.id, True)
    assert ledger_of(world, "report.feedback-settled") == [
        ("report.feedback-settled", "person:1", True)
    ]


def test_a_wish_to_destroy_is_followed_by_whoever_keeps_the_evidence(world: World) -> None:
    report = sent(world)
    wish = came(world, FeedbackKind.DESTRUCTION_REQUESTED)
    with pytest.raises(NotPermittedError):
        follow(world, wish, REVIEWER)
    with pytest.raises(InvalidInputError):
        follow(world, wish, reason="")
    assert events(world, report) == []
    follow(world, wish, KEEPER)
    assert events(world, report) == [EventKind.DESTRUCTION_REQUESTED]
    assert not waits(world, report), "the authority signed it, and a person followed it"
    with pytest.raises(OutOfTurnError):
        follow(world, wish)


def test_words_are_no_wish_that_the_house_follows_by_itself(world: World) -> None:
    sent(world)
    feedback = came(world, FeedbackKind.OTHER)
    with pytest.raises(InvalidInputError, match="settle"):
        follow(world, feedback)


def test_a_number_that_clashed_is_followed_as_soon_as_it_is_free(world: World) -> None:
    report, other = sent(world), sent(world, "99", content=b"a lake")
    clash = came(world, FeedbackKind.NUMBER, number="99")
    with pytest.raises(AlreadyExistsError):
        follow(world, clash)
    came(world, FeedbackKind.NUMBER, "msg_2", named="99", number="100")
    follow(world, clash)
    with world.database.reading() as connection:
        assert find_report(connection, report).remote_id == "99"
        assert find_report(connection, other).remote_id == "100"


def test_a_letter_of_an_unknown_report_moves_the_clock_once_it_is_known_which_is_meant(
    world: World,
) -> None:
    report = sent(world)
    letter = came(world, FeedbackKind.PRESERVATION_LETTER, named="x", until=date(2027, 1, 1))
    with pytest.raises(OutOfTurnError, match="which report"):
        follow(world, letter)
    with pytest.raises(NotPermittedError):
        attach(world, letter, report, REVIEWER)
    attach(world, letter, report)
    assert events(world, report) == [EventKind.PRESERVATION_LETTER]
    with world.database.reading() as connection:
        assert count_open(connection) == 0
    with pytest.raises(OutOfTurnError):
        attach(world, letter, report)


def test_a_message_belongs_to_a_report_that_its_sender_has(world: World) -> None:
    report, other = sent(world), sent(world, "5", authority="de-bka", content=b"a lake")
    draft = world.draft(world.case(b"a hill"))
    wish = came(world, FeedbackKind.DESTRUCTION_REQUESTED, named="x")
    for wrong in (other, draft):
        with pytest.raises(OutOfTurnError, match="none that"):
            attach(world, wish, wrong)
    attach(world, wish, report, REVIEWER)
    assert events(world, report) == []
    with pytest.raises(OutOfTurnError, match="belongs"):
        attach(world, wish, report)
    follow(world, wish, KEEPER)
    assert events(world, report) == [EventKind.DESTRUCTION_REQUESTED]
    assert waits(world, report), "who follows it may have said which report is meant"


def test_the_words_of_what_belongs_to_no_report_go_when_it_is_settled(world: World) -> None:
    feedback = came(world, FeedbackKind.OTHER, named="x")
    settle(world, feedback, "nobody knows it")
    with world.database.reading() as connection:
        assert connection.execute(select(report_feedback.c.words)).scalar_one() is None
