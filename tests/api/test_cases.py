"""Cases over HTTP: everything that people do with them, by keys that belong to people."""

import hashlib
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from tests.actors import actor_called
from tests.cases import world
from tests.house import House
from tutela.accounts.keys import add_key
from tutela.accounts.people import add_person
from tutela.accounts.permissions import Permission, Role
from tutela.ledger.tables import ledger_entries
from tutela.sandbox.model import Shown

WORDS = {"items": [{"kind": "text", "words": "Words about a landscape."}]}


@pytest.fixture
def house(make_house) -> Iterator[House]:
    with make_house() as running:
        yield running


def one(house: House, number: int, *roles: Role) -> httpx.Client:
    """A caller whose key belongs to a person with these roles."""
    service = house.service
    with service.database.writing() as connection:
        person = add_person(
            connection,
            f"person {number}",
            f"{number}@organisation.example",
            roles,
            actor=actor_called("test"),
            clock=service.clock,
        )
        key = add_key(
            connection,
            f"key of {number}",
            sorted(person.permissions),
            actor_called("test"),
            service.clock,
            owner=person.id,
        )
    return house.stranger({"Authorization": f"Bearer {key}"})


def sent(client: httpx.Client, method: str, path: str, status: int = 200, **json: object) -> dict:
    answer = client.request(method, f"/v1/cases{path}", json=json or {})
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else {}


def test_a_case_lives_its_life_over_http(house: House) -> None:
    intake, anna = one(house, 1, Role.INTAKE), one(house, 2, Role.REVIEWER)
    lead = one(house, 3, Role.LEAD)
    case = sent(intake, "POST", "", 201, **WORDS, subject="account-1", facts=["live_stream"])[
        "case"
    ]
    shown = sent(anna, "GET", f"/{case}")
    assert shown["subject"] == "account-1"
    assert shown["facts"] == ["live_stream", "first_seen"]
    assert shown["why"][0] == "live stream: put forward by 30 days"
    assert shown["items"][0]["kind"] == "text"
    assert shown["items"][0]["evidence"]["state"] == "sealed"
    hold = sent(anna, "POST", "/next")
    assert hold["case"] == case
    assert sent(lead, "POST", f"/{case}/take", 409)["detail"].startswith("person 2 is working on")
    assert sent(anna, "POST", f"/{case}/keep", hold=hold["hold"])["hold"] == hold["hold"]
    label = sent(anna, "POST", f"/{case}/labels", scheme="industry", label="B2")["id"]
    sent(anna, "POST", f"/{case}/notes", words="a landscape")
    unread = {"hold": hold["hold"], "decision": "not_sure", "basis": "read"}
    told = sent(anna, "POST", f"/{case}/decide", 422, **unread)["detail"]
    assert "on the console's page of the case" in told
    for reader in (world.person(2), world.person(3)):
        world.looked(house.service.database, house.service.clock, case, reader, shown=Shown.TEXT)
    outcome = sent(
        anna,
        "POST",
        f"/{case}/decide",
        hold=hold["hold"],
        decision="not_sure",
        basis="read",
        reason="dark",
    )
    assert outcome["state"] == "disputed"
    assert sent(anna, "POST", f"/{case}/undo")["state"] == "in_review"
    assert sent(anna, "POST", f"/{case}/give-back", hold=hold["hold"] + 1)["state"] == "open"
    sent(lead, "POST", f"/{case}/assign", person=2)
    hold = sent(anna, "POST", "/next")
    decision = {"decision": "not_sure", "basis": "read"}
    sent(anna, "POST", f"/{case}/decide", hold=hold["hold"], **decision)
    settled = {"decision": "confirmed", "basis": "read", "reason": "plain"}
    sent(anna, "POST", f"/{case}/settle", 403, **settled)
    assert "try again in" in sent(lead, "POST", f"/{case}/settle", 409, **settled)["detail"]
    world.made_final(house.service.database, house.service.clock, case)
    assert sent(lead, "POST", f"/{case}/settle", **settled)["state"] == "confirmed"
    assert sent(lead, "POST", f"/{case}/close", reason="done")["state"] == "closed"
    assert sent(lead, "POST", f"/{case}/reopen", reason="more came")["state"] == "open"
    assert sent(anna, "DELETE", f"/{case}/labels/{label}")["state"] == "open"
    sent(anna, "PUT", f"/{case}/facts", facts=["escalated"])
    shown = sent(anna, "GET", f"/{case}")
    assert shown["labels"] == []
    assert shown["facts"] == ["escalated", "first_seen"]
    assert [each["words"] for each in shown["notes"]] == ["a landscape"]
    assert [each["decision"] for each in shown["decisions"]] == [
        "not_sure",
        "not_sure",
        "confirmed",
    ]


def test_programs_decide_nothing(house: House) -> None:
    case = sent(house.client, "POST", "", 201, **WORDS)["case"]
    answer = sent(house.client, "POST", f"/{case}/take", 403)
    assert "cases are decided by people" in answer["detail"]


def test_nothing_waits(house: House) -> None:
    assert one(house, 1, Role.REVIEWER).post("/v1/cases/next", json={}).status_code == 204


def test_files_and_words_are_one_case_and_sent_again_it_stays_one(house: House) -> None:
    reviewer = one(house, 1, Role.REVIEWER)
    content = b"plain text, as a file"
    numbers = set()
    for _ in range(2):
        answer = reviewer.post(
            "/v1/cases",
            files=[("file", ("note.txt", content))],
            data={"url": "https://host.example/page", "subject": "account-1"},
            headers={"Idempotency-Key": "once"},
        )
        assert answer.status_code == 201, answer.text
        numbers.add(answer.json()["case"])
    (case,) = numbers
    items = sent(reviewer, "GET", f"/{case}")["items"]
    assert [each["kind"] for each in items] == ["url", "file"]
    assert items[1]["sha256"] == hashlib.sha256(content).hexdigest()
    assert items[0]["origin"].startswith("key:")


def test_more_joins_the_case_that_is_open_and_none_that_somebody_looks_at(house: House) -> None:
    reviewer = one(house, 1, Role.REVIEWER)
    house.add_digest("partner", b"one")
    house.add_digest("partner", b"two")
    house.add_digest("partner", b"three")
    numbers = []
    for number, content in enumerate((b"one", b"two", b"three")):
        if number == 2:
            sent(reviewer, "POST", f"/{numbers[0]}/take")
        answer = house.client.post(
            "/v1/screen",
            files={"file": ("p", content)},
            data={"subject": "account-1", "reference": f"upload-{number}"},
        )
        assert answer.status_code == 200, answer.text
        numbers.append(answer.json()["case"])
    assert numbers[0] == numbers[1] != numbers[2]
    first = sent(reviewer, "GET", f"/{numbers[0]}")
    assert [each["reference"] for each in first["items"]] == ["upload-0", "upload-1"]
    assert [each["evidence"]["state"] for each in first["items"]] == ["sealed", "sealed"]
    assert [each["case"] for each in first["earlier"]] == [numbers[2]]


def test_fingerprints_bring_their_subject(house: House) -> None:
    house.add_digest("partner", b"one")
    item = {
        "fingerprints": {"sha256": hashlib.sha256(b"one").hexdigest()},
        "subject": "account-1",
        "reference": "upload-1",
    }
    answers = house.client.post("/v1/screen/batch", json={"items": [item, item]}).json()
    (case,) = {each["case"] for each in answers["results"]}
    shown = sent(house.client, "GET", f"/{case}")
    assert (shown["subject"], len(shown["items"])) == ("account-1", 2)
    found = house.client.get("/v1/cases", params={"subject": "account-1"}).json()["cases"]
    assert [each["case"] for each in found] == [case]


def test_how_well_a_list_knows_a_case_is_for_those_who_may_know_what_matched(house: House) -> None:
    intake, reviewer = one(house, 1, Role.INTAKE), one(house, 2, Role.REVIEWER)
    house.add_digest("partner", b"one")
    answer = house.client.post(
        "/v1/screen",
        files={"file": ("p", b"one")},
        data={"subject": "account-1", "reference": "upload-1"},
    )
    case = answer.json()["case"]
    sent(intake, "POST", "", 201, **WORDS, subject="account-2", facts=["live_stream"])
    hold = sent(reviewer, "POST", f"/{case}/take")["hold"]
    decision = {"decision": "confirmed", "basis": "digest"}
    sent(reviewer, "POST", f"/{case}/decide", hold=hold, **decision)

    told = sent(intake, "GET", f"/{case}")
    assert (told["facts"], told["bases"], told["decisions"][0]["basis"]) == ([], [], None)
    assert told["why"] == ["it came today"]
    (item,) = told["items"]
    fingerprints = ("md5", "sha1", "sha256", "pdq", "pdq_quality", "matches")
    assert {item[name] for name in fingerprints} == {None}
    # What whoever sent it asks for is there.
    assert (item["reference"], item["size"]) == ("upload-1", 3)
    assert item["received_at"]
    assert told["state"] != "open"

    whole = sent(reviewer, "GET", f"/{case}")
    assert (whole["facts"], whole["decisions"][0]["basis"]) == (["known"], "digest")
    assert whole["items"][0]["sha256"] == hashlib.sha256(b"one").hexdigest()
    query = f"?state={told['state']}"
    assert sent(intake, "GET", query)["cases"][0]["facts"] == []
    assert sent(reviewer, "GET", query)["cases"][0]["facts"] == ["known"]


def test_the_order_of_the_queue_is_told_with_what_matched_alone(house: House, clock) -> None:
    intake, reviewer = one(house, 1, Role.INTAKE), one(house, 2, Role.REVIEWER)
    urgent = sent(intake, "POST", "", 201, **WORDS, subject="account-1", facts=["live_stream"])
    clock.turn(minutes=1)
    last = sent(intake, "POST", "", 201, **WORDS, subject="account-2")
    for client, order in ((reviewer, [urgent, last]), (intake, [last, urgent])):
        page = sent(client, "GET", "?state=open&limit=1")
        rest = client.get(
            "/v1/cases", params={"state": "open", "limit": 1, "after": page["next"]}
        ).json()
        assert [each["case"] for each in page["cases"] + rest["cases"]] == [
            each["case"] for each in order
        ]


def test_what_a_platform_calls_something_is_kept_without_blanks_around_it(house: House) -> None:
    house.add_digest("partner", b"one")
    known = {"fingerprints": {"sha256": hashlib.sha256(b"one").hexdigest()}}
    form = {"files": {"file": ("p", b"one")}}

    def at_each_door(subject: str, reference: str) -> list[httpx.Response]:
        called = {"subject": subject, "reference": reference}
        return [
            house.client.post("/v1/screen", json=known | called),
            house.client.post("/v1/screen", data=called, **form),
            house.client.post("/v1/screen/batch", json={"items": [known | called]}),
            house.client.post("/v1/screen/batch", data=called, **form),
            house.client.post("/v1/cases", json=WORDS | called),
            house.client.post("/v1/cases", data=called, **form),
        ]

    for blank in ("", "  "):
        for subject, reference in ((blank, "upload-1"), ("account-1", blank)):
            answers = at_each_door(subject, reference)
            assert [each.status_code for each in answers] == [422] * len(answers)
    assert all(each.is_success for each in at_each_door(" account-1 ", " upload-1 "))
    for subject in ("account-1", " account-1"):
        (case,) = house.client.get("/v1/cases", params={"subject": subject}).json()["cases"]
    items = sent(house.client, "GET", f"/{case['case']}")["items"]
    assert {each["reference"] for each in items} == {"upload-1"}
    found = house.client.post("/v1/cases/search", json={"text": "upload-1"}).json()["cases"]
    assert [each["case"] for each in found] == [case["case"]]


def test_the_same_file_again_is_confirmed_together(house: House) -> None:
    reviewer = one(house, 1, Role.REVIEWER)
    house.add_digest("partner", b"one")
    numbers = [
        house.client.post("/v1/screen", files={"file": ("p", b"one")}).json()["case"]
        for _ in range(3)
    ]
    hold = sent(reviewer, "POST", f"/{numbers[0]}/take")["hold"]
    sent(
        reviewer,
        "POST",
        f"/{numbers[0]}/decide",
        hold=hold,
        decision="confirmed",
        basis="digest",
    )
    assert sent(reviewer, "GET", f"/{numbers[0]}/alike")["cases"] == []
    world.made_final(house.service.database, house.service.clock, numbers[0])
    found = sent(reviewer, "GET", f"/{numbers[0]}/alike")["cases"]
    assert sorted(found) == sorted(numbers[1:])
    done = sent(reviewer, "POST", f"/{numbers[0]}/alike", cases=[*found, numbers[0]])
    assert sorted(done["decided"]) == sorted(found)
    assert done["left"] == [numbers[0]]


def test_pages_follow_one_another(house: House) -> None:
    opened = [sent(house.client, "POST", "", 201, **WORDS)["case"] for _ in range(5)]
    for params in ({}, {"state": "open"}):
        found: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = house.client.get("/v1/cases", params={"limit": 2, **params, **after}).json()
            found += [each["case"] for each in page["cases"]]
            if "next" not in page:
                break
            after = {"after": page["next"]}
        assert sorted(found) == sorted(opened)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"items": []}),
        ("", {"items": [{"kind": "url", "words": "no address"}]}),
        ("", {**WORDS, "facts": ["known"]}),
        ("", {**WORDS, "subject": "a\nb"}),
        ("/0000-0000-0000/labels", {"scheme": "industry"}),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(house: House, path: str, body: dict) -> None:
    answer = house.client.post(f"/v1/cases{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_schemes_say_that_they_are_not_verified(house: House) -> None:
    schemes = house.client.get("/v1/label-schemes").json()["schemes"]
    assert [each["id"] for each in schemes] == ["industry", "inhope", "interpol-baseline"]
    assert not any(each["verified"] for each in schemes)


def test_details_of_matches_are_for_those_who_may_see_them(house: House) -> None:
    house.add_digest("partner", b"one")
    case = house.client.post("/v1/screen", files={"file": ("p", b"one")}).json()["case"]
    reader = house.client_with(Permission.CASES_READ)
    assert sent(reader, "GET", f"/{case}")["items"][0]["matches"] is None
    assert sent(house.client, "GET", f"/{case}")["items"][0]["matches"]


def test_who_is_on_a_break_is_given_no_case_however_they_ask(house: House) -> None:
    intake, anna = one(house, 1, Role.INTAKE), one(house, 2, Role.REVIEWER)
    case = sent(intake, "POST", "", 201, **WORDS)["case"]
    assert anna.post("/v1/me/break").is_success
    sent(anna, "POST", "/next", 409)
    sent(anna, "POST", f"/{case}/take", 409)


def test_who_reads_a_case_by_a_key_is_in_the_ledger(house: House) -> None:
    intake, anna = one(house, 1, Role.INTAKE), one(house, 2, Role.REVIEWER)
    case = sent(intake, "POST", "", 201, **WORDS)["case"]
    sent(anna, "GET", f"/{case}")
    sent(anna, "POST", f"/{case}/take")
    # Whoever holds it is in the ledger already.
    sent(anna, "GET", f"/{case}")
    with house.service.database.reading() as connection:
        acts = connection.execute(
            select(ledger_entries.c.act).where(
                ledger_entries.c.case_id == case, ledger_entries.c.act == "case.read"
            )
        ).scalars()
        assert list(acts) == ["case.read"]


def test_nobody_is_called_by_letters_that_are_not_seen(house: House) -> None:
    reader = one(house, 1, Role.REVIEWER)
    for subject in ("%00", "a%00b"):
        answer = reader.get(f"/v1/cases?subject={subject}")
        assert (answer.status_code, answer.json()["cases"]) == (200, [])
