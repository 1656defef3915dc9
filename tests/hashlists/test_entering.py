"""What is done to lists is entered into the ledger, once for each act."""

from sqlalchemy import select

from tests.hashlists.filling import ACTOR, add, import_list, md5, new_list, withdraw, write_list
from tutela.errors import TutelaError
from tutela.hashlists.entries import restore_entry
from tutela.hashlists.lists import remove_list
from tutela.ledger.model import Entry
from tutela.ledger.reading import newest_entries, words_of
from tutela.ledger.tables import ledger_entries


def entered(database) -> list[tuple[str, str | None, str | None]]:
    with database.reading() as connection:
        found: list[Entry] = newest_entries(connection, 100)[::-1]
        words = words_of(connection, found)
        actors = set(connection.execute(select(ledger_entries.c.actor)).scalars())
    assert actors <= {ACTOR.id}
    return [(entry.act, entry.thing, words.get(entry.number)) for entry in found]


def test_each_act_has_one_entry_whatever_its_size(database, clock, tmp_path) -> None:
    hash_list = new_list(database, clock)
    add(database, hash_list, clock, *(md5(number) for number in range(5)))
    path = write_list(tmp_path / "list", range(5, 500))
    import_list(database, hash_list, clock, path)
    withdraw(database, hash_list, clock, md5(7))
    with database.writing() as connection:
        restore_entry(
            connection, hash_list, md5(7), reason="it was right", actor=ACTOR, clock=clock
        )
        remove_list(connection, hash_list.name, "no longer needed", ACTOR, clock)
    assert entered(database) == [
        ("list.created", "list:1", None),
        ("list.entries-added", "list:1/import:1", None),
        ("list.entries-added", "list:1/import:2", None),
        ("list.entries-withdrawn", "list:1", "a mistake"),
        ("list.entries-restored", "list:1", "it was right"),
        ("list.removed", "list:1", "no longer needed"),
    ]


def test_what_fails_has_none(database, clock) -> None:
    hash_list = new_list(database, clock)
    for attempt in (
        lambda: new_list(database, clock),
        lambda: withdraw(database, hash_list, clock, md5(1)),
    ):
        try:
            attempt()
        except TutelaError:
            continue
        raise AssertionError
    assert [act for act, _, _ in entered(database)] == ["list.created"]
