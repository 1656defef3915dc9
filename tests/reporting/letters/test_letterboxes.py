"""Addresses, keys and secrets come from the directory and the settings, as they are just now."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.cases.world import OPERATOR
from tests.mail_office import running_mail_office
from tests.reporting.letter_world import AUTHORITY, DETAILS
from tests.reporting.packages.letters import KEY, REPORT
from tests.reporting.world import World
from tutela.reporting.authorities.changing import set_channel
from tutela.reporting.delivery.channel import WrongCredentialsError
from tutela.reporting.delivery.channels import Channels
from tutela.reporting.delivery.queueing import queue
from tutela.reporting.finding import find_report, find_reports
from tutela.reporting.jobs import kinds_of_reports
from tutela.reporting.letters.letterboxes import openings_of_letters
from tutela.reporting.letters.sealed_mail import SealedMail
from tutela.reporting.letters.signed_webhook import SignedWebhook
from tutela.reporting.model import ChannelKind
from tutela.reporting.states import Move, State
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.settings import Mail, MailSecurity, Reporting
from tutela.webhooks.signing import new_secret

_WAY = """
[[channel]]
authority = "xx-police"
kind = "{kind}"
version = 1
address = "{address}"
recipients = "{recipients}"
"""
_STOOD_FOR = 'source = "a letter of theirs"\nchecked_on = 2026-01-15\n'
_DIRECTORY = """
edition = 1
[[authority]]
id = "xx-police"
version = 1
name = "State Police of Example"
country = "XX"
kind = "police"
"""


def opened(  # type: ignore[no-untyped-def]
    world: World, tmp_path: Path, kind: ChannelKind, secret: str | None = None, **changes: str
):
    way = {"kind": str(kind), "address": "https://police.example/hook", "recipients": KEY} | changes
    if kind is ChannelKind.SEALED_MAIL:
        way = {"address": "reports@police.example"} | way | {"address": "reports@police.example"}
    way |= changes
    stood_for = way.pop("stood_for", _STOOD_FOR)
    file = tmp_path / "directory.toml"
    file.write_text(_DIRECTORY + _STOOD_FOR + _WAY.format(**way) + stood_for)
    secrets = {} if secret is None else {AUTHORITY: SecretStr(secret)}
    settings = world.settings.model_copy(
        update={"reporting": Reporting(authorities=file, webhook_secrets=secrets)}
    )
    number = world.draft(world.case(), authority=AUTHORITY, channel=kind)
    with world.database.reading() as connection:
        report = find_report(connection, number)
    return Channels(settings, openings_of_letters(settings, world.database, world.clock)).find(
        report
    )


def test_a_way_that_is_whole_is_opened(world: World, tmp_path) -> None:
    assert isinstance(opened(world, tmp_path, ChannelKind.SEALED_MAIL), SealedMail)
    two = f"{new_secret()} {new_secret()}"
    assert isinstance(opened(world, tmp_path, ChannelKind.WEBHOOK, two), SignedWebhook)


def test_an_address_that_somebody_sets_counts_at_once(world: World, tmp_path) -> None:
    with pytest.raises(WrongCredentialsError, match="nobody stands for"):
        opened(world, tmp_path, ChannelKind.SEALED_MAIL, stood_for="")
    settings = world.settings.model_copy(
        update={"reporting": Reporting(authorities=tmp_path / "directory.toml")}
    )
    with world.database.writing() as connection:
        set_channel(
            connection,
            settings,
            OPERATOR.actor,
            world.clock,
            authority=AUTHORITY,
            kind=ChannelKind.SEALED_MAIL,
            source="their letter",
            address="other@police.example",
            recipients=KEY,
        )
    with world.database.reading() as connection:
        (report,) = find_reports(connection)
    openings = openings_of_letters(settings, world.database, world.clock)
    assert isinstance(Channels(settings, openings).find(report), SealedMail)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"address": ""}, "lacks its address or its public key"),
        ({"recipients": ""}, "lacks its address or its public key"),
        ({"recipients": "age1nonsense"}, "is not a public key"),
        ({"stood_for": ""}, "nobody stands for"),
    ],
)
def test_one_that_lacks_something_says_what(world: World, tmp_path, changes, words: str) -> None:
    with pytest.raises(WrongCredentialsError, match=words):
        opened(world, tmp_path, ChannelKind.SEALED_MAIL, **changes)


@pytest.mark.parametrize("url", ["http://police.example/", "https://10.0.0.1/", "nonsense"])
def test_a_webhook_at_no_place_of_the_web_is_none(world: World, tmp_path, url: str) -> None:
    with pytest.raises(WrongCredentialsError, match="webhook"):
        opened(world, tmp_path, ChannelKind.WEBHOOK, new_secret(), address=url)


@pytest.mark.parametrize("secret", [None, "hunter2", "whsec_short"])
def test_a_webhook_without_a_secret_is_none(world: World, tmp_path, secret) -> None:
    with pytest.raises(WrongCredentialsError, match="no secret for xx-police") as caught:
        opened(world, tmp_path, ChannelKind.WEBHOOK, secret)
    assert "hunter2" not in caught.value.message


def test_the_house_itself_sends_a_report_by_its_way(world: World, tmp_path) -> None:
    with running_mail_office() as office:
        mail = Mail(server="127.0.0.1", port=office.port, security=MailSecurity.NONE)
        file = tmp_path / "directory.toml"
        way = {"kind": "sealed-mail", "address": "reports@police.example", "recipients": KEY}
        file.write_text(_DIRECTORY + _STOOD_FOR + _WAY.format(**way) + _STOOD_FOR)
        settings = world.settings.model_copy(
            update={"mail": mail, "reporting": Reporting(authorities=file)}
        )
        case = world.case(b"a landscape")
        content = REPORT.model_dump_json().encode()
        report = world.draft(
            case,
            content,
            world.files(case, DETAILS),
            authority=AUTHORITY,
            channel=ChannelKind.SEALED_MAIL,
        )
        world.move(report, Move.SIGN)
        with world.database.writing() as connection:
            queue(connection, settings, report, OPERATOR, world.clock)
        kinds = kinds_by_name(kinds_of_reports(settings, world.vault, world.clock))
        for job in claim(world.database, kinds, world.clock, most=9, worker="test:1"):
            perform(world.database, job, kinds[job.kind], world.clock, lambda *_: None)
        (arrived,) = office.received
    assert arrived.recipient == "reports@police.example"
    with world.database.reading() as connection:
        sent = find_report(connection, report)
    assert (sent.state, f"<{sent.remote_id}>") == (State.SENT, arrived.message["Message-ID"])
