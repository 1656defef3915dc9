"""A case is opened by hand from what somebody was told of."""

from collections.abc import Iterator
from datetime import datetime
from html import unescape

import pytest

from tests.console.visitors import signed_in
from tests.house import House, running_house
from tests.pictures import drawn, encoded
from tutela.accounts.permissions import Role
from tutela.console.language import languages
from tutela.console.opening import read_due
from tutela.errors import InvalidInputError
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data", cells=1, max_upload_mib=2
    )
    with running_house(settings, system_clock) as running:
        yield running


def test_words_alone_are_a_case_and_are_not_repeated_on_its_page(house: House) -> None:
    client, _ = signed_in(house, Role.INTAKE)
    words = "Somebody asked me where I live."
    opened = client.post("/cases/new", data={"words": words, "facts": ["live_stream"]})
    page = unescape(client.get(opened.headers["Location"]).text)
    assert ENGLISH["said_opened"] in page
    assert ENGLISH["kind_text"] in page
    assert ENGLISH["fact_live_stream"] in page
    assert words not in page


def test_what_one_sender_sent_becomes_one_case(house: House) -> None:
    client, _ = signed_in(house, Role.INTAKE)
    told = {"words": "First", "subject": "user 17"}
    first = client.post("/cases/new", data=told).headers["Location"]
    told = {"address": "https://host.example/a", "subject": " user 17 "}
    assert client.post("/cases/new", data=told).headers["Location"] == first
    page = client.get(first).text
    assert "https://host.example/a" not in page
    assert 'href="https://' not in page


def test_an_address_and_words_are_recognised_as_the_api_does_it(house: House) -> None:
    client, _ = signed_in(house, Role.INTAKE)
    house.add(
        "words",
        {"kind": "domain", "hash": "listed.example"},
        {"kind": "text", "hash": "an excerpt that is listed"},
    )
    told = {"words": "An excerpt, not listed", "address": "https://a.listed.example/b"}
    opened = [
        client.post("/cases/new", data=told).headers["Location"].removeprefix("/cases/"),
        house.client.post(
            "/v1/cases",
            json={
                "items": [
                    {"kind": "text", "words": "An excerpt that is LISTED"},
                    {"kind": "url", "words": "irc://[::"},
                ]
            },
        ).json()["case"],
    ]
    found = [
        [[each["kind"] for each in item["matches"]] for item in case["items"]]
        for case in (house.client.get(f"/v1/cases/{each}").json() for each in opened)
    ]
    assert found == [[[], ["domain"]], [["text"], []]]
    reviewer, _ = signed_in(house, Role.REVIEWER)
    page = reviewer.get(f"/cases/{opened[0]}").text
    assert '<strong dir="auto">words</strong>' in page
    assert ENGLISH["hash_domain"] in unescape(page)
    assert "listed.example" not in page


def test_files_are_sealed_and_recognised_as_the_api_does_it(house: House) -> None:
    client, _ = signed_in(house, Role.INTAKE)
    known, new = encoded(drawn(21)), encoded(drawn(22))
    house.add_picture("partner", known)
    chosen = [("file", ("known.png", known)), ("file", ("new.png", new))]
    told = {"subject": "user 21", "facts": ["escalated"]}
    opened = client.post("/cases/new", data=told, files=chosen)
    assert opened.status_code == 303, opened.text
    number = opened.headers["Location"].removeprefix("/cases/")
    case = house.client.get(f"/v1/cases/{number}").json()
    assert case["subject"] == "user 21"
    assert case["facts"] == ["escalated", "first_seen", "known"]
    assert [(each["kind"], each["evidence"]["state"]) for each in case["items"]] == [
        ("picture", "sealed")
    ] * 2
    assert [bool(each["matches"]) for each in case["items"]] == [True, False]


def test_a_field_for_files_that_is_left_empty_is_no_file(house: House) -> None:
    client, _ = signed_in(house, Role.INTAKE)
    # As a browser sends a field for files that nobody chose any for.
    empty = [("file", ("", b"", "application/octet-stream"))]
    assert client.post("/cases/new", data={"words": "x"}, files=empty).status_code == 303
    assert client.post("/cases/new", data={"words": " "}, files=empty).status_code == 422


def test_more_than_may_be_uploaded_is_refused_and_not_read(house: House) -> None:
    client, _ = signed_in(house, Role.INTAKE)
    limit = house.settings.max_upload_mib << 20
    answer = client.post("/cases/new", files=[("file", ("a", bytes(limit + (1 << 20))))])
    assert answer.status_code == 413
    many = [("file", (str(number), b"a few bytes")) for number in range(51)]
    assert client.post("/cases/new", files=many).status_code == 413
    # Whoever may not open a case sends nothing at all.
    auditor, _ = signed_in(house, Role.AUDITOR)
    assert auditor.post("/cases/new", files=many[:1]).status_code == 403


def test_what_cannot_be_understood_is_said_and_nothing_typed_is_lost(house: House) -> None:
    client, _ = signed_in(house, Role.INTAKE)
    for told in (
        {},
        {"address": "no address"},
        {"words": "x", "due": "soon"},
        {"words": "x", "reference": " "},
    ):
        answer = client.post("/cases/new", data={"subject": "user <18>", **told})
        assert answer.status_code == 422, told
        assert 'role="alert"' in answer.text
        assert "user &lt;18&gt;" in answer.text


def test_a_reviewer_says_what_makes_a_case_more_urgent(house: House) -> None:
    client, _ = signed_in(house, Role.REVIEWER)
    case = client.post("/cases/new", data={"words": "Please hurry"}).headers["Location"]
    said = {"facts": ["imminent_danger"], "due": "2031-05-06T07:08"}
    assert client.post(f"{case}/facts", data=said).status_code == 303
    page = unescape(client.get(case).text)
    assert ENGLISH["fact_imminent_danger"] in page
    assert ENGLISH["waiting_due_by"].format(moment="2031-05-06 07:08") in page
    assert client.post(f"{case}/facts", data={"facts": ["known"]}).status_code == 422
    intake, _ = signed_in(house, Role.INTAKE)
    assert intake.post(f"{case}/facts", data=said).status_code == 403


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("2031-05-06T07:08", "2031-05-06T07:08+00:00"),
        ("2031-05-06T07:08Z", "2031-05-06T07:08+00:00"),
        ("2031-05-06T07:08+02:00", "2031-05-06T05:08+00:00"),
    ],
)
def test_a_moment_is_utc_unless_it_says_otherwise(sent: str, meant: str) -> None:
    assert read_due(sent) == datetime.fromisoformat(meant)


def test_a_moment_outside_of_all_years_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        read_due("0001-01-01T00:00+12:00")


def test_whoever_only_looks_after_the_house_opens_no_case(house: House) -> None:
    for role in (Role.ADMINISTRATOR, Role.AUDITOR, Role.CUSTODIAN):
        client, _ = signed_in(house, role)
        assert client.get("/cases/new").status_code == 403
        assert client.post("/cases/new", data={"words": "x"}).status_code == 403
