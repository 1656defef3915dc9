"""A server that is killed while somebody decides: the decision is whole, or not there at all."""

import os
import random
import re
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.keys import Keys
from sqlalchemy import select

from tests.browser import running_browser
from tests.cases.world import a_case, matched, state_of, with_evidence
from tests.cli.test_serving import serving
from tests.cli.test_serving_many import workers_of
from tests.console.visitors import COOKIE, new_person, new_session
from tests.console.walking import Walker
from tests.waiting import comes_true
from tutela.accounts.permissions import Role
from tutela.cases.deciding import decisions_of
from tutela.cases.states import State
from tutela.ledger.tables import ledger_entries
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings

KILLS = 60 if "TUTELA_TEST_SOAK" in os.environ else 3
# Decided whatever the lot says, so that each case ends confirmed or stays as it was.
REVIEW = {"TUTELA_REVIEW__SECOND_LOOK_PERCENT": "0", "TUTELA_REVIEW__SECOND_LOOK_FOR": "[]"}


@dataclass(frozen=True)
class Served:
    """A house that another process runs, as a walker sees it."""

    address: str


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in REVIEW.items():
        monkeypatch.setenv(name, value)
    return load_settings(data=tmp_path / "data", cells=1)


@pytest.fixture
def database(settings: Settings) -> Database:
    opened = Database.open(settings)
    upgrade(opened, settings.data, tell=lambda _: None)
    yield opened
    opened.close()


def new_case(database: Database, content: bytes) -> str:
    case = a_case(database, system_clock, content)
    with_evidence(database, case)
    matched(database, system_clock, case)
    return case


def is_whole(database: Database, case: str) -> bool:
    """Whether a decision is there; if it is not, nothing of it may be."""
    with database.reading() as connection:
        decisions = decisions_of(connection, case)
        moves = connection.execute(
            select(ledger_entries.c.thing).where(
                ledger_entries.c.case_id == case, ledger_entries.c.act == "case.moved"
            )
        ).scalars()
        confirmed = list(moves).count("move:confirm")
    signs = {
        len(decisions) == 1,
        confirmed == 1,
        state_of(database, case) is State.CONFIRMED,
    }
    assert len(signs) == 1, f"half of a decision: {decisions}, {confirmed} moves"
    return signs.pop()


@pytest.mark.timeout(600)
def test_a_decision_survives_the_server_whole_or_not_at_all(
    settings: Settings, database: Database
) -> None:
    token = new_session(database, system_clock, new_person(database, system_clock, Role.REVIEWER))
    there = []
    for number in range(KILLS):
        case = new_case(database, b"kill %d" % number)
        with serving(settings) as (running, address):
            client = httpx.Client(base_url=address, headers={"Origin": address}, timeout=30)
            client.cookies.set(COOKIE, token)
            assert client.post(f"/cases/{case}/take").status_code == 303
            hold = re.search(r'name="hold" value="(\d+)"', client.get(f"/cases/{case}").text)
            assert hold
            sent = {"hold": hold[1], "decision": "confirmed", "basis": "digest"}
            asking = threading.Thread(target=_ask, args=(client, f"/cases/{case}/decide", sent))
            asking.start()
            time.sleep(random.uniform(0, 0.03))
            running.kill()
            asking.join()
            client.close()
        there.append(is_whole(database, case))
        # Whoever comes back finds it either decided, or theirs as before.
        assert state_of(database, case) in (State.CONFIRMED, State.IN_REVIEW)
    assert len(there) == KILLS


@pytest.mark.timeout(300)
def test_a_reviewer_goes_on_when_a_worker_is_killed_under_their_hands(
    settings: Settings, database: Database
) -> None:
    case = new_case(database, b"under their hands")
    token = new_session(database, system_clock, new_person(database, system_clock, Role.REVIEWER))
    with (
        serving(settings, "--workers", "2") as (running, address),
        running_browser() as browser,
    ):
        walker = Walker(browser, Served(address))
        walker.enter(token)
        walker.go("/queue")
        walker.press("n")
        walker.wait_for("h1", case)
        walker.press("c")
        walker.wait_for(".sheet h2")
        before = workers_of(running.pid)
        killing = threading.Timer(
            0.01, lambda: [os.kill(worker, signal.SIGKILL) for worker in before]
        )
        killing.start()
        with suppress(WebDriverException):
            walker.press(Keys.ENTER)
        killing.join()
        assert comes_true(lambda: len(workers_of(running.pid) - before) == 2)
        assert comes_true(lambda: _answers(address))
        if not is_whole(database, case):
            walker.go("/queue")
            walker.press("n")
            walker.wait_for("h1", case)
            walker.press("c")
            walker.wait_for(".sheet h2")
            walker.press(Keys.ENTER)
            walker.wait_for("#said", case)
        assert is_whole(database, case)


def _ask(client: httpx.Client, path: str, sent: dict[str, str]) -> None:
    # The server may die before it answers.
    with suppress(httpx.HTTPError):
        client.post(path, data=sent)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", timeout=5).is_success
    except httpx.HTTPError:
        return False
