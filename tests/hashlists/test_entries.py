"""Entries: what was withdrawn stays withdrawn, and every row is counted once."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.actors import actor_called
from tests.conftest import TurnedClock
from tests.hashlists.filling import ACTOR, add, md5, new_list, summary_of, withdraw
from tutela.errors import InvalidInputError, NotFoundError
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.entries import (
    change_entries,
    current_revision,
    restore_entry,
    withdraw_entry,
)
from tutela.hashlists.model import Added
from tutela.hashlists.tables import withdrawals
from tutela.storage.database import Database


def test_each_row_is_counted_once(database: Database, clock: TurnedClock) -> None:
    known = new_list(database, clock)
    assert add(database, known, clock) == Added(0, 0, 0)
    assert add(database, known, clock, md5(1), md5(2), md5(1)) == Added(2, 1, 0)
    assert add(database, known, clock, md5(2), md5(3)) == Added(1, 1, 0)


def test_a_withdrawn_entry_stays_withdrawn_when_it_is_imported_again(
    database: Database, clock: TurnedClock
) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1), md5(2))
    withdraw(database, known, clock, md5(1))
    assert add(database, known, clock, md5(1), md5(2), md5(3), md5(1)) == Added(1, 1, 2)
    summary = summary_of(database, known)
    assert (summary.live, summary.withdrawn) == ({Kind.MD5: 2}, 1)


def test_a_list_without_live_entries_of_a_kind_does_not_name_the_kind(
    database: Database, clock: TurnedClock
) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1))
    withdraw(database, known, clock, md5(1))
    assert summary_of(database, known).live == {}


def test_a_withdrawal_and_a_restoration_keep_who_when_and_why(
    database: Database, clock: TurnedClock
) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1))
    withdrawn_at = clock()
    withdraw(database, known, clock, md5(1))
    clock.turn(hours=1)
    with database.writing() as connection:
        restore_entry(
            connection,
            known,
            md5(1),
            reason="it was right",
            actor=actor_called("cli:other"),
            clock=clock,
        )
    with database.reading() as connection:
        row = connection.execute(select(withdrawals)).mappings().one()
    assert (row["withdrawn_at"], row["withdrawn_by"], row["reason"]) == (
        withdrawn_at,
        "cli:tester",
        "a mistake",
    )
    assert (row["restored_at"], row["restored_by"], row["restored_reason"]) == (
        clock(),
        "cli:other",
        "it was right",
    )
    assert add(database, known, clock, md5(1)) == Added(0, 1, 0)


def test_a_withdrawal_needs_a_reason_and_an_entry_that_is_live(
    database: Database, clock: TurnedClock
) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1))
    with database.writing() as connection:
        with pytest.raises(InvalidInputError, match="a reason is needed"):
            withdraw_entry(connection, known, md5(1), reason="  ", actor=ACTOR, clock=clock)
        with pytest.raises(NotFoundError) as missing:
            withdraw_entry(connection, known, md5(2), reason="a mistake", actor=ACTOR, clock=clock)
        with pytest.raises(InvalidInputError, match="is not withdrawn"):
            restore_entry(connection, known, md5(1), reason="a mistake", actor=ACTOR, clock=clock)
    assert md5(2).text not in missing.value.message
    withdraw(database, known, clock, md5(1))
    with pytest.raises(InvalidInputError, match="was withdrawn"):
        withdraw(database, known, clock, md5(1))


def test_entries_changed_together_are_one_revision(database: Database, clock: TurnedClock) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1), md5(2), md5(3))
    for live, changed in ((False, 2), (True, 2)):
        with database.writing() as connection:
            before = current_revision(connection)
            assert changed == change_entries(
                connection,
                known,
                [md5(1), md5(2), md5(9)],
                live=live,
                reason="a mistake",
                actor=ACTOR,
                clock=clock,
            )
            assert current_revision(connection) == before + 1
        assert summary_of(database, known).live == {Kind.MD5: 3 if live else 1}


def test_equal_bytes_of_two_kinds_are_two_entries(database: Database, clock: TurnedClock) -> None:
    known = new_list(database, clock)
    value = bytes(range(32))
    both = Fingerprint(Kind.PDQ, value), Fingerprint(Kind.SHA256, value)
    assert add(database, known, clock, *both) == Added(2, 0, 0)
    withdraw(database, known, clock, both[0])
    assert add(database, known, clock, *both) == Added(0, 1, 1)


def test_a_failed_change_leaves_the_revision_as_it_was(
    database: Database, clock: TurnedClock
) -> None:
    known = new_list(database, clock)
    with database.reading() as connection:
        before = current_revision(connection)
    with pytest.raises(NotFoundError):
        withdraw(database, known, clock, md5(1))
    with database.reading() as connection:
        assert current_revision(connection) == before


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.tuples(st.booleans(), st.lists(st.integers(0, 9), max_size=6)), max_size=8)
)
def test_counts_are_those_of_a_simple_model(
    database: Database, clock: TurnedClock, steps: list[tuple[bool, list[int]]]
) -> None:
    with database.reading() as connection:
        known = f"list {current_revision(connection)}"
    hash_list = new_list(database, clock, known)
    live: set[int] = set()
    gone: set[int] = set()
    for adding, numbers in steps:
        if adding:
            expected = Added(
                added=len(set(numbers) - live - gone),
                already=sum(n in live for n in numbers)
                + len([n for n in numbers if n not in live | gone])
                - len(set(numbers) - live - gone),
                withdrawn=sum(n in gone for n in numbers),
            )
            assert add(database, hash_list, clock, *map(md5, numbers)) == expected
            live |= set(numbers) - gone
        else:
            for number in set(numbers) & live:
                withdraw(database, hash_list, clock, md5(number))
                live.remove(number)
                gone.add(number)
    summary = summary_of(database, hash_list)
    assert (summary.live.get(Kind.MD5, 0), summary.withdrawn) == (len(live), len(gone))
