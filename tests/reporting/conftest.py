"""A house whose cases can be reported, on each database in turn."""

import pytest

from tests.reporting.world import World
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.storage.database import Database
from tutela.storage.settings import Settings


@pytest.fixture
def world(settings: Settings, database: Database, clock) -> World:
    vault = Vault.over(settings, database, clock)
    prepare_keys(vault.keyring, database, tell=lambda _: None)
    return World(settings, database, vault, clock)
