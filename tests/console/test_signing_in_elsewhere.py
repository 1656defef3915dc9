"""Single sign-on over HTTP, from the button to the open door, with a provider that really runs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import httpx
import pytest
from oidc_provider_mock import run_server_in_thread

from tests.actors import actor_called
from tests.console.visitors import browser_of, new_session
from tests.house import House, running_house
from tutela.accounts.invitations import invite
from tutela.accounts.people import add_person, find_person, person_called
from tutela.accounts.permissions import Role
from tutela.console.language import languages
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

SAY = languages()["en"].texts


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with run_server_in_thread(require_nonce=True) as server:
        address = f"http://localhost:{server.server_port}"
        for name in ("ada", "kim", "eve"):
            claims = {"email": f"{name}@example.org", "email_verified": name != "eve"}
            httpx.put(f"{address}/users/{name}", json=claims | {"groups": ["leads"]}, timeout=60)
        yield address


@pytest.fixture(scope="module")
def open_house(
    issuer: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[House]]:
    def opening(**settings: object) -> AbstractContextManager[House]:
        folder = tmp_path_factory.mktemp("house")
        sign_on = {
            "issuer": issuer,
            "client_id": "tutela",
            "client_secret": "not so secret",
            "name": "the staff login",
        } | settings
        return running_house(
            load_settings(data=folder / "data", cells=1, single_sign_on=sign_on), system_clock
        )

    return opening


@pytest.fixture(scope="module")
def house(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house() as running:
        with running.service.database.writing() as connection:
            for name in ("ada", "eve"):
                add_person(
                    connection,
                    name,
                    f"{name}@example.org",
                    [Role.REVIEWER],
                    actor=actor_called("test"),
                    clock=system_clock,
                )
        yield running


def there_and_back(browser: httpx.Client, subject: str, path: str) -> httpx.Response:
    """From the link to the provider, sign in there, and come back as a browser does."""
    going = browser.get(path)
    assert going.status_code == 303, going.text
    signed = httpx.post(going.headers["Location"], data={"sub": subject}, timeout=60)
    back = urlsplit(signed.headers["Location"])
    path = f"{back.path}?{back.query}"
    between = browser.get(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert "&amp;again=1" in between.text
    return browser.get(f"{path}&again=1", headers={"Sec-Fetch-Site": "same-origin"})


def test_the_provider_opens_the_door_as_far_as_the_second_step(house: House) -> None:
    browser = browser_of(house)
    assert "the staff login" in browser.get("/sign-in").text
    back = there_and_back(browser, "ada", "/sign-in/elsewhere?next=/queue")
    assert 'content="0; url=/queue"' in back.text
    assert browser.get("/queue").headers["Location"].startswith("/sign-in/set-up")


def test_who_is_not_invited_or_not_verified_stays_outside(house: House) -> None:
    for subject in ("kim", "eve"):
        browser = browser_of(house)
        back = there_and_back(browser, subject, "/sign-in/elsewhere")
        assert back.status_code == 422
        assert SAY["wrong_elsewhere"] in back.text
        assert browser.get("/queue").headers["Location"].startswith("/sign-in?")


def test_another_browsers_way_back_is_worth_nothing(house: House) -> None:
    mine, theirs = browser_of(house), browser_of(house)
    signed = httpx.post(
        theirs.get("/sign-in/elsewhere").headers["Location"], data={"sub": "ada"}, timeout=60
    )
    back = urlsplit(signed.headers["Location"])
    mine.get("/sign-in/elsewhere")
    answer = mine.get(f"{back.path}?{back.query}", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 422
    # And nobody is sent there by another site.
    led = mine.get("/sign-in/elsewhere", headers={"Sec-Fetch-Site": "cross-site"})
    assert led.headers["Location"] == "/sign-in"


def test_whoever_the_provider_asked_again_has_proved_who_they_are(house: House) -> None:
    there_and_back(browser_of(house), "ada", "/sign-in/elsewhere?next=/queue")
    with house.service.database.reading() as connection:
        ada = person_called(connection, "ada@example.org")
    assert ada
    token = new_session(house.service.database, system_clock, ada, proved=False)
    browser = browser_of(house, token)
    assert browser.get("/me/sign-in/app").headers["Location"].startswith("/prove")
    back = there_and_back(browser, "ada", "/sign-in/elsewhere?prove=true&next=/me/sign-in/app")
    assert 'content="0; url=/me/sign-in/app"' in back.text
    assert browser.get("/me/sign-in/app").status_code == 200


def test_a_proof_by_somebody_else_is_none(house: House) -> None:
    there_and_back(browser_of(house), "ada", "/sign-in/elsewhere?next=/queue")
    with house.service.database.reading() as connection:
        ada = person_called(connection, "ada@example.org")
    assert ada
    token = new_session(house.service.database, system_clock, ada, proved=False)
    browser = browser_of(house, token)
    back = there_and_back(browser, "kim", "/sign-in/elsewhere?prove=true&next=/me/sign-in/app")
    assert back.status_code == 422
    assert browser.get("/me/sign-in/app").headers["Location"].startswith("/prove")


def test_an_invitation_is_followed_and_groups_give_roles(
    open_house: Callable[..., AbstractContextManager[House]],
) -> None:
    with open_house(
        counts_as_second_factor=True, roles_claim="groups", roles={"leads": "lead"}
    ) as house:
        with house.service.database.writing() as connection:
            link = invite(
                connection,
                "Kim",
                "kim@example.org",
                [Role.REVIEWER],
                actor=actor_called("test"),
                clock=system_clock,
            )
        browser = browser_of(house)
        assert f"/sign-in/elsewhere?welcome={link.token}" in browser.get(link.path).text
        wrong = there_and_back(browser_of(house), "ada", f"/sign-in/elsewhere?welcome={link.token}")
        assert wrong.status_code == 422
        there_and_back(browser, "kim", f"/sign-in/elsewhere?welcome={link.token}&next=/queue")
        assert browser.get("/queue").status_code == 200
        with house.service.database.reading() as connection:
            kim = person_called(connection, "kim@example.org")
            assert kim
            assert find_person(connection, kim.id).roles == {Role.LEAD}


def test_without_a_provider_there_is_no_such_page(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1)
    with running_house(settings, system_clock) as plain:
        for path in ("/sign-in/elsewhere", "/sign-in/back"):
            assert browser_of(plain).get(path).status_code == 404
