"""The pages of authorities in a real browser, in every look."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from selenium.webdriver.common.by import By

from tests.console.walking import Walker, walking
from tests.house import running_house
from tests.reporting.authorities.confirmed import confirmed_case
from tutela.accounts.permissions import Role
from tutela.console.language import languages
from tutela.reporting.authorities.alerting import raise_alerts
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data",
        cells=1,
        job_threads=0,
        reporting={"establishment": "US"},
    )
    with running_house(settings, system_clock) as house, walking(house) as walker:
        yield walker


def near_case(walker: Walker) -> str:
    """A confirmed case whose clock is nearly up, of which people were told."""
    house, then = walker.house, system_clock() - timedelta(hours=20)
    case = confirmed_case(house.service.database, then)
    assert raise_alerts(house.settings, house.service.database, system_clock) == [case]
    return case


def test_a_row_is_confirmed_and_a_way_set_in_every_look(walker: Walker) -> None:
    case = near_case(walker)
    walker.enter_as(Role.CUSTODIAN, name="Kim Keeper")
    walker.walk("/authorities")
    walker.wait_for("section.careful", case)
    walker.walk(f"/cases/{case}/authorities", "case-authorities")
    walker.go("/authorities?lang=en")
    walker.find("#subject").send_keys("de")
    walker.find("input[value='danger']").click()
    walker.browser.find_element(By.CSS_SELECTOR, "form[method='get'] button.main").click()
    walker.wait_for("#explained", "Bundeskriminalamt")
    walker.walk(
        "/authorities?subject=DE&incident=danger&incident=material", "authorities-explained"
    )
    walker.walk("/authorities/us-2258a-apparent", "authority-duty")
    walker.go("/authorities/au-afp?lang=en")
    walker.find("#confirm-source").send_keys("our counsel's letter of May 3")
    walker.browser.find_element(By.CSS_SELECTOR, "form[action$='/confirm'] button").click()
    walker.wait_for("#said", "au-afp is confirmed")
    walker.find("#address").send_keys("desk@police.example")
    walker.find("#way-source").send_keys("their letter")
    walker.browser.find_element(By.CSS_SELECTOR, "form[action$='/ways'] button").click()
    walker.wait_for("#said", "au-afp:sealed-mail is set")
    walker.walk("/authorities/au-afp", "authority")
    walker.walk("/authorities/au-afp:sealed-mail", "authority-way")
