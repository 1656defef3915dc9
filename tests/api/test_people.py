"""People are invited, seen, changed and closed by programs, and two people agree by their keys."""

from collections.abc import Iterator

import httpx
import pytest

from tests.actors import actor_called
from tests.house import House
from tutela.accounts.keys import add_key
from tutela.accounts.people import Person, add_person
from tutela.accounts.permissions import Permission, Role


def add(house: House, name: str, *roles: Role) -> tuple[Person, httpx.Client]:
    """Somebody, and a caller with a key of theirs that has every scope."""
    actor = actor_called("test")
    clock = house.service.clock
    with house.service.database.writing() as connection:
        email = f"{name}@house.example"
        person = add_person(connection, name, email, roles, actor=actor, clock=clock)
        key = add_key(connection, name, list(Permission), actor, clock, owner=person.id)
    return person, house.stranger({"Authorization": f"Bearer {key}"})


@pytest.fixture
def house(make_house) -> Iterator[House]:
    with make_house() as running:
        yield running


def test_two_administrators_make_a_third(house: House) -> None:
    _, ada = add(house, "ada", Role.ADMINISTRATOR)
    _, bea = add(house, "bea", Role.ADMINISTRATOR)
    rosa, hers = add(house, "rosa", Role.REVIEWER)
    new = {"roles": ["administrator"], "reason": "she runs it now"}
    waits = ada.put(f"/v1/people/{rosa.id}/roles", json=new)
    assert waits.status_code == 202
    asked = waits.json()["agreement"]
    assert asked["details"] == {"roles": ["administrator"]}
    assert bea.get("/v1/people/agreements").json()["agreements"] == [asked]
    path = f"/v1/people/agreements/{asked['id']}/agree"
    assert ada.post(path).status_code == 403
    assert house.client.post(path).status_code == 403
    assert hers.post(path).status_code == 403
    assert bea.post(path).json()["done"] is True
    assert bea.post(path).status_code == 409
    assert "people:write" in bea.get(f"/v1/people/{rosa.id}").json()["permissions"]
    invited = ada.post(
        "/v1/people", json={"name": "C", "email": "c@house.example", "roles": ["custodian"]}
    )
    assert invited.status_code == 202
    number = invited.json()["agreement"]["id"]
    refused = bea.post(f"/v1/people/agreements/{number}/refuse", json={"reason": "no"})
    assert refused.status_code == 204


def test_an_invitation_a_change_and_an_end(house: House) -> None:
    _, ada = add(house, "ada", Role.ADMINISTRATOR)
    made = ada.post(
        "/v1/people", json={"name": "R", "email": "r@house.example", "roles": ["reviewer"]}
    )
    assert made.status_code == 201
    assert "/welcome/" in made.json()["link"]
    (listed,) = ada.get("/v1/people/invitations").json()["invitations"]
    assert ada.delete(f"/v1/people/invitations/{listed['id']}").status_code == 204
    assert ada.delete(f"/v1/people/invitations/{listed['id']}").status_code == 404
    rosa, hers = add(house, "rosa", Role.REVIEWER)
    assert hers.get("/v1/cases").status_code == 200
    changed = ada.put(f"/v1/people/{rosa.id}/roles", json={"roles": ["lead"]})
    assert changed.json() == {"done": True, "link": None, "expires_at": None, "agreement": None}
    for what in ("unlock", "sign-out"):
        assert ada.post(f"/v1/people/{rosa.id}/{what}").status_code == 204
    anew = ada.post(f"/v1/people/{rosa.id}/anew", json={})
    assert "/welcome/" in anew.json()["link"]
    closed = ada.post(f"/v1/people/{rosa.id}/close", json={"reason": "left"})
    assert (closed.json()["email"], closed.json()["permissions"]) == (None, [])
    assert ada.post(f"/v1/people/{rosa.id}/close", json={}).status_code == 422
    shown = {each["name"] for each in ada.get("/v1/people").json()["people"]}
    assert shown == {"ada"}
    assert len(ada.get("/v1/people?everybody=true").json()["people"]) == 2


@pytest.mark.parametrize("number", [0, 2**63, "x"])
def test_a_number_that_no_row_has_is_refused_kindly(house: House, number: object) -> None:
    assert house.client.get(f"/v1/people/{number}").status_code == 422
    assert house.client.get(f"/v1/people/{2**63 - 1}").status_code == 404
