"""An authority, a folder for packages, and a case to be handed over, on each database in turn."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.evidence.disclosure.authority import Authority
from tests.evidence.disclosure.packages import World
from tutela.evidence.vault import Vault
from tutela.storage.settings import Settings


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def world(settings: Settings, vault: Vault, clock, new_case: Callable[[], str]) -> World:
    return World(settings, vault, clock, new_case())
