"""No figure that is shown is small, and none that is kept back can be worked out."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from tutela.cases.counting import Counted, Technology
from tutela.statistics.forms import as_csv, as_fields
from tutela.statistics.keeping_back import shown, shown_cases
from tutela.statistics.model import Month

COUNTS = st.dictionaries(
    st.tuples(st.sampled_from(Counted), st.sampled_from(Technology)), st.integers(0, 12)
)


def month_of(counts) -> Month:
    return Month(date(2026, 1, 1), 1000, 12, 5, shown_cases(counts), None, None)


@given(COUNTS)
def test_nothing_small_is_shown(counts) -> None:
    for figures in shown_cases(counts).values():
        assert all(figure is None or figure == 0 or figure >= 5 for figure in figures.values())


@given(COUNTS)
def test_a_total_tells_nothing_beyond_its_parts(counts) -> None:
    month = month_of(counts)
    for what in Counted:
        parts = [month.cases[technology][what] for technology in Technology]
        total = month.total(what)
        assert (total is None) == (None in parts)
        if total is not None:
            assert total == sum(counts.get((what, technology), 0) for technology in Technology)


@given(COUNTS)
def test_a_rate_is_made_of_what_is_shown(counts) -> None:
    month = month_of(counts)
    for technology in Technology:
        rate = month.error_rate(technology)
        figures = month.cases[technology]
        wrong, right = figures[Counted.NOT_CONFIRMED], figures[Counted.CONFIRMED]
        if rate is not None:
            assert wrong is not None
            assert right is not None
            assert rate == wrong / (wrong + right)


@given(COUNTS)
def test_what_became_of_few_appeals_cannot_be_worked_out(counts) -> None:
    for figures in shown_cases(counts).values():
        if None in (figures[Counted.GRANTED], figures[Counted.UPHELD]):
            assert figures[Counted.APPEALED] is None


def test_the_table_says_what_is_kept_back() -> None:
    month = month_of({(Counted.OPENED, Technology.PDQ): 3, (Counted.OPENED, Technology.EXACT): 7})
    rows = as_csv([month]).splitlines()
    assert rows[:2] == ["month,figure,found_by,value", "2026-01,screened,,1000"]
    assert "2026-01,opened,pdq,<5" in rows
    assert "2026-01,opened,exact,7" in rows
    assert "2026-01,error_rate,exact," in rows
    fields = as_fields(month)
    assert fields["cases"][1]["opened"] is None  # type: ignore[index]


def test_none_and_many_are_shown() -> None:
    assert [shown(count) for count in (0, 1, 4, 5, 6)] == [0, None, None, 5, 6]
