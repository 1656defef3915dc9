"""The public sees months that have ended, and nothing of the one that runs."""

from datetime import date, timedelta

from tutela.cases.counting import Counted, Technology, count
from tutela.screening.counts import Counts
from tutela.screening.model import Verdict
from tutela.statistics.publishing import published_months


def cases(database, what: Counted, day: date, number: int, *, wait: timedelta | None = None):
    with database.writing() as connection:
        for _ in range(number):
            count(connection, what, Technology.PDQ, day, waited=wait)


def screened(database, clock, clear: int, match: int) -> None:
    counts = Counts(clock)
    counts.add(Verdict.CLEAR, files=clear)
    counts.add(Verdict.MATCH, [7], files=match)
    counts.add(Verdict.UNREADABLE, files=4)
    counts.save(database)


def test_a_month_is_shown_once_it_has_ended(database, clock) -> None:
    today = clock().date()
    screened(database, clock, 900, 20)
    cases(database, Counted.OPENED, today, 20)
    cases(database, Counted.CONFIRMED, today, 12, wait=timedelta(hours=2))
    cases(database, Counted.NOT_CONFIRMED, today, 6, wait=timedelta(hours=2))
    cases(database, Counted.APPEALED, today, 3)
    assert published_months(database, clock) == ()
    clock.turn(days=16)
    assert clock().date().day == 31
    assert published_months(database, clock) == ()
    clock.turn(days=1)
    (month,) = published_months(database, clock)
    assert (month.name, month.screened, month.matched) == ("2026-01", 924, 20)
    assert month.unreadable is None, "fewer than five are kept back"
    figures = month.cases[Technology.PDQ]
    assert figures[Counted.OPENED] == 20
    assert figures[Counted.APPEALED] is None
    assert month.total(Counted.CONFIRMED) == 12
    assert month.error_rate(Technology.PDQ) == 6 / 18
    assert timedelta(hours=2) <= month.decision_wait <= timedelta(hours=2.4)
    assert month.appeal_wait is None


def test_what_happens_in_the_running_month_changes_nothing(database, clock) -> None:
    screened(database, clock, 100, 0)
    clock.turn(days=31)
    before = published_months(database, clock)
    screened(database, clock, 100, 100)
    cases(database, Counted.OPENED, clock().date(), 100)
    clock.turn(hours=1)
    assert published_months(database, clock) == before


def test_a_year_is_shown(database, clock) -> None:
    for _ in range(14):
        screened(database, clock, 50, 5)
        clock.turn(days=31)
    months = published_months(database, clock)
    assert len(months) == 12
    assert months[0].first > months[-1].first
