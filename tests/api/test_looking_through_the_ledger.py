"""``/v1/ledger``: what was done can be looked through, proven and verified by those who may."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House
from tests.ledger.filling import fill
from tests.waiting import comes_true
from tutela.accounts.permissions import Permission
from tutela.ledger.model import Entry
from tutela.ledger.reading import newest_entries


@pytest.fixture
def house(make_house) -> Iterator[House]:
    with make_house() as house:
        yield house


def test_entries_are_found_by_case_person_act_and_time(house: House, clock) -> None:
    fill(house.service.database, clock, 10)
    clock.turn(hours=1)
    fill(house.service.database, clock, 10, first=10)

    def found(**asked: object) -> list[int]:
        answer = house.client.get("/v1/ledger", params=asked)
        assert answer.status_code == 200, answer.text
        return [entry["entry"] for entry in answer.json()["entries"]]

    # The first entry is that of the key itself.
    assert found() == list(range(20, -1, -1))
    # As people type it, which is how a number is read: none of these is one of the filling's.
    assert found(case="7k3m9qpd2x4h") == []
    assert found(act="key.added") == [0]
    assert found(since=clock.now.isoformat()) == list(range(20, 10, -1))
    assert found(until=clock.now.isoformat(), limit=2) == [10, 9]
    assert found(actor="nobody:1") == []
    (mine,) = {entry.actor for entry in newest_entries_of(house)}
    assert found(actor=mine) == list(range(20, 0, -1))
    assert found(actor=mine, act="key.added") == []


def newest_entries_of(house: House) -> list[Entry]:
    with house.service.database.reading() as connection:
        return newest_entries(connection, 5)


def test_pages_follow_one_another_without_gap(house: House, clock) -> None:
    fill(house.service.database, clock, 7)
    numbers, before = [], None
    while True:
        asked = {"limit": 3} | ({} if before is None else {"before": before})
        page = house.client.get("/v1/ledger", params=asked).json()
        numbers += [entry["entry"] for entry in page["entries"]]
        before = page["before"]
        if before is None:
            break
    assert numbers == list(range(7, -1, -1))


def test_a_proof_convinces_a_stranger(house: House, tmp_path: Path) -> None:
    head = house.client.get("/v1/ledger/head").json()
    proof = tmp_path / "proof.json"
    proof.write_text(house.client.get("/v1/ledger/0/proof").text)
    checked = subprocess.run(
        [sys.executable, "docs/verify_proof.py", str(proof), head["key"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_ledger_is_verified_in_the_background_and_the_verdict_kept(house: House, clock) -> None:
    fill(house.service.database, clock, 300)
    asked = house.client.post("/v1/ledger/verifications")
    assert asked.status_code == 202
    number = asked.json()["verification"]

    def verdict() -> dict[str, object]:
        return house.client.get(f"/v1/ledger/verifications/{number}").json()

    assert comes_true(lambda: verdict()["ended_at"] is not None)
    assert verdict()["sound"] is True
    assert verdict()["entries"] == 301
    kept = house.client.get("/v1/ledger/verifications").json()["verifications"]
    assert [each["verification"] for each in kept] == [number]


def test_nobody_looks_through_it_without_the_permission(house: House) -> None:
    stranger = house.client_with(*(set(Permission) - {Permission.LEDGER_READ}))
    for path in ("", "/0", "/0/proof", "/head", "/verifications"):
        assert stranger.get(f"/v1/ledger{path}").status_code == 403
    assert stranger.post("/v1/ledger/verifications").status_code == 403
