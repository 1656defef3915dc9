"""The pages of people and keys, over HTTP."""

import re
from collections.abc import Iterator

import pytest

from tests.conftest import TurnedClock
from tests.console.visitors import browser_of, new_person, signed_in
from tests.house import House, running_house
from tutela.accounts.keys import all_keys
from tutela.accounts.people import find_person, person_called
from tutela.accounts.permissions import Role
from tutela.console.language import languages
from tutela.storage.settings import load_settings

SAY = languages()["en"].texts


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory, clock: TurnedClock) -> Iterator[House]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1)
    with running_house(settings, clock) as running:
        yield running


def test_somebody_is_invited_changed_helped_and_leaves(house: House, clock: TurnedClock) -> None:
    boss, _ = signed_in(house, Role.ADMINISTRATOR, name="Robin")
    assert boss.post("/people", data={"name": "Kim", "email": "kim@example.org"}).status_code == 422
    page = boss.post(
        "/people", data={"name": "Kim", "email": "kim@example.org", "roles": ["reviewer", "lead"]}
    )
    assert page.status_code == 200
    link = re.findall(r'id="link"[^>]*>([^<]+)<', page.text)[0]
    assert link.startswith(f"{house.address}/welcome/")
    # It is shown once.
    assert link not in boss.get("/people").text
    newcomer = browser_of(house)
    done = newcomer.post(
        link.removeprefix(house.address), data={"name": "Kim", "password": "wicker lantern orbit"}
    )
    assert done.status_code == 303
    with house.service.database.reading() as connection:
        kim = person_called(connection, "kim@example.org")
    assert kim
    assert kim.roles == {Role.REVIEWER, Role.LEAD}
    theirs = f"/people/{kim.id}"
    assert "Kim" in boss.get(theirs).text
    assert boss.post(f"{theirs}/roles", data={"roles": ["intake"]}).status_code == 303
    assert SAY["said_roles"] in boss.get(theirs).text
    assert boss.post(f"{theirs}/unlock").status_code == 303
    assert boss.post(f"{theirs}/sign-out").status_code == 303
    anew = boss.post(f"{theirs}/anew")
    assert re.findall(r'id="link"[^>]*>([^<]+)<', anew.text)
    number = re.findall(r"/people/invitations/(\d+)/withdraw", anew.text)[0]
    assert boss.post(f"/people/invitations/{number}/withdraw").status_code == 303
    assert boss.post(f"{theirs}/close").status_code == 422
    assert boss.post(f"{theirs}/close", data={"sure": "true"}).status_code == 303
    with house.service.database.reading() as connection:
        assert find_person(connection, kim.id).closed_at is not None
    assert SAY["people_left"] in boss.get("/people").text


def test_weighty_roles_need_two_where_there_are_two(house: House, clock: TurnedClock) -> None:
    boss, robin = signed_in(house, Role.ADMINISTRATOR, name="Robin")
    other, _ = signed_in(house, Role.ADMINISTRATOR, name="Sasha")
    person = new_person(house.service.database, clock, Role.REVIEWER, name="Kim")
    assert boss.post(f"/people/{person.id}/roles", data={"roles": ["custodian"]}).status_code == 303
    page = boss.get("/people").text
    assert SAY["said_asked_second"] in page
    number = re.findall(r"/people/agreements/(\d+)/refuse", page)[0]
    assert f"/people/agreements/{number}/agree" not in page
    assert boss.post(f"/people/agreements/{number}/agree").status_code == 422
    assert other.post(f"/people/agreements/{number}/agree").status_code == 303
    with house.service.database.reading() as connection:
        assert find_person(connection, person.id).roles == {Role.CUSTODIAN}
    assert boss.post(f"/people/{robin.id}/close", data={"sure": "true"}).status_code == 303
    assert boss.get("/people").status_code == 303
    last = other.post(f"/people/{person.id}/roles", data={"roles": []})
    assert last.status_code == 422


def test_what_changes_people_and_keys_is_proved_first(house: House, clock: TurnedClock) -> None:
    boss, _ = signed_in(house, Role.ADMINISTRATOR)
    person = new_person(house.service.database, clock, Role.REVIEWER)
    clock.turn(minutes=16)
    boss.get("/people")
    assert SAY["prove_first"] in boss.get(f"/people/{person.id}").text
    for path in ("/people/new", "/keys/new"):
        assert boss.get(path).headers["Location"].startswith("/prove?next=")
    answer = boss.post("/keys", data={"name": "x", "scopes": "screen"})
    assert answer.headers["Location"].startswith("/prove?next=")


def test_an_auditor_sees_and_changes_nothing(house: House) -> None:
    auditor, _ = signed_in(house, Role.AUDITOR)
    for path in ("/people", "/keys"):
        page = auditor.get(path)
        assert page.status_code == 200
        assert '<form method="post" action="/people' not in page.text
        assert '<form method="post" action="/keys' not in page.text


def test_a_key_is_shown_once_works_and_is_revoked(house: House) -> None:
    boss, _ = signed_in(house, Role.ADMINISTRATOR)
    assert SAY["keys_none"] not in boss.get("/keys").text  # The house of the tests has one.
    page = boss.post("/keys", data={"name": "forum", "scopes": ["screen", "lists:read"]})
    secret = re.findall(r'id="secret"[^>]*>([^<]+)<', page.text)[0]
    assert secret not in boss.get("/keys").text
    caller = house.stranger({"Authorization": f"Bearer {secret}"})
    assert caller.get("/v1/lists").status_code == 200
    with house.service.database.reading() as connection:
        number = next(key.id for key in all_keys(connection) if key.name == "forum")
    assert boss.post(f"/keys/{number}/revoke").status_code == 303
    assert SAY["said_revoked"].format(about="forum") in boss.get("/keys").text
    # Nobody gains by a key what they may not do, and is not offered it.
    offered = re.findall(r'name="scopes" value="([a-z:]+)"', boss.get("/keys/new").text)
    assert "screen" in offered
    assert not {"screen:details", "cases:read", "cases:open"} & set(offered)
    assert boss.post("/keys", data={"name": "y", "scopes": ["cases:read"]}).status_code == 422
    assert boss.post("/keys", data={"name": "y", "scopes": ["people:write"]}).status_code == 422
    mine = {"name": "mine", "scopes": ["people:read"], "mine": "true"}
    assert boss.post("/keys", data=mine).status_code == 200
