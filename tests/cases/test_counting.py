"""Counts add up, and a median is about right."""

from datetime import date, timedelta
from statistics import median_low

from hypothesis import given
from hypothesis import strategies as st

from tutela.cases.counting import (
    Counted,
    Technology,
    band_of,
    count,
    counts_between,
    longest_in,
    median_of,
    median_wait,
    technology_of,
)
from tutela.fingerprints.model import Kind

DAY = date(2026, 1, 15)
WAITS = st.timedeltas(timedelta(seconds=0), timedelta(days=365))


def test_what_is_counted_is_there_by_day_and_technology(database) -> None:
    with database.writing() as connection:
        for day in (DAY, DAY, DAY + timedelta(days=1)):
            count(connection, Counted.OPENED, Technology.PDQ, day)
        count(connection, Counted.OPENED, Technology.NONE, DAY)
        count(connection, Counted.CONFIRMED, Technology.PDQ, DAY, waited=timedelta(hours=1))
    with database.reading() as connection:
        assert counts_between(connection, DAY, DAY) == {
            (Counted.OPENED, Technology.PDQ): 2,
            (Counted.OPENED, Technology.NONE): 1,
            (Counted.CONFIRMED, Technology.PDQ): 1,
        }
        assert counts_between(connection, DAY, DAY + timedelta(days=1))[
            Counted.OPENED, Technology.PDQ
        ] == 3  # fmt: skip
        wait = median_wait(connection, [Counted.CONFIRMED], DAY, DAY)
        assert wait is not None
        assert timedelta(hours=1) <= wait <= timedelta(hours=1.2)
        assert median_wait(connection, [Counted.GRANTED], DAY, DAY) is None


def test_the_most_exact_technology_counts() -> None:
    assert technology_of([]) is Technology.NONE
    assert technology_of([Kind.PDQ]) is Technology.PDQ
    assert technology_of([Kind.PDQ, Kind.SHA1]) is Technology.EXACT


@given(WAITS)
def test_a_wait_lies_in_its_band(waited: timedelta) -> None:
    band = band_of(waited)
    assert waited <= longest_in(band) + timedelta(milliseconds=1)
    if band:
        assert longest_in(band - 1) <= waited + timedelta(milliseconds=1)


@given(st.lists(WAITS, min_size=1, max_size=50))
def test_the_median_is_at_most_a_fifth_too_long(waits: list[timedelta]) -> None:
    bands = [band_of(waited) for waited in waits]
    found = median_of([(band, bands.count(band)) for band in set(bands)])
    true = max(median_low(waits), timedelta(minutes=1))
    assert found is not None
    assert true - timedelta(milliseconds=1) <= found <= true * 1.2
