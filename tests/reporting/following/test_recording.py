"""What an authority says is taken in once, sealed, and does what it says, but nothing by theft."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import select

from tests.cases.world import OPERATOR
from tests.reporting.following.answered import REVIEWER, WORDS, came, case_of, ledger_of, said, sent
from tests.reporting.world import World
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
    OutOfTurnError,
    TooManyWaitError,
)
from tutela.evidence.events import events_about
from tutela.evidence.retention import EventKind, Period
from tutela.evidence.subjects import Subject
from tutela.reporting.finding import find_report
from tutela.reporting.following.alerting import ALERT
from tutela.reporting.following.finding import (
    count_open,
    find_all_feedback,
    find_feedback,
    read_words,
)
from tutela.reporting.following.model import FeedbackId, FeedbackKind, Said
from tutela.reporting.following.recording import MOST_UNKNOWN, enter_feedback
from tutela.reporting.following.settling import follow_feedback, settle_feedback
from tutela.reporting.following.tables import report_feedback
from tutela.reporting.model import Environment, ReportId
from tutela.storage.jobs.tables import jobs


def enter(world: World, report: ReportId, what: Said, caller=OPERATOR) -> FeedbackId:
    with world.database.writing() as connection:
        return enter_feedback(connection, world.secrets, report, what, caller, world.clock)


def events(world: World, report: ReportId) -> list[EventKind]:
    with world.database.reading() as connection:
        return [
            each.event.kind for each in events_about(connection, Subject(case_of(world, report)))
        ]


def alerts(world: World) -> int:
    with world.database.reading() as connection:
        return len(connection.execute(select(jobs.c.id).where(jobs.c.kind == ALERT)).all())


def number_of(world: World, report: ReportId) -> str | None:
    with world.database.reading() as connection:
        return find_report(connection, report).remote_id


def test_a_request_for_more_waits_for_a_person_and_its_words_rest_sealed(world: World) -> None:
    report = sent(world)
    feedback = enter(world, report, said(world, FeedbackKind.MORE_WANTED, reference="R-1"))
    with world.database.reading() as connection:
        (found,) = find_all_feedback(connection, report=report, only_open=True)
        assert find_all_feedback(connection, case=case_of(world, report)) == [found]
        assert (found.id, found.is_open, found.has_words) == (feedback, True, True)
        assert (found.authority, found.reference, found.named) == ("us-ncmec", "R-1", "4564654")
        assert count_open(connection) == 1
        kept = connection.execute(select(report_feedback.c.words)).scalar_one()
    assert WORDS.encode() not in kept
    with world.database.writing() as connection:
        assert read_words(connection, world.secrets, feedback, OPERATOR, world.clock) == WORDS
    assert alerts(world) == 1
    assert ledger_of(world, "report.feedback%") == [
        ("report.feedback-received", OPERATOR.actor.id, False),
        ("report.feedback-read", OPERATOR.actor.id, False),
    ]


def test_a_number_is_confirmed_or_takes_the_others_place(world: World) -> None:
    report = sent(world)
    enter(world, report, said(world, FeedbackKind.NUMBER, number="4564654"))
    assert number_of(world, report) == "4564654"
    enter(world, report, said(world, FeedbackKind.NUMBER, number="99"))
    assert number_of(world, report) == "99"
    other = sent(world, "100", content=b"a lake")
    with pytest.raises(AlreadyExistsError, match="another report"):
        enter(world, other, said(world, FeedbackKind.NUMBER, number="99"))
    with world.database.reading() as connection:
        assert count_open(connection) == 0


def test_a_letter_and_a_request_move_the_clock_by_whoever_may(world: World) -> None:
    report = sent(world)
    letter = said(world, FeedbackKind.PRESERVATION_LETTER, reference="L-1", until=date(2027, 1, 31))
    wish = said(world, FeedbackKind.DESTRUCTION_REQUESTED, reference="D-1")
    for each in (letter, wish):
        with pytest.raises(NotPermittedError, match="evidence:keep"):
            enter(world, report, each, REVIEWER)
    assert events(world, report) == []
    enter(world, report, letter)
    enter(world, report, wish)
    assert set(events(world, report)) == {
        EventKind.PRESERVATION_LETTER,
        EventKind.DESTRUCTION_REQUESTED,
    }
    with world.database.reading() as connection:
        named = {
            each.event.reference
            for each in events_about(connection, Subject(case_of(world, report)))
        }
        assert named == {"us-ncmec L-1", "us-ncmec D-1"}
        assert count_open(connection) == 0


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (FeedbackKind.PRESERVATION_LETTER, {}),
        (FeedbackKind.CLOSED, {"until": date(2027, 1, 1)}),
        (FeedbackKind.CLOSED, {"period": Period(days=90)}),
        (FeedbackKind.NUMBER, {}),
        (FeedbackKind.CLOSED, {"number": "5"}),
        (FeedbackKind.MORE_WANTED, {"words": " "}),
        (FeedbackKind.OTHER, {"words": ""}),
        (FeedbackKind.OTHER, {"words": "x" * 20_001}),
        (FeedbackKind.CLOSED, {"reference": "x" * 201}),
        (FeedbackKind.CLOSED, {"reference": "two\nlines"}),
        (FeedbackKind.NUMBER, {"number": "4\x004"}),
        (FeedbackKind.CLOSED, {"at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))}),
        (FeedbackKind.CLOSED, {"at": datetime(9999, 12, 31, tzinfo=UTC)}),
    ],
)
def test_what_does_not_say_what_it_has_to_is_refused(world: World, kind, more) -> None:
    report = sent(world)
    with pytest.raises(InvalidInputError):
        enter(world, report, said(world, kind, **more))
    with pytest.raises(InvalidInputError):
        came(world, kind, **more)


def test_nobody_answers_to_what_is_not_sent(world: World) -> None:
    draft = world.draft(world.case(b"a landscape"))
    with pytest.raises(OutOfTurnError, match="not sent"):
        enter(world, draft, said(world, FeedbackKind.CLOSED))
    with pytest.raises(NotFoundError):
        enter(world, ReportId(999), said(world, FeedbackKind.CLOSED))


def test_a_message_is_taken_once_and_of_each_authority(world: World) -> None:
    report = sent(world)
    first = came(world, FeedbackKind.CLOSED)
    assert first is not None
    assert came(world, FeedbackKind.MORE_WANTED) is None
    assert came(world, FeedbackKind.CLOSED, authority="de-bka") is not None
    with world.database.reading() as connection:
        assert [each.id for each in find_all_feedback(connection, report=report)] == [first]
        assert find_feedback(connection, first).received_by == "authority:us-ncmec"
    assert alerts(world) == 1


def test_a_letter_that_came_by_itself_moves_the_clock_and_a_wish_to_destroy_waits(
    world: World,
) -> None:
    report = sent(world)
    came(world, FeedbackKind.PRESERVATION_LETTER, "msg_1", period=Period(days=90))
    assert events(world, report) == [EventKind.PRESERVATION_LETTER]
    wish = came(world, FeedbackKind.DESTRUCTION_REQUESTED, "msg_2")
    assert events(world, report) == [EventKind.PRESERVATION_LETTER]
    with world.database.reading() as connection:
        assert [each.id for each in find_all_feedback(connection, only_open=True)] == [wish]


def test_a_report_is_found_by_the_number_it_had_and_a_live_one_first(world: World) -> None:
    report = sent(world)
    sent(world, environment=Environment.SANDBOX, content=b"a lake")
    came(world, FeedbackKind.CLOSED, "msg_1")
    came(world, FeedbackKind.NUMBER, "msg_2", number="99")
    assert number_of(world, report) == "99"
    came(world, FeedbackKind.CLOSED, "msg_3", named="99")
    with world.database.reading() as connection:
        assert len(find_all_feedback(connection, report=report)) == 3


@pytest.mark.parametrize("environment", [Environment.SANDBOX, Environment.TEST])
def test_what_is_said_of_a_rehearsal_moves_no_clock_and_tells_nobody(
    world: World, environment: Environment
) -> None:
    report = sent(world, environment=environment)
    letter = said(world, FeedbackKind.PRESERVATION_LETTER, until=date(2027, 1, 31))
    for what in (
        letter,
        said(world, FeedbackKind.DESTRUCTION_REQUESTED),
        said(world, FeedbackKind.MORE_WANTED),
    ):
        enter(world, report, what)
    came(world, FeedbackKind.PRESERVATION_LETTER, "msg_1", until=date(2027, 1, 31))
    wish = came(world, FeedbackKind.DESTRUCTION_REQUESTED, "msg_2")
    assert wish is not None
    with world.database.writing() as connection:
        follow_feedback(connection, wish, OPERATOR, world.clock, reason="to try it")
    assert (events(world, report), alerts(world)) == ([], 0)
    with world.database.reading() as connection:
        assert len(find_all_feedback(connection, report=report)) == 5


def test_whoever_has_real_reports_says_nothing_of_rehearsals(world: World) -> None:
    sent(world)
    rehearsed = sent(world, "99", environment=Environment.SANDBOX, content=b"a lake")
    came(world, FeedbackKind.PRESERVATION_LETTER, named="99", until=date(2027, 1, 31))
    assert (events(world, rehearsed), alerts(world)) == ([], 1)
    with world.database.reading() as connection:
        assert [each.report for each in find_all_feedback(connection, only_open=True)] == [None]


def test_a_number_that_came_by_itself_takes_no_other_reports_number(world: World) -> None:
    report, other = sent(world), sent(world, "99", content=b"a lake")
    came(world, FeedbackKind.NUMBER, number="99")
    assert (number_of(world, report), number_of(world, other)) == ("4564654", "99")
    with world.database.reading() as connection:
        assert count_open(connection) == 1


def test_what_names_no_known_report_waits_for_a_person(world: World) -> None:
    report = sent(world)
    came(world, FeedbackKind.PRESERVATION_LETTER, named="no such", until=date(2027, 1, 1))
    came(world, FeedbackKind.CLOSED, "msg_2", authority="de-bka")
    with world.database.reading() as connection:
        found = find_all_feedback(connection, only_open=True)
    assert [(each.report, each.case, each.is_open) for each in found] == [(None, None, True)] * 2
    assert events(world, report) == []


def test_a_letter_of_tomorrow_is_a_slip_of_the_pen(world: World) -> None:
    report = sent(world)
    late = Said(
        FeedbackKind.PRESERVATION_LETTER,
        world.clock() + timedelta(days=3),
        until=date(2027, 1, 1),
    )
    with pytest.raises(InvalidInputError, match="future"):
        enter(world, report, late)
    with world.database.reading() as connection:
        assert find_all_feedback(connection) == []


def test_only_so_many_messages_wait_that_belong_to_no_report(world: World) -> None:
    report = sent(world)
    for number in range(MOST_UNKNOWN):
        assert came(world, FeedbackKind.CLOSED, f"msg_{number}", named="of-nobody")
    with pytest.raises(TooManyWaitError, match="before some are settled"):
        came(world, FeedbackKind.CLOSED, "one-more", named="of-nobody")
    # The same again, and what is of a known report, is taken as ever.
    assert came(world, FeedbackKind.CLOSED, "msg_1", named="of-nobody") is None
    known = came(world, FeedbackKind.CLOSED, "of-a-known-one")
    with world.database.writing() as connection:
        assert find_feedback(connection, FeedbackId(known or 0)).report == report
        settle_feedback(connection, FeedbackId(1), REVIEWER, world.clock, reason="not ours")
    assert came(world, FeedbackKind.CLOSED, "one-more", named="of-nobody")
