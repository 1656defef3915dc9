"""A filled house on each database in turn, and an empty one on each to restore into."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import made
from tests.backup.house import House, filled_house
from tutela.evidence.vault import Vault
from tutela.storage.database import Database
from tutela.storage.settings import Settings, load_settings


@pytest.fixture
def house(settings: Settings, clock) -> Iterator[House]:
    opened = filled_house(settings, clock)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_house(data: Path, clock) -> Iterator[House]:
    opened = filled_house(load_settings(data=data, cells=1), clock)
    yield opened
    opened.close()


@pytest.fixture
def another_postgresql(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes further empty databases on the real server."""
    with ExitStack() as dropped_at_the_end:
        yield lambda: dropped_at_the_end.enter_context(
            made.postgresql_database(request.getfixturevalue("postgresql_server"))
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_settings(
    request: pytest.FixtureRequest, tmp_path: Path, another_postgresql: Callable[[], str]
) -> Settings:
    """A house to restore into, not yet made, that has the keys of the first."""
    url = another_postgresql() if request.param == "postgresql" else None
    return load_settings(
        data=tmp_path / "restored", secrets=tmp_path / "data.keys", database_url=url, cells=1
    )


@pytest.fixture
def empty_vault(empty_settings: Settings, clock) -> Iterator[Vault]:
    database = Database.open(empty_settings)
    yield Vault.over(empty_settings, database, clock)
    database.close()


@pytest.fixture
def sqlite_vault(tmp_path: Path, clock) -> Iterator[Vault]:
    """An empty SQLite house to restore into, with the keys of the first."""
    found = load_settings(data=tmp_path / "restored", secrets=tmp_path / "data.keys", cells=1)
    database = Database.open(found)
    yield Vault.over(found, database, clock)
    database.close()
