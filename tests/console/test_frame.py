"""Who is let in to the pages, and what everybody else is shown."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.conftest import TurnedClock
from tests.console.visitors import browser_of, new_session, signed_in
from tests.house import House, running_house
from tutela.accounts.permissions import Role
from tutela.application import build
from tutela.console.language import languages
from tutela.console.navigation import NAVIGATION, navigation_for
from tutela.console.origin import own_path
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@pytest.fixture(scope="module")
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, clock: TurnedClock) -> Iterator[House]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1)
    with running_house(settings, clock) as running:
        yield running


def test_nobody_is_led_to_the_sign_in_page_and_back(house: House) -> None:
    answer = browser_of(house).get("/queue?state=disputed")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/queue%3Fstate%3Ddisputed"


def test_a_part_of_a_page_leads_the_whole_page_to_sign_in(house: House) -> None:
    answer = browser_of(house).get("/queue", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/sign-in?next=")


def test_who_lacks_a_permission_is_told_which_and_whom_to_ask(house: House) -> None:
    signed_in(house, Role.ADMINISTRATOR, name="Robin who runs the house")
    client, _person = signed_in(house, Role.ADMINISTRATOR)
    answer = client.get("/queue")
    assert answer.status_code == 403
    assert "cases:read" in answer.text
    assert "Robin who runs the house" in answer.text


def test_a_session_ends_after_silence(house: House, clock: TurnedClock) -> None:
    client, _person = signed_in(house, Role.REVIEWER)
    assert client.get("/queue").status_code == 200
    clock.turn(minutes=29)
    assert client.get("/queue").status_code == 200
    clock.turn(minutes=29)
    assert client.get("/queue").status_code == 200
    clock.turn(minutes=31)
    assert client.get("/queue").status_code == 303


def test_another_site_cannot_make_a_browser_do_anything(house: House) -> None:
    client, _person = signed_in(house, Role.REVIEWER)
    for foreign in (
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": house.address, "Sec-Fetch-Site": "cross-site"},
        {"Origin": house.address, "Sec-Fetch-Site": "same-site"},
        {"Origin": house.address, "Sec-Fetch-Site": "none"},
    ):
        answer = client.post("/look", data={"theme": "dark"}, headers=foreign)
        assert answer.status_code == 403, foreign
        assert "theme" not in client.cookies
    assert client.post("/look", data={"theme": "dark"}).status_code == 303


def test_what_does_not_say_where_it_is_from_does_nothing(house: House) -> None:
    client = house.stranger({"Accept": "text/html"})
    assert client.post("/look", data={"theme": "dark"}).status_code == 403


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        (None, "/"),
        ("", "/"),
        ("/queue?state=open", "/queue?state=open"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("/\t/elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_nobody_is_led_to_another_server(asked: str | None, led: str) -> None:
    assert own_path(asked) == led


def test_colours_and_language_stay_as_they_were_chosen(house: House) -> None:
    client, _person = signed_in(house, Role.REVIEWER)
    assert client.post("/look", data={"theme": "dark", "next": "/queue"}).status_code == 303
    assert client.post("/look", data={"language": "ar"}).headers["Location"] == "/"
    page = client.get("/queue")
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in page.text
    assert page.headers["Content-Language"] == "ar"


def test_the_person_keeps_their_language_in_another_browser(house: House) -> None:
    client, person = signed_in(house, Role.REVIEWER)
    client.post("/look", data={"language": "fr"})
    other = browser_of(house, new_session(house.service.database, house.service.clock, person))
    assert '<html lang="fr" dir="ltr">' in other.get("/queue").text


def test_navigation_leads_only_where_one_may_go(house: House) -> None:
    for role in Role:
        client, _person = signed_in(house, role)
        for group in navigation_for(role.permissions):
            for entry in group.entries:
                assert client.get(entry.path).status_code == 200, (role, entry.path)


def test_the_first_page_leads_those_who_work_here_to_their_work(house: House) -> None:
    client, _person = signed_in(house, Role.REVIEWER)
    assert client.get("/").headers["Location"] == "/queue"
    assert ENGLISH["sentence"] in browser_of(house).get("/").text
    assert ENGLISH["sentence"] in browser_of(house, "no such token").get("/").text


def test_whoever_runs_a_house_alone_begins_by_inviting_somebody(
    tmp_path_factory: pytest.TempPathFactory, clock: TurnedClock
) -> None:
    settings = load_settings(data=tmp_path_factory.mktemp("alone") / "data", cells=1)
    with running_house(settings, clock) as house:
        client, _person = signed_in(house, Role.ADMINISTRATOR)
        assert client.get("/").headers["Location"] == "/people"
        assert ENGLISH["people_alone"] in client.get("/people").text
        signed_in(house, Role.REVIEWER)
        assert client.get("/").headers["Location"] == "/numbers"
        assert ENGLISH["people_alone"] not in client.get("/people").text


def test_an_unknown_address_is_a_page_for_people_and_a_document_for_programs(house: House) -> None:
    client, _person = signed_in(house, Role.REVIEWER)
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert ENGLISH["error_404"] in page.text
    assert 'aria-current="page"' not in page.text
    assert browser_of(house).get("/nowhere").status_code == 404
    assert house.stranger().get("/nowhere").headers["Content-Type"] == "application/problem+json"
    document = client.get("/v1/nowhere")
    assert document.headers["Content-Type"] == "application/problem+json"


def test_pages_run_only_their_own_scripts_and_are_kept_nowhere(house: House) -> None:
    client, _person = signed_in(house, Role.REVIEWER)
    sent = client.get("/queue").headers
    assert "default-src 'none'" in sent["Content-Security-Policy"]
    assert "script-src 'self';" in sent["Content-Security-Policy"]
    assert "unsafe" not in sent["Content-Security-Policy"]
    assert sent["Cache-Control"] == "no-store"


def test_the_cookie_of_a_house_behind_tls_cannot_be_planted_by_a_neighbour() -> None:
    from fastapi import Response

    from tutela.console.cookies import give_session

    settings = load_settings(console={"address": "https://tutela.example"})
    answer = Response()
    give_session(answer, "secret", settings)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-tutela=secret;")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))


def test_every_page_of_the_navigation_has_a_key_and_a_name_of_its_own() -> None:
    entries = [entry for group in NAVIGATION for entry in group.entries]
    for name in ("key", "path", "name"):
        values = [getattr(entry, name) for entry in entries]
        assert sorted(values) == sorted(set(values)), name
    assert {entry.name for entry in entries} | {group.name for group in NAVIGATION} <= set(ENGLISH)


def test_what_nobody_foresaw_is_a_page_that_tells_nothing_of_it(
    tmp_path_factory: pytest.TempPathFactory, clock: TurnedClock
) -> None:
    settings = load_settings(data=tmp_path_factory.mktemp("broken") / "data", cells=1)
    application = build(settings, clock)

    @application.get("/broken")
    def broken() -> None:
        raise RuntimeError("somebody's secret")

    with TestClient(application, raise_server_exceptions=False) as client:
        page = client.get("/broken", headers={"Accept": "text/html"})
        document = client.get("/broken")
    assert page.status_code == document.status_code == 500
    assert ENGLISH["error_500"] in page.text
    assert document.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in page.text + document.text


def test_each_page_of_the_navigation_has_a_key_of_its_own() -> None:
    keys = [entry.key for group in NAVIGATION for entry in group.entries]
    assert len(keys) > 10
    assert sorted(keys) == sorted(set(keys))
