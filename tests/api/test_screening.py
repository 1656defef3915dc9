"""``/v1/screen`` gives the right verdict, keeps what it must and nothing else, and is no oracle."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.archived import zipped
from tests.house import House
from tests.moving import clip
from tests.pictures import drawn, encoded
from tutela.accounts.permissions import Permission
from tutela.fingerprints.model import VideoFrame
from tutela.fingerprints.pdq import pdq_of
from tutela.fingerprints.vpdq import frame_texts, to_text
from tutela.sandbox.pool import CellPool
from tutela.storage.settings import ListPolicy, OnMatch, Policy

KNOWN = encoded(drawn(1))
RESIZED = encoded(drawn(1).resize((200, 150)), "JPEG", quality=80)
OTHER = encoded(drawn(2))


def turned(picture: Image.Image) -> bytes:
    """A file that stores a picture on its side, and says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture.rotate(90, expand=True), exif=exif)


def told(match: dict[str, object]) -> dict[str, object]:
    """What a match says, without what it does not."""
    return {name: value for name, value in match.items() if value is not None}


@pytest.fixture
def house(make_house) -> Iterator[House]:
    with make_house() as house:
        house.add_picture("partner", KNOWN)
        yield house


def screen(house: House, content: bytes, name: str = "p.png", **headers: str):
    return house.client.post("/v1/screen", files={"file": (name, content)}, headers=headers)


def test_a_known_picture_is_a_match_and_opens_a_case(house: House) -> None:
    answer = screen(house, KNOWN)
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "match"
    case = house.client.get(f"/v1/cases/{answer.json()['case']}").json()
    (item,) = case["items"]
    assert item["name"] == "p.png"
    assert {(m["list"], m["kind"], m["distance"]) for m in item["matches"]} == {
        ("partner", "md5", 0),
        ("partner", "pdq", 0),
    }


def test_a_resized_copy_is_a_match_by_pdq(house: House) -> None:
    answer = screen(house, RESIZED).json()
    assert answer["verdict"] == "match"
    (match,) = answer["matches"]
    assert match["kind"] == "pdq"
    assert 0 <= match["distance"] <= 31


def test_a_known_picture_in_archives_is_a_match_that_says_where(house: House) -> None:
    inner = zipped({"photos/a.png": KNOWN, "notes.txt": b"just words"})
    answer = screen(house, zipped({"inner.zip": inner}), "all.zip").json()
    assert answer["verdict"] == "match"
    place = "inner.zip/photos/a.png"
    assert {(each["kind"], each["place"]) for each in answer["matches"]} == {
        ("md5", place),
        ("pdq", place),
    }
    (item,) = house.client.get(f"/v1/cases/{answer['case']}").json()["items"]
    assert {each["place"] for each in item["matches"]} == {place}


def test_of_a_clear_archive_nothing_is_left(house: House) -> None:
    answer = screen(house, zipped({"a.png": OTHER, "b.txt": b"just words"}), "all.zip").json()
    assert answer["verdict"] == "clear"
    assert answer.get("case") is None
    assert house.client.get("/v1/cases").json()["cases"] == []


def test_a_copy_that_is_only_shown_turned_is_a_match_as_shown(house: House) -> None:
    answer = screen(house, turned(drawn(1))).json()
    (match,) = answer["matches"]
    assert match == {"list": "partner", "kind": "pdq", "distance": 0, "place": "as shown"}
    (item,) = house.client.get(f"/v1/cases/{answer['case']}").json()["items"]
    assert [told(each) for each in item["matches"]] == [match]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_known_picture_among_others_is_a_match_at_its_place(house: House, kind: str) -> None:
    scenes = [drawn(number) for number in (7, 8, 1)]
    moving = encoded(scenes[0], kind, save_all=True, append_images=scenes[1:])
    named = {"Idempotency-Key": kind}
    first, again = (screen(house, moving, "p.gif", **named).json() for _ in range(2))
    (match,) = first["matches"]
    assert match["place"] == ("page 3" if kind == "TIFF" else "frame 3")
    assert match["distance"] <= 31
    assert again == first


def test_another_picture_is_clear_and_nothing_is_said_beside(house: House) -> None:
    assert screen(house, OTHER).json() == {"verdict": "clear"}
    assert house.client.get("/v1/cases").json() == {"cases": []}


def test_a_broken_picture_is_unreadable_and_never_clear(house: House) -> None:
    for content, name in [
        (OTHER[: len(OTHER) // 2], "half.png"),
        (b"", "empty.jpg"),
        (b"PK\x03\x04 an archive", "archive.jpg"),
    ]:
        answer = screen(house, content, name).json()
        assert answer["verdict"] == "unreadable"
        assert answer["reason"]


def test_a_broken_copy_of_known_bytes_is_still_a_match(house: House) -> None:
    broken = KNOWN[:-2000]
    house.add_digest("partner", broken)
    answer = screen(house, broken).json()
    assert answer["verdict"] == "match"


def test_something_that_is_no_picture_is_compared_by_its_digests(house: House) -> None:
    assert screen(house, b"some text", "notes.txt").json() == {"verdict": "clear"}
    house.add_digest("partner", b"some text")
    assert screen(house, b"some text", "notes.txt").json()["verdict"] == "match"


def test_fingerprints_alone_can_be_screened(house: House) -> None:
    known = house.fingerprints(KNOWN)
    for sent in (
        {"md5": known["md5"]},
        {"md5": known["md5"].upper()},
        {"pdq": known["pdq"]},
        {"pdq": known["pdq"], "pdq_quality": 50},
    ):
        answer = house.client.post("/v1/screen", json={"fingerprints": sent}).json()
        assert answer["verdict"] == "match", sent
    for sent in ({"sha256": known["pdq"]}, {"pdq": known["pdq"], "pdq_quality": 49}):
        answer = house.client.post("/v1/screen", json={"fingerprints": sent}).json()
        assert answer == {"verdict": "clear"}, sent


def test_a_caller_without_the_scope_sees_no_list_and_no_distance(house: House) -> None:
    client = house.client_with(Permission.SCREEN)
    answer = client.post("/v1/screen", files={"file": ("p.png", KNOWN)}).json()
    assert set(answer) == {"verdict", "case"}


def test_a_list_that_lets_pass_opens_a_case_that_strangers_do_not_see(make_house) -> None:
    policy = Policy(lists={"partner": ListPolicy(on_match=OnMatch.PASS)})
    with make_house(policy=policy) as house:
        house.add_picture("partner", KNOWN)
        client = house.client_with(Permission.SCREEN)
        answer = client.post("/v1/screen", files={"file": ("p.png", KNOWN)}).json()
        assert answer == {"verdict": "clear"}
        assert len(house.client.get("/v1/cases").json()["cases"]) == 1
        trusted = screen(house, KNOWN).json()
        assert trusted["verdict"] == "clear"
        assert trusted["case"]
        assert trusted["matches"]


def test_a_list_on_trial_only_counts(make_house) -> None:
    policy = Policy(lists={"partner": ListPolicy(on_match=OnMatch.COUNT)})
    with make_house(policy=policy) as house:
        house.add_picture("partner", KNOWN)
        assert screen(house, KNOWN).json()["verdict"] == "clear"
        assert house.client.get("/v1/cases").json() == {"cases": []}
        metrics = house.client.get("/metrics").text
        assert 'tutela_matched_files_total{list="partner",verdict="clear"} 1.0' in metrics
        assert 'tutela_screened_files_total{verdict="clear"} 1.0' in metrics


def test_a_lists_own_threshold_is_its_own(make_house) -> None:
    policy = Policy(lists={"strict": ListPolicy(max_distance=0)})
    with make_house(policy=policy) as house:
        house.add_picture("strict", KNOWN)
        flipped = bytearray.fromhex(house.fingerprints(KNOWN)["pdq"])
        flipped[0] ^= 1
        near = {"fingerprints": {"pdq": flipped.hex()}}
        assert house.client.post("/v1/screen", json=near).json() == {"verdict": "clear"}
        house.add_picture("lenient", KNOWN)
        answer = house.client.post("/v1/screen", json=near).json()
        assert answer["matches"] == [{"list": "lenient", "kind": "pdq", "distance": 1}]


def test_sent_again_with_its_idempotency_key_it_opens_no_second_case(house: House) -> None:
    first = screen(house, KNOWN, **{"Idempotency-Key": "upload 7"}).json()["case"]
    again = screen(house, KNOWN, **{"Idempotency-Key": "upload 7"}).json()["case"]
    another = screen(house, KNOWN, **{"Idempotency-Key": "upload 8"}).json()["case"]
    assert first == again != another
    assert len(house.client.get("/v1/cases").json()["cases"]) == 2


def test_an_idempotency_key_used_again_for_another_file_swallows_no_case(house: House) -> None:
    house.add_picture("partner", OTHER)
    first = screen(house, KNOWN, **{"Idempotency-Key": "constant"}).json()["case"]
    second = screen(house, OTHER, **{"Idempotency-Key": "constant"}).json()["case"]
    assert first != second


def test_one_idempotency_key_sent_many_times_at_once_opens_one_case(house: House) -> None:
    cases: list[str] = []

    def send() -> None:
        cases.append(screen(house, KNOWN, **{"Idempotency-Key": "upload 7"}).json()["case"])

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cases) == 8
    assert len(set(cases)) == 1


def test_a_batch_answers_in_the_order_of_its_files(house: House) -> None:
    files = [("file", (f"{n}.png", content)) for n, content in enumerate([OTHER, KNOWN, b"x"])]
    results = house.client.post("/v1/screen/batch", files=files).json()["results"]
    assert [result["verdict"] for result in results] == ["clear", "match", "unreadable"]


def test_a_batch_of_fingerprints_answers_in_order(house: House) -> None:
    known = house.fingerprints(KNOWN)["md5"]
    items = [{"fingerprints": {"md5": md5}} for md5 in ("0" * 32, known, "1" * 32)]
    results = house.client.post("/v1/screen/batch", json={"items": items}).json()["results"]
    assert [result["verdict"] for result in results] == ["clear", "match", "clear"]


def test_an_upload_over_the_limit_is_refused_before_it_is_read_whole(make_house) -> None:
    with make_house(max_upload_mib=1) as house:
        sent = 0

        def body() -> Iterator[bytes]:
            nonlocal sent
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            while sent < 64 << 20:
                sent += 1 << 16
                yield bytes(1 << 16)

        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = house.client.post("/v1/screen", content=body(), headers=headers)
        assert answer.status_code == 413
        assert "max_upload_mib" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("request_of", "status", "says"),
    [
        ({"json": {"fingerprints": {}}}, 422, "no fingerprint was sent"),
        ({"json": {"fingerprints": {"md5": "xyz"}}}, 422, "32 hexadecimal digits"),
        ({"json": {"fingerprints": {"md4": "xyz"}}}, 422, "fingerprints.md4"),
        ({"content": b"{"}, 422, "multipart/form-data"),
        ({"content": b""}, 422, "multipart/form-data"),
        ({"files": {"upload": ("a", b"x")}}, 422, 'field called "file"'),
        ({"data": {"file": "x"}, "files": {"b": ("a", b"x")}}, 422, 'field called "file"'),
        (
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
            422,
            "Missing boundary",
        ),
        (
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=y"}},
            422,
            "not well formed",
        ),
    ],
)
def test_what_cannot_be_understood_is_answered_with_what_to_do(
    house: House, request_of: dict, status: int, says: str
) -> None:
    answer = house.client.post("/v1/screen", **request_of)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]


def test_two_files_in_one_screening_are_refused(house: House) -> None:
    files = [("file", ("a", b"x")), ("file", ("b", b"y"))]
    answer = house.client.post("/v1/screen", files=files)
    assert answer.status_code == 413


def test_a_batch_over_its_limit_is_refused(make_house) -> None:
    with make_house(max_batch=2) as house:
        items = [{"fingerprints": {"md5": "0" * 32}}] * 3
        answer = house.client.post("/v1/screen/batch", json={"items": items})
        assert answer.status_code == 413
        assert "at most 2" in answer.json()["detail"]


def test_over_capacity_the_caller_is_told_at_once_to_come_back(make_house) -> None:
    with make_house(max_waiting=1) as house, house.service.capacity.place():
        answer = screen(house, OTHER)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"


def test_uploads_together_hold_no_more_memory_than_is_allowed(make_house) -> None:
    with make_house(max_held_mib=1) as house, house.service.capacity.place() as place:
        place.hold(1 << 20)
        answer = screen(house, OTHER)
        assert answer.status_code == 503
        assert "1 MiB of uploads" in answer.json()["detail"]
        assert answer.headers["retry-after"] == "1"


def test_what_a_place_held_is_free_again_afterwards(make_house) -> None:
    with make_house(max_held_mib=1, max_waiting=1) as house:
        for _ in range(20):
            assert screen(house, bytes(300_000), "a.bin").status_code == 200


def test_a_caller_that_stalls_loses_its_place(make_house) -> None:
    with make_house(upload_seconds=1, max_waiting=1) as house:

        def stalled() -> Iterator[bytes]:
            yield b"--x\r\n"
            time.sleep(3)
            yield b"--x--"

        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = house.client.post("/v1/screen", content=stalled(), headers=headers)
        assert answer.status_code == 408
        assert screen(house, OTHER).status_code == 200


def test_a_caller_that_hangs_up_leaves_no_line_in_the_log(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    port = int(house.address.rsplit(":", 1)[1])
    key = house.client.headers["Authorization"]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            f"POST /v1/screen HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n"
            "--x\r\n".encode()
        )
        time.sleep(0.2)
    assert screen(house, b"--y", "a.bin").status_code == 200
    malformed = {"Content-Type": "multipart/form-data; boundary=x"}
    assert house.client.post("/v1/screen", content=b"secret", headers=malformed).is_client_error
    assert capfd.readouterr().err == ""


def test_a_body_that_is_neither_json_nor_multipart_is_told_what_to_send(house: House) -> None:
    headers = {"Content-Type": "image/png"}
    answer = house.client.post("/v1/screen", content=bytes(5 << 20), headers=headers)
    assert answer.status_code == 413
    assert "multipart/form-data" in answer.json()["detail"]
    assert "max_upload_mib" not in answer.json()["detail"]


def test_a_key_that_reads_cases_sees_what_matched_only_with_the_details(house: House) -> None:
    case = screen(house, KNOWN).json()["case"]
    assert house.client.get(f"/v1/cases/{case}").json()["items"][0]["matches"]
    reader = house.client_with(Permission.SCREEN, Permission.CASES_READ)
    assert reader.get(f"/v1/cases/{case}").json()["items"][0]["matches"] is None


def test_a_key_without_the_scope_is_refused(house: House) -> None:
    client = house.client_with(Permission.CASES_READ)
    answer = client.post("/v1/screen", files={"file": ("p.png", KNOWN)})
    assert answer.status_code == 403
    assert 'lacks the scope "screen"' in answer.json()["detail"]


def test_without_a_key_nothing_is_told(house: House) -> None:
    for headers in ({}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic eA=="}):
        client = house.stranger(headers)
        answer = client.post("/v1/screen", files={"file": ("p.png", KNOWN)})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_clear_file_leaves_nothing_behind(make_house, data: Path) -> None:
    name = "holiday-at-the-quiet-lake.png"
    with make_house() as house:
        house.add_picture("partner", KNOWN)
        assert screen(house, OTHER, name).json() == {"verdict": "clear"}
        part = turned(drawn(3))
        assert screen(house, part, name).json() == {"verdict": "clear"}
        known = house.fingerprints(OTHER)
        sent = {"fingerprints": {k: v for k, v in known.items() if isinstance(v, str)}}
        sent["name"] = name
        assert house.client.post("/v1/screen", json=sent).json() == {"verdict": "clear"}
        batch = [("file", (name, OTHER)), ("file", (name, OTHER))]
        headers = {"Idempotency-Key": "upload 7"}
        assert house.client.post("/v1/screen/batch", files=batch, headers=headers).is_success
        metrics = house.client.get("/metrics").text
        traces = [
            name.encode(),
            b"upload 7",
            OTHER[100:164],
            *(pdq_of(np.asarray(drawn(3).rotate(angle, expand=True))).value for angle in (0, 90)),
            *(bytes.fromhex(v) for v in known.values() if isinstance(v, str)),
            *(v.encode() for v in known.values() if isinstance(v, str)),
        ]
        _assert_nowhere(traces, house.everything_kept(), "while it runs")
    _assert_nowhere(traces, house.everything_kept(), "after it stopped")
    _assert_nowhere(traces, [("metrics", metrics.encode())], "in the metrics")


def test_the_search_for_traces_finds_what_a_match_keeps(house: House) -> None:
    screen(house, KNOWN, "holiday.png")
    with pytest.raises(AssertionError):
        _assert_nowhere([b"holiday.png"], house.everything_kept(), "")


def test_the_counts_go_on_after_a_restart(make_house) -> None:
    with make_house() as house:
        screen(house, OTHER)
    with make_house() as house:
        screen(house, OTHER)
        assert (
            'tutela_screened_files_total{verdict="clear"} 2.0' in house.client.get("/metrics").text
        )


def _assert_nowhere(traces: list[bytes], kept: list[tuple[str, bytes]], when: str) -> None:
    assert traces
    for where, content in kept:
        for trace in traces:
            assert trace not in content, f"{trace!r} is in {where} {when}"


def test_the_examples_in_the_documentation_are_what_the_service_takes(house: House) -> None:
    document = house.client.get("/openapi.json").json()
    for path in ("/v1/screen", "/v1/screen/batch"):
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        answer = house.client.post(path, content=json.dumps(body["example"]))
        assert answer.status_code == 200, answer.text


def test_a_clip_of_a_listed_video_is_a_match_as_a_file_and_by_its_fingerprint(
    make_house, tmp_path: Path
) -> None:
    with make_house() as house, CellPool(1) as cells:
        whole, copy = tmp_path / "whole.mp4", clip(2, skip=2, codec="libx264", form="matroska")
        whole.write_bytes(clip(6))
        with whole.open("rb") as file:
            found = cells.fingerprint(file)
        video = [
            VideoFrame(part.pdq, part.seconds)
            for part in found.parts
            if part.pdq is not None and part.seconds is not None
        ]
        house.add("partner", {"kind": "vpdq", "hash": to_text(video)})
        answer = screen(house, copy, "copy.mkv").json()
        (match,) = answer["matches"]
        assert (match["kind"], match["query_percent"]) == ("vpdq", 100)
        assert match["place"] == "00:00:00 to 00:00:01"
        assert 30 < match["compared_percent"] < 40
        (item,) = house.client.get(f"/v1/cases/{answer['case']}").json()["items"]
        assert (item["kind"], item["matches"]) == ("video", [match])
        assert screen(house, clip(3, seed=2), "other.mp4").json() == {"verdict": "clear"}
        sent = {"fingerprints": {"vpdq": frame_texts(video)}}
        (match,) = house.client.post("/v1/screen", json=sent).json()["matches"]
        assert (match["distance"], match["compared_percent"]) == (0, 100)
        for wrong in ([], ["words"]):
            refused = house.client.post("/v1/screen", json={"fingerprints": {"vpdq": wrong}})
            assert refused.status_code == 422
