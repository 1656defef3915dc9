"""When evidence is due: never early, never against a hold, never by a rule nobody stands for."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tutela.errors import InvalidInputError
from tutela.evidence.retention import (
    Bound,
    Due,
    EventKind,
    LegalEvent,
    Period,
    Rule,
    Start,
    due,
    kept_through,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SEALED = datetime(2026, 1, 10, 9, 30, tzinfo=UTC)

US = Rule(
    id="us-test",
    version=1,
    jurisdiction="US",
    starts=Start.REPORT_FINISHED,
    period=Period(years=1),
    bound=Bound.AT_LEAST,
    extended_by=frozenset(),
    source="a statute that was read",
    checked_on=date(2026, 11, 25),
    notes="",
    digest="0" * 64,
)
UNVERIFIED = replace(US, source="", checked_on=None)
SEALING = replace(US, starts=Start.SEALED, extended_by=frozenset({EventKind.REPORT_FINISHED}))
CEILING = replace(SEALING, bound=Bound.AT_MOST, period=Period(months=12), extended_by=frozenset())


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def finished(at: str, reference: str = "CT-1") -> LegalEvent:
    return LegalEvent(EventKind.REPORT_FINISHED, moment(at), reference)


def letter(at: str, until: str | None = None, period: Period | None = None) -> LegalEvent:
    day = date.fromisoformat(until) if until else None
    return LegalEvent(EventKind.PRESERVATION_LETTER, moment(at), "letter-7", day, period)


def request(at: str) -> LegalEvent:
    return LegalEvent(EventKind.DESTRUCTION_REQUESTED, moment(at), "order-9")


def look(rule=US, confirmed=False, events=(), holds=(), sealed_at=SEALED, now=NOW) -> Due:
    return due(rule, confirmed, sealed_at, events, holds, now=now)


@pytest.mark.parametrize(
    ("case", "expected", "words"),
    [
        ({"rule": None}, None, "no rule"),
        ({"events": []}, None, "starts when a report"),
        # Through the whole last day in every time zone, which takes two midnights in UTC.
        ({"events": [finished("2026-02-01T09:00")]}, "2027-02-03", "at least 1 year"),
        (
            {"events": [finished("2026-02-01T09:00"), finished("2026-05-05", "CT-2")]},
            "2027-05-07",
            "the report CT-2",
        ),
        ({"rule": SEALING}, "2027-01-12", "from its sealing on 2026-01-10"),
        ({"rule": SEALING, "events": [finished("2026-02-01")]}, "2027-02-03", "the report CT-1"),
        ({"rule": CEILING, "events": [finished("2026-02-01")]}, "2027-01-08", "at most 12 months"),
        (
            {"rule": CEILING, "events": [letter("2026-03-01", until="2028-01-31")]},
            "2028-02-02",
            "through 2028-01-31",
        ),
        (
            {"events": [finished("2026-02-01"), letter("2026-12-20", period=Period(days=90))]},
            "2027-03-22",
            "letter-7 asks for keeping it through 2027-03-20",
        ),
        (
            {"events": [finished("2026-02-01"), letter("2026-03-01", until="2026-06-01")]},
            "2027-02-03",
            "at least 1 year",
        ),
        ({"events": [letter("2026-03-01", until="2030-01-01")]}, None, "starts when a report"),
        ({"events": [request("2026-11-20T08:00")]}, "2026-11-20T08:00", "order-9"),
        (
            {"events": [finished("2026-11-01"), request("2026-11-20T08:00")]},
            "2026-11-20T08:00",
            "law enforcement asked",
        ),
        (
            {"events": [request("2026-11-20"), letter("2026-11-01", until="2027-01-31")]},
            "2027-02-02",
            "order-9; but the preservation letter letter-7",
        ),
        (
            {"events": [request("2026-11-20"), letter("2026-01-01", until="2026-02-01")]},
            "2026-11-20",
            "law enforcement asked",
        ),
        ({"events": [request("2026-11-20")], "holds": ["H-1"]}, None, "held: H-1"),
        ({"rule": UNVERIFIED, "events": [finished("2020-01-01")]}, None, "unverified"),
        (
            {"rule": UNVERIFIED, "events": [request("2026-11-20")]},
            None,
            "order-9: a person has to carry that out",
        ),
        ({"rule": None, "events": [request("2026-11-20")]}, None, "--ordered-by"),
        (
            {"rule": UNVERIFIED, "confirmed": True, "events": [finished("2020-01-01")]},
            "2021-01-03",
            "at least 1 year",
        ),
    ],
)
def test_when_it_is_due_and_why(case: dict, expected: str | None, words: str) -> None:
    answer = look(**case)
    assert answer.at == (moment(expected) if expected else None)
    assert words in answer.why


@pytest.mark.parametrize(
    ("period", "day", "after", "no_later_than"),
    [
        (Period(years=1), "2024-02-29", "2025-03-01", "2025-02-28"),
        (Period(years=4), "2024-02-29", "2028-02-29", "2028-02-29"),
        (Period(years=1), "2023-02-28", "2024-02-28", "2024-02-28"),
        (Period(months=1), "2026-01-31", "2026-03-01", "2026-02-28"),
        (Period(months=12), "2026-12-31", "2027-12-31", "2027-12-31"),
        (Period(days=90), "2026-12-20", "2027-03-20", "2027-03-20"),
        (Period(1, 1, 1), "2027-01-31", "2028-03-02", "2028-03-01"),
    ],
)
def test_a_period_is_counted_by_the_calendar(
    period: Period, day: str, after: str, no_later_than: str
) -> None:
    assert period.after(date.fromisoformat(day)) == date.fromisoformat(after)
    assert period.no_later_than(date.fromisoformat(day)) == date.fromisoformat(no_later_than)


def test_periods_are_read_as_people_write_them() -> None:
    assert Period.read("1y") == Period(years=1)
    assert Period.read(" 90d ") == Period(days=90)
    assert Period.read("1y6m") == Period(1, 6)
    assert str(Period(1, 6, 2)) == "1 year and 6 months and 2 days"
    for wrong in ("", "0d", "1", "soon", "-1y", "1d1y"):
        with pytest.raises(InvalidInputError, match="90d"):
            Period.read(wrong)


# From here on: what holds whatever happens.

zones = st.sampled_from(
    [
        UTC,
        timezone(timedelta(hours=14)),
        timezone(timedelta(hours=-12)),
        timezone(timedelta(hours=5, minutes=45)),
        ZoneInfo("America/New_York"),
        ZoneInfo("Pacific/Apia"),
        ZoneInfo("Europe/Lisbon"),
    ]
)
moments = st.integers(0, 16 * 365 * 86_400).map(
    lambda seconds: datetime(2019, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
leap_days = st.integers(0, 86_399).map(
    lambda s: datetime(2024, 2, 29, tzinfo=UTC) + timedelta(seconds=s)
)
starts = moments | leap_days
periods = st.builds(Period, st.integers(0, 20), st.integers(0, 30), st.integers(0, 400)).filter(
    lambda period: period != Period()
)
references = st.text("abc", min_size=1, max_size=3)
reports = st.builds(LegalEvent, st.just(EventKind.REPORT_FINISHED), starts, references)
letters = st.builds(
    LegalEvent,
    st.just(EventKind.PRESERVATION_LETTER),
    starts,
    references,
    st.none() | st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    st.none() | periods,
)
requests = st.builds(LegalEvent, st.just(EventKind.DESTRUCTION_REQUESTED), starts, references)
all_events = st.lists(reports | letters | requests, max_size=6)
rules = st.builds(
    replace,
    st.just(US),
    starts=st.sampled_from(Start),
    bound=st.sampled_from(Bound),
    period=periods,
    extended_by=st.sampled_from([frozenset(), frozenset({EventKind.REPORT_FINISHED})]),
)
any_rules = rules | rules.map(lambda rule: replace(rule, source="", checked_on=None))


@given(
    st.none() | any_rules,
    st.booleans(),
    starts,
    all_events,
    st.lists(references, min_size=1),
    starts,
)
def test_what_is_held_is_never_due(rule, confirmed, sealed_at, events, holds, now) -> None:
    assert due(rule, confirmed, sealed_at, events, holds, now=now).at is None


@given(any_rules, starts, all_events, starts)
def test_a_rule_that_nobody_stands_for_makes_nothing_due(rule, sealed_at, events, now) -> None:
    rule = replace(rule, checked_on=None)
    assert due(rule, False, sealed_at, events, (), now=now).at is None
    assert due(None, True, sealed_at, events, (), now=now).at is None


@given(any_rules, starts, all_events, letters, starts)
def test_a_letter_never_shortens(rule, sealed_at, events, added, now) -> None:
    before = due(rule, True, sealed_at, events, (), now=now).at
    after = due(rule, True, sealed_at, [*events, added], (), now=now).at
    assert (before is None) == (after is None)
    assert before is None or after >= before


@given(rules, starts, st.lists(reports | letters, max_size=6), reports, starts)
def test_another_report_never_shortens(rule, sealed_at, events, added, now) -> None:
    before = due(rule, True, sealed_at, events, (), now=now).at
    after = due(rule, True, sealed_at, [*events, added], (), now=now).at
    assert before is None or after >= before


@given(any_rules, st.booleans(), starts, all_events, st.randoms(), starts)
def test_the_order_in_which_things_were_recorded_does_not_matter(
    rule, confirmed, sealed_at, events, chance, now
) -> None:
    shuffled = chance.sample(events, len(events))
    answers = {
        due(rule, confirmed, sealed_at, order, (), now=now)
        for order in (events, shuffled, events * 2)
    }
    assert len(answers) == 1


@given(any_rules, starts, all_events, zones, starts)
def test_the_time_zone_in_which_a_moment_is_written_does_not_matter(
    rule, sealed_at, events, zone, now
) -> None:
    elsewhere = [replace(event, at=event.at.astimezone(zone)) for event in events]
    here = due(rule, True, sealed_at, events, (), now=now)
    assert (
        due(rule, True, sealed_at.astimezone(zone), elsewhere, (), now=now.astimezone(zone)) == here
    )


@given(periods, starts, zones)
def test_at_least_is_over_and_at_most_is_not_yet_over_in_every_time_zone(
    period, start, zone
) -> None:
    local = start.astimezone(zone).date()
    floor = look(replace(SEALING, period=period), sealed_at=start).at
    last_day = period.after(local)
    assert floor.astimezone(zone).date() > last_day
    assert floor <= kept_through(period.after(local + timedelta(days=2)))
    ceiling = look(replace(CEILING, period=period), sealed_at=start).at
    assert ceiling.astimezone(zone).date() < period.no_later_than(local)


@given(rules, starts, st.lists(letters, max_size=3), requests, starts)
def test_a_request_of_law_enforcement_is_due_at_once_unless_a_letter_runs(
    rule, sealed_at, events, request, now
) -> None:
    answer = due(rule, True, sealed_at, [*events, request], (), now=now)
    if not events:
        assert answer.at == request.at
    assert answer.at is not None
    assume(answer.at != request.at)
    assert answer.at > now
