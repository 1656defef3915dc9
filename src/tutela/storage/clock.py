"""The one clock. Whoever needs the time is given a ``Clock``; tests give one that they turn."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, with its time zone."""


def system_clock() -> datetime:
    """The machine's time, in UTC."""
    return datetime.now(UTC)
