"""Keys are made and revoked by programs, and nobody gains by one what they may not do."""

import time
from collections.abc import Iterator

import pytest

from tests.api.test_people import add
from tests.house import House
from tests.waiting import comes_true
from tutela.accounts.permissions import Permission, Role


@pytest.fixture
def house(make_house) -> Iterator[House]:
    with make_house() as running:
        yield running


def test_a_key_is_told_once_and_works_until_it_is_revoked(house: House) -> None:
    made = house.client.post("/v1/keys", json={"name": "forum", "scopes": ["cases:read"]})
    assert made.status_code == 201
    key = made.json()
    caller = house.stranger({"Authorization": f"Bearer {key.pop('key')}"})
    assert caller.get("/v1/cases").status_code == 200
    assert house.client.get(f"/v1/keys/{key['id']}").json() == key
    assert key in house.client.get("/v1/keys").json()["keys"]
    again = house.client.post("/v1/keys", json={"name": "forum", "scopes": ["cases:read"]})
    assert again.status_code == 409
    assert house.client.delete(f"/v1/keys/{key['id']}").status_code == 204
    assert comes_true(lambda: caller.get("/v1/cases").status_code == 401, seconds=2)
    assert house.client.delete(f"/v1/keys/{key['id']}").status_code == 404


def test_a_key_of_ones_own_follows_ones_roles_within_a_second(house: House) -> None:
    _, admin = add(house, "ada", Role.ADMINISTRATOR)
    add(house, "bea", Role.ADMINISTRATOR)
    ada = admin.get("/v1/people").json()["people"][0]["id"]
    own = admin.post("/v1/keys", json={"name": "x", "scopes": ["people:read"], "mine": True})
    assert own.json()["owner"] == ada
    caller = house.stranger({"Authorization": f"Bearer {own.json()['key']}"})
    assert caller.get("/v1/people").status_code == 200
    began = time.monotonic()
    house.client.put(f"/v1/people/{ada}/roles", json={"roles": ["reviewer"]})
    assert comes_true(lambda: caller.get("/v1/people").status_code == 403, seconds=2)
    assert time.monotonic() - began < 1.5


def test_nobody_gains_by_a_key_what_they_may_not_do(house: House) -> None:
    _, ada = add(house, "ada", Role.ADMINISTRATOR)
    beyond = ("evidence:view", "cases:review", "people:write", "evidence:disclose")
    of_cases = ("cases:read", "cases:open", "screen:details")
    for scope in (*beyond, *of_cases):
        made = ada.post("/v1/keys", json={"name": "sly", "scopes": [scope]})
        assert made.status_code == 403, scope
        assert "let the key belong to a person" in made.json()["detail"]
    assert ada.post("/v1/keys", json={"name": "ok", "scopes": ["screen"]}).status_code == 201
    # Whoever may do it themselves may let a program do it.
    _, both = add(house, "both", Role.ADMINISTRATOR, Role.REVIEWER)
    allowed = both.post("/v1/keys", json={"name": "more", "scopes": list(of_cases)})
    assert allowed.status_code == 201
    few = house.client_with(Permission.KEYS_WRITE)
    assert few.post("/v1/keys", json={"name": "a", "scopes": ["screen"]}).status_code == 403
    mine = few.post("/v1/keys", json={"name": "b", "scopes": ["keys:write"], "mine": True})
    assert mine.status_code == 422
    assert few.post("/v1/keys", json={"name": "c", "scopes": ["keys:write"]}).status_code == 201


def test_by_a_key_nobody_makes_one_of_their_own_that_allows_more(house: House) -> None:
    _, ada = add(house, "ada", Role.ADMINISTRATOR)
    made = ada.post("/v1/keys", json={"name": "few", "scopes": ["keys:write"], "mine": True})
    few = house.stranger({"Authorization": f"Bearer {made.json()['key']}"})
    more = few.post("/v1/keys", json={"name": "more", "scopes": ["people:write"], "mine": True})
    assert more.status_code == 403
    assert "people:write" in more.json()["detail"]
    same = few.post("/v1/keys", json={"name": "same", "scopes": ["keys:write"], "mine": True})
    assert same.status_code == 201
