"""My wellbeing, breaks and the load of all, in a real browser."""

from collections.abc import Iterator

import pytest

from tests.browser import complaints
from tests.cases.looking import begun, held, picture, sealed_case
from tests.console.walking import Walker, walking
from tests.house import running_house
from tutela.accounts.calling import caller_of_person
from tutela.accounts.permissions import Role
from tutela.cases.showing import show
from tutela.cases.viewing import end
from tutela.sandbox.model import Level
from tutela.sandbox.rendering_pool import RenderingPool
from tutela.storage.clock import system_clock
from tutela.storage.settings import Care, load_settings

HELP = "Dr. A. Example, counsellor: 0800 000 000, every working day.\nShe knows this work."
CARE = Care(most_items=3, enough_items=1, break_after_severe=2, help=HELP)


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data", cells=1, job_threads=0
    ).model_copy(update={"care": CARE})
    with running_house(settings, system_clock) as house, walking(house) as walker:
        yield walker


def looked(walker: Walker, person, *, severe: bool) -> None:
    """Have somebody look at something."""
    vault, settings = walker.house.service.screening.vault, walker.house.settings
    caller = caller_of_person(person, "console")
    place = sealed_case(vault, picture(), severe=severe)
    held(vault, place[0], caller)
    viewing = begun(vault, settings, place, Level.PART, caller=caller)
    with RenderingPool(1) as cells:
        show(vault, cells, viewing.id, caller, session=viewing.session or 0, most_bytes=1 << 20)
    with vault.database.writing() as connection:
        end(connection, viewing.id, caller, viewing.session or 0, vault.clock)


def test_my_wellbeing_is_well_in_every_look(walker: Walker) -> None:
    person = walker.enter_as(Role.REVIEWER)
    walker.walk("/me", "me-fresh")
    looked(walker, person, severe=False)
    walker.walk("/me")
    walker.go("/me")
    assert "0800 000 000" in walker.find("main").text


def test_people_choose_how_they_are_shown_things(walker: Walker) -> None:
    walker.enter_as(Role.REVIEWER)
    walker.go("/me")
    walker.find("input[name=reveal][value=toggle]").click()
    zone = walker.find("#time-zone")
    zone.clear()
    zone.send_keys("Mars/Olympus")
    walker.find(".comfort button.main").click()
    walker.wait_for("#comfort-wrong", "no time zone")
    # The browser itself tells that the answer was 422.
    assert all("422" in each for each in complaints(walker.browser))
    assert walker.find("input[name=reveal][value=toggle]").is_selected(), "nothing is lost"
    zone = walker.find("#time-zone")
    zone.clear()
    zone.send_keys("Europe/Luxembourg")
    walker.find(".comfort button.main").click()
    walker.wait_for(".said", "shown things like this")
    assert walker.find("input[name=reveal][value=toggle]").is_selected()


def test_one_key_gives_a_break_and_one_button_ends_it(walker: Walker) -> None:
    person = walker.enter_as(Role.REVIEWER)
    vault = walker.house.service.screening.vault
    case, _ = sealed_case(vault, picture())
    held(vault, case, caller_of_person(person, "console"))
    walker.go("/me")
    walker.press("b")
    walker.wait_for("h1", "You are on a break")
    walker.wait_for(".said", "Cases that you gave back: 1")
    walker.walk("/rest", "rest-paused")
    walker.go("/rest")
    walker.find("form[action='/me/back'] button").click()
    walker.wait_for(".said", "Welcome back")


def test_the_break_that_is_due_says_why_and_until_when(walker: Walker) -> None:
    person = walker.enter_as(Role.REVIEWER)
    for _ in range(2):
        looked(walker, person, severe=True)
    walker.walk("/rest", "rest-break")
    walker.walk("/me", "me-break-due")


def test_leads_see_load_and_no_ranking(walker: Walker) -> None:
    looked(walker, walker.enter_as(Role.REVIEWER), severe=True)
    walker.enter_as(Role.LEAD, name="Robin Example")
    walker.walk("/load")
    walker.go("/load")
    text = walker.find("main").text
    assert "Sam" in text
    assert "ecided" not in text


def test_who_never_looks_has_a_page_too(walker: Walker) -> None:
    walker.enter_as(Role.INTAKE)
    walker.go("/me")
    walker.look("me-intake-light")
    assert "0800 000 000" in walker.find("main").text
