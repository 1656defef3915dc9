"""A reviewer's day in a real browser: in, at work, on a break, refused, and out again."""

from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser import complaints
from tests.cases.world import a_case, matched, state_of
from tests.console.visitors import new_person
from tests.console.walking import Walker, walking
from tests.house import running_house
from tutela.accounts.codes import begin_app, confirm_app
from tutela.accounts.passwords import hash_password, set_password
from tutela.accounts.permissions import Role
from tutela.accounts.sign_in_key import SignInKey
from tutela.cases.states import State
from tutela.console.language import languages
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts
PASSWORD = "wicker lantern orbit moss"


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data",
        cells=1,
        review={"second_look_percent": 0, "second_look_for": []},
    )
    with running_house(settings, system_clock) as house, walking(house) as walker:
        yield walker


def test_a_reviewers_day(walker: Walker) -> None:
    house = walker.house
    database, key = house.service.database, SignInKey.of(house.settings)
    somebody = new_person(database, system_clock, Role.REVIEWER, name="Anna Reviewer")
    with database.writing() as connection:
        set_password(connection, somebody, hash_password(PASSWORD), system_clock)
        begun = begin_app(connection, somebody.id, key, system_clock, name="a", house="T")
        app = pyotp.TOTP(begun.secret.replace(" ", ""))
        # With the code before this one, which then counts as used and no later one does.
        earlier = system_clock() - timedelta(seconds=30)
        confirm_app(connection, somebody.id, app.at(earlier), key, system_clock)
    case = a_case(database, system_clock, b"the day's case")
    matched(database, system_clock, case)

    # The first page leads to the sign-in page, and that to work.
    walker.go("/")
    walker.find("a.enter").click()
    walker.find("input[name=email]").send_keys(somebody.email or "")
    walker.find("input[name=password]").send_keys(PASSWORD, Keys.ENTER)
    walker.find("input[name=code]").send_keys(app.at(system_clock()), Keys.ENTER)
    walker.wait_for("h1", ENGLISH["queue_title"])

    # A case is decided by keyboard alone, undone, and decided again.
    walker.press("n")
    walker.wait_for("h1", case)
    walker.press("c")
    walker.wait_for(".sheet:popover-open h2", ENGLISH["decide_confirm"])
    walker.press(Keys.ENTER)
    walker.wait_for("#said", ENGLISH["said_confirmed"].format(about=case))
    walker.press("u")
    walker.wait_for("#said", ENGLISH["said_undone"].format(about=case))
    assert state_of(database, case) is State.IN_REVIEW

    # One key asks for a break: the case is back in the queue, and there is no next one.
    walker.press("b")
    walker.wait_for("h1", ENGLISH["rest_title_paused"])
    assert state_of(database, case) is State.OPEN
    walker.go("/queue")
    walker.press("n")
    walker.wait_for("h1", ENGLISH["rest_title_paused"])
    walker.find("form[action='/me/back'] button").click()
    walker.wait_for("h1", ENGLISH["queue_title"])
    walker.press("n")
    walker.wait_for("h1", case)

    # What the role lacks is refused, and the page says whom to ask.
    complaints(walker.browser)
    walker.go("/settings")
    walker.wait_for("h1", ENGLISH["error_403"])
    walker.wait_for("#content", "settings:read")
    assert all("403" in each for each in complaints(walker.browser))

    # Out again: the way back leads to the sign-in page and to no case.
    walker.find(".person").click()
    walker.find("form[action='/sign-out'] button").click()
    walker.go(f"/cases/{case}")
    walker.find("input[name=password]")
    assert case not in walker.find("body").text
