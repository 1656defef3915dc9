"""A signed report gets one job, and goes to the authority itself only once somebody has said so."""

import pytest
from sqlalchemy import delete, select

from tests.cases.world import OPERATOR
from tests.reporting.world import NCMEC, World
from tutela.reporting.delivery.queueing import NotLiveError, have_all_delivered, queue
from tutela.reporting.delivery.resting import DELIVER, go_live
from tutela.reporting.finding import find_report
from tutela.reporting.model import ChannelKind, Environment, ReportId
from tutela.reporting.moving import ReportMoveError
from tutela.reporting.states import Move, State
from tutela.storage.jobs.tables import jobs
from tutela.storage.settings import CyberTipline, Reporting, Settings


def live(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "reporting": Reporting(
                cybertipline=CyberTipline.model_validate({"environment": "live"})
            )
        }
    )


def queued(world: World, settings: Settings, report: ReportId) -> None:
    with world.database.writing() as connection:
        queue(connection, settings, report, OPERATOR, world.clock)


def jobs_of(world: World) -> list[object]:
    with world.database.reading() as connection:
        return list(
            connection.execute(select(jobs.c.payload).where(jobs.c.kind == DELIVER)).scalars()
        )


def test_a_signed_report_is_queued_with_one_job(world: World) -> None:
    report = world.draft(world.case())
    with pytest.raises(ReportMoveError):
        queued(world, world.settings, report)
    world.move(report, Move.SIGN)
    queued(world, world.settings, report)
    with pytest.raises(ReportMoveError):
        queued(world, world.settings, report)
    assert jobs_of(world) == [{"report": report}]
    with world.database.reading() as connection:
        found = find_report(connection, report)
    assert (found.state, found.environment) == (State.QUEUED, Environment.SANDBOX)


def test_nothing_is_queued_for_the_authority_itself_before_somebody_says_so(world: World) -> None:
    report = world.draft(world.case())
    world.move(report, Move.SIGN)
    with pytest.raises(NotLiveError, match="go-live"):
        queued(world, live(world.settings), report)
    assert jobs_of(world) == []
    with world.database.writing() as connection:
        go_live(connection, ChannelKind.CYBERTIPLINE, NCMEC, "person:1", world.clock)
    queued(world, live(world.settings), report)
    with world.database.reading() as connection:
        assert find_report(connection, report).environment is Environment.LIVE


def test_a_report_whose_job_was_dropped_gets_another_one(world: World, clock) -> None:
    first, second = (world.draft(world.case()) for _ in range(2))
    for report in (first, second):
        world.move(report, Move.SIGN)
        queued(world, world.settings, report)
    with world.database.writing() as connection:
        connection.execute(delete(jobs).where(jobs.c.dedupe == f"report:{first}"))
        assert have_all_delivered(connection, clock) == 1
        assert have_all_delivered(connection, clock) == 0
    assert jobs_of(world) == [{"report": second}, {"report": first}]
