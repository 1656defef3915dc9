"""``/v1/lists`` changes what matches, and gives no entry out."""

import hashlib
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from tests.house import House
from tutela.fingerprints.model import Kind
from tutela.hashlists.entries import KINDS
from tutela.hashlists.tables import entries

MD5 = "0123456789abcdef" * 2


@pytest.fixture
def house(make_house) -> Iterator[House]:
    with make_house() as house:
        yield house


def verdict(house: House, md5: str = MD5) -> str:
    sent = {"fingerprints": {"md5": md5}}
    return house.client.post("/v1/screen", json=sent).json()["verdict"]


def test_an_added_entry_matches_from_the_next_request_on(house: House) -> None:
    assert verdict(house) == "clear"
    house.add("partner", {"kind": "md5", "hash": MD5.upper()})
    assert verdict(house) == "match"


def test_a_withdrawn_entry_matches_no_more_and_stays_withdrawn(house: House) -> None:
    entry = {"kind": "md5", "hash": MD5}
    house.add("partner", entry)
    gone = house.client.post(
        "/v1/lists/partner/withdrawals", json=entry | {"reason": "listed by mistake"}
    )
    assert gone.status_code == 204
    assert verdict(house) == "clear"
    again = house.client.post(
        "/v1/lists/partner/entries", json={"source": "a test", "entries": [entry]}
    )
    assert again.json() == {"added": 0, "already": 0, "withdrawn": 1}
    assert verdict(house) == "clear"


def test_a_list_is_shown_without_its_entries(house: House) -> None:
    house.add("partner", {"kind": "md5", "hash": MD5}, {"kind": "pdq", "hash": MD5 * 2})
    answer = house.client.get("/v1/lists")
    (shown,) = answer.json()["lists"]
    assert shown["name"] == "partner"
    assert shown["entries"] == {"md5": 1, "pdq": 1}
    assert shown["sources"] == ["a test"]
    assert MD5 not in answer.text


def test_no_route_gives_an_entry_out(house: House) -> None:
    house.add("partner", {"kind": "md5", "hash": MD5})
    document = house.client.get("/openapi.json").json()
    asked = 0
    for path, methods in document["paths"].items():
        if "get" in methods:
            answer = house.client.get(path.replace("{name}", "partner").replace("{case}", "x"))
            assert MD5 not in answer.text, path
            asked += 1
    assert asked >= 5


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("POST", "/v1/lists", {"name": "partner"}, 409, 'a list "partner" already'),
        ("POST", "/v1/lists", {"name": " "}, 422, "1 to 100 printable characters"),
        ("POST", "/v1/lists", {"title": "x"}, 422, "name"),
        ("POST", "/v1/lists/partnr/entries", None, 404, 'did you mean "partner"?'),
        ("POST", "/v1/lists/partner/withdrawals", None, 404, "not on the list"),
    ],
)
def test_what_cannot_be_done_is_explained(
    house: House, method: str, path: str, body: dict | None, status: int, says: str
) -> None:
    house.client.post("/v1/lists", json={"name": "partner"})
    if body is None:
        entry = {"kind": "md5", "hash": MD5}
        adds = path.endswith("entries")
        body = {"source": "x", "entries": [entry]} if adds else entry | {"reason": "x"}
    answer = house.client.request(method, path, json=body)
    assert answer.status_code == status
    assert says in answer.json()["detail"]


def test_a_malformed_hash_adds_nothing_of_its_request(house: House) -> None:
    house.client.post("/v1/lists", json={"name": "partner"})
    sent = [{"kind": "md5", "hash": MD5}, {"kind": "md5", "hash": "xyz"}]
    answer = house.client.post(
        "/v1/lists/partner/entries", json={"source": "a test", "entries": sent}
    )
    assert answer.status_code == 422
    assert verdict(house) == "clear"


@pytest.mark.parametrize("name", ["%00", "%0A", "%ED%B3%BF", "x" * 101])
@pytest.mark.parametrize("what", ["entries", "withdrawals"])
def test_what_cannot_be_a_name_is_not_found(house: House, name: str, what: str) -> None:
    entry = {"kind": "md5", "hash": MD5}
    body = {"source": "x", "entries": [entry]} if what == "entries" else entry | {"reason": "x"}
    answer = house.client.post(f"/v1/lists/{name}/{what}", json=body)
    assert answer.status_code == 404
    assert "no list" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_the_hash_of_an_empty_file_never_gets_on_a_list(house: House, kind: str) -> None:
    house.client.post("/v1/lists", json={"name": "partner"})
    sent = [{"kind": "md5", "hash": MD5}, {"kind": kind, "hash": hashlib.new(kind).hexdigest()}]
    answer = house.client.post(
        "/v1/lists/partner/entries", json={"source": "a test", "entries": sent}
    )
    assert answer.status_code == 422
    assert "entry 2" in answer.json()["detail"]
    assert "empty file" in answer.json()["detail"]
    assert verdict(house) == "clear"


@pytest.mark.parametrize("label", ["A1\0", "A\n1", "A\u202e1"])
def test_a_label_that_is_no_printable_line_is_refused(house: House, label: str) -> None:
    house.client.post("/v1/lists", json={"name": "partner"})
    entry = {"kind": "md5", "hash": MD5, "label": label}
    answer = house.client.post(
        "/v1/lists/partner/entries", json={"source": "a test", "entries": [entry]}
    )
    assert answer.status_code == 422
    assert "label" in answer.json()["detail"]
    assert verdict(house) == "clear"


def test_only_a_pdq_hash_keeps_a_quality(house: House) -> None:
    house.add(
        "partner",
        {"kind": "md5", "hash": MD5, "quality": 80},
        {"kind": "pdq", "hash": MD5 * 2, "quality": 80},
    )
    with house.service.database.reading() as connection:
        kept = connection.execute(select(entries.c.kind, entries.c.quality)).all()
    assert sorted(kept) == [(KINDS.index(Kind.MD5), None), (KINDS.index(Kind.PDQ), 80)]
