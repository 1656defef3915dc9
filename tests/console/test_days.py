"""Days as people type them."""

from datetime import UTC, date, datetime

import pytest

from tutela.console.days import beginning_of, read_day
from tutela.errors import InvalidInputError


def test_a_day_is_read_and_begins_at_midnight_in_utc() -> None:
    day = read_day("2026-11-28")
    assert day == date(2026, 11, 28)
    assert beginning_of(day) == datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", " "])
def test_nothing_typed_is_no_day(text: str) -> None:
    assert read_day(text) is None


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "28.11.2026", "2026-11-28T12:00"])
def test_what_is_no_day_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(InvalidInputError, match="write it as 2026-11-28"):
        read_day(text)
