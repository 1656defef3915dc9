"""``/v1/evidence``: custodians' programs keep evidence as people do, with the same permissions."""

from collections.abc import Iterator

import httpx
import pytest

from tests.actors import custodians_key
from tests.house import House
from tests.pictures import drawn, encoded
from tutela.accounts.permissions import Permission
from tutela.storage.clock import system_clock


@pytest.fixture
def house(make_house) -> Iterator[House]:
    with make_house(jurisdiction="US") as house:
        yield house


def sealed_case(house: House) -> str:
    content = encoded(drawn(3))
    house.add_picture("partner", content)
    answer = house.client.post("/v1/screen", files={"file": ("a.png", content)})
    return answer.json()["case"]


def test_evidence_is_held_released_and_verified(house: House) -> None:
    case = sealed_case(house)
    wish = {"reference": "AZ 12/26", "reason": "an order of the court"}
    held = house.client.post(f"/v1/evidence/{case}/holds", json=wish).json()
    item = held["evidence"][0]["item"]
    assert held["evidence"][0]["holds"] == ["AZ 12/26"]
    assert house.client.post(f"/v1/evidence/{case}/holds", json=wish).status_code == 409
    released = house.client.post(f"/v1/evidence/{case}/releases", json=wish).json()
    assert released["evidence"][0]["holds"] == []
    letter = {"kind": "preservation-letter", "reference": "5", "reason": "came", "period": "90d"}
    told = house.client.post(f"/v1/evidence/{item}/events", json=letter).json()
    event = told["events"][0]["event"]
    taken = house.client.post(f"/v1/evidence/events/{event}/withdrawal", json={"reason": "no"})
    assert taken.json()["events"][0]["withdrawn_at"]
    verified = house.client.post(f"/v1/evidence/{case}/verification").json()
    assert verified == {"sound": 1, "damaged": []}


def test_a_key_that_belongs_to_nobody_asks_for_no_disclosure(house: House) -> None:
    case = sealed_case(house)
    asked = house.client.post(
        f"/v1/evidence/{case}/disclosures",
        json={
            "authority": "An office",
            "reference": "7",
            "legal_basis": "An order",
            "recipients": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
        },
    )
    assert asked.status_code == 403
    assert "belongs to nobody" in asked.json()["detail"]
    assert house.client.get(f"/v1/evidence/{case}/disclosures").json() == []


def test_who_may_not_keep_evidence_learns_nothing_of_it(house: House) -> None:
    case = sealed_case(house)
    stranger = house.client_with(
        *(set(Permission) - {Permission.EVIDENCE_KEEP, Permission.EVIDENCE_DISCLOSE})
    )
    assert stranger.get(f"/v1/evidence/{case}").status_code == 403
    assert stranger.get(f"/v1/evidence/{case}/disclosures").status_code == 403


def of_a_person(house: House, name: str) -> httpx.Client:
    """A custodian who calls by a key of their own."""
    with house.service.database.writing() as connection:
        key = custodians_key(connection, name, system_clock, Permission.EVIDENCE_KEEP)
    return house.stranger({"Authorization": f"Bearer {key}"})


def test_evidence_is_kept_under_another_rule_and_destroyed_once_it_is_due(house: House) -> None:
    case, why = sealed_case(house), {"reason": "our counsel says so"}
    rules = {each["rule"]: each for each in house.client.get("/v1/evidence/rules").json()}
    assert rules["us-2258a@1"]["in_force"]
    assert rules["us-2258a@1"]["verified"]
    unsure = "eu-2021-1232@1"
    assert (rules[unsure]["verified"], rules[unsure]["confirmed"]) == (False, False)
    moved = house.client.post(f"/v1/evidence/{case}/rule", json={"rule": unsure, **why})
    assert moved.json()["evidence"][0]["rule"] == unsure
    stand = f"/v1/evidence/rules/{unsure}/confirmation"
    assert [house.client.post(stand, json=why).status_code for _ in range(2)] == [204, 409]
    rules = {each["rule"]: each for each in house.client.get("/v1/evidence/rules").json()}
    assert rules[unsure]["confirmed"]
    destruction = f"/v1/evidence/{case}/destruction"
    assert house.client.post(destruction, json=why).json() == {"destroyed": []}
    asked = {"kind": "destruction-requested", "reference": "letter 9", **why}
    (recorded,) = house.client.post(f"/v1/evidence/{case}/events", json=asked).json()["events"]
    assert not recorded["counts"]
    assert house.client.post(destruction, json=why).json() == {"destroyed": []}
    agreement = f"/v1/evidence/events/{recorded['event']}/agreement"
    assert house.client.post(agreement).status_code == 403, "it is the one who asked"
    nobody = house.client_with(Permission.EVIDENCE_KEEP)
    assert nobody.post(agreement).status_code == 403, "a program agrees to nothing"
    (agreed,) = of_a_person(house, "Robin").post(agreement).json()["events"]
    assert agreed["counts"]
    wish = {"reference": "AZ 12/26", "reason": "an order of the court"}
    house.client.post(f"/v1/evidence/{case}/holds", json=wish)
    assert house.client.post(destruction, json=why).json() == {"destroyed": []}, "it is held"
    released = house.client.post(f"/v1/evidence/{case}/releases", json=wish).json()
    item = released["evidence"][0]["item"]
    assert house.client.post(destruction, json=why).json() == {"destroyed": [item]}
    assert house.client.post(destruction, json=why).status_code == 404
