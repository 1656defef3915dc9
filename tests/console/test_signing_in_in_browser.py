"""Signing in in a real browser: by a virtual device and by codes, and each page in each look."""

import re
from collections.abc import Iterator

import pyotp
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions
from selenium.webdriver.support.wait import WebDriverWait

from tests.actors import actor_called
from tests.browser import complaints
from tests.console.visitors import new_person, new_session
from tests.console.walking import Walker, walking
from tests.house import House, running_house
from tutela.accounts.invitations import Invited, invite
from tutela.accounts.people import person_called
from tutela.accounts.permissions import Role
from tutela.accounts.sessions import Awaits, begin_session
from tutela.console.language import languages
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

SAY = languages()["en"].texts
PASSWORD = "wicker lantern orbit moss"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1)
    with running_house(settings, system_clock) as running:
        # A passkey can be bound to a name, and not to a number.
        running.address = running.address.replace("127.0.0.1", "localhost")
        yield running


@pytest.fixture(scope="module")
def walker(house: House) -> Iterator[Walker]:
    with walking(house) as walker:
        options = VirtualAuthenticatorOptions()
        options.transport = VirtualAuthenticatorOptions.Transport.INTERNAL
        options.has_resident_key = True
        options.has_user_verification = True
        options.is_user_verified = True
        walker.browser.add_virtual_authenticator(options)  # type: ignore[no-untyped-call]
        yield walker


def invited(house: House, email: str) -> Invited:
    with house.service.database.writing() as connection:
        return invite(
            connection,
            "Kim Example",
            email,
            [Role.ADMINISTRATOR],
            actor=actor_called("test"),
            clock=house.service.clock,
        )


def is_at(walker: Walker, path: str) -> None:
    WebDriverWait(walker.browser, 30).until(
        lambda browser: path in browser.current_url, f"{path}, not {walker.browser.current_url}"
    )


def forget_browser(walker: Walker) -> None:
    walker.browser.execute_cdp_cmd("Network.clearBrowserCookies", {})


def test_an_invited_person_sets_a_passkey_up_and_signs_in_by_it(
    walker: Walker, house: House
) -> None:
    link = invited(house, "kim@example.org").path
    walker.walk(link, "welcome")
    walker.go(f"{link}?lang=en")
    walker.find("#password").send_keys(PASSWORD)
    walker.find("[data-reveals]").click()
    assert walker.find("#password").get_attribute("type") == "text"
    walker.find("form .main").click()
    is_at(walker, "/sign-in/set-up")
    walker.walk("/sign-in/set-up", "set-up")
    walker.go("/sign-in/set-up?lang=en")
    walker.find("form[data-passkey] button:enabled").click()
    walker.wait_for("h1", SAY["recovery_codes"])
    codes = [each.text for each in walker.browser.find_elements(By.CSS_SELECTOR, ".codes code")]
    assert len(set(codes)) == 10
    walker.look("recovery-codes-light")
    walker.find("a.main").click()
    walker.wait_for("h1")

    walker.go("/me/sign-in")
    assert "Chrome" in walker.find("#content").text
    walker.walk("/me/sign-in", "my-sign-in")

    forget_browser(walker)
    walker.walk("/sign-in", "sign-in")
    walker.go("/sign-in?next=/me/sign-in&lang=en")
    walker.find("form[data-passkey] button:enabled").click()
    walker.wait_for("h1", SAY["me_sign_in"])

    forget_browser(walker)
    walker.go("/sign-in?next=/me/sign-in&lang=en")
    walker.find("#email").send_keys("kim@example.org")
    walker.find("#password").send_keys(PASSWORD)
    walker.find("form .main").click()
    is_at(walker, "/sign-in/second-step")
    walker.walk("/sign-in/second-step?next=/me/sign-in", "second-step")
    walker.go("/sign-in/second-step?next=/me/sign-in&lang=en")
    walker.find("form[data-passkey] button:enabled").click()
    walker.wait_for("h1", SAY["me_sign_in"])
    assert complaints(walker.browser) == []


def test_it_is_proved_again_by_the_passkey_and_another_one_is_added(
    walker: Walker, house: House
) -> None:
    with house.service.database.reading() as connection:
        kim = person_called(connection, "kim@example.org")
    assert kim
    parts = (house.service.database, house.service.clock)
    walker.enter(new_session(*parts, kim, proved=False))
    walker.go("/me/sign-in?lang=en")
    walker.find("a[href^='/prove']").click()
    is_at(walker, "/prove")
    walker.walk("/prove?next=/me/sign-in", "prove")
    walker.go("/prove?next=/me/sign-in&lang=en")
    walker.find("form[data-passkey] button:enabled").click()
    walker.wait_for("h2", SAY["by_app"])
    # The device that has one already says so, in words.
    walker.find("section[aria-labelledby=passkeys] summary").click()
    walker.find("form[data-passkey=create] button:enabled").click()
    walker.wait_for("[data-error]", SAY["passkey_known"])
    assert walker.violations() == []


def test_a_code_of_an_app_is_set_up_and_signs_in(walker: Walker, house: House) -> None:
    forget_browser(walker)
    walker.go(f"{invited(house, 'lee@example.org').path}?lang=en")
    walker.find("#password").send_keys(PASSWORD)
    walker.find("form .main").click()
    is_at(walker, "/sign-in/set-up")
    walker.find("details.card summary").click()
    walker.find("details details summary").click()
    walker.look("set-up-app-light")
    secret = walker.find(".secret").text.replace(" ", "")
    code = pyotp.TOTP(secret)
    walker.find("#code").send_keys(code.now())
    walker.find("details .main").click()
    walker.wait_for("h1", SAY["recovery_codes"])
    recovery = walker.find(".codes code").text
    with house.service.database.reading() as connection:
        lee = person_called(connection, "lee@example.org")
    assert lee

    def begin() -> None:
        with house.service.database.writing() as connection:
            token = begin_session(
                connection,
                lee,
                house.service.clock,
                proved=False,
                awaits=Awaits.SECOND_STEP,
            )
        walker.enter(token)
        walker.go("/sign-in/second-step?next=/me/sign-in&lang=en")

    begin()
    # The next thirty seconds' code is good already; the one that confirmed the app is used up.
    walker.find("#code").send_keys(code.at(int(house.service.clock().timestamp()) + 30))
    walker.find("form .main").click()
    walker.wait_for("h1", SAY["me_sign_in"])
    begin()
    walker.find("details summary").click()
    walker.find("#recovery-code").send_keys(recovery)
    walker.find("details button").click()
    walker.wait_for("h1", SAY["me_sign_in"])
    assert re.search("9", walker.find("section[aria-labelledby=recovery] .tag").text)


def test_people_and_keys_are_well_in_every_look(walker: Walker, house: House) -> None:
    walker.enter_as(Role.ADMINISTRATOR, name="Robin Example")
    parts = (house.service.database, house.service.clock)
    person = new_person(*parts, Role.REVIEWER, Role.LEAD, name="Noor Example")
    walker.walk("/people")
    walker.walk("/people/new")
    walker.walk(f"/people/{person.id}", "person")
    walker.walk("/keys")
    walker.walk("/keys/new")
    walker.go("/keys/new?lang=en")
    walker.find("#name").send_keys("forum")
    walker.find("input[value=screen]").click()
    walker.find("form .main").click()
    walker.wait_for("#secret", "tutela_")
    walker.look("key-made-light")


def test_what_was_wrong_is_said_beside_the_fields(walker: Walker) -> None:
    forget_browser(walker)
    walker.go("/sign-in?lang=en")
    walker.find("#email").send_keys("nobody@example.org")
    walker.find("#password").send_keys("wrong wrong wrong")
    walker.find("form .main").click()
    walker.wait_for(".wrong", SAY["wrong_password"])
    assert walker.find("#password").get_attribute("aria-describedby") == "wrong"
    # The browser itself tells that the answer was 422.
    assert all("422" in each for each in complaints(walker.browser))
    walker.look("sign-in-wrong-light")
    walker.go("/welcome/guess?lang=en")
    walker.wait_for("h1", SAY["no_invitation"])
