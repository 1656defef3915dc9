"""The operator's pages over HTTP: what they say, what they do, and whom they let in."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape

import httpx
import pytest
from sqlalchemy import delete, insert

from tests.console.visitors import signed_in
from tests.house import House, running_house
from tests.ledger.filling import fill
from tests.waiting import comes_true
from tutela.accounts.permissions import Role
from tutela.cases.counting_days import count_days
from tutela.console.language import languages
from tutela.ledger.reading import newest_entries
from tutela.storage.clock import system_clock
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import JobId
from tutela.storage.settings import load_settings
from tutela.webhooks.tables import webhook_endpoints

ENGLISH = languages()["en"].texts
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1)
    with running_house(settings, system_clock) as house:
        yield house


@pytest.fixture
def administrator(house: House) -> httpx.Client:
    return signed_in(house, Role.ADMINISTRATOR)[0]


def dead_letter(house: House) -> JobId:
    """A job that fails for good."""
    with house.service.database.writing() as connection:
        job = enqueue(connection, "job.rehearse", {"seconds": -1}, house.service.clock)
    client = house.client
    assert comes_true(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "dead")
    return job


def test_a_job_that_failed_for_good_is_mended_and_tried_again(
    house: House, administrator: httpx.Client
) -> None:
    job = dead_letter(house)
    page = administrator.get("/jobs").text
    assert f'href="/jobs/{job}"' in page
    assert "a rehearsal takes 0 to 3600 seconds" in administrator.get(f"/jobs/{job}").text
    mended = administrator.post(
        f"/jobs/{job}/mend", data={"payload": '{"seconds": 0}', "reason": "seconds cannot be less"}
    )
    assert mended.headers["location"] == f"/jobs/{job}"
    assert administrator.post(f"/jobs/{job}/retry", data={}).status_code == 303
    assert comes_true(lambda: administrator.get(f"/jobs/{job}").status_code == 404)
    with house.service.database.reading() as connection:
        acts = [entry.act for entry in newest_entries(connection, 2)]
    assert acts == ["job.retried", "job.mended"]


def test_a_job_is_dropped_only_with_a_reason(house: House, administrator: httpx.Client) -> None:
    job = dead_letter(house)
    assert administrator.post(f"/jobs/{job}/drop", data={"reason": " "}).status_code == 422
    assert administrator.post(f"/jobs/{job}/drop", data={"reason": "a test"}).status_code == 303
    assert administrator.get(f"/jobs/{job}").status_code == 404


def test_who_only_audits_sees_jobs_and_changes_none(house: House) -> None:
    job = dead_letter(house)
    auditor, _ = signed_in(house, Role.AUDITOR)
    page = auditor.get(f"/jobs/{job}")
    assert page.status_code == 200
    assert '<form method="post" action="/jobs' not in page.text
    assert auditor.post(f"/jobs/{job}/retry", data={}).status_code == 403


def test_the_ledger_is_looked_through_and_an_entry_proven(
    house: House, administrator: httpx.Client
) -> None:
    fill(house.service.database, house.service.clock, 60)
    assert administrator.get("/ledger").text.count('<th scope="row">') == 50
    few = administrator.get("/ledger", params={"actor": "key:1"}).text
    assert few.count('<th scope="row">') < 50
    wrong = administrator.get("/ledger", params={"since": "yesterday"})
    assert wrong.status_code == 422
    assert "is not a day" in wrong.text
    assert ENGLISH["ledger_none"] in administrator.get("/ledger?case=7K3M-9QPD-2X4H").text
    entry = administrator.get("/ledger/0").text
    assert re.search(r"<p>[A-Z][^<]+ <code dir=.ltr.>[a-z]+\.[a-z-]+</code></p>", entry)
    assert "a signed checkpoint over" in entry
    proof = administrator.get("/ledger/0/proof")
    assert proof.json()["form"] == "tutela-ledger-proof-1"
    assert "attachment" in proof.headers["content-disposition"]


def test_the_ledger_is_verified_from_its_page(house: House, administrator: httpx.Client) -> None:
    assert administrator.post("/ledger/verifications").status_code == 303
    assert comes_true(lambda: ENGLISH["ledger_sound"] in administrator.get("/ledger").text)


def test_settings_are_shown_to_who_has_just_proved_who_they_are(house: House) -> None:
    late, _ = signed_in(house, Role.ADMINISTRATOR, proved=False)
    answer = late.get("/settings")
    assert (answer.status_code, answer.headers["location"]) == (303, "/prove?next=/settings")
    page = signed_in(house, Role.ADMINISTRATOR)[0].get("/settings").text
    assert "max_distance" in page
    assert ENGLISH["setting_from_command_line"] in page


def test_what_settings_mean_is_said_in_the_readers_language(administrator: httpx.Client) -> None:
    page = administrator.get("/settings?lang=fr").text
    assert "<td>Le serveur de courrier (SMTP). <" in page
    assert "seuil usuel du secteur" in page
    assert '<span lang="en"' not in page


def test_health_tells_of_every_part(administrator: httpx.Client) -> None:
    page = administrator.get("/health").text
    for part in ("database", "index", "cells", "vault", "ledger"):
        assert ENGLISH[f"check_{part}"] in page
    for part in ("sandbox", "archives", "disk", "clock", "jobs", "webhooks"):
        assert ENGLISH[f"health_{part}"] in page


def test_a_webhook_that_fails_is_seen_on_the_page_of_health(
    house: House, administrator: httpx.Client
) -> None:
    values = {"url": "https://forum.example/", "events": "item.blocked", "created_at": NOW}
    rows = [{"name": "fails", "failing_since": NOW}, {"name": "works", "failing_since": None}]
    with house.service.database.writing() as connection:
        for row in rows:
            connection.execute(
                insert(webhook_endpoints).values(
                    **values, **row, is_on=True, created_by="test:1", failures=0
                )
            )
    page = administrator.get("/health").text
    assert "2 on, 1 failing" in page
    assert ENGLISH["health_do_webhooks"] in unescape(page)
    with house.service.database.writing() as connection:
        connection.execute(delete(webhook_endpoints))


def test_figures_are_shown_once_they_are_counted(house: House) -> None:
    lead, _ = signed_in(house, Role.LEAD)
    assert ENGLISH["numbers_none"] in lead.get("/numbers").text
    count_days(house.service.database, house.service.clock)
    assert ENGLISH["numbers_inflow"] in lead.get("/numbers").text


def test_a_list_is_made_and_filled_by_an_upload_and_its_entries_are_never_shown(
    house: House, administrator: httpx.Client
) -> None:
    assert ENGLISH["lists_none"] in administrator.get("/lists").text
    made = administrator.post("/lists", data={"name": "partner", "description": "A hotline"})
    address = made.headers["location"]
    again = administrator.post("/lists", data={"name": "partner"})
    assert (again.status_code, "already" in again.text) == (422, True)
    hashes = [f"{number:032x}" for number in range(20)]
    file = "md5\n" + "\n".join(hashes) + "\nnothing of a hash\n"
    sent = administrator.post(
        f"{address}/imports",
        data={"source": "Partner hotline", "kind": ""},
        files={"file": ("hashes.csv", file.encode())},
    )
    assert sent.status_code == 303, sent.text
    assert comes_true(lambda: ENGLISH["list_done"] in administrator.get(address).text)
    page = administrator.get(address).text
    assert "Partner hotline" in page
    assert "import-1.csv" in page
    assert not any(each in page for each in hashes)
    rejects = house.settings.data / "rejects" / "import-1.csv"
    assert "nothing of a hash" in rejects.read_text()
    assert list((house.settings.data / "uploads").iterdir()) == []
    sent = {"fingerprints": {"md5": hashes[7]}}
    asked = house.client.post
    assert comes_true(lambda: asked("/v1/screen", json=sent).json()["verdict"] == "match")
    administrator.post(
        f"{address}/withdrawals", data={"kind": "md5", "hash": hashes[7], "reason": "a mistake"}
    )
    one = {"kind": "md5", "hash": "f" * 32, "source": "ourselves"}
    assert administrator.post(f"{address}/entries", data=one).status_code == 303
    assert administrator.post(f"{address}/entries", data=one | {"hash": "x"}).status_code == 422
    assert administrator.post(f"{address}/remove", data={"reason": "a test"}).status_code == 303
    assert administrator.get(address).status_code == 404


def test_what_is_no_list_is_a_dead_letter_that_says_so(
    house: House, administrator: httpx.Client
) -> None:
    made = administrator.post("/lists", data={"name": "mistaken"})
    administrator.post(
        f"{made.headers['location']}/imports",
        data={"source": "nobody"},
        files={"file": ("picture.csv", bytes(range(256)) * 40)},
    )
    assert comes_true(lambda: "picture.csv" in administrator.get("/jobs?kind=lists.import").text)


@pytest.mark.parametrize("path", ["/lists", "/jobs", "/ledger", "/settings", "/health", "/numbers"])
def test_reviewers_are_told_whom_to_ask(house: House, path: str) -> None:
    reviewer, _ = signed_in(house, Role.REVIEWER)
    assert reviewer.get(path).status_code == 403
    stranger = house.stranger({"Accept": "text/html"}).get(path)
    assert stranger.headers["location"].startswith("/sign-in?next=")


def test_what_changes_what_is_found_or_loses_work_is_proved_first(house: House) -> None:
    late, _ = signed_in(house, Role.ADMINISTRATOR, proved=False)
    made = late.post("/lists", data={"name": "unproved"}).headers["location"]
    for path in (
        f"{made}/imports",
        f"{made}/entries",
        f"{made}/withdrawals",
        f"{made}/remove",
        "/lists/flags/1",
        "/jobs/1/mend",
        "/jobs/1/drop",
    ):
        assert late.post(path, data={}).headers["location"].startswith("/prove?next="), path
    assert ENGLISH["prove_first"] in late.get(made).text
    assert f'action="{made}/imports"' not in late.get(made).text
