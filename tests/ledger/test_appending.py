"""An act and its entry are one: there together, or not at all."""

from hashlib import sha256

import pytest
from sqlalchemy import delete, select

from tests.actors import actor_called
from tutela.errors import StorageError
from tutela.ledger.appending import append
from tutela.ledger.encoding import commitment
from tutela.ledger.merkle import Frontier
from tutela.ledger.model import SYSTEM, Act
from tutela.ledger.tables import ledger_entries, ledger_head, ledger_reasons, ledger_tiles

ACTOR = actor_called("cli:test")


def head_of(database):
    with database.reading() as connection:
        return connection.execute(select(ledger_head)).one()


def test_entries_are_numbered_from_zero_without_gaps(database, clock) -> None:
    for number in range(5):
        with database.writing() as connection:
            assert append(connection, ACTOR, Act.KEY_ADDED, clock, thing=f"key:{number}") == number
    with database.writing() as connection:
        assert [append(connection, SYSTEM, Act.KEY_ADDED, clock) for _ in range(3)] == [5, 6, 7]
    assert head_of(database).size == 8


def test_an_act_that_does_not_commit_has_no_entry(database, clock) -> None:
    with pytest.raises(RuntimeError), database.writing() as connection:
        append(connection, ACTOR, Act.KEY_ADDED, clock)
        raise RuntimeError
    assert (head_of(database).size, head_of(database).frontier) == (0, b"")
    with database.reading() as connection:
        assert connection.execute(select(ledger_entries)).all() == []


def test_the_head_is_the_tree_over_the_entries(database, clock) -> None:
    with database.writing() as connection:
        for number in range(600):
            append(connection, ACTOR, Act.CASE_OPENED, clock, case=f"CASE-{number}")
    tree = Frontier()
    with database.reading() as connection:
        rows = connection.execute(select(ledger_entries).order_by(ledger_entries.c.number)).all()
        tiles = connection.execute(select(ledger_tiles).order_by(ledger_tiles.c.number)).all()
    tree_at = {}
    for row in rows:
        tree, made = tree.grown(row.leaf)
        tree_at[tree.size] = made
    assert bytes(tree) == head_of(database).frontier
    assert [tuple(each) for each in tiles] == [
        (1, 0, tree_at[256][8]),
        (1, 1, tree_at[512][8]),
    ]


def test_an_entry_is_hashed_as_the_documentation_says(database, clock) -> None:
    clock.turn(microseconds=7)
    with database.writing() as connection:
        append(connection, ACTOR, Act.LIST_REMOVED, clock, thing="list:3", reason="für Jo")
        (row,) = connection.execute(select(ledger_entries)).all()
        (kept,) = connection.execute(select(ledger_reasons)).all()
    assert row.reason == commitment(kept.salt, "für Jo")
    text = (
        f'["{head_of(database).origin}",0,1768478400000007,"{ACTOR.id}","{ACTOR.role}",'
        f'"{ACTOR.face}","list.removed",null,null,"list:3","{row.reason.hex()}"]'
    )
    assert row.leaf == sha256(b"\0" + text.encode()).digest()


def test_the_entry_itself_holds_no_words_and_no_name(database, clock) -> None:
    with database.writing() as connection:
        append(connection, ACTOR, Act.LIST_REMOVED, clock, reason="asked for by Jo Doe")
        row = connection.execute(select(ledger_entries)).one()
    assert "Doe" not in repr(row)
    assert ACTOR.name not in repr(row)


@pytest.mark.parametrize("thing", ["", "Jo Doe", "Jörg", "a\nb", "x" * 201])
def test_what_is_no_id_is_refused(database, clock, thing: str) -> None:
    with pytest.raises(ValueError, match="not an id"), database.writing() as connection:
        append(connection, ACTOR, Act.KEY_ADDED, clock, thing=thing)


def test_a_damaged_head_is_said_and_not_written_over(database, clock) -> None:
    with database.writing() as connection:
        connection.execute(ledger_head.update().values(frontier=b"short"))
    with (
        pytest.raises(StorageError, match="tutela ledger verify"),
        database.writing() as connection,
    ):
        append(connection, ACTOR, Act.KEY_ADDED, clock)
    with database.writing() as connection:
        connection.execute(delete(ledger_head))
    with (
        pytest.raises(StorageError, match="restore the database"),
        database.writing() as connection,
    ):
        append(connection, ACTOR, Act.KEY_ADDED, clock)
