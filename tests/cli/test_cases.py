"""``tutela case``: the machine's operator opens, takes, decides, and takes back."""

from pathlib import Path

import pytest
from sqlalchemy import update

from tests.cli.command import json_lines, tutela
from tutela.cases.tables import case_items
from tutela.storage.database import Database
from tutela.storage.settings import Settings, load_settings


@pytest.fixture
def settings(data: Path) -> Settings:
    return load_settings(data=data, cells=1)


def say(settings: Settings, *words: str) -> dict:
    done = tutela(settings, "case", *words, "--json")
    assert done.returncode == 0, done.stderr
    lines = json_lines(done)
    return lines[0] if lines else {}


def nothing_sealed(settings: Settings, case: str) -> None:
    """Have a case be as if nothing of it had been sealed, so that there is nothing to look at."""
    with Database.open(settings).writing() as connection:
        connection.execute(
            update(case_items).where(case_items.c.case_id == case).values(evidence_id=None)
        )


def test_a_case_lives_its_life_by_commands(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("a landscape")
    opened = say(
        settings,
        *("open", "--text", "Words.", "--url", "https://host.example/", "--file", str(file)),
        *("--subject", "account-1", "--fact", "escalated"),
    )
    case = opened["case"]
    assert opened["items"] == 3
    shown = say(settings, "show", case)
    assert [each["kind"] for each in shown["items"]] == ["text", "url", "file"]
    assert shown["facts"] == ["escalated", "first_seen"]
    assert say(settings, "next")["case"] == case
    label = say(settings, "label", case, "inhope", "material-text")["label"]
    say(settings, "note", case, "a note")
    unread = tutela(settings, "case", "decide", case, "confirmed", "--basis", "read")
    assert "on the console's page of the case" in unread.stderr
    nothing_sealed(settings, case)
    decided = say(settings, "decide", case, "confirmed", "--basis", "read", "--reason", "plain")
    assert decided["state"] == "confirmed"
    assert say(settings, "undo", case)["state"] == "in_review"
    assert say(settings, "give-back", case)["state"] == "open"
    assert say(settings, "unlabel", case, str(label))["state"] == "open"
    say(settings, "mark", case, "--fact", "live_stream", "--due", "2030-01-01")
    assert say(settings, "ls", "--state", "open")["severe"]
    plain = tutela(settings, "case", "show", case).stdout
    assert "it has to be decided by 2030-01-01 00:00 UTC" in plain
    assert "a note" in plain
    assert case in tutela(settings, "case", "ls").stdout


def test_who_has_not_taken_a_case_is_told_how(settings: Settings) -> None:
    case = say(settings, "open", "--text", "Words.")["case"]
    done = tutela(settings, "case", "decide", case, "confirmed", "--basis", "read")
    assert done.returncode == 2
    assert f"tutela case take {case}" in done.stderr
