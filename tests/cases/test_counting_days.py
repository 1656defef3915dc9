"""The figures of each day are counted in the background, and are right."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import delete, insert

from tutela.cases.counting_days import Age, count_days, read_figures
from tutela.cases.deciding import Decision, Stage
from tutela.cases.states import State
from tutela.cases.tables import case_decisions, cases

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def open_at(connection, number: int, at: datetime, state: State = State.OPEN) -> str:
    case = f"CASE-{number:04}-0000"
    connection.execute(insert(cases).values(id=case, state=state, opened_at=at, rank_at=at))
    return case


def decide_at(
    connection,
    case: str,
    at: datetime,
    decision: Decision = Decision.CONFIRMED,
    stage: Stage = Stage.FIRST,
    **more: object,
) -> None:
    connection.execute(
        insert(case_decisions).values(
            case_id=case,
            stage=stage,
            decision=decision,
            basis="seen",
            decided_at=at,
            decided_by="person:1",
            person=1,
            state_before=State.IN_REVIEW,
            reason="",
            **more,
        )
    )


def test_each_day_says_what_came_in_what_was_decided_and_how_long_it_took(database, clock) -> None:
    with database.writing() as connection:
        for number in range(4):
            case = open_at(connection, number, NOON - timedelta(days=1), State.CONFIRMED)
            decide_at(connection, case, NOON - timedelta(days=1) + timedelta(minutes=number + 1))
        again = NOON - timedelta(hours=13)
        decide_at(connection, "CASE-0000-0000", again, stage=Stage.SECOND)
        decide_at(connection, "CASE-0001-0000", again, Decision.NOT_SURE, Stage.SECOND)
        decide_at(connection, "CASE-0002-0000", again, Decision.NOT_CONFIRMED, undone_at=again)
        open_at(connection, 9, NOON)
    count_days(database, clock)
    with database.reading() as connection:
        figures = read_figures(connection, 30, clock)
    yesterday, today = figures.days
    assert (yesterday.day, yesterday.opened, today.opened) == (date(2026, 1, 14), 4, 1)
    assert (yesterday.confirmed, yesterday.not_confirmed, yesterday.not_sure) == (5, 0, 1)
    assert (yesterday.median_seconds, yesterday.slow_seconds) == (180, 240)
    assert (yesterday.second_looks, yesterday.agreed) == (2, 1)
    assert (today.decisions, today.median_seconds) == (0, None)
    assert figures.agreement == 0.5
    assert figures.counted_at == clock()


def test_what_waits_is_counted_by_how_long_it_does(database, clock) -> None:
    waits = (
        timedelta(minutes=5),
        timedelta(hours=1),
        timedelta(days=2),
        timedelta(days=8),
        timedelta(days=300),
    )
    with database.writing() as connection:
        for number, ago in enumerate(waits):
            open_at(connection, number, NOON - ago, list(State)[number])
        open_at(connection, 9, NOON, State.CLOSED)
    count_days(database, clock)
    with database.reading() as connection:
        figures = read_figures(connection, 30, clock)
    assert figures.ages == dict.fromkeys(Age, 1)


def test_only_what_may_have_changed_is_counted_again(database, clock) -> None:
    with database.writing() as connection:
        case = open_at(connection, 1, NOON - timedelta(days=3))
        open_at(connection, 2, NOON)
    count_days(database, clock)
    with database.writing() as connection:
        connection.execute(delete(cases).where(cases.c.id == case))
        open_at(connection, 3, NOON)
    count_days(database, clock)
    with database.reading() as connection:
        figures = read_figures(connection, 30, clock)
    assert [day.opened for day in figures.days] == [1, 0, 0, 2]


def test_a_house_that_was_never_counted_says_so(database, clock) -> None:
    with database.reading() as connection:
        figures = read_figures(connection, 30, clock)
    assert (list(figures.days), figures.ages, figures.counted_at) == ([], {}, None)
    assert figures.agreement is None
