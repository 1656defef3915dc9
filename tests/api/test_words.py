"""Addresses and texts are looked up in lists, a case has them sealed, and nothing else is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House
from tutela.storage.settings import ListPolicy, OnMatch, Policy

URL = "https://www.example.org/albums/7?page=1"
TEXT = "An excerpt,  with WORDS"


@pytest.fixture
def house(make_house) -> Iterator[House]:
    policy = Policy(lists={"tried out": ListPolicy(on_match=OnMatch.COUNT)})
    with make_house(policy=policy) as house:
        house.add(
            "hotline",
            {"kind": "url", "hash": "hxxps://example[.]org/albums/7?page=1"},
            {"kind": "url_prefix", "hash": "https://example.net/albums/"},
            {"kind": "domain", "hash": "bad.example"},
            {"kind": "text", "hash": "an excerpt, with words"},
        )
        house.add("tried out", {"kind": "domain", "hash": "maybe.example"})
        yield house


def screen(house: House, **sent: object) -> dict:
    answer = house.client.post("/v1/screen", json=sent)
    assert answer.status_code == 200, answer.text
    return answer.json()


MATCHING = [
    ({"url": URL}, "url"),
    ({"url": "http://EXAMPLE.net:81/x/../albums/%37/8#z"}, "url_prefix"),
    ({"url": "https://img.bad.example/a"}, "domain"),
    ({"text": TEXT}, "text"),
]


def test_what_a_list_has_is_a_match_with_a_case(house: House) -> None:
    for sent, kind in MATCHING:
        check_match(house, sent, kind)


def check_match(house: House, sent: dict[str, str], kind: str) -> None:
    told = screen(house, **sent, reference="post-1")
    assert told["verdict"] == "match"
    assert told["matches"] == [{"list": "hotline", "kind": kind, "distance": 0}]
    case = house.client.get(f"/v1/cases/{told['case']}").json()
    (item,) = case["items"]
    assert item["kind"] == next(iter(sent))
    assert item["reference"] == "post-1"
    assert item["name"] == ""
    # A person has to look: a list of words is no list of files.
    assert "known" not in case["facts"]
    evidence = house.client.get(f"/v1/evidence/{told['case']}").json()
    assert evidence["evidence"], "the words are sealed"


def test_what_no_list_has_is_clear(house: House) -> None:
    for sent in (
        {"url": "https://example.org/albums/7?page=2"},
        {"url": "https://example.net/albumsx"},
        {"text": "other words"},
    ):
        assert screen(house, **sent) == {"verdict": "clear"}
    assert screen(house, url="https://maybe.example/")["verdict"] == "clear"
    assert house.client.get("/v1/cases").json()["cases"] == []


def test_a_text_is_known_by_the_digest_of_its_bytes_too(house: House) -> None:
    house.add("hotline", {"kind": "md5", "hash": "5eb63bbbe01eeed093cb22bb8f5acdc3"})
    assert screen(house, text="hello world")["matches"][0]["kind"] == "md5"


def test_addresses_texts_and_fingerprints_go_together_in_a_batch(house: House) -> None:
    for words in ("x", "x" * 3_000):
        items = [{"text": words}, {"url": URL}, {"fingerprints": {"md5": "0" * 32}}, {"text": TEXT}]
        answer = house.client.post("/v1/screen/batch", json={"items": items})
        verdicts = [each["verdict"] for each in answer.json()["results"]]
        assert verdicts == ["clear", "match", "clear", "match"]


def test_what_cannot_be_looked_up_is_said(house: House) -> None:
    for sent, said in (
        ({"url": "mailto:somebody@example.org"}, "is no address of the web"),
        ({"text": "\u200b"}, "no words"),
        ({"url": URL, "text": TEXT}, "send one of the three"),
        ({}, "send one of the three"),
        ({"url": ""}, "url"),
    ):
        answer = house.client.post("/v1/screen", json=sent)
        assert answer.status_code == 422
        assert said in answer.json()["detail"]


def test_a_withdrawn_address_matches_no_more(house: House) -> None:
    withdrawal = {"kind": "domain", "hash": "https://BAD.example./", "reason": "a mistake"}
    answer = house.client.post("/v1/lists/hotline/withdrawals", json=withdrawal)
    assert answer.status_code == 204
    assert screen(house, url="https://img.bad.example/a") == {"verdict": "clear"}


def test_nothing_in_the_house_has_a_listed_address_or_a_clear_one(
    house: House, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    screen(house, url="https://clear.example/unheard-of")
    house.client.post("/v1/screen", json={"url": "https://clear.example:x/unheard-of"})
    kept = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    written = "".join(capfd.readouterr()).encode()
    for words in (b"clear.example", b"unheard-of", b"bad.example", b"albums", b"excerpt"):
        assert words not in kept + written
