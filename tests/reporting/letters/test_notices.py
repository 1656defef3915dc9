"""What people hear of a letter is kept with it, and the ledger knows who said so."""

import pytest
from sqlalchemy import insert

from tests.cases.world import OPERATOR
from tests.reporting.letters.test_bounces import notice
from tests.reporting.world import World
from tutela.errors import InvalidInputError, NotFoundError, OutOfTurnError
from tutela.reporting.delivery.channel import Step
from tutela.reporting.letters.bounces import Fate, read_bounce
from tutela.reporting.letters.notices import enter_notice, notices_of, report_of
from tutela.reporting.model import ChannelKind, ReportId
from tutela.reporting.states import Move
from tutela.reporting.tables import delivery_attempts


def enter(world: World, report: ReportId, fate: Fate, **more: str) -> None:
    with world.database.writing() as connection:
        enter_notice(connection, report, fate, OPERATOR, world.clock, **more)


@pytest.fixture
def report(world: World) -> ReportId:
    """One that is being sent by mail."""
    report = world.draft(world.case(), authority="xx-police", channel=ChannelKind.SEALED_MAIL)
    world.move(report, Move.SIGN, Move.QUEUE)
    with world.database.writing() as connection:
        connection.execute(
            insert(delivery_attempts).values(
                report_id=report,
                number=1,
                begun_at=world.clock(),
                environment="live",
                remote_id="report-7-0123456789abcdef0123456789@forum.example",
                step=Step.FINISHED,
                files={},
            )
        )
    return report


def test_what_was_heard_is_kept_the_newest_first(world: World, report) -> None:
    enter(world, report, Fate.DELAYED, code="4.4.1", words="no route")
    world.clock.turn(hours=1)
    enter(world, report, Fate.ANSWERED, number=" GZ 17/2026 ")
    with world.database.reading() as connection:
        newest, first = notices_of(connection, report)
    assert (newest.fate, newest.number, newest.by) == (
        Fate.ANSWERED, "GZ 17/2026", OPERATOR.actor.id,
    )  # fmt: skip
    assert first.as_fields() == {
        "report": report,
        "at": "2026-01-15T12:00:00+00:00",
        "by": OPERATOR.actor.id,
        "fate": "delayed",
        "code": "4.4.1",
        "words": "no route",
        "number": "",
    }
    with world.database.reading() as connection:
        from tutela.reporting.finding import find_report

        case = find_report(connection, report).case
    assert world.acts(case)[-2:] == ["report.followed", "report.followed"]


def test_a_servers_notice_finds_its_report(world: World, report) -> None:
    bounce = read_bounce(notice("failed"))
    with world.database.reading() as connection:
        assert report_of(connection, bounce) == report
        other = read_bounce(notice("failed", headers="Message-ID: <another@forum.example>\n"))
        with pytest.raises(NotFoundError, match="no report of this house"):
            report_of(connection, other)


def test_of_what_is_no_letter_nothing_is_entered(world: World) -> None:
    draft = world.draft(world.case(), authority="xx-police", channel=ChannelKind.SEALED_MAIL)
    by_interface = world.draft(world.case())
    world.move(by_interface, Move.SIGN, Move.QUEUE)
    for each in (draft, by_interface):
        with pytest.raises(OutOfTurnError, match="was not sent as a letter"):
            enter(world, each, Fate.DELIVERED)
    with pytest.raises(NotFoundError):
        enter(world, ReportId(4711), Fate.DELIVERED)


@pytest.mark.parametrize("bad", ["x" * 301, "a\nb", "\0"])
def test_words_that_cannot_be_kept_are_refused(world: World, report, bad: str) -> None:
    for more in ({"words": bad}, {"number": bad}):
        with pytest.raises(InvalidInputError):
            enter(world, report, Fate.FAILED, **more)
    with world.database.reading() as connection:
        assert notices_of(connection, report) == []
