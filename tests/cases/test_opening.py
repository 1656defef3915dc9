"""A case is whole or absent, and one request opens one."""

import threading

import pytest
from sqlalchemy import func, select

from tests.actors import actor_called
from tutela.cases.listing import listed
from tutela.cases.model import Item, Match, new_case_id
from tutela.cases.opening import open_case
from tutela.cases.reading import find_case
from tutela.cases.states import State
from tutela.cases.tables import case_items, case_matches, cases
from tutela.errors import NotFoundError
from tutela.fingerprints.model import Fingerprint, FingerprintSet, Kind
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.lists import create_list
from tutela.hashlists.model import ListRow, Provenance
from tutela.hashlists.tables import entries
from tutela.storage.database import Database

PRINTS = FingerprintSet(5, bytes(16), bytes(20), bytes(32), bytes(32), 80)
ITEM = Item("p.png", "scan", PRINTS)


@pytest.fixture
def match(database: Database, clock) -> Match:
    """A match with the only entry of a list."""
    row = ListRow(1, Fingerprint(Kind.MD5, bytes(16)))
    actor = actor_called("test")
    with database.writing() as connection:
        partner = create_list(connection, "partner", "", actor, clock)
        add_with_provenance(
            connection, partner, Provenance("a test"), [row], actor=actor, clock=clock
        )
        entry = connection.execute(select(entries.c.id)).scalar_one()
    return Match(partner.id, "partner", entry, Kind.MD5, 0)


def test_a_case_comes_back_as_it_was_opened(database: Database, clock, match: Match) -> None:
    with database.writing() as connection:
        number = open_case(connection, new_case_id(), ITEM, [match], clock)
    with database.reading() as connection:
        case = find_case(connection, number)
    (item,) = case.items
    assert (case.state, case.opened_at) == (State.OPEN, clock())
    assert (item.item, item.matches) == (ITEM, (match,))


def test_a_case_whose_transaction_fails_is_absent(database: Database, clock, match) -> None:
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        open_case(connection, new_case_id(), ITEM, [match], clock)
        _ = 1 / 0
    assert _rows(database) == (0, 0, 0)


def test_the_same_request_again_gives_the_first_case(database: Database, clock, match) -> None:
    numbers = set()
    for _ in range(3):
        with database.writing() as connection:
            numbers.add(open_case(connection, new_case_id(), ITEM, [match], clock, request="r"))
    assert len(numbers) == 1
    assert _rows(database) == (1, 1, 1)


def test_the_same_request_many_times_at_once_opens_one(database: Database, clock, match) -> None:
    numbers = []

    def send() -> None:
        with database.writing() as connection:
            numbers.append(open_case(connection, new_case_id(), ITEM, [match], clock, request="r"))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 8
    assert len(set(numbers)) == 1
    assert _rows(database) == (1, 1, 1)


def test_a_name_that_no_database_takes_is_kept_readable(database: Database, clock, match) -> None:
    item = Item("a\0b\udcff" + "x" * 5000, "scan", FingerprintSet())
    with database.writing() as connection:
        number = open_case(connection, new_case_id(), item, [match], clock)
    with database.reading() as connection:
        kept = find_case(connection, number).items[0].item.name
    assert kept.startswith("a\\x00b\\xff")
    assert len(kept) == 4096


def test_the_newest_come_first(database: Database, clock, match) -> None:
    opened = []
    for _ in range(3):
        clock.turn(minutes=1)
        with database.writing() as connection:
            opened.append(open_case(connection, new_case_id(), ITEM, [match], clock))
    with database.reading() as connection:
        assert [each.case for each in listed(connection, limit=2)] == opened[:0:-1]


def test_a_number_that_is_not_there_is_said(database: Database) -> None:
    with database.reading() as connection, pytest.raises(NotFoundError, match="tutela case ls"):
        find_case(connection, new_case_id())


def _rows(database: Database) -> tuple[int, ...]:
    with database.reading() as connection:
        return tuple(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (cases, case_items, case_matches)
        )
