"""A house as it is at first: which tables a revision has, and what the migrations put into them."""

from collections.abc import Mapping
from functools import cache

from sqlalchemy import create_engine

from tutela.backup.snapshot import all_tables, count_rows
from tutela.storage.migration import upgrade_within


@cache
def rows_at_first(revision: str) -> Mapping[str, int]:
    """The tables of a revision, and how many rows each has before anybody did anything."""
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            upgrade_within(connection, revision)
            return {shape.name: count_rows(connection, shape) for shape in all_tables(connection)}
    finally:
        engine.dispose()
