"""The published figures as programs read them: by names, and as a table."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import timedelta

from tutela.cases.counting import Counted, Technology
from tutela.statistics.model import FEWEST, Figure, Month

KEPT_BACK = f"<{FEWEST}"
"""What stands in the table where a figure is kept back."""


def as_fields(month: Month) -> dict[str, object]:
    """A month by names; ``None`` for what is kept back."""
    return {
        "month": month.name,
        "screened": month.screened,
        "matched": month.matched,
        "unreadable": month.unreadable,
        "cases": [
            {
                "found_by": technology,
                **{str(what): month.cases[technology][what] for what in Counted},
                "error_rate": _rounded(month.error_rate(technology)),
            }
            for technology in Technology
        ],
        "median_hours_to_decision": hours(month.decision_wait),
        "median_hours_to_appeal_decision": hours(month.appeal_wait),
    }


def as_csv(months: Sequence[Month]) -> str:
    """Months as comma-separated values, one figure a line."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("month", "figure", "found_by", "value"))
    for month in months:
        table.writerows((month.name, *row) for row in _rows(month))
    return text.getvalue()


def hours(wait: timedelta | None) -> float | None:
    """A wait in hours, to a tenth."""
    return None if wait is None else round(wait.total_seconds() / 3600, 1)


def _rows(month: Month) -> Iterator[tuple[str, str, object]]:
    yield "screened", "", _figure(month.screened)
    yield "matched", "", _figure(month.matched)
    yield "unreadable", "", _figure(month.unreadable)
    for technology in Technology:
        for what in Counted:
            yield what, technology, _figure(month.cases[technology][what])
        rate = _rounded(month.error_rate(technology))
        yield "error_rate", technology, "" if rate is None else rate
    for name, wait in (
        ("median_hours_to_decision", month.decision_wait),
        ("median_hours_to_appeal_decision", month.appeal_wait),
    ):
        found = hours(wait)
        yield name, "", "" if found is None else found


def _figure(figure: Figure) -> int | str:
    return KEPT_BACK if figure is None else figure


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 3)
