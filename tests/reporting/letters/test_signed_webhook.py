"""A report by webhook arrives sealed and signed, and each copy bears the same ``webhook-id``."""

import base64
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.evidence.disclosure.authority import Authority
from tests.reporting.letter_world import LetterWorld, addressee
from tests.reporting.world import World
from tests.waiting import comes_true
from tests.webhooks.receiver import Receiver, running_receiver
from tutela.reporting.letters.signed_webhook import SignedWebhook
from tutela.reporting.model import ChannelKind
from tutela.reporting.states import State
from tutela.storage.settings import Reporting, Settings, Webhooks
from tutela.webhooks.signing import new_secret

OWN = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        running.secrets.append(new_secret())
        running.status, running.answer = 200, b'{"receipt": "GZ 17/2026"}'
        yield running


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "organisation": "Example Förum",
            "webhooks": Webhooks(private_networks=OWN),
            "reporting": Reporting(webhook_mebibytes=2),
        }
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def house(world: World, authority: Authority, receiver: Receiver, clock) -> LetterWorld:
    # The receiver's library looks at the time of the signature.
    from tutela.storage.clock import system_clock

    clock.now = system_clock()
    return LetterWorld(
        world, authority, ChannelKind.WEBHOOK, channel(world, authority, receiver.address, receiver)
    )


def channel(world: World, authority: Authority, url: str, receiver: Receiver) -> SignedWebhook:
    return SignedWebhook(world.settings, addressee([authority]), url, receiver.secrets, world.clock)


def package_of(body: bytes) -> bytes:
    told = json.loads(body)["data"]["package"]
    content = base64.b64decode(told["content"], validate=True)
    assert len(content) == told["size"]
    return content


def test_a_report_arrives_sealed_and_signed(house, receiver, tmp_path) -> None:
    content = os.urandom(300_000)
    report = house.queued(content)
    house.work()
    (told,) = receiver.told
    assert told.data is not None, "the signature is not right"
    assert told.data["type"] == "report.sent"
    data = told.data["data"]
    assert told.message == data["identifier"]
    assert (data["report"], data["copy"], data["repeats"]) == (report, 1, False)
    assert (data["from"], data["environment"], data["notice"]) == ("Example Förum", "live", "")
    for hidden in (b"words of the chat", b"192.0.2.1", b"ada@forum", b"landscape"):
        assert hidden not in told.body
    document = house.document(package_of(told.body), tmp_path / "x")
    assert document["sending"]["identifier"] == told.message
    folder = tmp_path / "x" / "opened" / f"tutela-report-{report}"
    assert (folder / document["files"][0]["file"]).read_bytes() == content
    sent = house.report(report)
    assert (sent.state, sent.remote_id) == (State.SENT, "GZ 17/2026")
    kept = zipfile.ZipFile(io.BytesIO(b"".join(house.world.vault.open(sent.receipt))))
    assert kept.read("answer.txt") == b'{"receipt": "GZ 17/2026"}'
    assert json.loads(kept.read("report.json")) == document


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        (b'{"receipt": 4711}', "4711"),
        (b"", None),
        (b"thank you", None),
        (b'{"receipt": ""}', None),
        (b'{"receipt": ["x"]}', None),
        (b'{"receipt": true}', None),
        (b'{"receipt": "a\\u0000b"}', None),
        (b'["receipt"]', None),
        (b"[" * 4000, None),
        (b'{"receipt": "' + b"x" * 9000 + b'"}', None),
        (b"\xff\xfe", None),
        (b'{"receipt": "' + b"x" * 500 + b'"}', "x" * 200),
    ],
)
def test_whatever_it_answers_a_good_status_says_that_it_has_it(
    house, receiver, answer: bytes, number: str | None
) -> None:
    receiver.answer = answer
    report = house.queued()
    house.work()
    sent = house.report(report)
    assert sent.state is State.SENT
    assert sent.remote_id == (number or receiver.told[0].message)


def test_one_that_answers_nothing_is_told_again_as_the_same(house, receiver, tmp_path) -> None:
    receiver.status = 502
    report = house.queued()
    house.work()
    assert "answered 502" in house.why_it_waits()
    receiver.status = 200
    house.later()
    first, second = receiver.told
    assert first.message == second.message
    again = json.loads(second.body)["data"]
    assert (again["copy"], again["repeats"]) == (2, True)
    assert "It is not known whether an earlier copy" in again["notice"]
    assert house.document(package_of(second.body), tmp_path / "x")["sending"]["repeats"]
    assert house.outcomes(report) == ["unknown", "sent"]


def test_one_that_was_never_reached_is_no_copy(house, receiver) -> None:
    reached = house.channel
    house.channel = channel(house.world, house.authority, "http://127.0.0.1:1/hooks", receiver)
    report = house.queued()
    house.work()
    assert "no connection" in house.why_it_waits()
    house.channel = reached
    house.later()
    assert json.loads(receiver.told[0].body)["data"]["copy"] == 1
    assert house.outcomes(report) == ["abandoned", "sent"]


def test_one_that_asks_for_time_gets_it(house, receiver) -> None:
    receiver.status = 429
    receiver.headers["retry-after"] = "7200"
    report = house.queued()
    house.work()
    receiver.status = 200
    house.later(minutes=110)
    assert len(receiver.told) == 1
    house.later(minutes=15)
    assert house.report(report).state is State.SENT


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_report_that_is_refused_needs_a_person(house, receiver, status: int) -> None:
    receiver.status = status
    report = house.queued()
    house.work()
    stopped = house.report(report)
    assert stopped.state is State.STOPPED
    assert f"answered {status}" in stopped.trouble
    assert house.outcomes(report) == ["abandoned"]


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 410])
def test_a_way_that_is_wrong_stops_and_no_report_with_it(house, receiver, status: int) -> None:
    receiver.status = status
    with running_receiver() as elsewhere:
        receiver.headers["location"] = elsewhere.address
        report = house.queued()
        house.work()
        assert elsewhere.told == []
    assert house.report(report).state is State.QUEUED
    assert f"answered {status}" in house.state().why


def test_a_private_address_is_not_knocked_at(house, receiver) -> None:
    closed = house.world.settings.model_copy(update={"webhooks": Webhooks()})
    house.channel = SignedWebhook(
        closed, addressee([house.authority]), receiver.address, receiver.secrets, house.world.clock
    )
    house.queued()
    house.work()
    assert "private network" in house.why_it_waits()
    assert receiver.told == []


def test_a_report_that_is_too_large_is_refused_before_it_is_sent(house, receiver) -> None:
    report = house.queued(bytes(3 << 20))
    house.work()
    trouble = house.report(report).trouble
    assert "is too large (the settings allow 2 MiB)" in trouble
    assert "reporting.webhook_mebibytes" in trouble
    assert receiver.told == []


def test_while_a_secret_changes_both_are_known(house, receiver) -> None:
    old, new = receiver.secrets[0], new_secret()
    for known in (old, new):
        house.channel = SignedWebhook(
            house.world.settings,
            addressee([house.authority]),
            receiver.address,
            [new, old],
            house.world.clock,
        )
        receiver.secrets = [known]
        house.queued()
        house.work()
        assert receiver.told[-1].data is not None


def test_who_lost_the_lease_before_the_end_has_sent_nothing_whole(
    house, receiver, monkeypatch
) -> None:
    from sqlalchemy import update

    from tutela.storage.jobs.tables import jobs

    class Thief(SignedWebhook):
        def _post(self, sending, letter, package):  # type: ignore[no-untyped-def]
            opened = sending.notebook.opened

            def steal(attempt, remote_id):  # type: ignore[no-untyped-def]
                noted = opened(attempt, remote_id)
                with house.world.database.writing() as connection:
                    connection.execute(update(jobs).values(token=jobs.c.token + 1))
                return noted

            sending.notebook.opened = steal
            return super()._post(sending, letter, package)

    house.channel = Thief(
        house.world.settings,
        addressee([house.authority]),
        receiver.address,
        receiver.secrets,
        house.world.clock,
    )
    report = house.queued(os.urandom(500_000))
    house.work()
    # What came of it is neither whole nor signed.
    assert [each.data for each in receiver.told] in ([], [None])
    assert house.report(report).state is State.QUEUED
    assert house.outcomes(report) == [None]


def test_one_that_never_answers_leaves_a_question(house, receiver, monkeypatch) -> None:
    monkeypatch.setattr("tutela.reporting.letters.signed_webhook._SECONDS", 1)
    receiver.before_answer = threading.Event()
    report = house.queued()
    house.work()
    receiver.before_answer.set()
    assert "no answer within" in house.why_it_waits()
    receiver.before_answer = None
    house.later()
    assert house.outcomes(report) == ["unknown", "sent"]
    assert len({each.message for each in receiver.told}) == 1


_WORKER = """
import sys
from ipaddress import ip_network
from pathlib import Path
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.evidence.vault import Vault
from tutela.reporting.delivery.channels import Channels
from tutela.reporting.delivery.delivering import delivering
from tutela.reporting.letters.letters import Addressee
from tutela.reporting.model import ChannelKind
from tutela.reporting.letters.signed_webhook import SignedWebhook
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.leasing import claim
from tutela.storage.settings import Webhooks, load_settings
data, url, address, secret, key = sys.argv[1:]
own = Webhooks(private_networks=(ip_network("127.0.0.0/8"),))
settings = load_settings(data=Path(data), database_url=url or None, webhooks=own)
database = Database.open(settings)
vault = Vault.over(settings, database, system_clock)
addressee = Addressee("State Police of Example", read_recipients(key, "f"))
channel = SignedWebhook(settings, addressee, address, [secret], system_clock)
channels = Channels(settings, {ChannelKind.WEBHOOK: lambda _: channel})
kind = delivering(settings, vault, channels, system_clock)
(job,) = claim(database, {kind.name: kind}, system_clock, most=1, worker="test:2")
kind.run(job)
"""


def test_a_worker_that_is_killed_before_the_answer_loses_nothing(house, receiver) -> None:
    settings = house.world.settings
    report = house.queued()
    receiver.before_answer = threading.Event()
    worker = subprocess.Popen(
        [
            *(sys.executable, "-c", _WORKER, settings.data, settings.database_url or ""),
            *(receiver.address, receiver.secrets[0], house.authority.key),
        ]
    )
    assert comes_true(lambda: len(receiver.told) == 1)
    worker.kill()
    worker.wait()
    receiver.before_answer.set()
    receiver.before_answer = None
    # After the lease of whoever was killed, and while the signature's time is still good.
    house.later(minutes=3)
    house.later(minutes=1)
    assert house.failures == []
    assert house.report(report).state is State.SENT
    assert house.outcomes(report) == ["unknown", "sent"]
    first, second = receiver.told
    assert first.message == second.message
    assert json.loads(second.body)["data"]["repeats"]
