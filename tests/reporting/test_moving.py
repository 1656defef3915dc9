"""A report is begun once a case and authority, moves by the table, and the ledger has each move."""

import pytest
from sqlalchemy import insert, select

from tests.cases.world import OPERATOR
from tests.reporting.world import NCMEC, World
from tutela.cases.model import new_case_id
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError, OutOfTurnError
from tutela.ledger.tables import ledger_entries
from tutela.reporting.content import content_of, files_of
from tutela.reporting.finding import find_report, find_reports
from tutela.reporting.model import ChannelKind, ReportId
from tutela.reporting.moving import ReportMoveError, begin, change_state, enter_move, move
from tutela.reporting.states import Move, State
from tutela.reporting.tables import reports
from tutela.storage.database import insert_or_ignore


def test_a_report_is_drafted_signed_agreed_to_and_sent(world: World, clock) -> None:
    case = world.case(b"a landscape")
    report = world.draft(case)
    clock.turn(minutes=1)
    world.move(report, Move.SIGN, Move.APPROVE, Move.QUEUE)
    with world.database.writing() as connection:
        change_state(connection, report, Move.SEND, OPERATOR, clock, remote_id="4711")
        enter_move(connection, report, Move.SEND, OPERATOR, clock)
    with world.database.reading() as connection:
        found = find_report(connection, report)
    assert (found.state, found.remote_id, found.case) == (State.SENT, "4711", case)
    assert found.signed_by == found.approved_by == found.made_by == OPERATOR.actor.id
    assert found.made_at < found.signed_at == found.sent_at
    assert world.acts(case) == [
        f"report.{each}" for each in ("drafted", "signed", "approved", "queued", "sent")
    ]


@pytest.mark.parametrize("by", [Move.QUEUE, Move.APPROVE, Move.SEND, Move.STOP, Move.RETURN])
def test_a_draft_makes_no_move_that_the_table_lacks(world: World, by: Move) -> None:
    case = world.case()
    report = world.draft(case)
    with pytest.raises(ReportMoveError, match="is a draft"):
        world.move(report, by)
    assert world.acts(case) == ["report.drafted"]


def test_an_authority_is_told_of_a_case_once(world: World, clock) -> None:
    case = world.case()
    first = world.draft(case)
    with pytest.raises(AlreadyExistsError, match=f"report {first}"):
        world.draft(case)
    other = world.draft(case, authority="xx-example", channel=ChannelKind.SEALED_MAIL)
    world.move(first, Move.DISCARD, reason="written of the wrong case")
    again = world.draft(case)
    with world.database.reading() as connection:
        assert [each.id for each in find_reports(connection, case=case)] == [again, other, first]


def test_the_database_itself_holds_one_report_of_a_case_and_authority(world: World, clock) -> None:
    case = world.case()
    report = world.draft(case)
    with world.database.writing() as connection:
        row = {"case_id": case, "authority": NCMEC, "channel": "webhook", "state": "draft"}
        row |= {"made_at": clock(), "made_by": "os:0"}
        connection.execute(insert_or_ignore(connection, reports).values(row))
        assert connection.execute(select(reports.c.id)).scalars().all() == [report]
        connection.execute(insert(reports).values(row | {"corrects": report}))


def test_a_correction_names_a_report_that_is_sent(world: World, clock) -> None:
    case = world.case()
    first = world.draft(case)
    with pytest.raises(OutOfTurnError, match="not sent yet"):
        world.draft(case, corrects=first)
    world.move(first, Move.SIGN, Move.QUEUE, Move.SEND)
    with pytest.raises(NotFoundError, match="no report of"):
        world.draft(world.case(), corrects=first)
    second = world.draft(case, corrects=first)
    with pytest.raises(AlreadyExistsError, match=f"report {second}"):
        world.draft(case, corrects=first)  # Both would be sent.
    world.move(second, Move.SIGN, Move.QUEUE, Move.SEND)
    third = world.draft(case, corrects=first)
    with world.database.reading() as connection:
        assert find_report(connection, second).corrects == first
        assert find_report(connection, third).corrects == first


def test_what_is_not_there_is_said_to_be_absent(world: World, clock) -> None:
    with world.database.writing() as connection:
        with pytest.raises(NotFoundError, match="no report 7"):
            move(connection, ReportId(7), Move.SIGN, OPERATOR, clock)
        with pytest.raises(NotFoundError, match="no case"):
            begin(connection, new_case_id(), NCMEC, ChannelKind.WEBHOOK, OPERATOR, clock)


def test_a_stopped_report_says_why_and_is_signed_anew(world: World, clock) -> None:
    report = world.draft(world.case())
    world.move(report, Move.SIGN, Move.APPROVE, Move.QUEUE)
    world.move(report, Move.STOP, reason="4100: the authority does not take it")
    with world.database.reading() as connection:
        assert find_report(connection, report).trouble == "4100: the authority does not take it"
    world.move(report, Move.RETURN)
    with world.database.reading() as connection:
        found = find_report(connection, report)
        assert content_of(connection, world.secrets, report) == b"{}"
    assert found.state is State.DRAFT
    assert (found.signed_by, found.approved_by, found.queued_at) == (None, None, None)


def test_to_discard_needs_a_reason_and_erases_what_was_written(world: World) -> None:
    case = world.case(b"a landscape")
    report = world.draft(case, b'{"words": "an excerpt"}')
    with pytest.raises(InvalidInputError, match="say why"):
        world.move(report, Move.DISCARD, reason="  ")
    world.move(report, Move.DISCARD, reason="of the wrong case")
    with world.database.reading() as connection:
        with pytest.raises(NotFoundError, match="nothing of what"):
            content_of(connection, world.secrets, report)
        (file,) = files_of(connection, world.secrets, report)
    assert file.details == b""


def test_the_ledger_names_the_report_and_nothing_of_what_it_says(world: World) -> None:
    case = world.case()
    report = world.draft(case, b'{"words": "an excerpt"}')
    with world.database.reading() as connection:
        entry = connection.execute(
            select(ledger_entries).where(ledger_entries.c.act == "report.drafted")
        ).one()
    assert (entry.case_id, entry.thing, entry.reason) == (case, f"report:{report}", None)
