"""While what a match needs is slow, what is clear is answered as quickly as ever."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from sqlalchemy import text

from tests.amazon import CREDENTIALS
from tests.house import House
from tests.pictures import drawn, encoded
from tests.silence import silent_server
from tests.waiting import comes_true
from tutela.api.service import Service

KNOWN, OTHER = encoded(drawn(1)), encoded(drawn(2))
CLEAR = {"fingerprints": {"md5": "0" * 32}}
# Of the silent server one hears nothing for ten seconds; a clear file takes some milliseconds.
QUICK_SECONDS = 4


@pytest.fixture
def keys_that_hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The settings of a house whose KMS hangs."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with silent_server() as address:
        yield {"vault_key": "aws-kms:alias/tutela", "kms_endpoint": address}


def send(house: House, content: bytes) -> httpx.Response:
    return house.client.post("/v1/screen", files={"file": ("p.png", content)})


def waiting(service: Service) -> int:
    statistics = service.case_threads.statistics()
    return statistics.borrowed_tokens + statistics.tasks_waiting


@contextmanager
def matches_under_way(house: House, count: int) -> Iterator[list[Callable[[], httpx.Response]]]:
    with ThreadPoolExecutor(count) as threads:
        sent = [threads.submit(send, house, KNOWN) for _ in range(count)]
        assert comes_true(lambda: waiting(house.service) == count)
        yield [each.result for each in sent]


def assert_clear_is_quick(house: House) -> None:
    begin = time.monotonic()
    assert send(house, OTHER).json() == {"verdict": "clear"}
    several = house.client.post("/v1/screen/batch", files=[("file", ("p.png", OTHER))] * 3)
    assert several.json() == {"results": [{"verdict": "clear"}] * 3}
    assert send(house, OTHER[:-2000]).json()["verdict"] == "unreadable"
    assert house.client.post("/v1/screen", json=CLEAR).json() == {"verdict": "clear"}
    assert time.monotonic() - begin < QUICK_SECONDS


def test_matches_that_wait_for_a_key_keep_nothing_clear_waiting(make_house, keys_that_hang) -> None:
    with make_house(**keys_that_hang) as house:
        house.add_picture("partner", KNOWN)
        with matches_under_way(house, 12) as answers:
            assert_clear_is_quick(house)
        for answer in answers:
            assert answer().status_code == 503
            assert answer().headers["retry-after"] == "1"


def test_matches_that_wait_for_the_databases_writer_keep_nothing_clear_waiting(make_house) -> None:
    with make_house() as house:
        house.add_picture("partner", KNOWN)
        database = house.service.database
        # Who writes is done before those who wait for it are waited for.
        with (
            ThreadPoolExecutor(1) as other,
            ExitStack() as until_answered,
            database.writing() as connection,
        ):
            if not database.is_sqlite:
                connection.execute(text("LOCK TABLE cases, ledger_head IN ACCESS EXCLUSIVE MODE"))
            answers = until_answered.enter_context(matches_under_way(house, 12))
            other.submit(assert_clear_is_quick, house).result()
        assert {answer().json()["verdict"] for answer in answers} == {"match"}


def test_more_matches_than_may_wait_are_told_to_come_back(make_house, keys_that_hang) -> None:
    with make_house(max_waiting=4, **keys_that_hang) as house:
        house.add_picture("partner", KNOWN)
        with matches_under_way(house, 2):
            known = {"fingerprints": {"md5": house.fingerprints(KNOWN)["md5"]}}
            for refused in (
                send(house, KNOWN),
                house.client.post("/v1/screen", json=known),
                house.client.post("/v1/screen/batch", json={"items": [known]}),
            ):
                assert refused.status_code == 503
                assert refused.headers["retry-after"] == "1"
                assert "2 matches are under way" in refused.json()["detail"]
            assert_clear_is_quick(house)


def test_whoever_asks_for_readiness_while_the_key_hangs_holds_up_nobody(
    make_house, keys_that_hang
) -> None:
    with make_house(**keys_that_hang) as house:
        begin = time.monotonic()
        with ThreadPoolExecutor(45) as threads:
            stranger = house.stranger()
            answers = list(threads.map(lambda _: stranger.get("/readyz"), range(45)))
        assert {answer.status_code for answer in answers} == {503}
        assert house.client.get("/v1/lists").status_code == 200
        assert time.monotonic() - begin < QUICK_SECONDS * 2
        assert_clear_is_quick(house)


def test_the_ledger_is_not_called_well_before_its_place_was_asked_and_a_stop_is_quick(
    make_house, keys_that_hang
) -> None:
    hanging = {
        "ledger_checkpoints": "s3://bucket/prefix",
        "s3_endpoint": keys_that_hang["kms_endpoint"],
    }
    with make_house(**hanging) as house:
        ready = house.stranger().get("/readyz")
        assert ready.status_code == 200
        assert {check["name"]: check["detail"] for check in ready.json()["checks"]}["ledger"] == (
            "not looked yet"
        )
        begin = time.monotonic()
    # The thread that asks it is given up after five seconds.
    assert time.monotonic() - begin < 9
