"""Addresses, keys and secrets come from the directory and the settings, as they are just now."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.reporting.letter_world import AUTHORITY
from tests.reporting.packages.letters import KEY
from tests.reporting.world import World
from tutela.reporting.channel import WrongCredentialsError
from tutela.reporting.channels import Channels
from tutela.reporting.finding import find_report
from tutela.reporting.letterboxes import openings_of_letters
from tutela.reporting.model import ChannelKind
from tutela.reporting.sealed_mail import SealedMail
from tutela.reporting.signed_webhook import SignedWebhook
from tutela.storage.settings import Reporting
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
    return Channels(settings, openings_of_letters(settings, world.clock)).find(report)


def test_a_way_that_is_whole_is_opened(world: World, tmp_path) -> None:
    assert isinstance(opened(world, tmp_path, ChannelKind.SEALED_MAIL), SealedMail)
    two = f"{new_secret()} {new_secret()}"
    assert isinstance(opened(world, tmp_path, ChannelKind.WEBHOOK, two), SignedWebhook)


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
