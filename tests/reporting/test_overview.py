"""How many reports stand where, what waits longest, and which cases have none."""

from sqlalchemy import insert, update

from tests.cases.world import ANNA
from tests.reporting.desks import confirmed, desk_of
from tests.reporting.world import NCMEC, World
from tutela.cases.tables import cases
from tutela.reporting.delivery.backlog import backlog
from tutela.reporting.drafts.beginning import begin_report
from tutela.reporting.model import Environment
from tutela.reporting.overview import MOST_COUNTED, counted, standing, unbegun
from tutela.reporting.signing.signing import discard_report
from tutela.reporting.states import Move, State
from tutela.reporting.tables import reports


def decided(world: World, content: bytes) -> str:
    case = confirmed(world, content, subject=None)
    with world.database.writing() as connection:
        connection.execute(update(cases).where(cases.c.id == case).values(decided_at=world.clock()))
    return case


def test_reports_are_counted_and_listed_by_where_they_stand(world: World) -> None:
    first, second, third = (world.draft(world.case(bytes([each]))) for each in range(3))
    world.move(second, Move.SIGN)
    with world.database.reading() as connection:
        assert counted(connection) == dict.fromkeys(State, 0) | {State.DRAFT: 2, State.SIGNED: 1}
        drafts = [each.id for each in standing(connection, (State.DRAFT,))]
        assert drafts == [first, third]
        assert [each.id for each in standing(connection, (State.DRAFT,), after=first)] == [third]
        both = standing(connection, (State.DRAFT, State.SIGNED), newest=True, limit=2)
        assert [each.id for each in both] == [third, second]
        older = standing(connection, (State.DRAFT,), newest=True, after=third)
        assert [each.id for each in older] == [first]
        assert standing(connection, ()) == []


def test_a_confirmed_case_without_a_report_waits_the_longest_first(world: World, clock) -> None:
    long = decided(world, b"long")
    clock.turn(hours=1)
    short = decided(world, b"short")
    desk = desk_of(world)
    with world.database.reading() as connection:
        assert [each.case for each in unbegun(connection, Environment.SANDBOX)] == [long, short]
        assert [each.case for each in unbegun(connection, Environment.SANDBOX, limit=1)] == [long]
    report = begin_report(desk, long, NCMEC, ANNA)
    with world.database.reading() as connection:
        assert [each.case for each in unbegun(connection, Environment.SANDBOX)] == [short]
    discard_report(desk, report, ANNA, reason="a mistake")
    with world.database.reading() as connection:
        assert [each.case for each in unbegun(connection, Environment.SANDBOX)] == [long, short]


def test_a_case_that_was_only_rehearsed_waits_once_reports_are_real(world: World) -> None:
    case = decided(world, b"a landscape")
    report = begin_report(desk_of(world), case, NCMEC, ANNA)
    for real, waits in ((Environment.SANDBOX, []), (Environment.LIVE, [])):
        with world.database.reading() as connection:
            assert [each.case for each in unbegun(connection, real)] == waits
    world.move(report, Move.SIGN, Move.QUEUE, Move.SEND)
    with world.database.writing() as connection:
        connection.execute(update(reports).values(environment=Environment.SANDBOX))
    for real, waits in ((Environment.SANDBOX, []), (Environment.LIVE, [case])):
        with world.database.reading() as connection:
            assert [each.case for each in unbegun(connection, real)] == waits


def test_what_is_more_than_a_page_shows_is_not_counted_further(world: World) -> None:
    case, now = world.case(), world.clock()
    common = {"case_id": case, "channel": "webhook", "state": State.QUEUED, "made_by": "tutela"}
    rows = [
        {**common, "authority": f"xx-{number}", "made_at": now, "queued_at": now}
        for number in range(MOST_COUNTED + 5)
    ]
    with world.database.writing() as connection:
        connection.execute(insert(reports), rows)
    with world.database.reading() as connection:
        counts = counted(connection)
        assert counts[State.QUEUED] == MOST_COUNTED + 1
        assert backlog(connection, now, counts).queued == MOST_COUNTED + 1
        assert backlog(connection, now).queued == MOST_COUNTED + 5
