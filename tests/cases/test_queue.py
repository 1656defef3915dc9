"""Whose turn it is, and that no two people ever get the same case."""

import threading
from collections import Counter
from datetime import timedelta

from tests.cases.world import A_WHILE, ANNA, BEN, a_case, decided, employ, looked, reviewing
from tutela.accounts.model import Caller
from tutela.cases.model import CaseId
from tutela.cases.queue import Place, assigned_to, counted, held_by, next_case, waiting
from tutela.cases.states import State
from tutela.storage.database import Database
from tutela.storage.settings import Settings


def given(
    database: Database, clock, settings: Settings, caller: Caller, **options
) -> CaseId | None:
    with database.writing() as connection:
        hold = next_case(connection, caller, clock, settings, **options)
    return hold.case if hold else None


def test_nothing_waits(database: Database, clock, settings) -> None:
    assert given(database, clock, settings, ANNA) is None


def test_what_has_waited_longest_comes_first(database: Database, clock, settings) -> None:
    ranks = [clock() - timedelta(hours=hours) for hours in (1, 3, 2)]
    several = [a_case(database, clock, rank_at=rank) for rank in ranks]
    assert [given(database, clock, settings, ANNA) for _ in range(4)] == [
        several[1],
        several[2],
        several[0],
        None,
    ]
    with database.reading() as connection:
        assert len(held_by(connection, ANNA.person)) == 3


def test_what_is_assigned_comes_first_and_to_nobody_else(database, clock, settings) -> None:
    old = a_case(database, clock, rank_at=clock() - timedelta(days=1))
    mine = a_case(database, clock, assigned_to=1)
    a_case(database, clock, assigned_to=7, rank_at=clock() - timedelta(days=2))
    with database.reading() as connection:
        assert [each.case for each in assigned_to(connection, ANNA.person)] == [mine]
    assert [given(database, clock, settings, ANNA) for _ in range(3)] == [mine, old, None]


def test_after_a_severe_case_comes_another_as_long_as_one_waits(database, clock, settings) -> None:
    severe = [
        a_case(database, clock, severe=True, rank_at=clock() - timedelta(days=9 - day))
        for day in range(3)
    ]
    mild = a_case(database, clock)
    assert given(database, clock, settings, ANNA) == severe[0]
    looked(database, clock, severe[0], ANNA)
    assert given(database, clock, settings, ANNA) == mild
    # Only severe ones wait now, so that there is no other.
    assert given(database, clock, settings, ANNA) == severe[1]
    looked(database, clock, severe[1], ANNA)
    clock.turn(seconds=1)
    looked(database, clock, mild, ANNA)
    assert given(database, clock, settings, ANNA) == severe[2]


def test_who_does_not_want_to_be_spared_is_not(database: Database, clock, settings) -> None:
    severe = [a_case(database, clock, severe=True) for _ in range(2)]
    a_case(database, clock, rank_at=clock() + timedelta(days=1))
    looked(database, clock, severe[0], ANNA)
    first = given(database, clock, settings, ANNA, calm=False)
    assert {first, given(database, clock, settings, ANNA, calm=False)} == set(severe)


def test_the_second_look_is_never_the_first_persons_and_comes_when_it_is_final(
    database: Database, clock, settings
) -> None:
    employ(database, clock)
    always = reviewing(settings, second_look_percent=100)
    case = a_case(database, clock)
    decided(database, clock, always, case, ANNA)
    assert given(database, clock, always, BEN) is None
    clock.now += A_WHILE
    assert given(database, clock, always, ANNA) is None
    assert given(database, clock, always, BEN) == case


def test_what_was_held_too_long_is_given_to_the_next_one(database, clock, settings) -> None:
    case = a_case(database, clock)
    assert given(database, clock, settings, ANNA) == case
    assert given(database, clock, settings, BEN) is None
    clock.turn(minutes=15)
    assert given(database, clock, settings, BEN) == case


def test_two_who_ask_at_once_never_get_the_same_case(database, clock, settings) -> None:
    several = {a_case(database, clock) for _ in range(24)}
    got: list[CaseId] = []
    errors: list[Exception] = []

    def work(caller: Caller) -> None:
        try:
            while (case := given(database, clock, settings, caller)) is not None:
                got.append(case)
        except Exception as error:
            errors.append(error)

    threads = [
        threading.Thread(target=work, args=(caller,)) for caller in (ANNA, BEN) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Counter(got) == Counter(several)


def test_pages_follow_one_another_without_gaps(database: Database, clock) -> None:
    several = []
    for number in range(7):
        # Two of each rank.
        rank = clock() + timedelta(minutes=number // 2)
        several.append(a_case(database, clock, rank_at=rank))
    found: list[CaseId] = []
    after = None
    with database.reading() as connection:
        while page := waiting(connection, state=State.OPEN, limit=3, after=after):
            found += [each.case for each in page]
            after = Place(page[-1].rank_at, page[-1].case)
        assert counted(connection, State.OPEN) == 7
    assert sorted(found) == sorted(several)
    assert len(found) == 7
