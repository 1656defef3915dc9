"""Fingerprints take a shorter way than files, and are answered as the description says."""

import itertools
import json
import time
from collections.abc import Iterator

import pytest

from tests.house import House
from tutela.accounts.permissions import Permission

MD5 = "0123456789abcdef" * 2
OTHER = "f" * 32


@pytest.fixture
def house(make_house) -> Iterator[House]:
    with make_house() as house:
        house.add("partner", {"kind": "md5", "hash": MD5})
        yield house


def item(md5: str, name: str = "") -> dict[str, object]:
    return {"fingerprints": {"md5": md5}, "name": name}


def verdicts(house: House, items: list[dict[str, object]], **headers: str) -> list[str]:
    answer = house.client.post("/v1/screen/batch", json={"items": items}, headers=headers)
    assert answer.status_code == 200, answer.text
    return [result["verdict"] for result in answer.json()["results"]]


def test_clear_is_all_that_is_said_of_what_no_list_has(house: House) -> None:
    answer = house.client.post("/v1/screen", json=item(OTHER))
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == '{"verdict":"clear"}'
    answer = house.client.post("/v1/screen/batch", json={"items": [item(OTHER)] * 2})
    assert answer.text == '{"results":[{"verdict":"clear"},{"verdict":"clear"}]}'


def test_a_match_names_its_case_and_with_the_scope_what_matched(house: House) -> None:
    told = house.client.post("/v1/screen", json=item(MD5, "p.png")).json()
    assert told["matches"] == [{"list": "partner", "kind": "md5", "distance": 0}]
    assert house.client.get(f"/v1/cases/{told['case']}").json()["items"][0]["name"] == "p.png"
    client = house.client_with(Permission.SCREEN)
    for sent, path in ((item(MD5), ""), ({"items": [item(MD5)]}, "/batch")):
        told = client.post(f"/v1/screen{path}", json=sent).json()
        (result,) = told.get("results", [told])
        assert result.keys() == {"verdict", "case"}


@pytest.mark.parametrize("count", [3, 1000])
def test_a_batch_long_or_short_is_answered_in_its_order(house: House, count: int) -> None:
    items = [item(MD5 if number == 1 else OTHER, "n" * 100) for number in range(count)]
    found = verdicts(house, items)
    assert found == ["match" if number == 1 else "clear" for number in range(count)]
    assert set(verdicts(house, [item(OTHER, "n" * 100)] * count)) == {"clear"}


def test_a_batch_sent_again_with_its_idempotency_key_opens_no_second_cases(house: House) -> None:
    items = [item(MD5), item(OTHER), item(MD5)]
    for _ in range(2):
        verdicts(house, items, **{"Idempotency-Key": "upload 7"})
    assert len(house.client.get("/v1/cases").json()["cases"]) == 2


@pytest.mark.parametrize("path", ["/v1/screen", "/v1/screen/batch"])
def test_who_may_not_screen_is_told_so_before_anything_is_read(house: House, path: str) -> None:
    sent = {"content": b"{"}
    for headers in ({}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic eA=="}):
        answer = house.stranger(headers).post(path, **sent)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    answer = house.client_with(Permission.CASES_READ).post(path, **sent)
    assert answer.status_code == 403
    assert 'lacks the scope "screen"' in answer.json()["detail"]


def test_the_word_bearer_is_understood_in_either_case(house: House) -> None:
    key = house.client.headers["Authorization"].partition(" ")[2]
    for scheme in ("bearer", "BEARER"):
        client = house.stranger({"Authorization": f"{scheme} {key}"})
        assert client.post("/v1/screen", json=item(OTHER)).status_code == 200


@pytest.mark.parametrize("path", ["/v1/screen", "/v1/screen/batch"])
def test_an_idempotency_key_that_is_too_long_is_refused(house: House, path: str) -> None:
    sent = item(OTHER) if path.endswith("screen") else {"items": [item(OTHER)]}
    for length, status in ((255, 200), (256, 422)):
        headers = {"Idempotency-Key": "x" * length}
        answer = house.client.post(path, json=sent, headers=headers)
        assert answer.status_code == status
    assert "255" in answer.json()["detail"]


def test_what_comes_in_parts_is_read_whole(house: House) -> None:
    whole = json.dumps(item(MD5)).encode()
    parts = (bytes(part) for part in itertools.zip_longest(*[iter(whole)] * 10, fillvalue=32))
    answer = house.client.post("/v1/screen", content=parts)
    assert answer.json()["verdict"] == "match"


def test_too_much_is_refused_whether_its_length_is_announced_or_not(house: House) -> None:
    much = b" " * (5 << 20)
    for content in (much, (much[:100_000] for _ in range(60))):
        answer = house.client.post("/v1/screen", content=content)
        assert answer.status_code == 413
        assert "of JSON was sent" in answer.json()["detail"]


def test_a_caller_that_stalls_is_told_so_and_loses_its_place(make_house) -> None:
    with make_house(upload_seconds=1, max_waiting=1) as house:

        def stalled() -> Iterator[bytes]:
            yield b'{"fingerprints":'
            time.sleep(3)
            yield b"{}}"

        answer = house.client.post("/v1/screen", content=stalled())
        assert answer.status_code == 408
        assert house.client.post("/v1/screen", json=item(OTHER)).status_code == 200


def test_what_is_asked_is_counted_by_its_route_and_its_verdict(house: House) -> None:
    before = counts(house)
    house.client.post("/v1/screen", json=item(OTHER))
    verdicts(house, [item(OTHER)] * 4)
    house.stranger().post("/v1/screen", json=item(OTHER))
    after = counts(house)
    assert [count - was for was, count in zip(before, after, strict=True)] == [2, 1, 5]


def counts(house: House) -> list[float]:
    """Requests of one item, of batches, and clear verdicts, of all that this process had."""
    metrics = house.client.get("/metrics").text
    route = 'tutela_http_request_seconds_count{method="POST",route="/v1/screen'
    series = (f'{route}"}}', f'{route}/batch"}}', 'tutela_screened_files_total{verdict="clear"}')
    values = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line[0] != "#")
    return [float(values.get(each, 0)) for each in series]


def test_an_unforeseen_error_tells_neither_the_caller_nor_the_log_what_was_sent(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    capacity = house.service.fingerprint_capacity

    class Breaking(type(capacity)):
        def place(self):
            raise ZeroDivisionError("very secret words")

    object.__setattr__(house.service, "fingerprint_capacity", Breaking(1, 1))
    answer = house.client.post("/v1/screen", json=item(MD5, "holiday-secret.png"))
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    said = capfd.readouterr().err
    assert '"error": "ZeroDivisionError"' in said
    assert '"route": "/v1/screen"' in said
    assert "secret" not in said + answer.text
    assert MD5 not in said
