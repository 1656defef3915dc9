"""What authorities say of reports over HTTP: signed by themselves, or entered by people."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.api.test_cases import one
from tests.house import House
from tests.reporting.following.answered import WORDS, sent
from tests.reporting.world import World
from tutela.accounts.permissions import Permission, Role
from tutela.webhooks.signing import new_secret, signed_headers

OLD, NEW, OTHERS = new_secret(), new_secret(), new_secret()


@pytest.fixture
def house(make_house, settings) -> Iterator[House]:
    secrets = {"us-ncmec": SecretStr(f"{OLD} {NEW}"), "de-bka": SecretStr(OTHERS)}
    reporting = settings.reporting.model_copy(update={"feedback_secrets": secrets})
    with make_house(reporting=reporting) as running:
        yield running


@pytest.fixture
def world(house: House) -> World:
    service = house.service
    return World(service.settings, service.database, service.screening.vault, service.clock)


def message(**data: Any) -> bytes:
    data = {"report": "4564654", "kind": "more-wanted", "words": WORDS, **data}
    return json.dumps({"type": "report.feedback", "data": data}).encode()


def send(
    house: House, body: bytes, secret: str = NEW, name: str = "msg_1", late: float = 0
) -> httpx.Response:
    clock = house.service.clock
    at = type(clock()).fromtimestamp(clock().timestamp() - late, clock().tzinfo)
    headers = signed_headers(name, body, [secret], at)
    return house.stranger(headers).post("/v1/reports/feedback", content=body)


def listed(client: httpx.Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/v1/feedback{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["feedback"]
    return found


def test_an_authority_says_by_its_own_secret_what_it_wants(house: House, world: World) -> None:
    report = sent(world)
    assert send(house, message(), OLD).status_code == 202
    assert send(house, message(), NEW).json() == {"taken": True}
    assert send(house, message(kind="closed"), NEW, "msg_2").status_code == 202
    first, second = listed(house.client)[::-1]
    assert (first["report"], first["kind"], first["open"]) == (report, "more-wanted", True)
    assert (second["kind"], second["open"], second["received_by"]) == (
        "closed",
        False,
        "authority:us-ncmec",
    )
    assert listed(house.client, "?open=true") == [first]
    assert WORDS not in house.client.get("/v1/feedback").text
    shown = house.client.get(f"/v1/feedback/{first['id']}").json()
    assert shown == {**first, "words": WORDS}
    assert not [name for name, kept in house.everything_kept() if WORDS.encode() in kept]


def test_nobody_speaks_for_an_authority(house: House, world: World) -> None:
    sent(world)
    body = message()
    stranger = house.stranger()
    assert stranger.post("/v1/reports/feedback", content=body).status_code == 401
    assert send(house, body, new_secret()).status_code == 401
    assert send(house, body, late=301).status_code == 401
    assert send(house, body, late=-301).status_code == 401
    headers = signed_headers("msg_1", body, [NEW], house.service.clock())
    for changed in (
        {**headers, "webhook-id": "msg_2"},
        {**headers, "webhook-timestamp": "x"},
        {**headers, "webhook-timestamp": "9" * 30},
        {**headers, "webhook-signature": "v1,"},
        {**headers, "webhook-signature": "v1," + "é" * 9},
    ):
        wire = {name: value.encode("latin-1") for name, value in changed.items()}
        refused = stranger.post("/v1/reports/feedback", content=body, headers=wire)
        assert refused.status_code == 401, refused.text
    altered = stranger.post("/v1/reports/feedback", content=body + b" ", headers=headers)
    assert altered.status_code == 401
    assert listed(house.client) == []


def test_it_learns_nothing_of_which_reports_there_are(house: House, world: World) -> None:
    report = sent(world)
    known, unknown, others = (
        send(house, message(), NEW, "msg_1"),
        send(house, message(report="no such"), NEW, "msg_2"),
        send(house, message(), OTHERS, "msg_3"),
    )
    assert known.status_code == unknown.status_code == others.status_code == 202
    assert known.content == unknown.content == others.content
    assert [each["report"] for each in listed(house.client)] == [None, None, report]


def test_a_message_that_says_nothing_is_refused_without_its_words(
    house: House, world: World
) -> None:
    sent(world)
    for body in (
        b"{}",
        b"no JSON",
        b'{"type": "something", "data": {}}',
        message(kind="preservation-letter", words=""),
        message(kind="number"),
        message(religion=WORDS),
        message(words=[WORDS]),
        message(at="2026-01-15T12:00:00"),
        message()[:-1] + b', "timestamp": "2026-01-15T12:00:00"}',
        message(report="4564654\x00"),
        message(kind="preservation-letter", period="soon"),
        message(kind="preservation-letter", until="2027-01-01", at="2027-01-01T00:00:00Z"),
    ):
        refused = send(house, body)
        assert refused.status_code == 422, (body, refused.text)
        assert WORDS not in refused.text
    assert send(house, b" " * 200_000).status_code == 413
    assert listed(house.client) == []


def test_people_enter_it_and_those_who_may_move_the_clock(house: House, world: World) -> None:
    anna, keeper = one(house, 1, Role.REVIEWER), one(house, 2, Role.CUSTODIAN)
    report = sent(world)
    letter = {"kind": "preservation-letter", "reference": "L-1", "until": "2027-01-31"}
    assert anna.post(f"/v1/reports/{report}/feedback", json=letter).status_code == 403
    entered = keeper.post(f"/v1/reports/{report}/feedback", json=letter)
    assert (entered.status_code, entered.json()["open"]) == (201, False)
    events = keeper.get(f"/v1/evidence/{entered.json()['case']}").json()["events"]
    assert ("preservation-letter", "us-ncmec L-1") in {
        (each["kind"], each["reference"]) for each in events
    }
    more = {"kind": "more-wanted", "words": WORDS}
    asked = anna.post(f"/v1/reports/{report}/feedback", json=more).json()
    assert listed(anna, f"?open=true&report={report}") == [asked]
    done = anna.post(f"/v1/feedback/{asked['id']}/settle", json={"reason": "answered"})
    assert (done.json()["open"], bool(done.json()["settled_at"])) == (False, True)
    again = anna.post(f"/v1/feedback/{asked['id']}/settle", json={"reason": "answered"})
    assert again.status_code == 409
    assert anna.post("/v1/reports/999/feedback", json=more).status_code == 404


def test_what_came_unknown_or_unsafe_is_put_right_by_people(house: House, world: World) -> None:
    report = sent(world)
    send(house, message(kind="destruction-requested", report="x"))
    (wish,) = listed(house.client)
    anna = one(house, 1, Role.REVIEWER)
    path = f"/v1/feedback/{wish['id']}"
    assert anna.post(f"{path}/attach", json={"report": report}).json()["report"] == report
    assert anna.post(f"{path}/follow", json={"reason": "so"}).status_code == 403
    keeper = one(house, 2, Role.CUSTODIAN)
    assert keeper.post(f"{path}/follow", json={"reason": "so"}).json()["open"] is False


def test_a_program_that_only_screens_reads_no_feedback(house: House) -> None:
    client = house.client_with(Permission.SCREEN)
    assert client.get("/v1/feedback").status_code == 403
    page = house.stranger().get("/openapi.json").json()["paths"]["/v1/reports/feedback"]["post"]
    assert "security" not in page
    assert re.search("Standard Webhooks", page["description"])


def test_feedback_is_listed_in_pages(house: House, world: World) -> None:
    sent(world)
    for number in range(3):
        send(house, message(), NEW, f"msg_{number}")
    answer = house.client.get("/v1/feedback?limit=2").json()
    assert len(answer["feedback"]) == 2
    assert len(listed(house.client, f"?before={answer['next']}")) == 1
