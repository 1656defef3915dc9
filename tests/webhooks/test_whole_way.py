"""From a decision to the platform and back, over real servers, whatever is killed."""

import multiprocessing
import os
import threading
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.cases.telling import uploaded
from tests.cases.world import a_case, decided, person
from tests.console.visitors import new_person
from tests.house import House, running_house
from tests.waiting import comes_true
from tests.webhooks.conftest import ACTOR
from tests.webhooks.receiver import Receiver, running_receiver
from tutela.accounts.keys import add_key
from tutela.accounts.permissions import Permission, Role
from tutela.cases.deciding import Decision
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.jobs.worker import Worker
from tutela.storage.migration import upgrade
from tutela.storage.settings import Review, Settings, Webhooks, load_settings
from tutela.webhooks.endpoints import add_endpoint
from tutela.webhooks.jobs import kinds_of_webhooks
from tutela.webhooks.model import CHOOSABLE, Event, EventKind
from tutela.webhooks.sending import announce

# Nobody whom a test adds has this number.
REVIEWER = person(99)
_FORKING = multiprocessing.get_context("forkserver")


def own(settings: Settings) -> Settings:
    """Settings by which a decision counts at once, and may be told on this machine."""
    return settings.model_copy(
        update={
            "webhooks": Webhooks(private_networks=(ip_network("127.0.0.0/8"),), timeout_seconds=30),
            "review": Review(undo_seconds=0, second_look_percent=0, second_look_for=()),
        }
    )


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return own(settings)


@pytest.fixture
def receiver():
    with running_receiver() as running:
        yield running


def lead_client(house: House):
    """A key that belongs to a lead."""
    database, clock = house.service.database, house.service.clock
    lead = new_person(database, clock, Role.LEAD)
    with database.writing() as connection:
        key = add_key(connection, "of a lead", lead.permissions, ACTOR, clock, owner=lead.id)
    return house.stranger({"Authorization": f"Bearer {key}"})


def told(receiver: Receiver, kind: str, case: str) -> dict:
    def there() -> bool:
        return any(
            each.data and each.data["type"] == kind and each.data["data"].get("case") == case
            for each in receiver.told
        )

    assert comes_true(there), f"{kind}: {receiver.types()}"
    return next(
        each.data["data"]
        for each in receiver.told
        if each.data and each.data["type"] == kind and each.data["data"].get("case") == case
    )


def test_the_platform_hears_of_decisions_and_appeals(settings, receiver) -> None:
    with running_house(settings, system_clock) as house:
        database = house.service.database
        added = house.client.post(
            "/v1/webhooks",
            json={"name": "forum", "url": receiver.address, "events": list(CHOOSABLE)},
        )
        assert added.status_code == 201, added.text
        receiver.secrets.append(added.json()["secret"])
        assert "secret" not in house.client.get("/v1/webhooks").json()["webhooks"][0]

        case = a_case(database, system_clock, b"one")
        uploaded(database, system_clock, case, "upload-1", "user-1")
        decided(database, system_clock, settings, case, REVIEWER)
        blocked = told(receiver, "item.blocked", case)
        assert (blocked["items"], blocked["subject"]) == (["upload-1"], "user-1")
        told(receiver, "account.flagged", case)

        forum = house.client_with(Permission.CASES_OPEN)
        words = {"words": "It is a picture of our garden."}
        appeal = forum.post(f"/v1/cases/{case}/appeals", json=words)
        assert appeal.status_code == 201, appeal.text
        assert appeal.json()["words"] is None
        decision = {"outcome": "granted", "reason": "it is a garden"}
        number = appeal.json()["appeal"]
        refused = forum.post(f"/v1/appeals/{number}/decision", json=decision)
        assert refused.status_code == 403
        lead = lead_client(house)
        waiting = lead.get("/v1/appeals").json()["appeals"]
        assert [each["words"] for each in waiting] == [words["words"]]
        granted = lead.post(f"/v1/appeals/{number}/decision", json=decision)
        assert granted.status_code == 200, granted.text
        lifted = told(receiver, "item.lifted", case)
        assert lifted["items"] == ["upload-1"]
        assert lifted["number"] > blocked["number"]
        assert told(receiver, "appeal.decided", case)["outcome"] == "granted"
        told(receiver, "account.cleared", case)

        other = a_case(database, system_clock, b"two")
        uploaded(database, system_clock, other, "upload-2", "user-2")
        decided(database, system_clock, settings, other, REVIEWER, Decision.NOT_CONFIRMED)
        assert told(receiver, "item.lifted", other)["items"] == ["upload-2"]

        # What came in was signed, and nothing else came in.
        assert all(each.data for each in receiver.told)
        test = house.client.post(f"/v1/webhooks/{added.json()['id']}/test").json()["id"]
        assert comes_true(
            lambda: (
                house.client.get(f"/v1/webhooks/deliveries/{test}").json()["state"] == "delivered"
            )
        )
        log = house.client.get("/v1/webhooks/deliveries", params={"limit": 2}).json()
        assert len(log["deliveries"]) == 2
        assert log["before"] == log["deliveries"][-1]["id"]


def deliver_until_killed(data: Path, url: str | None) -> None:
    """A worker in a process of its own."""
    settings = own(load_settings(data=data, database_url=url))
    database = Database.open(settings)
    kinds = kinds_by_name(kinds_of_webhooks(settings, database, system_clock))
    with Worker(database, kinds, system_clock, threads=2, drain_seconds=0, tell=lambda *_: None):
        threading.Event().wait()


def test_what_a_killed_worker_was_sending_is_sent_under_the_same_id(
    settings, database, receiver
) -> None:
    upgrade(database, settings.data, tell=lambda _: None)
    receiver.before_answer = threading.Event()
    with database.writing() as connection:
        added = add_endpoint(
            connection, settings, ACTOR, system_clock,
            name="forum", url=receiver.address, events=CHOOSABLE,
        )  # fmt: skip
        receiver.secrets.append(added.secret)
        event = Event(EventKind.ITEM_LIFTED, None, {"items": ["upload-1"]}, "decision:1")
        announce(connection, event, system_clock)
    worker = _FORKING.Process(
        target=deliver_until_killed, args=(settings.data, settings.database_url), daemon=True
    )
    worker.start()
    assert comes_true(lambda: len(receiver.told) == 1)
    assert worker.pid is not None
    os.kill(worker.pid, 9)
    worker.join()
    receiver.before_answer.set()

    def later() -> datetime:
        return system_clock() + timedelta(minutes=2)

    kinds = kinds_by_name(kinds_of_webhooks(settings, database, later))

    def sent_again() -> bool:
        for job in claim(database, kinds, later, most=10, worker="test:1"):
            perform(database, job, kinds[job.kind], later, lambda *_: None)
        return len(receiver.told) == 2

    # The lease of the one that was killed has run out by then.
    assert comes_true(sent_again)
    first, second = receiver.told
    assert first.message == second.message
    assert first.body == second.body
    assert second.data is not None
    assert claim(database, kinds, later, most=10, worker="test:1") == []
