"""Bringing a draft up to date without undoing what a person wrote in it. Pure."""

from collections.abc import Mapping
from typing import Any


def merge(written: Any, filled: Any, now: Any) -> Any:
    """What a draft says after it was filled anew.

    Wherever it still says what it was filled with before, it says what it is filled with now;
    wherever a person changed or removed something, that stays.

    Args:
        written: What it says.
        filled: What it was filled with when that was done last.
        now: What it would be filled with now.
    """
    if written == filled:
        return now
    if isinstance(written, Mapping) and isinstance(now, Mapping):
        before = filled if isinstance(filled, Mapping) else {}
        names = dict.fromkeys((*written, *now))
        found = {name: merge(written.get(name), before.get(name), now.get(name)) for name in names}
        return {name: value for name, value in found.items() if value is not None}
    return written
