"""Databases whose tables are made already: copied, since to make them takes as long as most tests.

Each copy is another house: its ledger has a name of its own.
"""

import base64
import contextlib
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings


def make(settings: Settings) -> None:
    """Make the tables of a new house."""
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    database.close()


def make_file(folder: Path) -> Path:
    """Make the SQLite file that others are copied from."""
    make(load_settings(data=folder))
    return folder / "tutela.db"


def copy_file(made: Path, data: Path) -> None:
    """Put such a file into a house's data folder, as if the house had made it."""
    data.mkdir(mode=0o700)
    copied = data / made.name
    copied.touch(0o600)
    shutil.copyfile(made, copied)
    with contextlib.closing(sqlite3.connect(copied)) as connection, connection:
        connection.execute("UPDATE ledger_head SET origin = ?", [_new_name()])


@contextlib.contextmanager
def postgresql_database(
    server: str, template: str | None = None, *, renamed: bool = True
) -> Iterator[str]:
    """A database of its own on a PostgreSQL server, dropped at the end.

    Args:
        server: The address of its maintenance database.
        template: The name of a database to copy; an empty one is made without.
        renamed: Whether the copy is another house.
    """
    name = f"test_{secrets.token_hex(6)}"
    engine = engine_of(server)
    with engine.connect() as connection:
        how = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
        connection.execute(text(f"CREATE DATABASE {name}{how}"))
    address = server.replace("/postgres?", f"/{name}?")
    if template and renamed:
        copied = engine_of(address)
        with copied.connect() as connection:
            renamed = text("UPDATE ledger_head SET origin = :name")
            connection.execute(renamed, {"name": _new_name()})
        copied.dispose()
    yield address
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def make_template(server: str, folder: Path) -> str:
    """Make the PostgreSQL database that others are copied from; gives its name."""
    engine = engine_of(server)
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE made"))
    engine.dispose()
    make(load_settings(data=folder, database_url=server.replace("/postgres?", "/made?")))
    return "made"


def engine_of(address: str) -> Engine:
    """A way to talk to PostgreSQL that commits each statement by itself."""
    return create_engine(
        address.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )


def _new_name() -> str:
    # As the migration that makes the ledger chooses it.
    return f"tutela/{base64.b32encode(secrets.token_bytes(15)).decode().lower()}"
