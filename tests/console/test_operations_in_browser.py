"""The operator's pages in a real browser, in every look."""

import random
from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from tests.console.walking import Walker, walking
from tests.house import House, running_house
from tests.waiting import comes_true
from tutela.accounts.permissions import Role
from tutela.cases.counting_days import Age
from tutela.cases.tables import case_ages, case_days
from tutela.storage.clock import system_clock
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.settings import load_settings


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1)
    with running_house(settings, system_clock) as house, walking(house) as walker:
        _prepare(house)
        yield walker


def _prepare(house: House) -> None:
    """A month of figures, a dead letter, and a few entries."""
    from datetime import timedelta

    lot, now = random.Random(7), system_clock()
    with house.service.database.writing() as connection:
        connection.execute(
            insert(case_days),
            [
                {
                    "day": (now - timedelta(days=29 - number)).date(),
                    "opened": lot.randrange(60, 140),
                    "confirmed": lot.randrange(30, 90),
                    "not_confirmed": lot.randrange(5, 30),
                    "not_sure": lot.randrange(0, 9),
                    "second_looks": 12,
                    "agreed": 11,
                    "median_seconds": lot.randrange(1_800, 9_000),
                    "slow_seconds": lot.randrange(20_000, 90_000),
                    "counted_at": now,
                }
                for number in range(30)
            ],
        )
        connection.execute(
            insert(case_ages),
            [
                {"age": age, "waiting": waiting, "counted_at": now}
                for age, waiting in zip(Age, (12, 88, 140, 23, 4), strict=True)
            ],
        )
        enqueue(connection, "job.rehearse", {"seconds": -1}, system_clock)
    jobs = house.client
    assert comes_true(lambda: bool(jobs.get("/v1/jobs?state=dead").json()["jobs"]))


def test_the_operators_pages_are_well_in_every_look(walker: Walker) -> None:
    walker.enter_as(Role.ADMINISTRATOR, name="Robin Example")
    for path in ("/jobs", "/jobs?state=ready", "/jobs/1", "/ledger", "/ledger/0", "/settings"):
        walker.walk(path)
    walker.walk("/health")
    walker.walk("/lists", "no-lists")
    walker.find("#name").send_keys("Partner hotline")
    walker.find("form[action='/lists'] .main").click()
    walker.wait_for("h1", "Partner hotline")
    walker.walk("/lists/1")
    walker.walk("/lists")


def test_the_charts_are_drawn_from_their_tables(walker: Walker) -> None:
    walker.enter_as(Role.LEAD, name="Robin Example")
    walker.go("/numbers")
    walker.wait_for(".u-legend", "")
    assert len(walker.browser.find_elements("css selector", ".plot canvas")) == 3
    walker.walk("/numbers")


def test_a_verification_shows_its_verdict_without_a_reload(walker: Walker) -> None:
    walker.enter_as(Role.ADMINISTRATOR, name="Robin Example")
    walker.go("/ledger")
    walker.find("form[action='/ledger/verifications'] button").click()
    walker.wait_for("#verification .known", "")
    walker.look("ledger-verified-light")
