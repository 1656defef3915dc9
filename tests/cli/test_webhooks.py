"""``tutela webhook``, ``tutela case appeal`` and ``tutela list flags`` do what the pages do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cases.telling import effects, uploaded
from tests.cases.world import a_case, decided, matched, person, reviewing
from tests.cli.command import tutela
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings, load_settings

REVIEWER = person(99)


@pytest.fixture
def settings(data: Path) -> Settings:
    """On SQLite: what the commands call is tried on both."""
    return load_settings(data=data)


@pytest.fixture
def ask(settings: Settings, database: Database) -> Callable[..., list[dict[str, Any]]]:
    """Runs a command, and gives what it prints for programs."""

    def run(*words: str) -> list[dict[str, Any]]:
        done = tutela(settings, *words, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def test_a_webhook_is_added_rotated_tested_and_removed(settings, ask) -> None:
    (added,) = ask("webhook", "add", "our forum", "https://forum.example/hooks", "--event",
                   "item.lifted")  # fmt: skip
    assert added["secret"].startswith("whsec_")
    assert added["events"] == ["item.lifted"]
    (listed,) = ask("webhook", "ls")
    assert "secret" not in listed
    (rotated,) = ask("webhook", "rotate", "1")
    assert rotated["secret"] != added["secret"]
    assert rotated["old_secret_until"]
    assert ask("webhook", "off", "1")[0]["on"] is False
    assert ask("webhook", "on", "1")[0]["on"] is True
    (test,) = ask("webhook", "test", "1")
    (delivery,) = ask("webhook", "log", "--state", "waiting")
    assert (delivery["id"], delivery["event"]) == (test["delivery"], "webhook.test")
    assert ask("webhook", "retry", str(test["delivery"]))[0]["retried"]
    table = tutela(settings, "webhook", "log").stdout
    assert "webhook.test" in table
    ask("webhook", "rm", "1", "--reason", "moved")
    assert ask("webhook", "ls") == []


def test_what_cannot_be_is_said_in_one_line(settings, database) -> None:
    refused = tutela(settings, "webhook", "add", "x", "https://10.0.0.1/")
    assert refused.returncode == 2
    assert "private_networks" in refused.stderr
    assert tutela(settings, "webhook", "test", "7").returncode == 2


def test_an_appeal_is_taken_in_and_granted_and_its_entry_kept(
    settings, database, ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTELA_REVIEW__UNDO_SECONDS", "0")
    case = a_case(database, system_clock)
    uploaded(database, system_clock, case, "upload-1", "user-1")
    matched(database, system_clock, case)
    decided(database, system_clock, reviewing(settings, undo_seconds=0), case, REVIEWER)
    effects(database, system_clock)
    (appeal,) = ask("case", "appeal", "add", case, "--words", "our garden")
    assert appeal["words"] == "our garden"
    assert [each["appeal"] for each in ask("case", "appeal", "ls")] == [appeal["appeal"]]
    number = str(appeal["appeal"])
    (shown,) = ask("case", "appeal", "show", number)
    assert shown["outcome"] is None
    (granted,) = ask("case", "appeal", "decide", number, "granted", "--reason", "a garden")
    assert granted["outcome"] == "granted"
    assert ask("case", "appeal", "ls") == []
    assert len(ask("case", "appeal", "ls", "--case", case)) == 1
    (flag,) = ask("list", "flags")
    assert flag["case"] == case
    assert "value" not in flag
    ask("list", "settle", str(flag["flag"]), "kept", "--reason", "it is theirs")
    assert ask("list", "flags") == []
