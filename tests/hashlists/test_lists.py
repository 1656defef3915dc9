"""Lists: their names, and what becomes of a removed one."""

import pytest
from sqlalchemy import select

from tests.conftest import TurnedClock
from tests.hashlists.filling import ACTOR, add, md5, new_list, summary_of, withdraw
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from tutela.fingerprints.model import Kind
from tutela.hashlists.entries import current_revision
from tutela.hashlists.lists import all_lists, create_list, find_list, live_lists, remove_list
from tutela.hashlists.tables import entries, hash_lists
from tutela.storage.database import Database


def test_a_list_is_found_by_its_name(database: Database, clock: TurnedClock) -> None:
    with database.writing() as connection:
        made = create_list(connection, "Partner Ω", " from a partner ", ACTOR, clock)
    with database.reading() as connection:
        assert find_list(connection, "Partner Ω") == made
        assert all_lists(connection) == [made]
        assert live_lists(connection) == {made.id: made}
    assert made.description == "from a partner"
    assert (made.created_at, made.created_by) == (clock(), ACTOR.name)


def test_an_unknown_name_brings_up_the_nearest(database: Database, clock: TurnedClock) -> None:
    new_list(database, clock, "hotline")
    with database.reading() as connection:
        with pytest.raises(NotFoundError, match='did you mean "hotline"'):
            find_list(connection, "hotlien")
        with pytest.raises(NotFoundError, match="tutela list ls"):
            find_list(connection, "x")


@pytest.mark.parametrize("name", ["", "a\0", "a\n", "\udcff", "x" * 101])
def test_what_cannot_be_a_name_is_not_found(
    name: str, database: Database, clock: TurnedClock
) -> None:
    new_list(database, clock)
    with database.reading() as connection, pytest.raises(NotFoundError, match="no list") as told:
        find_list(connection, name)
    assert told.value.message.isprintable()


def test_a_name_is_used_once(database: Database, clock: TurnedClock) -> None:
    new_list(database, clock)
    with pytest.raises(AlreadyExistsError, match='"known"'):
        new_list(database, clock)


@pytest.mark.parametrize("name", ["", " ", " a", "a ", "a\n", "a\x1b", "a\u202e", "a\0", "x" * 101])
def test_a_name_is_one_printable_line(name: str, database: Database, clock: TurnedClock) -> None:
    with pytest.raises(InvalidInputError, match="printable"):
        new_list(database, clock, name)


def test_every_change_of_the_lists_counts_the_revision_up(
    database: Database, clock: TurnedClock
) -> None:
    seen = []

    def look() -> None:
        with database.reading() as connection:
            seen.append(current_revision(connection))

    look()
    known = new_list(database, clock)
    look()
    add(database, known, clock, md5(1))
    look()
    withdraw(database, known, clock, md5(1))
    look()
    with database.writing() as connection:
        remove_list(connection, "known", "done", ACTOR, clock)
    look()
    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen)


def test_a_removed_list_frees_its_name_and_keeps_its_history(
    database: Database, clock: TurnedClock
) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1))
    clock.turn(days=1)
    with database.writing() as connection:
        remove_list(connection, "known", "no longer valid", ACTOR, clock)
    with database.reading() as connection:
        assert live_lists(connection) == {}
        with pytest.raises(NotFoundError):
            find_list(connection, "known")
        row = connection.execute(select(hash_lists)).mappings().one()
        assert (row["removed_at"], row["removed_by"], row["removed_reason"]) == (
            clock(),
            ACTOR.name,
            "no longer valid",
        )
        assert len(connection.execute(select(entries)).all()) == 1
    again = new_list(database, clock)
    assert again.id != known.id
    assert summary_of(database, again).live == {}


def test_a_removal_needs_a_reason(database: Database, clock: TurnedClock) -> None:
    new_list(database, clock)
    with (
        pytest.raises(InvalidInputError, match="reason"),
        database.writing() as connection,
    ):
        remove_list(connection, "known", "", ACTOR, clock)


def test_a_summary_counts_by_kind_and_names_every_source(
    database: Database, clock: TurnedClock
) -> None:
    known, other = new_list(database, clock), new_list(database, clock, "other")
    add(database, known, clock, md5(1), md5(2))
    add(database, known, clock, md5(2), md5(3))
    add(database, other, clock, md5(9))
    withdraw(database, known, clock, md5(3))
    summary = summary_of(database, known)
    assert summary.live == {Kind.MD5: 2}
    assert summary.withdrawn == 1
    assert [(each.added, each.already) for each in summary.imports] == [(2, 0), (1, 1)]
    assert {each.provenance.source for each in summary.imports} == {"tests"}
