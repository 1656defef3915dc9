"""A column's values come back exactly, of whatever kind, with whatever is absent."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.backup.columns import decode, encode
from tutela.backup.model import Kind

_VALUES = {
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.REAL: st.floats(allow_nan=False),
    Kind.BOOLEAN: st.booleans(),
    Kind.TEXT: st.text(),
    Kind.BYTES: st.binary(max_size=300),
    Kind.MOMENT: st.datetimes(timezones=st.just(UTC)),
    Kind.DAY: st.dates(),
    Kind.JSON: st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ).filter(lambda value: value is not None),
}


@pytest.mark.parametrize("kind", Kind)
@given(data=st.data())
def test_values_and_their_types_come_back_exactly(kind: Kind, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | _VALUES[kind], max_size=20))
    found = decode(kind, encode(kind, values), len(values))
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


def test_a_moment_keeps_its_instant_whatever_its_time_zone() -> None:
    at = datetime(2026, 3, 29, 2, 30, 0, 123456, timezone(timedelta(hours=2)))
    (found,) = decode(Kind.MOMENT, encode(Kind.MOMENT, [at]), 1)
    assert found == at
    assert found.tzinfo is UTC


def test_the_first_and_the_last_day_that_there_are_come_back() -> None:
    days = [date.min, date.max]
    assert decode(Kind.DAY, encode(Kind.DAY, days), 2) == days


def test_a_number_beyond_64_bits_is_refused_and_not_cut() -> None:
    with pytest.raises(OverflowError):
        encode(Kind.INTEGER, [2**63])
