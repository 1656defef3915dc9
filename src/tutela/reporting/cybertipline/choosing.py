"""Which schema has the last word here."""

from functools import lru_cache
from pathlib import Path

from tutela.reporting.cybertipline.schema import Schema, official_schema, own_schema
from tutela.storage.settings import Settings


def schema_of(settings: Settings) -> Schema:
    """The schema that has the last word: the operator's official copy, or else Tutela's own.

    Raises:
        SettingsError: The copy cannot be read, or is no schema.
    """
    path = settings.reporting.cybertipline_schema
    if path is None:
        return own_schema()
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _official(path, changed)


@lru_cache(maxsize=4)
def _official(path: Path, changed: int) -> Schema:  # noqa: ARG001 - read anew when it changes
    return official_schema(path)
