"""What people looked at, and their breaks, over HTTP: by a key that belongs to them."""

from collections.abc import Iterator

import httpx
import pytest

from tests.actors import actor_called
from tests.cases.looking import held, picture, sealed_case
from tests.conftest import TurnedClock
from tests.console.visitors import new_person
from tests.house import House, running_house
from tutela.accounts.calling import caller_of_person
from tutela.accounts.keys import add_key
from tutela.accounts.people import Person
from tutela.accounts.permissions import Permission, Role
from tutela.storage.settings import load_settings

CLOCK = TurnedClock()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1, job_threads=0)
    with running_house(settings, CLOCK) as house:
        yield house


def with_key(house: House, *roles: Role) -> tuple[httpx.Client, Person]:
    person = new_person(house.service.database, CLOCK, *roles)
    with house.service.database.writing() as connection:
        key = add_key(
            connection,
            f"of person {person.id}",
            person.permissions,
            actor_called("test"),
            CLOCK,
            owner=person.id,
        )
    return house.stranger({"Authorization": f"Bearer {key}"}), person


def test_people_see_what_they_looked_at(house: House) -> None:
    client, _ = with_key(house, Role.REVIEWER)
    answer = client.get("/v1/me/exposure").json()
    assert len(answer["days"]) == 7
    assert answer["days"][0] == {
        "day": "2026-01-15",
        "items": 0,
        "severe": 0,
        "peeks": 0,
        "minutes": 0.0,
    }
    assert (answer["much"], answer["rest"]) == (False, None)


def test_a_break_gives_back_what_is_held_and_ends_when_they_say_so(house: House) -> None:
    client, person = with_key(house, Role.REVIEWER)
    vault = house.service.screening.vault
    case, _ = sealed_case(vault, picture())
    held(vault, case, caller_of_person(person, "console"))
    assert client.post("/v1/me/break").json() == {"given_back": [case]}
    assert client.get("/v1/me/exposure").json()["rest"] == {"kind": "paused", "until": None}
    assert client.delete("/v1/me/break").status_code == 204
    assert client.get("/v1/me/exposure").json()["rest"] is None


def test_people_choose_how_they_are_shown_things(house: House) -> None:
    client, _ = with_key(house, Role.REVIEWER)
    gentle = client.get("/v1/me/comfort").json()
    assert (gentle["veils"], gentle["grey"], gentle["reveal"]) == (True, True, "hold")
    wish = gentle | {"reveal": "toggle", "time_zone": "Europe/Luxembourg"}
    assert client.put("/v1/me/comfort", json=wish).json() == wish
    assert client.get("/v1/me/comfort").json() == wish
    wrong = client.put("/v1/me/comfort", json=wish | {"time_zone": "Mars/Olympus"})
    assert wrong.status_code == 422


def test_leads_see_load_without_decisions(house: House) -> None:
    reviewer, person = with_key(house, Role.REVIEWER)
    assert reviewer.get("/v1/load").status_code == 403
    lead, _ = with_key(house, Role.LEAD)
    people = lead.get("/v1/load").json()["people"]
    mine = next(each for each in people if each["person"] == person.id)
    assert set(mine) == {"person", "name", "today", "breaks", "much", "rest"}


def test_a_key_that_is_nobodys_has_no_wellbeing(house: House) -> None:
    client = house.client_with(Permission.CASES_REVIEW)
    for answer in (
        client.get("/v1/me/exposure"),
        client.post("/v1/me/break"),
        client.get("/v1/me/comfort"),
    ):
        assert answer.status_code == 422
        assert "belongs to one" in answer.json()["detail"]


def test_nothing_can_be_looked_at_by_a_key(house: House) -> None:
    paths = house.client.get("/openapi.json").json()["paths"]
    assert not any(word in path for path in paths for word in ("veil", "whole", "viewing"))
