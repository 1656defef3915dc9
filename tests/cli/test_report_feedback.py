"""``tutela report feedback``: the machine's operator enters what authorities say."""

import json
from pathlib import Path

import pytest

from tests.cli.command import json_lines, tutela
from tests.reporting.following.answered import came, sent
from tests.reporting.world import World
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.reporting.following.model import FeedbackKind
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings


@pytest.fixture
def settings(data: Path) -> Settings:
    return load_settings(data=data, cells=1)


@pytest.fixture
def world(settings: Settings) -> World:
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    vault = Vault.over(settings, database, system_clock)
    prepare_keys(vault.keyring, database, tell=lambda _: None)
    return World(settings, database, vault, system_clock)


def say(settings: Settings, *words: str | Path) -> list[dict]:
    done = tutela(settings, "report", "feedback", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json_lines(done)


def test_feedback_is_entered_read_and_settled_by_commands(
    settings: Settings, world: World, tmp_path: Path
) -> None:
    report = str(sent(world))
    unknown = came(world, FeedbackKind.DESTRUCTION_REQUESTED, named="x")
    world.database.close()
    file = tmp_path / "words.txt"
    file.write_text("words of the authority")
    (asked,) = say(settings, "add", report, "more-wanted", "--words", file, "--reference", "R-1")
    assert asked["open"] is True
    (shown,) = say(settings, "show", str(asked["id"]))
    assert shown["words"] == "words of the authority"
    (letter,) = say(settings, "add", report, "preservation-letter", "--for", "90d")
    assert (letter["open"], letter["period"]) == (False, "90d")
    assert [each["id"] for each in say(settings, "ls", "--open")] == [asked["id"], unknown]
    say(settings, "attach", str(unknown), report)
    say(settings, "follow", str(unknown), "--reason", "they asked")
    say(settings, "settle", str(asked["id"]), "--reason", "answered by mail")
    told = tutela(settings, "report", "feedback", "ls")
    assert "asks for more" in told.stdout
    assert say(settings, "ls", "--open") == []
    refused = tutela(settings, "report", "feedback", "add", report, "other")
    assert (refused.returncode, "words" in refused.stderr) == (2, True)
    done = tutela(settings, "report", "feedback", "show", str(letter["id"]))
    assert "asks that the evidence be kept" in " ".join(done.stderr.split())
    assert json.dumps(letter)
