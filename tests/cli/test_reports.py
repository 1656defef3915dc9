"""``tutela report``: the machine's operator drafts, completes, signs and discards."""

import json
from pathlib import Path

import pytest

from tests.cli.command import json_lines, tutela
from tests.reporting.desks import confirmed
from tests.reporting.world import World
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings


@pytest.fixture
def settings(data: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TUTELA_REPORTING__ESTABLISHMENT", "US")
    monkeypatch.setenv("TUTELA_REPORTING__COMPANY__EMAIL", "safety@forum.example")
    return load_settings(data=data, cells=1)


@pytest.fixture
def case(settings: Settings) -> str:
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    vault = Vault.over(settings, database, system_clock)
    prepare_keys(vault.keyring, database, tell=lambda _: None)
    made = confirmed(World(settings, database, vault, system_clock), words="an excerpt")
    database.close()
    return made


def say(settings: Settings, *words: str | Path) -> dict:
    done = tutela(settings, "report", *words, "--json")
    assert done.returncode == 0, done.stderr
    lines = json_lines(done)
    return lines[0] if lines else {}


def test_a_report_lives_its_life_by_commands(settings: Settings, case: str, tmp_path: Path) -> None:
    report = str(say(settings, "draft", case)["report"])
    again = tutela(settings, "report", "draft", case)
    assert f"Report {report} of {case} is a draft, and was there already" in again.stderr
    unsigned = tutela(settings, "report", "sign", report)
    assert unsigned.returncode == 2
    assert "incidentType" in unsigned.stderr
    shown = tutela(settings, "report", "show", report)
    assert "an excerpt" in shown.stdout
    assert "needed: incident_summary.incident_type" in shown.stderr
    file = tmp_path / "known.json"
    file.write_text(json.dumps({"reported": {"screen_name": "example-name"}}))
    assert say(settings, "supply", case, "user-1", file)["drafts"] == [int(report)]
    written = say(
        settings, "set", report, "incident_summary.incident_type=enticement",
        "victims.0.person.age=13", "additional_info=read this",
    )  # fmt: skip
    assert written["problems"] == []
    assert written["content"]["person_or_user_reported"]["screen_name"] == "example-name"
    preview = tutela(settings, "report", "preview", report).stdout
    assert "<content>an excerpt</content>" in preview
    assert say(settings, "sign", report)["state"] == "signed"
    assert say(settings, "ls", "--case", case)["signed_at"]
    assert say(settings, "return", report)["state"] == "draft"
    assert say(settings, "discard", report, "--reason", "a test")["state"] == "discarded"


def test_what_is_wrongly_written_is_refused(settings: Settings, case: str, tmp_path: Path) -> None:
    wrong = tutela(settings, "report", "set", "1", "additional_info")
    assert "FIELD=VALUE" in wrong.stderr
    file = tmp_path / "known.json"
    file.write_text(json.dumps({"reported": {"religion": "a faith"}}))
    refused = tutela(settings, "report", "supply", case, "user-1", file)
    assert (refused.returncode, "a faith" in refused.stderr) == (2, False)
