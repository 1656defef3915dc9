"""Days as people type them into a form: all of them are days in UTC."""

from datetime import UTC, date, datetime, time

from tutela.errors import InvalidInputError


def read_day(text: str) -> date | None:
    """A day, or ``None`` where nothing is typed.

    Raises:
        InvalidInputError: It is no day.
    """
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(
            '"{text}" is not a day: write it as 2026-11-28', text=text
        ) from None


def beginning_of(day: date) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time(), UTC)
