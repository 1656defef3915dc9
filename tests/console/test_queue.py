"""The page of the queue."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest

from tests.cases.world import a_case, decided, matched, person
from tests.console.visitors import signed_in
from tests.house import House, running_house
from tutela.accounts.calling import caller_of_person
from tutela.accounts.permissions import Role
from tutela.cases.deciding import Decision
from tutela.cases.pausing import take_break
from tutela.console.language import languages
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data",
        cells=1,
        review={"second_look_percent": 0, "second_look_for": []},
    )
    with running_house(settings, system_clock) as running:
        yield running


def new_case(house: House, content: bytes, **values: object) -> str:
    case = a_case(house.service.database, system_clock, content, **values)
    matched(house.service.database, system_clock, case)
    return case


def test_an_empty_list_teaches_what_it_is_for(house: House) -> None:
    client, _ = signed_in(house, Role.REVIEWER)
    for tab in ("waiting", "second-look", "disputed", "mine", "held", "decided"):
        page = client.get(f"/queue?tab={tab}")
        assert ENGLISH[f"empty_{tab.replace('-', '_')}_text"] in unescape(page.text)


def test_the_next_case_is_taken_and_gone_to(house: House) -> None:
    case = new_case(house, b"next", rank_at=system_clock() - timedelta(days=99))
    client, _ = signed_in(house, Role.REVIEWER)
    assert client.post("/queue/next").headers["Location"] == f"/cases/{case}"
    again = client.post("/queue/next")
    assert again.headers["Location"] == f"/cases/{case}", "one at a time"
    assert ENGLISH["queue_go_on"] in client.get("/queue").text
    assert case in client.get("/queue?tab=mine").text
    assert case in client.get("/queue?tab=held").text


def test_who_holds_a_case_and_until_when_is_seen_by_all(house: House) -> None:
    case = new_case(house, b"seen by all")
    anna, _ = signed_in(house, Role.REVIEWER, name="Anna Who Holds It")
    assert anna.post(f"/cases/{case}/take").status_code == 303
    ben, _ = signed_in(house, Role.REVIEWER)
    page = ben.get("/queue?tab=held").text
    assert "Anna Who Holds It" in page
    assert "data-until=" in page


def test_pages_follow_one_another_without_a_gap(house: House) -> None:
    cases = {new_case(house, b"%d of many" % number) for number in range(60)}
    client, _ = signed_in(house, Role.REVIEWER)
    first = client.get("/queue").text
    after = first.split('rel="next" href="', 1)[1].split('"', 1)[0].replace("&amp;", "&")
    second = client.get(after).text
    in_first = {case for case in cases if case in first}
    in_second = {case for case in cases if case in second}
    assert in_first | in_second == cases
    assert not in_first & in_second


def test_severe_ones_can_be_listed_apart(house: House) -> None:
    severe = new_case(house, b"severe", severe=True)
    client, _ = signed_in(house, Role.REVIEWER)
    assert severe in client.get("/queue?only=severe").text
    assert severe not in client.get("/queue?only=calm").text


def test_a_place_that_nobody_wrote_is_the_beginning(house: House) -> None:
    client, _ = signed_in(house, Role.REVIEWER)
    for after in ("x", "~", "2026-01-01~nothing", "2026-01-01T00:00:00+00:00~'--"):
        assert client.get("/queue", params={"after": after}).status_code == 200


def test_what_was_just_decided_can_be_undone_from_the_queue(house: House) -> None:
    case = new_case(house, b"undone")
    client, somebody = signed_in(house, Role.REVIEWER)
    caller = caller_of_person(somebody, "console")
    decided(house.service.database, system_clock, house.settings, case, caller)
    assert f"/cases/{case}/undo" in client.get("/queue").text
    other, _ = signed_in(house, Role.REVIEWER)
    assert f"/cases/{case}/undo" not in other.get("/queue").text
    assert client.post(f"/cases/{case}/undo").headers["Location"] == f"/cases/{case}"
    assert f"/cases/{case}/undo" not in client.get("/queue").text


def test_disputed_cases_have_their_list(house: House) -> None:
    case = new_case(house, b"disputed")
    database = house.service.database
    decided(database, system_clock, house.settings, case, person(901), Decision.NOT_SURE)
    client, _ = signed_in(house, Role.LEAD)
    assert case in client.get("/queue?tab=disputed").text


def test_whoever_cannot_review_takes_nothing(house: House) -> None:
    case = new_case(house, b"kept from others")
    for role in (Role.INTAKE, Role.CUSTODIAN, Role.AUDITOR):
        client, _ = signed_in(house, role)
        assert "/queue/next" not in client.get("/queue").text
        for address in ("/queue/next", f"/cases/{case}/take", f"/cases/{case}/undo"):
            assert client.post(address).status_code == 403, (role, address)


def test_whoever_needs_a_break_gets_no_next_case(house: House) -> None:
    case = new_case(house, b"after a break")
    client, somebody = signed_in(house, Role.REVIEWER)
    caller = caller_of_person(somebody, "console")
    with house.service.database.writing() as connection:
        take_break(connection, caller, system_clock)
    for address in ("/queue/next", f"/cases/{case}/take"):
        assert client.post(address).headers["location"] == "/rest"


def test_whoever_may_not_know_what_matched_reads_the_newest_first(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A later page tells as little as the first one.
    monkeypatch.setattr("tutela.console.queue._ON_A_PAGE", 2)
    now = system_clock()
    put_forward = {"known": 50, "similar": 70, "first": 60}
    cases = {
        name: new_case(
            house,
            name.encode(),
            opened_at=now + timedelta(days=place),
            rank_at=now - timedelta(days=days),
        )
        for place, (name, days) in enumerate(put_forward.items(), 1)
    }

    def order(role: Role) -> list[str]:
        client, _ = signed_in(house, role)
        found: list[str] = []
        page = client.get("/queue").text
        for _ in range(3):
            found += [
                name
                for at in re.findall(r"/cases/([0-9A-Z-]{14})\"", page)
                for name, case in cases.items()
                if case == at and name not in found
            ]
            more = re.search(r'href="(/queue[^"]*after=[^"]*)"', page)
            page = client.get(unescape(more[1])).text if more else ""
        return found

    assert order(Role.REVIEWER) == ["similar", "first", "known"]
    for role in (Role.INTAKE, Role.CUSTODIAN):
        assert order(role) == ["first", "similar", "known"]
