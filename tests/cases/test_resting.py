"""When somebody has to rest follows from what they looked at."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.cases.exposure import Exposure, exposure_of, start_of_day, start_of_next_day
from tutela.cases.resting import RestKind, is_much, rest_for, stretch_of
from tutela.cases.viewings import Look
from tutela.sandbox.model import Level
from tutela.storage.settings import Care

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 16, tzinfo=UTC)
TODAY = Exposure(NOON.date())
CARE = Care(break_after_severe=5)


def look(minute: float, item: int = 1, level: Level = Level.PART, **values: object) -> Look:
    given_values = {"severe": False, "seconds": 5.0, "shown": True} | values
    return Look(item, level, began_at=NOON + timedelta(minutes=minute), **given_values)  # type: ignore[arg-type]


def rest(looks: list[Look], minute: float, today: Exposure = TODAY, care: Care = CARE):
    return rest_for(looks, today, care, NOON + timedelta(minutes=minute), MIDNIGHT)


def test_who_has_looked_at_nothing_needs_no_rest() -> None:
    assert rest([], 0) is None


def test_after_so_many_minutes_of_work_a_break_is_due_and_ends_by_itself() -> None:
    looks = [look(minute) for minute in range(0, 50, 5)]
    assert rest(looks, 49.9) is None
    due = rest(looks, 50)
    assert due is not None
    assert due.kind is RestKind.BREAK
    # Counted from the last look, not from when somebody noticed.
    assert due.until == NOON + timedelta(minutes=55, seconds=5)
    assert rest(looks, 54) is not None
    assert rest(looks, 55.1) is None


def test_after_a_rest_the_minutes_begin_anew() -> None:
    looks = [look(minute) for minute in (0, 9, 18, 27, 36, 45)]
    assert rest(looks, 51) is not None
    rested = [*looks, look(56)]
    assert rest(rested, 57) is None


def test_severe_items_call_for_a_break_sooner_but_a_veil_does_not() -> None:
    veils = [look(n, item=n, level=Level.VEIL, severe=True) for n in range(5)]
    assert rest(veils, 5) is None
    severe = [look(n, item=n, severe=True) for n in range(4)]
    assert rest(severe, 4) is None
    again = [*severe, look(4, item=0, severe=True)]
    assert rest(again, 5) is None, "the same item once more is not another one"
    assert rest([*severe, look(4, item=9, severe=True)], 5) is not None
    assert rest([*severe, look(4, item=9, severe=True, shown=False)], 5) is None


@pytest.mark.parametrize(
    "today",
    [
        Exposure(NOON.date(), items=80),
        Exposure(NOON.date(), seconds={Level.WHOLE: 3000, Level.PART: 2400}),
    ],
)
def test_who_has_seen_enough_for_a_day_is_shown_nothing_until_the_next(today: Exposure) -> None:
    due = rest([], 0, today)
    assert due is not None
    assert (due.kind, due.until) == (RestKind.DAY_OVER, MIDNIGHT)


def test_before_that_they_are_asked_kindly() -> None:
    much = Exposure(NOON.date(), items=40)
    assert is_much(much, CARE)
    assert rest([], 0, much) is None
    assert not is_much(Exposure(NOON.date(), items=39), CARE)
    assert is_much(Exposure(NOON.date(), seconds={Level.WHOLE: 2700}), CARE)


def test_a_veil_is_no_exposure() -> None:
    veils = Exposure(NOON.date(), seconds={Level.VEIL: 100_000})
    assert veils.minutes == 0
    assert rest([], 0, veils) is None


def test_exposure_counts_each_item_once_and_each_second() -> None:
    looks = [look(0), look(1), look(2, item=2, level=Level.WHOLE, severe=True, seconds=30.0)]
    unseen = look(3, item=3, shown=False, seconds=0.0)
    counted = exposure_of(date(2026, 1, 15), [*looks, unseen, look(4, 5, Level.VEIL)])
    assert (counted.items, counted.severe, counted.peeks) == (2, 1, 3)
    assert counted.seconds[Level.PART] == 10
    assert counted.minutes == pytest.approx(40 / 60)


def test_a_day_is_a_day_where_the_person_is() -> None:
    zone = ZoneInfo("Pacific/Auckland")
    assert start_of_day(NOON, zone) == datetime(2026, 1, 15, 11, tzinfo=UTC)
    # The night in which the clocks go forward has 23 hours.
    luxembourg = ZoneInfo("Europe/Luxembourg")
    spring = datetime(2026, 3, 29, 12, tzinfo=UTC)
    began, ends = start_of_day(spring, luxembourg), start_of_next_day(spring, luxembourg)
    assert ends.astimezone(UTC) - began.astimezone(UTC) == timedelta(hours=23)


@given(st.lists(st.integers(0, 240), max_size=40), st.integers(0, 300))
def test_a_stretch_of_work_has_no_rest_in_it(minutes: list[int], now: int) -> None:
    looks = [look(minute) for minute in sorted(minutes) if minute <= now]
    ten = timedelta(minutes=10)
    stretch = stretch_of(looks, NOON + timedelta(minutes=now), ten)
    ends = [each.began_at for each in stretch[1:]] + [NOON + timedelta(minutes=now)]
    for each, following in zip(stretch, ends, strict=False):
        assert following - each.began_at - timedelta(seconds=5) < ten
    if len(stretch) < len(looks):
        before = looks[len(looks) - len(stretch) - 1]
        after = stretch[0].began_at if stretch else NOON + timedelta(minutes=now)
        assert after - before.began_at - timedelta(seconds=5) >= ten
