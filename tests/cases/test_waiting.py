"""Why a case stands where it does, in words that are right for one day too."""

from datetime import UTC, datetime, timedelta

from tutela.cases.facts import Fact
from tutela.cases.waiting import why

NOW = datetime(2026, 1, 10, tzinfo=UTC)


def test_one_day_is_a_day_and_more_are_days() -> None:
    def said(fact: Fact, days: int) -> list[str]:
        return [each.words for each in why([fact], NOW - timedelta(days), None, NOW)]

    assert said(Fact.SIMILAR, 1) == [
        "a list has something like it: put forward by 1 day",
        "it has waited for 1 day",
    ]
    assert said(Fact.CONFIRMED_BEFORE, 2) == [
        "an earlier case of the same subject was confirmed: put forward by 3 days",
        "it has waited for 2 days",
    ]
