"""``tutela report doubts``, ``was-sent`` and ``not-sent`` after a restore."""

import json
from pathlib import Path

import pytest

from tests.cli.command import tutela
from tests.reporting.world import World
from tutela.evidence.vault import Vault
from tutela.reporting.delivery.doubting import doubt_unsent
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings, load_settings


@pytest.fixture
def settings(data: Path) -> Settings:
    """On SQLite: what the commands call is tried on both."""
    return load_settings(data=data)


def test_what_is_in_doubt_is_listed_and_somebody_says_what_became_of_it(
    settings: Settings, database: Database
) -> None:
    world = World(settings, database, Vault.over(settings, database, system_clock), system_clock)
    first, second = world.draft(world.case()), world.draft(world.case())
    with database.writing() as connection:
        assert doubt_unsent(connection, system_clock()) == 2
    listed = tutela(settings, "report", "doubts", "--json").stdout.splitlines()
    assert [json.loads(each)["id"] for each in listed] == [first, second]
    said = tutela(settings, "report", "was-sent", str(first), "4711", "--json")
    assert json.loads(said.stdout)["doubted_since"]
    assert tutela(settings, "report", "not-sent", "--reason", "moved").returncode == 2
    assert tutela(settings, "report", "not-sent", "--all").returncode == 2
    assert tutela(settings, "report", "not-sent", "--all", "--reason", "moved").returncode == 0
    assert tutela(settings, "report", "doubts", "--json").stdout == ""
