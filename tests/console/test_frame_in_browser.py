"""The frame of the pages in a real browser."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser import complaints
from tests.console.walking import Walker, walking
from tests.house import running_house
from tutela.accounts.permissions import Role
from tutela.console.language import languages
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1)
    with running_house(settings, system_clock) as house, walking(house) as walker:
        yield walker


def test_the_frame_is_well_in_every_look(walker: Walker) -> None:
    walker.enter_as(Role.LEAD, name="Robin Example")
    walker.walk("/queue", "empty-queue")


def test_an_error_page_is_well_too(walker: Walker) -> None:
    walker.enter_as(Role.ADMINISTRATOR)
    walker.go("/queue")
    # The browser itself tells that the answer was 403.
    assert all("403" in each for each in complaints(walker.browser))
    walker.look("error-light")


def test_all_keys_are_shown_by_one(walker: Walker) -> None:
    walker.enter_as(Role.LEAD)
    walker.go("/queue")
    walker.press("?")
    walker.wait_for("#keys-list dd", ENGLISH["nav_queue"])
    walker.look("keys-light")
    walker.press(Keys.ESCAPE)


def test_letters_can_be_kept_from_being_keys(walker: Walker) -> None:
    walker.enter_as(Role.LEAD)
    walker.go("/queue")
    walker.find("#show-keys").click()
    walker.find("#keys-switch").click()
    walker.press(Keys.ESCAPE, "?")
    assert not walker.find("#keys").is_displayed()
    walker.find("#show-keys").click()
    assert not walker.find("#keys-switch").is_selected()
    walker.find("#keys-switch").click()
    walker.press(Keys.ESCAPE, "?")
    assert walker.find("#keys").is_displayed()
    walker.press(Keys.ESCAPE)


def test_two_keys_one_after_the_other_lead_to_a_page(walker: Walker) -> None:
    walker.enter_as(Role.LEAD)
    walker.go("/nowhere")
    walker.press("g", "q")
    walker.wait_for("h1", ENGLISH["queue_title"])
    complaints(walker.browser)


def test_the_persons_menu_changes_the_colours(walker: Walker) -> None:
    walker.enter_as(Role.LEAD)
    walker.go("/queue")
    walker.find(".person").click()
    walker.look("menu-light")
    walker.find("button[name=theme][value=dark]").click()
    walker.find("html[data-theme=dark]")
    walker.look("chosen-dark")
