"""One mail tells of an authority that takes no reports, and none of what is well again."""

from collections.abc import Iterator
from email import message_from_bytes

import pytest
from sqlalchemy import select

from tests.ledger.mail_server import MailServer, running_mail_server
from tests.reporting.world import NCMEC, World
from tutela.reporting.delivery.alerting import alerting, alerting_of_stops, tell_of_stop
from tutela.reporting.delivery.resting import ALERT, resume_channel, stop_channel
from tutela.reporting.model import ChannelKind
from tutela.reporting.states import Move
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.jobs.tables import jobs
from tutela.storage.settings import Mail, Reporting, Settings

WAY = ChannelKind.CYBERTIPLINE


def with_mail(settings: Settings, port: int) -> Settings:
    return settings.model_copy(
        update={
            "mail": Mail.model_validate({"port": port, "security": "none", "server": "127.0.0.1"}),
            "reporting": Reporting(alert_to="desk@house.example"),
        }
    )


def work(world: World, settings: Settings) -> None:
    of_house = (settings, world.database, world.clock)
    kinds = kinds_by_name((alerting(*of_house), alerting_of_stops(*of_house)))
    for job in claim(world.database, kinds, world.clock, most=9, worker="test:1"):
        perform(world.database, job, kinds[job.kind], world.clock, lambda *_: None)


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with running_mail_server() as running:
        yield running


def test_one_mail_says_what_is_the_matter_and_what_to_do(
    world: World, mail_server: MailServer
) -> None:
    settings = with_mail(world.settings, mail_server.port)
    with world.database.writing() as connection:
        stop_channel(connection, WAY, NCMEC, "answered 401", world.clock)
        stop_channel(connection, WAY, NCMEC, "answered 401", world.clock)
    work(world, settings)
    (message,) = map(message_from_bytes, mail_server.received)
    assert message["To"] == "desk@house.example"
    body = str(message.get_payload())
    assert "answered 401" in body
    assert "tutela report resume" in body
    assert "0 reports wait" in body


def test_one_mail_an_hour_says_that_reports_need_a_person(
    world: World, mail_server: MailServer, clock
) -> None:
    settings = with_mail(world.settings, mail_server.port)
    report = world.draft(world.case(b"a landscape"))
    world.move(report, Move.SIGN, Move.QUEUE, Move.STOP)
    for _ in range(3):
        with world.database.writing() as connection:
            tell_of_stop(connection, clock)
    work(world, settings)
    assert mail_server.received == []
    clock.turn(minutes=6)
    work(world, settings)
    (message,) = map(message_from_bytes, mail_server.received)
    assert message["Subject"] == "Tutela: reports need a person"
    assert "1 are stopped" in str(message.get_payload())
    world.move(report, Move.RETURN)
    with world.database.writing() as connection:
        tell_of_stop(connection, clock)
    clock.turn(minutes=6)
    work(world, settings)
    assert len(mail_server.received) == 1


def test_no_mail_is_sent_of_what_is_well_again_or_to_nobody(
    world: World, mail_server: MailServer
) -> None:
    with world.database.writing() as connection:
        stop_channel(connection, WAY, NCMEC, "answered 401", world.clock)
    work(world, world.settings)
    with world.database.writing() as connection:
        resume_channel(connection, WAY, NCMEC, world.clock)
        stop_channel(connection, WAY, NCMEC, "answered 401", world.clock)
        resume_channel(connection, WAY, NCMEC, world.clock)
    work(world, with_mail(world.settings, mail_server.port))
    assert mail_server.received == []
    with world.database.reading() as connection:
        assert connection.execute(select(jobs.c.id).where(jobs.c.kind == ALERT)).all() == []
