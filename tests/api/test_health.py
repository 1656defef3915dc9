"""Those who watch over the service learn how it is; strangers learn nothing of verdicts."""

import hashlib
from contextlib import ExitStack

import pytest

from tests.house import House
from tests.pictures import drawn, encoded
from tests.waiting import comes_true
from tutela.accounts.permissions import Permission
from tutela.matching.durable import exclusive
from tutela.storage.database import Database

KNOWN = encoded(drawn(1))


def test_a_healthy_house_says_so(make_house) -> None:
    with make_house() as house:
        stranger = house.stranger()
        # The ledger is first looked at in the background.
        assert comes_true(lambda: house.service.checkpoints.has_looked)
        assert stranger.get("/healthz").json() == {"status": "ok"}
        ready = stranger.get("/readyz")
        assert ready.status_code == 200
        assert {check["name"]: check["ok"] for check in ready.json()["checks"]} == {
            "database": True,
            "index": True,
            "cells": True,
            "vault": True,
            "ledger": True,
        }


def test_the_house_is_looked_over_for_those_who_may_see_settings(make_house) -> None:
    with make_house() as house:
        answer = house.client_with(Permission.SETTINGS_READ).get("/v1/health")
        found = {each["name"]: each["how"] for each in answer.json()["findings"]}
        assert found["cells"] == "well"
        assert "sandbox: seccomp" in found


def test_a_house_whose_database_is_gone_is_not_ready_and_tells_no_addresses(
    make_house, capfd: pytest.CaptureFixture[str]
) -> None:
    with make_house() as house:
        nowhere = house.settings.model_copy(
            update={"database_url": "postgresql://me:hunter2@127.0.0.1:1/none"}
        )
        object.__setattr__(house.service, "database", Database.open(nowhere))
        ready = house.stranger().get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["checks"][0] == {
            "name": "database",
            "ok": False,
            "detail": "does not work; the service's log says why",
        }
        answer = house.client.get("/v1/cases")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert "127.0.0.1" not in answer.text
        assert house.stranger().get("/healthz").status_code == 200
    said = capfd.readouterr().err
    assert '"event": "not ready"' in said
    assert "hunter2" not in said


def test_without_a_key_the_metrics_do_not_move_with_verdicts(make_house) -> None:
    with make_house() as house:
        house.add_picture("partner", KNOWN)

        def names(text: str) -> set[str]:
            return {
                line.split("{")[0].split(" ")[0] for line in text.splitlines() if line[0] != "#"
            }

        stranger = house.stranger()
        house.client.post("/v1/screen", files={"file": ("p.png", KNOWN)})
        opened = stranger.get("/metrics").text
        assert "partner" not in opened
        assert names(opened) <= {
            "tutela_http_requests_total",
            "tutela_http_requests_created",
            "tutela_list_entries",
        }
        assert 'tutela_http_requests_total{method="POST",route="/v1/screen"}' in opened
        with_key = house.client_with(Permission.METRICS_READ).get("/metrics").text
        assert 'tutela_matched_files_total{list="partner",verdict="match"} 1.0' in with_key
        assert "tutela_http_request_seconds_bucket" in with_key
        assert house.client_with(Permission.SCREEN).get("/metrics").status_code == 403


def test_a_method_that_nobody_knows_leaves_no_word_of_it_in_the_metrics(make_house) -> None:
    with make_house() as house:
        for method in ("FOOBAR", "PURGE"):
            house.stranger().request(method, "/v1/screen")
        text = house.stranger().get("/metrics").text
        assert "FOOBAR" not in text
        assert "PURGE" not in text
        assert 'method="other"' in text


def test_an_address_that_is_not_there_is_a_problem_document(make_house) -> None:
    with make_house() as house:
        answer = house.stranger().get("/v1/nothing")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert house.stranger().get("/v1/screen").status_code == 405


def test_the_home_page_says_how_the_house_is(make_house) -> None:
    with make_house() as house:
        page = house.stranger().get("/")
        assert page.status_code == 200
        assert "Tutela" in page.text
        assert house.stranger().get("/docs").status_code == 200


def test_an_unforeseen_error_tells_neither_the_caller_nor_the_log_what_was_sent(
    house_that_breaks: House, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = {"file": ("holiday-secret.png", b"very secret bytes")}
    answer = house_that_breaks.client.post("/v1/screen", files=sent)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    said = capfd.readouterr().err
    assert '"event": "unforeseen"' in said
    assert '"error": "ZeroDivisionError"' in said
    assert "secret" not in said + answer.text


@pytest.fixture
def house_that_breaks(make_house):
    with make_house() as house:
        capacity = house.service.capacity

        class Breaking(type(capacity)):
            def place(self):
                raise ZeroDivisionError("very secret words")

        object.__setattr__(house.service, "capacity", Breaking(1, 1))
        yield house


def test_a_house_with_a_damaged_index_answers_by_the_rest_while_it_is_built_anew(
    make_house,
) -> None:
    older, newer = b"first of the list", b"last of the list"
    with make_house() as house:
        house.add_digest("partner", older)
        for number in range(9):
            house.add_digest("partner", b"another %d" % number)
        house.add_digest("partner", newer)
        folder = house.settings.data / "index"
    damaged = max(folder.glob("*.segment"))
    content = bytearray(damaged.read_bytes())
    content[0] ^= 1
    damaged.write_bytes(content)

    def verdict(house: House, content: bytes) -> str:
        sent = {"fingerprints": {"sha256": hashlib.sha256(content).hexdigest()}}
        return str(house.client.post("/v1/screen", json=sent).json()["verdict"])

    with ExitStack() as stack:
        # Whoever would build it anew has to wait for the lock.
        lock = stack.enter_context(ExitStack())
        lock.enter_context(exclusive(folder))
        house = stack.enter_context(make_house())
        assert verdict(house, older) == "match"
        assert verdict(house, newer) == "clear"
        assert house.client.get("/readyz").status_code == 503
        lock.close()
        assert comes_true(lambda: house.client.get("/readyz").status_code == 200)
        assert verdict(house, older) == verdict(house, newer) == "match"
