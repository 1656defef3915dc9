"""``tutela report channels``, ``go-live`` and ``resume`` do what they say."""

import json
from pathlib import Path

import pytest

from tests.cli.command import tutela
from tutela.reporting.delivery.going_live import PHRASE
from tutela.storage.database import Database
from tutela.storage.settings import Settings, load_settings


@pytest.fixture
def settings(data: Path) -> Settings:
    """On SQLite: what the commands call is tried on both."""
    return load_settings(data=data)


def test_going_live_is_typed_once_and_shown(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = tutela(settings, "report", "go-live", "--confirm", PHRASE)
    assert refused.returncode == 2
    assert "first set reporting.cybertipline.environment" in refused.stderr
    monkeypatch.setenv("TUTELA_REPORTING__CYBERTIPLINE__ENVIRONMENT", "live")
    assert tutela(settings, "report", "go-live", "--confirm", "yes").returncode == 2
    done = tutela(settings, "report", "go-live", "--confirm", PHRASE, "--json")
    assert json.loads(done.stdout)["live_by"].startswith("os:")
    assert tutela(settings, "report", "resume").returncode == 0
    shown = json.loads(tutela(settings, "report", "channels", "--json").stdout)
    assert shown["queued"] == shown["stopped"] == 0
    (channel,) = shown["channels"]
    assert (channel["authority"], channel["stopped_at"]) == ("us-ncmec", None)
    assert channel["live_at"]
