"""One alert for each case that has to be reported soon."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from tests.ledger.mail_server import running_mail_server
from tests.reporting.authorities.confirmed import confirmed_case
from tests.reporting.authorities.test_weighing import decided, send
from tests.reporting.world import World
from tutela.cases.model import CaseId
from tutela.cases.states import State
from tutela.cases.tables import cases
from tutela.ledger.tables import ledger_entries
from tutela.reporting.authorities.alerting import alerted_cases, kinds_of_clocks, raise_alerts
from tutela.reporting.states import Move
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.settings import Mail, MailSecurity, Reporting, Settings


@pytest.fixture
def american(world: World) -> Settings:
    reporting = Reporting(establishment="US", alert_before_hours=6, alert_to="desk@house.example")
    return world.settings.model_copy(update={"reporting": reporting})


def alerts(world: World, settings: Settings) -> list[CaseId]:
    return raise_alerts(settings, world.database, world.clock)


def shown(world: World) -> list[CaseId]:
    with world.database.reading() as connection:
        return [each.case for each in alerted_cases(connection)]


def test_a_case_is_alerted_once_when_its_clock_is_near(world: World, american, clock) -> None:
    case = world.case(b"a landscape")
    decided(world, case)
    clock.turn(hours=17)
    assert alerts(world, american) == []
    clock.turn(hours=1)
    assert alerts(world, american) == [case]
    assert alerts(world, american) == []
    clock.turn(hours=100)
    assert alerts(world, american) == []
    assert shown(world) == [case]
    with world.database.reading() as connection:
        acts = select(ledger_entries.c.case_id).where(ledger_entries.c.act == "case.clock-near")
        assert list(connection.execute(acts).scalars()) == [case]


def test_what_is_reported_or_not_confirmed_or_has_no_clock_raises_none(
    world: World, american, clock
) -> None:
    reported, still_open = world.case(b"one"), world.case(b"two", state=State.OPEN)
    for case in (reported, still_open):
        decided(world, case)
    send(world, reported)
    clock.turn(hours=30)
    assert alerts(world, american) == []
    without = american.model_copy(update={"reporting": Reporting()})
    decided(world, world.case(b"three"))
    clock.turn(hours=30)
    assert alerts(world, without) == []


def test_a_case_that_is_confirmed_anew_has_another_clock(world: World, american, clock) -> None:
    case = world.case(b"a landscape")
    decided(world, case)
    clock.turn(hours=30)
    assert alerts(world, american) == [case]
    decided(world, case)
    assert alerts(world, american) == []
    assert shown(world) == []
    clock.turn(hours=30)
    assert alerts(world, american) == [case]
    assert shown(world) == [case]
    with world.database.writing() as connection:
        connection.execute(update(cases).values(state=State.REPORTED))
    assert shown(world) == []


def test_the_clock_of_one_authority_goes_on_when_another_one_has_the_case(
    world: World, american, clock
) -> None:
    case, done = world.case(b"a landscape"), world.case(b"a lake")
    for each in (case, done):
        decided(world, each)
    report = world.draft(case)
    world.move(report, Move.SIGN, Move.QUEUE)
    world.move(report, Move.STOP, reason="it answered 4100")
    with world.database.writing() as connection:
        # Another authority was told by mail at once.
        connection.execute(update(cases).values(state=State.REPORTED))
    clock.turn(hours=18)
    assert (alerts(world, american), alerts(world, american), shown(world)) == ([case], [], [case])
    world.move(report, Move.DISCARD, reason="told by telephone")
    assert shown(world) == []


def test_more_cases_than_a_page_are_all_alerted(
    world: World, american, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutela.reporting.authorities.alerting._AT_ONCE", 2)
    numbers = [confirmed_case(world.database, clock()) for _ in range(5)]
    clock.turn(hours=30)
    assert sorted(alerts(world, american)) == sorted(numbers)


@pytest.fixture
def mail() -> Iterator[object]:
    with running_mail_server() as server:
        yield server


def test_people_get_one_mail_of_what_is_near(world: World, american, clock, mail) -> None:
    mailing = american.model_copy(
        update={"mail": Mail(server="127.0.0.1", port=mail.port, security=MailSecurity.NONE)}
    )
    kinds = kinds_by_name(kinds_of_clocks(mailing, world.database, clock))
    first, second = world.case(b"one"), world.case(b"two")
    for case in (first, second):
        decided(world, case)
    clock.turn(hours=30)
    alerts(world, mailing)
    for job in claim(world.database, kinds, clock, most=10, worker="test:1"):
        perform(world.database, job, kinds[job.kind], clock, lambda *_: None)
    (received,) = mail.received
    assert first.encode() in received
    assert second.encode() in received
    assert b"2 cases have to be reported soon" in received
