"""``tutela report delivery-status`` keeps what people hear of a letter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from tests.cli.command import tutela
from tests.reporting.letters.test_bounces import MESSAGE, notice
from tests.reporting.world import World
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.reporting.delivery.channel import Step
from tutela.reporting.model import ChannelKind, ReportId
from tutela.reporting.states import Move
from tutela.reporting.tables import delivery_attempts
from tutela.storage.database import Database
from tutela.storage.settings import Settings, load_settings


@pytest.fixture
def settings(data: Path) -> Settings:
    """On SQLite: what the commands call is tried on both."""
    return load_settings(data=data)


@pytest.fixture
def report(settings: Settings, database: Database, clock) -> ReportId:
    vault = Vault.over(settings, database, clock)
    prepare_keys(vault.keyring, database, tell=lambda _: None)
    world = World(settings, database, vault, clock)
    made = world.draft(world.case(), authority="xx-police", channel=ChannelKind.SEALED_MAIL)
    world.move(made, Move.SIGN, Move.QUEUE)
    with database.writing() as connection:
        connection.execute(
            insert(delivery_attempts).values(
                report_id=made,
                number=1,
                begun_at=clock(),
                environment="live",
                remote_id=MESSAGE,
                step=Step.FINISHED,
                files={},
            )
        )
    return made


@pytest.fixture
def ask(settings: Settings, report: ReportId) -> Callable[..., list[dict[str, Any]]]:
    def run(*words: str) -> list[dict[str, Any]]:
        done = tutela(settings, "report", "delivery-status", *words, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def test_what_became_of_a_report_is_entered_and_shown(settings, report, ask) -> None:
    assert ask(str(report)) == []
    (told,) = ask(str(report), "--set", "answered", "--number", "GZ 17/2026", "--words", "by mail")
    assert (told["fate"], told["number"], told["words"]) == ("answered", "GZ 17/2026", "by mail")
    shown = tutela(settings, "report", "delivery-status", str(report))
    assert "acknowledged by the authority" in " ".join(shown.stdout.split())


def test_a_servers_notice_is_read_from_its_file(settings, report, ask, tmp_path) -> None:
    file = tmp_path / "returned.eml"
    file.write_bytes(notice("failed"))
    (told,) = ask("--notice", str(file))
    assert (told["report"], told["fate"], told["code"]) == (report, "failed", "5.1.1")
    shown = tutela(settings, "report", "delivery-status", str(report)).stderr
    assert "It did not arrive" in shown
    file.write_bytes(b"Subject: hello\n\nhello\n")
    refused = tutela(settings, "report", "delivery-status", "--notice", str(file))
    assert refused.returncode == 2
    assert "no notice of a mail server" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name the report"),
        (("1", "--words", "x"), "say by --set"),
        (("4711", "--set", "failed"), "there is no report 4711"),
        (("--notice", "x.eml", "--set", "failed"), "enter either"),
        (("--notice", "absent.eml"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(settings, report, words, said: str) -> None:
    done = tutela(settings, "report", "delivery-status", *words)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
