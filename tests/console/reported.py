"""A running house with confirmed cases in it, for the tests of the pages of reports."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from tests.cases.world import OPERATOR, matched
from tests.house import House, running_house
from tests.reporting.desks import confirmed, set_up
from tests.reporting.world import NCMEC, World
from tutela.accounts.model import Caller
from tutela.cases.model import CaseId
from tutela.cases.tables import cases
from tutela.console.language import languages
from tutela.fingerprints.model import Kind
from tutela.reporting.content import files_of
from tutela.reporting.delivery.channel import Outcome, Step
from tutela.reporting.delivery.resting import DELIVER, note_failed
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.beginning import begin_report
from tutela.reporting.model import ChannelKind, Environment, ReportId
from tutela.reporting.moving import change_state, enter_move
from tutela.reporting.states import Move
from tutela.reporting.tables import delivery_attempts
from tutela.storage.clock import Clock, system_clock
from tutela.storage.jobs.model import Job, JobId
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@contextmanager
def reporting_house(data: Path, clock: Clock = system_clock, **reporting: Any) -> Iterator[House]:
    """A house in the United States, that says who it is, and whose decisions are final at once."""
    settings = load_settings(
        data=data,
        cells=1,
        review={"undo_seconds": 0, "second_look_percent": 0, "second_look_for": []},
    )
    with running_house(set_up(settings, **reporting), clock) as house:
        yield house


def world_of(house: House) -> World:
    """The house as the tests of reports know it."""
    service = house.service
    return World(house.settings, service.database, service.screening.vault, service.clock)


def desk_in(house: House) -> Desk:
    """What whoever writes reports works with."""
    return Desk(
        house.settings, house.service.database, house.service.screening.vault, house.service.clock
    )


def begun(house: House, case: CaseId, caller: Caller) -> ReportId:
    """A draft of a case."""
    return begin_report(desk_in(house), case, NCMEC, caller)


def confirmed_in(house: House, *contents: bytes, listed: bool = False, **how: Any) -> CaseId:
    """A case of these files that was confirmed; that a list has, if it is said so."""
    world = world_of(house)
    case = confirmed(world, *contents, **how)
    with world.database.writing() as connection:
        decided = update(cases).where(cases.c.id == case)
        connection.execute(decided.values(decided_at=world.clock()))
    if listed:
        matched(world.database, world.clock, case, Kind.MD5)
    return case


def stopped_report(house: House, case: CaseId) -> ReportId:
    """A report that an authority does not take as it is."""
    world, report = world_of(house), begun(house, case, OPERATOR)
    world.move(report, Move.SIGN, Move.QUEUE)
    world.move(report, Move.STOP, reason="us-ncmec answered 4100: is not as it wants incidentType")
    return report


def sent_report(house: House, case: CaseId) -> ReportId:
    """A report that an authority has, as what is kept of its delivery says."""
    world, report = world_of(house), begun(house, case, OPERATOR)
    with world.database.reading() as connection:
        files = files_of(connection, world.secrets, report)
    world.move(report, Move.SIGN)
    with world.database.writing() as connection:
        how_real = Environment.SANDBOX
        change_state(connection, report, Move.QUEUE, OPERATOR, world.clock, environment=how_real)
        enter_move(connection, report, Move.QUEUE, OPERATOR, world.clock)
    with world.database.writing() as connection:
        change_state(connection, report, Move.SEND, OPERATOR, world.clock, remote_id="1234567")
        connection.execute(
            insert(delivery_attempts).values(
                report_id=report,
                number=1,
                begun_at=world.clock(),
                document_sha256=bytes(range(32)),
                remote_id="1234567",
                step=Step.FINISHED,
                files={each.evidence: {"id": "f-1", "md5": "00" * 16} for each in files},
                ended_at=world.clock(),
                outcome=Outcome.SENT,
            )
        )
        enter_move(connection, report, Move.SEND, OPERATOR, world.clock)
    return report


def rested(house: House) -> None:
    """Have an authority not answer."""
    world = world_of(house)
    with world.database.writing() as connection:
        note_failed(
            connection,
            ChannelKind.CYBERTIPLINE,
            NCMEC,
            "no answer",
            world.clock,
            job=Job(JobId(1), DELIVER, {}, 1, 1, world.clock()),
        )
