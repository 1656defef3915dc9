"""A house that the tests of a module share: each brings its own people."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of a house on each database in turn."""
    data: Path = tmp_path_factory.mktemp("house") / "data"
    if request.param == "sqlite":
        yield load_settings(data=data, cells=1)
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"test_{secrets.token_hex(6)}"
    engine = create_engine(
        server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield load_settings(data=data, database_url=server.replace("/postgres?", f"/{name}?"), cells=1)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="module")
def shared_database(shared_settings: Settings) -> Iterator[Database]:
    """Its open database."""
    opened = Database.open(shared_settings)
    upgrade(opened, shared_settings.data, tell=lambda _: None)
    yield opened
    opened.close()
