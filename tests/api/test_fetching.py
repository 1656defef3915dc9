"""What is at an address is screened like an upload, and what matches has the address beside it."""

import base64
import gzip
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.house import House
from tests.pictures import drawn, encoded
from tests.web import Web, answering, pointing_to, running_web
from tutela.accounts.permissions import Permission
from tutela.storage.settings import Links, Sandbox

KNOWN = encoded(drawn(1))
OTHER = encoded(drawn(2))
PICTURE = {"content_type": "image/png"}


@pytest.fixture
def web() -> Iterator[Web]:
    with running_web() as web:
        yield web


@pytest.fixture
def house(make_house, web: Web) -> Iterator[House]:
    links = Links(
        fetch=True, ports=(web.port,), private_networks=("127.0.0.0/8",), seconds=1, at_once=1
    )
    with make_house(links=links, sandbox=Sandbox(freely_unpacked_mib=1)) as house:
        house.add_picture("partner", KNOWN)
        yield house


def fetch(house: House, url: str, **more: object) -> dict:
    headers = {"Idempotency-Key": str(more.pop("key"))} if "key" in more else {}
    sent = {"url": url, "fetch": True, **more}
    answer = house.client.post("/v1/screen", json=sent, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_known_picture_behind_a_redirect_is_a_match_with_its_addresses(
    house: House, web: Web
) -> None:
    picture = web.at("/p.png", answering(KNOWN, **PICTURE))
    short = web.at("/s", pointing_to("/p.png"))
    told = [fetch(house, short, key=1, subject="account-1") for _ in range(2)]
    assert told[0]["verdict"] == "match"
    assert {each["kind"] for each in told[0]["matches"]} == {"md5", "pdq"}
    assert told[1]["case"] == told[0]["case"]
    case = house.client.get(f"/v1/cases/{told[0]['case']}").json()
    assert [each["kind"] for each in case["items"]] == ["picture", "url", "url"]
    assert sorted(each["matches"] == [] for each in case["items"]) == [False, True, True]
    # That no list has the address says nothing of the picture.
    assert case["facts"] == ["known"]
    service, evidence = house.service, [each["evidence"]["item"] for each in case["items"]]
    sealed = [b"".join(service.screening.vault.open(each)) for each in evidence]
    assert sealed == [KNOWN, short.encode(), picture.encode()]


def test_a_picture_that_comes_packed_is_unpacked_in_a_cell(house: House, web: Web) -> None:
    packed = answering(gzip.compress(KNOWN), content_encoding="gzip", **PICTURE)
    assert fetch(house, web.at("/p.png", packed))["verdict"] == "match"
    packed = answering(gzip.compress(OTHER), content_encoding="gzip", **PICTURE)
    assert fetch(house, web.at("/p.png", packed)) == {"verdict": "clear"}
    bomb = gzip.compress(bytes(8 << 20))
    told = fetch(house, web.at("/p.png", answering(bomb, content_encoding="gzip")))
    assert told["verdict"] == "unreadable"
    assert "unpacks to far more" in told["reason"]


def test_an_address_that_a_list_has_is_never_asked_for(house: House, web: Web) -> None:
    listed = web.at("/listed", answering(OTHER))
    house.add("hotline", {"kind": "url", "hash": listed})
    assert fetch(house, listed)["verdict"] == "match"
    assert web.asked == []
    told = fetch(house, web.at("/s", pointing_to("/listed")))
    assert told["verdict"] == "match"
    assert web.paths() == ["/s"]
    case = house.client.get(f"/v1/cases/{told['case']}").json()
    assert [each["kind"] for each in case["items"]] == ["url", "url"]
    assert [len(each["matches"]) for each in case["items"]] == [1, 0]


def test_what_is_clear_leaves_nothing_behind(
    house: House, web: Web, capfd: pytest.CaptureFixture[str]
) -> None:
    url = web.at("/unheard-of/p.png", answering(OTHER, **PICTURE))
    assert fetch(house, url) == {"verdict": "clear"}
    failed = fetch(house, url.replace("/p.png", "/other.png"))
    assert failed["verdict"] == "unreadable"
    assert failed["unreadable"] == "not_read"
    assert failed["reason"] == "it cannot be fetched: the server answered 404"
    metrics = house.client.get("/metrics").content
    assert b'tutela_screened_files_total{verdict="clear"} 1' in metrics
    written = "".join(capfd.readouterr()).encode()
    kept = b"".join(content for _, content in house.everything_kept())
    assert b"unheard-of" not in written + kept + metrics
    assert house.client.get("/v1/cases").json()["cases"] == []


def test_what_cannot_be_fetched_is_unreadable_and_says_why(house: House, web: Web) -> None:
    for answer, said, asked in (
        (pointing_to(f"http://10.0.0.1:{web.port}/"), "no public address", 1),
        (pointing_to("http://127.0.0.1:1/"), "its port", 1),
        (pointing_to("/a"), "too often", 6),
        (answering(b"words", **PICTURE), "its content is not", 1),
    ):
        web.asked.clear()
        told = fetch(house, web.at("/a", answer))
        assert told["verdict"] == "unreadable"
        assert said in told["reason"]
        assert len(web.asked) == asked


def test_one_that_never_ends_is_given_up_and_turns_others_away_meanwhile(
    house: House, web: Web
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def drip(send: Callable[[bytes], None]) -> None:
        send(b"HTTP/1.1 200 OK\r\n\r\n")
        while not ended.wait(0.05):
            send(b"x")
            begun.set()

    url = web.at("/a", drip)
    answers: list[dict] = []
    asking = threading.Thread(target=lambda: answers.append(fetch(house, url)))
    asking.start()
    assert begun.wait(30)
    turned_away = house.client.post("/v1/screen", json={"url": url, "fetch": True})
    asking.join()
    ended.set()
    assert turned_away.status_code == 503
    assert answers[0]["verdict"] == "unreadable"
    assert "within 1 seconds" in answers[0]["reason"]


def test_only_who_may_has_one_address_fetched(house: House, web: Web) -> None:
    url = web.at("/a", answering(OTHER))
    told = house.client_with(Permission.SCREEN).post("/v1/screen", json={"url": url, "fetch": True})
    assert told.status_code == 403
    assert "screen:fetch" in told.json()["detail"]
    for path, sent in (
        ("", {"text": "words", "fetch": True}),
        ("", {"url": "mailto:x@example.org", "fetch": True}),
        ("/batch", {"items": [{"url": url, "fetch": True}]}),
    ):
        answer = house.client.post(f"/v1/screen{path}", json=sent)
        assert answer.status_code == 422, answer.text
    assert web.asked == []


def test_what_a_data_address_holds_is_screened_as_a_file(house: House) -> None:
    client, screen = house.client_with(Permission.SCREEN), "/v1/screen"
    for content, verdict in ((KNOWN, "match"), (OTHER, "clear"), (b"words", "unreadable")):
        url = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        told = client.post(screen, json={"url": url}).json()
        assert told["verdict"] == verdict
        if verdict == "match":
            case = house.client.get(f"/v1/cases/{told['case']}").json()
            assert [each["kind"] for each in case["items"]] == ["picture"]
        batch = client.post(f"{screen}/batch", json={"items": [{"url": url}]})
        assert batch.status_code == 422
    for sent in ({"url": "data:x"}, {"url": "data:,x", "text": "y"}):
        assert client.post(screen, json=sent).status_code == 422


def test_nothing_is_fetched_by_default(make_house, web: Web) -> None:
    url = web.at("/a", answering(OTHER))
    with make_house() as house:
        answer = house.client.post("/v1/screen", json={"url": url, "fetch": True})
        assert answer.status_code == 422
        assert "links.fetch" in answer.json()["detail"]
        assert house.client.post("/v1/screen", json={"url": url}).json() == {"verdict": "clear"}
    assert web.asked == []
