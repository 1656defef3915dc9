"""The figures of reports, and what authorities want, in a real browser and every look."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from tests.console.walking import Walker, walking
from tests.house import House, running_house
from tests.reporting.following.answered import came, case_of, sent
from tests.reporting.world import World
from tutela.accounts.permissions import Role
from tutela.cases.counting_days import count_days
from tutela.cases.tables import cases
from tutela.reporting.following.levels import count_levels
from tutela.reporting.following.model import FeedbackKind
from tutela.reporting.following.tables import report_days
from tutela.reporting.model import Environment, ReportId
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("following")
        (folder / "tutela.toml").touch()
        patch.setenv("TUTELA_CONFIG", str(folder / "tutela.toml"))
        settings = load_settings(data=folder / "data", cells=1, job_threads=0)
        with running_house(settings, system_clock) as running:
            yield running


@pytest.fixture(scope="module")
def report(house: House) -> ReportId:
    """A month of reports, one of them with a request for more, and two cases that wait."""
    service = house.service
    world = World(service.settings, service.database, service.screening.vault, service.clock)
    number = sent(world)
    now = service.clock()
    waiting = world.case(b"a lake")
    with service.database.writing() as connection:
        connection.execute(
            update(cases).where(cases.c.id == waiting).values(decided_at=now - timedelta(hours=7))
        )
    world.draft(world.case(b"a hill"), authority="de-bka")
    came(world, FeedbackKind.MORE_WANTED)
    count_days(service.database, service.clock)
    count_levels(service.database, Environment.SANDBOX, service.clock)
    with service.database.writing() as connection:
        connection.execute(
            insert(report_days),
            [
                {
                    "day": (now - timedelta(days=day)).date(),
                    "authority": "us-ncmec",
                    "environment": "live",
                    "sent": 9,
                    "from_opened": {"250": 5, str(270 + day % 5): 4},
                    "from_confirmed": {str(215 + day % 7): 6, "250": 3},
                    "counted_at": now,
                }
                for day in range(3, 29)
            ],
        )
    return number


@pytest.fixture(scope="module")
def walker(house: House) -> Iterator[Walker]:
    with walking(house) as walker:
        yield walker


def test_how_long_authorities_wait_is_drawn_from_its_table(
    walker: Walker, report: ReportId
) -> None:
    assert report
    walker.enter_as(Role.LEAD, name="Robin Example")
    walker.go("/numbers")
    walker.wait_for("[data-chart=levels_times-table] .u-legend", "")
    assert len(walker.browser.find_elements("css selector", ".plot canvas")) == 4
    walker.walk("/numbers", "numbers-of-reports")


def test_what_an_authority_wants_stands_on_the_page_of_the_case(
    walker: Walker, house: House, report: ReportId
) -> None:
    service = house.service
    world = World(service.settings, service.database, service.screening.vault, service.clock)
    walker.enter_as(Role.REVIEWER, name="Robin Example")
    path = f"/cases/{case_of(world, report)}"
    walker.go(path)
    assert "us-ncmec" in walker.find("[aria-labelledby=feedback]").text
    walker.walk(path, "case-with-feedback")
    walker.walk("/feedback/1", "feedback")
