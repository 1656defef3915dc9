"""``/cases/NUMBER/evidence``: a custodian keeps evidence, and two people disclose it."""

from collections.abc import Iterator

import httpx
import pytest
from pyrage import x25519

from tests.actors import actor_called
from tests.console.visitors import signed_in
from tests.house import House, running_house
from tests.pictures import drawn, encoded
from tutela.accounts.keys import add_key
from tutela.accounts.permissions import Permission, Role
from tutela.console.language import languages
from tutela.evidence.events import events_about
from tutela.evidence.subjects import Subject
from tutela.ledger.reading import newest_entries
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data", cells=1, jurisdiction="US"
    )
    with running_house(settings, system_clock) as house:
        yield house


@pytest.fixture(scope="module")
def case(house: House) -> str:
    content = encoded(drawn(3))
    house.add_picture("partner", content)
    answer = house.client.post("/v1/screen", files={"file": ("a.png", content)})
    return answer.json()["case"]


def custodian(house: House, name: str, *, key: bool = True) -> httpx.Client:
    client, person = signed_in(house, Role.CUSTODIAN, name=name)
    if key:
        with house.service.database.writing() as connection:
            add_key(
                connection,
                f"key of {name}",
                [Permission.EVIDENCE_DISCLOSE],
                actor_called("test"),
                system_clock,
                owner=person.id,
            )
    return client


def test_evidence_is_held_until_the_hold_is_released(house: House, case: str) -> None:
    keeper = custodian(house, "Alex", key=False)
    address = f"/cases/{case}/evidence"
    assert ENGLISH["holds_none"] in keeper.get(address).text
    asked = {"reference": "AZ 12/26", "reason": "an order of the court"}
    assert keeper.post(f"{address}/holds", data=asked).status_code == 303
    assert "AZ 12/26" in keeper.get(address).text
    assert ENGLISH["hold_stands"] in keeper.get(address).text
    again = keeper.post(f"{address}/holds", data=asked)
    assert again.status_code == 409
    assert keeper.post(f"{address}/releases", data=asked).status_code == 303
    assert ENGLISH["hold_released"] in keeper.get(address).text


def test_what_happens_in_law_moves_the_clock(house: House, case: str) -> None:
    keeper = custodian(house, "Alex", key=False)
    address = f"/cases/{case}/evidence"
    sent = {
        "kind": "preservation-letter",
        "reference": "letter 5",
        "reason": "it came by post",
        "until": "2027-12-31",
    }
    assert keeper.post(f"{address}/events", data=sent).status_code == 303
    page = keeper.get(address).text
    assert ENGLISH["event_preservation_letter"] in page
    assert keeper.post(f"{address}/events", data=sent | {"until": "soon"}).status_code == 422
    withdrawn = keeper.post(f"{address}/events/1/withdraw", data={"reason": "not ours"})
    assert withdrawn.status_code == 303
    assert ENGLISH["event_withdrawn"] in keeper.get(address).text


def test_it_is_verified_bit_for_bit(house: House, case: str) -> None:
    keeper = custodian(house, "Alex", key=False)
    assert keeper.post(f"/cases/{case}/evidence/verify").status_code == 303


def test_a_disclosure_takes_two_people(house: House, case: str) -> None:
    address = f"/cases/{case}/evidence"
    sent = {
        "authority": "An office",
        "reference": "7/2026",
        "legal_basis": "An order",
        "recipients": str(x25519.Identity.generate().to_public()),
    }
    without = custodian(house, "Nobody", key=False)
    assert ENGLISH["disclosure_needs_key"] in without.get(address).text
    assert without.post(f"{address}/disclosures", data=sent).status_code == 422
    first, second = custodian(house, "Alex"), custodian(house, "Robin")
    asked = first.post(f"{address}/disclosures", data=sent)
    assert asked.status_code == 303, asked.text
    own = first.post(f"{address}/disclosures/1/agree")
    assert own.status_code == 422
    assert "another person has to agree" in own.text
    assert second.post(f"{address}/disclosures/1/agree").status_code == 303
    assert "tutela evidence package 1" in second.get(address).text
    with house.service.database.reading() as connection:
        entries = newest_entries(connection, 10, case)
    told = {entry.act: (entry.role, entry.face) for entry in entries}
    assert told["disclosure.agreed"] == ("person", "console")
    refused = first.post(f"{address}/disclosures/1/refuse", data={"reason": "a mistake"})
    assert refused.status_code == 303


def sealed_case(house: House, seed: int) -> str:
    content = encoded(drawn(seed))
    house.add_picture("partner", content)
    return house.client.post("/v1/screen", files={"file": ("a.png", content)}).json()["case"]


def test_evidence_is_kept_under_another_rule_that_a_custodian_stands_for(house: House) -> None:
    case = sealed_case(house, 11)
    keeper = custodian(house, "Alex", key=False)
    address = f"/cases/{case}/evidence"
    assert f"{address}/confirmations" not in keeper.get(address).text
    wish = {"rule": "eu-2021-1232@1", "reason": "our counsel says so"}
    assert keeper.post(f"{address}/rule", data=wish).status_code == 303
    page = keeper.get(address).text
    assert f"{address}/confirmations" in page
    assert ENGLISH["rule_confirm_text"] in page
    assert keeper.post(f"{address}/confirmations", data=wish | {"reason": " "}).status_code == 422
    assert keeper.post(f"{address}/confirmations", data=wish).status_code == 303
    assert f"{address}/confirmations" not in keeper.get(address).text
    assert keeper.post(f"{address}/rule", data=wish | {"rule": "none"}).status_code == 303
    assert "a person has decided so" in keeper.get(address).text
    assert keeper.post(f"{address}/rule", data=wish | {"rule": "no-such"}).status_code == 404


def test_only_what_is_due_is_destroyed(house: House) -> None:
    kept, due = sealed_case(house, 12), sealed_case(house, 13)
    keeper = custodian(house, "Alex", key=False)
    why = {"reason": "the request of May 3"}
    asked = {"kind": "destruction-requested", "reference": "letter 9", **why}
    assert keeper.post(f"/cases/{due}/evidence/events", data=asked).status_code == 303
    agree_to_the_last(house, keeper, due)
    for case, states in ((kept, {"sealed"}), (due, {"destroyed"})):
        address = f"/cases/{case}/evidence"
        assert (f"{address}/destruction" in keeper.get(address).text) is (case == due)
        assert keeper.post(f"{address}/destruction", data={"reason": ""}).status_code == 422
        answer = keeper.post(f"{address}/destruction", data=why)
        assert answer.headers["location"] == address
        items = house.client.get(f"/v1/cases/{case}").json()["items"]
        assert {each["evidence"]["state"] for each in items} == states
    late, _ = signed_in(house, Role.CUSTODIAN, proved=False)
    for act in ("rule", "confirmations", "destruction"):
        answer = late.post(f"/cases/{kept}/evidence/{act}", data=why)
        assert answer.headers["location"].startswith("/prove?next=")


def agree_to_the_last(house: House, asker: httpx.Client, case: str) -> None:
    """Have another custodian agree to what one recorded, who alone cannot have it destroyed."""
    address = f"/cases/{case}/evidence"
    with house.service.database.reading() as connection:
        event = events_about(connection, Subject(case))[-1].id
    assert f"{address}/destruction" not in asker.get(address).text
    assert ENGLISH["event_waits"] in asker.get(address).text
    own = asker.post(f"{address}/events/{event}/agree")
    assert own.status_code == 422
    assert "another person has to agree" in own.text
    other = custodian(house, "Robin", key=False)
    assert other.post(f"{address}/events/{event + 1}/agree").status_code == 404
    assert other.post(f"{address}/events/{event}/agree").status_code == 303
    assert other.post(f"{address}/events/{event}/agree").status_code == 422
    assert ENGLISH["event_agreed"] in asker.get(address).text


def test_only_custodians_who_have_just_proved_themselves_get_there(house: House, case: str) -> None:
    reviewer, _ = signed_in(house, Role.REVIEWER)
    assert reviewer.get(f"/cases/{case}/evidence").status_code == 403
    late, _ = signed_in(house, Role.CUSTODIAN, proved=False)
    answer = late.get(f"/cases/{case}/evidence")
    assert answer.headers["location"].startswith("/prove?next=")
