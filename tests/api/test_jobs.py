"""``/v1/jobs``: what waits and what failed can be seen and looked after, by those who may."""

from collections.abc import Iterator

import pytest

from tests.house import House
from tutela.accounts.permissions import Permission
from tutela.ledger.reading import newest_entries
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import JobId


@pytest.fixture
def house(make_house) -> Iterator[House]:
    with make_house(job_threads=0) as house:
        yield house


def enqueued(house: House, kind: str = "job.rehearse", count: int = 1) -> list[JobId]:
    with house.service.database.writing() as connection:
        return [
            enqueue(connection, kind, {"seconds": 0}, house.service.clock) for _ in range(count)
        ]


def test_jobs_are_listed_page_by_page_and_counted_by_kind(house: House) -> None:
    numbers = enqueued(house, count=3) + enqueued(house, "unheard.of")
    first = house.client.get("/v1/jobs", params={"limit": 3}).json()
    assert [job["id"] for job in first["jobs"]] == numbers[:3]
    rest = house.client.get("/v1/jobs", params={"limit": 3, "after": first["after"]}).json()
    assert [job["id"] for job in rest["jobs"]] == numbers[3:]
    assert rest["after"] is None
    dead = house.client.get("/v1/jobs", params={"state": "dead"}).json()
    assert dead == {"jobs": [], "after": None}
    counts = {each["kind"]: each for each in house.client.get("/v1/jobs/kinds").json()["kinds"]}
    assert counts["job.rehearse"]["ready"] == 3
    assert counts["unheard.of"] == {"kind": "unheard.of", "ready": 1, "leased": 0, "dead": 0}
    assert counts["ledger.verify"]["ready"] == 0


def test_a_job_is_mended_retried_and_dropped_and_the_ledger_says_who_and_why(house: House) -> None:
    (job,) = enqueued(house)
    mended = house.client.post(
        f"/v1/jobs/{job}/mend", json={"payload": {"seconds": 1}, "reason": "too short"}
    )
    assert mended.json()["payload"] == {"seconds": 1}
    assert house.client.post(f"/v1/jobs/{job}/retry", json={}).json()["state"] == "ready"
    assert house.client.post(f"/v1/jobs/{job}/drop", json={"reason": " "}).status_code == 422
    assert house.client.post(f"/v1/jobs/{job}/drop", json={"reason": "x"}).status_code == 204
    assert house.client.get(f"/v1/jobs/{job}").status_code == 404
    with house.service.database.reading() as connection:
        entries = newest_entries(connection, 3)
    assert [entry.act for entry in entries] == ["job.dropped", "job.retried", "job.mended"]
    assert {(entry.actor, entry.thing) for entry in entries} == {("key:1", f"job:{job}")}


def test_who_may_only_see_jobs_changes_none(house: House) -> None:
    (job,) = enqueued(house)
    reader = house.client_with(Permission.JOBS_READ)
    assert reader.get(f"/v1/jobs/{job}").status_code == 200
    for act, body in (("retry", {}), ("mend", {"payload": {}}), ("drop", {"reason": "x"})):
        assert reader.post(f"/v1/jobs/{job}/{act}", json=body).status_code == 403
