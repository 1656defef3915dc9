"""Nothing is shown before it is written down who looks, at what, how clearly and why."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select, update

from tests.cases.looking import (
    ANNA,
    BEN,
    SESSION,
    as_image,
    begun,
    entered,
    held,
    picture,
    sealed_case,
    somebody,
)
from tests.cases.world import a_case
from tests.drawing import landscape
from tests.moving import video_of
from tutela.accounts.model import Caller
from tutela.accounts.permissions import Permission, Role
from tutela.cases.comfort import Comfort, Reveal, Size, choose_comfort, comfort_of
from tutela.cases.exposure import exposure_by_day, exposure_today
from tutela.cases.model import ItemKind
from tutela.cases.moving import take
from tutela.cases.pauses import paused_since, pauses_of
from tutela.cases.pausing import come_back, take_break
from tutela.cases.resting import RestDueError, RestKind, rest_due
from tutela.cases.showing import read_words, show
from tutela.cases.tables import case_items, cases, viewings
from tutela.cases.viewing import NotProvedError, Why, end, end_lost, hear
from tutela.cases.viewings import how_viewed, looks_of, viewings_of_case, was_viewed
from tutela.errors import InvalidInputError, NotFoundError, NotPermittedError
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.ledger.model import Actor
from tutela.sandbox.model import Level, Shown
from tutela.sandbox.rendering_pool import RenderingPool
from tutela.storage.database import Database
from tutela.storage.settings import Settings

MOST = 1 << 24


@pytest.fixture
def vault(settings: Settings, database: Database, clock) -> Vault:
    opened = Vault.over(settings, database, clock)
    prepare_keys(opened.keyring, database, tell=lambda _: None)
    return opened


@pytest.fixture(scope="module")
def cells() -> Iterator[RenderingPool]:
    with RenderingPool(1) as pool:
        yield pool


@pytest.fixture
def place(vault: Vault):
    found = sealed_case(vault, picture())
    held(vault, found[0], ANNA)
    return found


def looked(vault: Vault, cells: RenderingPool, viewing: int, caller=ANNA, session: int = SESSION):
    return show(vault, cells, viewing, caller, session=session, most_bytes=MOST)


def test_it_is_in_the_ledger_before_anything_is_shown_and_for_how_long_after(
    vault: Vault, cells: RenderingPool, settings: Settings, database: Database, clock, place
) -> None:
    viewing = begun(vault, settings, place, colour=True)
    assert entered(database, "evidence.viewed") == [
        ("person:1", place[0], viewing.evidence, f"viewing:{viewing.id}:whole")
    ]
    with database.reading() as connection:
        assert not was_viewed(connection, viewing.evidence), "nothing has left the house yet"

    shown = looked(vault, cells, viewing.id)
    assert as_image(shown.jpeg).size == (320, 240)
    clock.turn(seconds=4.5)
    with database.writing() as connection:
        assert hear(connection, viewing.id, ANNA, SESSION, clock)
    clock.turn(seconds=3)
    with database.writing() as connection:
        ended = end(connection, viewing.id, ANNA, SESSION, clock)
        again = end(connection, viewing.id, ANNA, SESSION, clock)

    assert ended.seconds == again.seconds == 7.5
    assert entered(database, "evidence.view-ended") == [
        ("person:1", place[0], viewing.evidence, f"viewing:{viewing.id}:7.5s")
    ]
    with database.reading() as connection:
        assert was_viewed(connection, viewing.evidence)
        [kept] = viewings_of_case(connection, place[0])
    assert (kept.person, kept.level, kept.why, kept.shown) == (1, "whole", "decide", "picture")


def test_what_was_asked_for_is_shown_once_in_that_session_and_to_that_person(
    vault: Vault, cells: RenderingPool, settings: Settings, place
) -> None:
    viewing = begun(vault, settings, place)
    for caller, session in ((ANNA, SESSION + 1), (BEN, SESSION)):
        with pytest.raises(NotFoundError):
            looked(vault, cells, viewing.id, caller, session)
    assert looked(vault, cells, viewing.id).jpeg
    with pytest.raises(NotFoundError):
        looked(vault, cells, viewing.id)


def test_what_is_not_fetched_at_once_is_not_shown(
    vault: Vault, cells: RenderingPool, settings: Settings, clock, place
) -> None:
    viewing = begun(vault, settings, place)
    clock.turn(seconds=61)
    with pytest.raises(NotFoundError):
        looked(vault, cells, viewing.id)
    veil = begun(vault, settings, place, Level.VEIL)
    clock.turn(seconds=61)
    with pytest.raises(NotFoundError):
        looked(vault, cells, veil.id)


def test_only_who_holds_the_case_looks(
    vault: Vault, cells: RenderingPool, settings: Settings, clock, place
) -> None:
    for caller in (BEN, somebody(3, Role.LEAD), somebody(4, Role.ADMINISTRATOR)):
        with pytest.raises(NotPermittedError):
            begun(vault, settings, place, caller=caller)
    viewing = begun(vault, settings, place)
    held(vault, place[0], BEN)
    with pytest.raises(NotPermittedError):
        looked(vault, cells, viewing.id)
    held(vault, place[0], ANNA, minutes=1)
    clock.turn(minutes=1)
    with pytest.raises(NotPermittedError):
        begun(vault, settings, place)


def test_a_lead_who_settles_looks_and_an_administrator_never_does(
    vault: Vault, settings: Settings, place
) -> None:
    lead = somebody(3, Role.LEAD)
    held(vault, place[0], lead)
    assert begun(vault, settings, place, caller=lead, why=Why.SETTLE)
    administrator = somebody(4, Role.ADMINISTRATOR)
    held(vault, place[0], administrator)
    with pytest.raises(NotPermittedError):
        begun(vault, settings, place, caller=administrator)


def test_more_than_a_veil_asks_for_a_proof_and_a_reason(
    vault: Vault, settings: Settings, place
) -> None:
    with pytest.raises(NotProvedError):
        begun(vault, settings, place, proved=False)
    assert begun(vault, settings, place, Level.VEIL, proved=False).seconds == 0
    with pytest.raises(InvalidInputError):
        begun(vault, settings, place, Level.PART, why=Why.OPENED)


def test_of_what_was_not_sealed_nothing_is_shown(vault: Vault, settings: Settings, place) -> None:
    with pytest.raises(NotFoundError):
        begun(vault, settings, (place[0], place[1] + 1))


def test_a_page_that_falls_silent_has_shown_it_until_it_was_last_heard_of(
    vault: Vault, cells: RenderingPool, settings: Settings, database: Database, clock, place
) -> None:
    viewing = begun(vault, settings, place)
    looked(vault, cells, viewing.id)
    clock.turn(seconds=6)
    with database.writing() as connection:
        hear(connection, viewing.id, ANNA, SESSION, clock)
        assert end_lost(connection, clock) == 0
    clock.turn(seconds=300)
    with database.writing() as connection:
        assert not hear(connection, viewing.id, ANNA, SESSION, clock), "it is too late to go on"
        assert end_lost(connection, clock) == 1
        assert end_lost(connection, clock) == 0
    assert entered(database, "evidence.view-ended") == [
        ("tutela", place[0], viewing.evidence, f"viewing:{viewing.id}:6.0s")
    ]


def test_what_is_in_sight_ends_when_the_case_is_another_ones(
    vault: Vault, settings: Settings, database: Database, clock, place
) -> None:
    viewing = begun(vault, settings, place)
    held(vault, place[0], BEN)
    with database.writing() as connection:
        assert not hear(connection, viewing.id, ANNA, SESSION, clock)


def test_seeing_it_more_clearly_ends_what_was_seen_before(
    vault: Vault, settings: Settings, database: Database, clock, place
) -> None:
    part = begun(vault, settings, place, Level.PART)
    clock.turn(seconds=3)
    begun(vault, settings, place, Level.WHOLE)
    with database.reading() as connection:
        seconds = {each.id: each.seconds for each in viewings_of_case(connection, place[0])}
    assert seconds[part.id] == 3


def test_neither_a_veil_nor_a_part_nor_a_sheet_is_the_entire_content(
    vault: Vault, cells: RenderingPool, settings: Settings, database: Database, place
) -> None:
    video = sealed_case(vault, video_of([landscape(160, 120)] * 12), ItemKind.VIDEO)
    broken = sealed_case(vault, picture(2)[:500])
    for case, _ in (video, broken):
        held(vault, case, ANNA)
    viewings = [
        begun(vault, settings, place, Level.VEIL),
        begun(vault, settings, place, Level.PART),
        begun(vault, settings, video),
        begun(vault, settings, broken),
    ]
    shown = [looked(vault, cells, each.id) for each in viewings]

    assert [each.shown for each in shown] == ["picture", "picture", "sheet", "nothing"]
    assert "ends early" in shown[-1].reason
    evidence = [each.evidence for each in viewings]
    with database.reading() as connection:
        assert not any(was_viewed(connection, each) for each in evidence)
        assert how_viewed(connection, evidence) == {
            evidence[1]: Level.PART,
            evidence[2]: Level.WHOLE,
        }


def test_a_file_beyond_the_limit_is_not_opened(
    vault: Vault, cells: RenderingPool, settings: Settings, place
) -> None:
    viewing = begun(vault, settings, place)
    shown = show(vault, cells, viewing.id, ANNA, session=SESSION, most_bytes=1000)
    assert shown.shown is Shown.NOTHING
    assert "larger than" in shown.reason


def test_words_are_read_and_not_turned_round(
    vault: Vault, cells: RenderingPool, settings: Settings, database: Database
) -> None:
    place = sealed_case(vault, "Hello\r\nyou \u202eereht\0 \U0001f642".encode(), ItemKind.TEXT)
    held(vault, place[0], ANNA)
    viewing = begun(vault, settings, place)
    assert read_words(vault, viewing.id, ANNA, session=SESSION) == (
        "Hello\nyou ereht \U0001f642",
        False,
    )
    with database.reading() as connection:
        assert was_viewed(connection, viewing.evidence)
    with pytest.raises(NotFoundError):
        read_words(vault, viewing.id, ANNA, session=SESSION)


def test_a_picture_is_not_read_as_words(vault: Vault, settings: Settings, place) -> None:
    viewing = begun(vault, settings, place)
    with pytest.raises(NotFoundError):
        read_words(vault, viewing.id, ANNA, session=SESSION)


def test_what_was_looked_at_is_counted_by_day_and_leads_to_a_rest(
    vault: Vault, cells: RenderingPool, settings: Settings, database: Database, clock
) -> None:
    strict = settings.model_copy(
        update={"care": settings.care.model_copy(update={"break_after_severe": 2})}
    )
    places = [sealed_case(vault, picture(seed), severe=True) for seed in (1, 2, 3)]
    for case, _ in places:
        held(vault, case, ANNA, minutes=60)
    for place in places[:2]:
        viewing = begun(vault, strict, place, Level.PART)
        looked(vault, cells, viewing.id)
        clock.turn(seconds=10)
        with database.writing() as connection:
            end(connection, viewing.id, ANNA, SESSION, clock)

    with database.reading() as connection:
        today = exposure_today(connection, 1, clock)
        due = rest_due(connection, 1, clock, strict)
        assert rest_due(connection, 2, clock, strict) is None
        assert rest_due(connection, None, clock, strict) is None
    assert (today.items, today.severe, today.seconds) == (2, 2, {Level.PART: 20.0})
    assert due is not None and due.kind is RestKind.BREAK
    with pytest.raises(RestDueError, match="a break is due"):
        begun(vault, strict, places[2], Level.PART)
    assert begun(vault, strict, places[2], Level.VEIL)

    clock.turn(days=1)
    with database.reading() as connection:
        days = exposure_by_day(connection, 1, clock, days=3)
    assert [each.items for each in days] == [0, 2, 0]


def test_each_person_is_shown_things_as_they_wish_and_gently_by_default(
    database: Database,
) -> None:
    with database.writing() as connection:
        gentle = comfort_of(connection, 1)
        assert gentle.veils and gentle.grey and gentle.size is Size.SMALL
        assert gentle.reveal is Reveal.HOLD
        wish = Comfort(False, False, Size.LARGE, Reveal.TOGGLE, 30, "Europe/Luxembourg")
        choose_comfort(connection, 1, wish)
        choose_comfort(connection, 1, wish)
        assert comfort_of(connection, 1) == wish
        assert comfort_of(connection, 2) == gentle
        for wrong in (Comfort(longest_peek=600), Comfort(time_zone="Mars/Olympus")):
            with pytest.raises(InvalidInputError):
                choose_comfort(connection, 1, wrong)


def test_a_break_gives_back_everything_and_nothing_is_shown_until_they_come_back(
    vault: Vault, settings: Settings, database: Database, clock, place
) -> None:
    other = sealed_case(vault, picture(2))
    for case, _ in (place, other):
        with database.writing() as connection:
            connection.execute(update(cases).where(cases.c.id == case).values(state="open"))
            connection.execute(update(cases).where(cases.c.id == case).values(held_until=None))
            take(connection, case, ANNA, clock, 15)

    with database.writing() as connection:
        assert set(take_break(connection, ANNA, clock)) == {place[0], other[0]}
        assert take_break(connection, ANNA, clock) == []
    clock.turn(minutes=30)

    with database.reading() as connection:
        states = connection.execute(select(cases.c.state, cases.c.held_by)).all()
        due = rest_due(connection, 1, clock, settings)
        [pause] = pauses_of(connection, [1], clock() - timedelta(hours=1))[1]
    assert [tuple(row) for row in states] == [("open", None)] * 2
    assert due is not None and (due.kind, due.until) == (RestKind.PAUSED, None)
    assert pause.ended_at is None
    # That somebody needed a break is nobody's to keep for ever.
    assert [each[3] for each in entered(database, "case.moved")] == [
        *["move:take"] * 2,
        *["move:give-back"] * 2,
    ]

    with database.writing() as connection:
        come_back(connection, ANNA, clock)
        come_back(connection, ANNA, clock)
        assert rest_due(connection, 1, clock, settings) is None
        take(connection, place[0], ANNA, clock, 15)
    assert begun(vault, settings, place)


def test_only_people_take_breaks(database: Database, clock) -> None:
    program = Caller(Actor("key:forum", "key:1", "program", "api"), frozenset(Permission))
    with database.writing() as connection, pytest.raises(InvalidInputError):
        take_break(connection, program, clock)


def test_nobodys_looks_are_cut_for_another_persons(database: Database, clock) -> None:
    begin = clock()
    case = a_case(database, clock)
    with database.writing() as connection:
        item = connection.execute(select(case_items.c.id)).scalar_one()
        shared = {"case_id": case, "item_id": item, "evidence_id": "e" * 26, "reason": "decide"}
        seen = shared | {"level": Level.WHOLE, "shown": Shown.PICTURE, "seconds": 1.0}
        hers = [
            seen | {"person": 1, "began_at": begin + timedelta(seconds=number)}
            for number in range(10_001)
        ]
        latest = begin + timedelta(seconds=20_000)
        connection.execute(insert(viewings), [*hers, seen | {"person": 2, "began_at": latest}])
    with database.reading() as connection:
        looks = looks_of(connection, [1, 2, 3], begin)
    assert {person: len(found) for person, found in looks.items()} == {1: 10_000, 2: 1}
    moments = [look.began_at for look in looks[1]]
    assert moments == sorted(moments)
    assert moments[-1] == hers[-1]["began_at"]


def test_what_is_read_of_viewings_is_found_by_an_index(database: Database, clock) -> None:
    if not database.is_sqlite:
        pytest.skip("SQLite says how it finds rows also where there are none yet")
    asked: list[tuple[str, object]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, values, *_: asked.append((statement, values)),
    )
    with database.writing() as connection:
        looks_of(connection, [1, 2], clock())
        pauses_of(connection, [1, 2], clock())
        paused_since(connection, 1)
        viewings_of_case(connection, "7K3M-9QPD-2X4H")
        was_viewed(connection, "e" * 26)
        how_viewed(connection, ["e" * 26])
        end_lost(connection, clock)
        reads = [each for each in asked if each[0].startswith("SELECT")]
        plans = [
            row.detail
            for statement, values in reads
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert len(reads) >= 7
    # What a subquery found already is read through; no table is.
    scanned = [plan for plan in plans if plan.startswith("SCAN") and "USING INDEX" not in plan]
    assert [plan for plan in scanned if not plan.startswith(("SCAN (subquery", "SCAN anon"))] == []
