"""Whatever is changed, dropped, inserted, swapped, cut off or rolled back is found, and where."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, make_url, select, text, update

from tests import made
from tests.ledger.filling import ACTOR, checkpointed, fill
from tutela.errors import StorageError
from tutela.ledger.appending import TILE_HEIGHT, append
from tutela.ledger.checking import Finding, Trouble
from tutela.ledger.encoding import leaf
from tutela.ledger.erasing import erase_reason
from tutela.ledger.merkle import Frontier, leaf_hash
from tutela.ledger.model import Act
from tutela.ledger.notes import VerifierKey
from tutela.ledger.places.choosing import second_place
from tutela.ledger.signing import key_to_sign, public_bytes
from tutela.ledger.tables import ledger_entries, ledger_head, ledger_reasons, ledger_tiles
from tutela.ledger.verifying import Verification, verifier_of, verify
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings

SIZE = 1000
SIGNED = [300, 600, SIZE]
SOAK = bool(os.environ.get("TUTELA_TEST_SOAK"))

Row = dict[str, Any]


class Ledger:
    """A ledger of 1,000 entries that an attacker who may do anything to the database changes."""

    def __init__(self, database: Database, settings: Settings, clock: Any) -> None:
        self.database = database
        self.settings = settings
        self.clock = clock
        if database.is_sqlite:
            with database.engine.connect() as connection:
                connection.rollback()
                connection.connection.driver_connection.execute("PRAGMA synchronous=OFF")
                connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        self.entries = self.rows(ledger_entries)
        self.words = self.rows(ledger_reasons)

    def rows(self, table: Any) -> list[Row]:
        with self.database.reading() as connection:
            key = next(iter(table.primary_key))
            return [dict(row) for row in connection.execute(select(table).order_by(key)).mappings()]

    def change(self, *statements: Any) -> None:
        with self.changing() as connection:
            for statement in statements:
                connection.execute(statement)

    def changing(self) -> Any:
        return self.database.writing()

    def verified(self) -> Verification:
        place = second_place(self.settings)
        verifier = verifier_for(self.database, self.settings)
        return verify(self.database, self.settings, place, verifier)

    def found(self) -> list[Finding]:
        return list(self.verified().findings)

    def rewrite(self, rows: list[Row]) -> None:
        """Put other entries in the place of all, and make every hash and the head fit them."""
        with self.changing() as connection:
            origin = connection.execute(select(ledger_head.c.origin)).scalar_one()
            if not self.database.is_sqlite:
                connection.execute(text("SET session_replication_role = replica"))
            tree, tiles = Frontier(), []
            for number, row in enumerate(rows):
                row["number"] = number
                row["leaf"] = leaf_of(origin, row)
                tree, made = tree.grown(row["leaf"])
                tiles += [
                    {"level": 1, "number": number >> TILE_HEIGHT, "hash": each}
                    for each in made[TILE_HEIGHT : TILE_HEIGHT + 1]
                ]
            connection.execute(delete(ledger_entries))
            connection.execute(insert(ledger_entries), rows)
            connection.execute(delete(ledger_tiles))
            if tiles:
                connection.execute(insert(ledger_tiles), tiles)
            connection.execute(update(ledger_head).values(size=tree.size, frontier=bytes(tree)))


def verifier_for(database: Database, settings: Settings) -> VerifierKey:
    place = second_place(settings)
    key = key_to_sign(settings.keys_folder, place, database, system_clock)
    return verifier_of(database, place, public_bytes(key))


def leaf_of(origin: str, row: Row) -> bytes:
    names = ("number", "at", "actor", "role", "face", "act", "case_id", "item", "thing")
    reason = row["reason"].hex() if row["reason"] is not None else None
    return leaf_hash(leaf(origin, [*(row[name] for name in names), reason]))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def _filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A house whose ledger is filled and signed, and which is copied for each test."""
    data = tmp_path_factory.mktemp("filled") / "data"
    if request.param == "sqlite":
        yield _fill(load_settings(data=data))
        return
    with made.postgresql_database(request.getfixturevalue("postgresql_server")) as url:
        yield _fill(load_settings(data=data, database_url=url))


def _fill(settings: Settings) -> Settings:
    from tests.conftest import TurnedClock

    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    checkpointed(database, settings, TurnedClock(), SIGNED)
    database.close()
    return settings


@pytest.fixture
def ledger(
    request: pytest.FixtureRequest, _filled: Settings, data: Path, clock: Any
) -> Iterator[Ledger]:
    shutil.copytree(_filled.data, data)
    shutil.copytree(_filled.keys_folder, data.with_name("data.keys"))
    with ExitStack() as dropped_at_the_end:
        url = _filled.database_url
        if url is not None:
            server = request.getfixturevalue("postgresql_server")
            url = dropped_at_the_end.enter_context(
                made.postgresql_database(server, str(make_url(url).database), renamed=False)
            )
        settings = load_settings(data=data, database_url=url)
        database = Database.open(settings)
        yield Ledger(database, settings, clock)
        database.close()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """One on SQLite, for tests that put back what they change."""
    from tests.conftest import TurnedClock

    settings = _fill(load_settings(data=tmp_path_factory.mktemp("ledger") / "data"))
    database = Database.open(settings)
    ledger = Ledger(database, settings, TurnedClock())
    yield ledger
    assert ledger.found() == []
    database.close()


def place_of(found: list[Finding], trouble: Trouble) -> list[tuple[int | None, int | None]]:
    return [(each.first, each.last) for each in found if each.trouble is trouble]


def numbers_of(found: list[Finding], trouble: Trouble) -> set[int]:
    return {
        number
        for first, last in place_of(found, trouble)
        for number in range(first, last + 1)  # type: ignore[operator, arg-type]
    }


def flipped(value: Any, place: int, bit: int = 0) -> Any:
    """A value with one bit of one byte changed."""
    if isinstance(value, int):
        return value ^ (1 << (8 * place + bit))
    if isinstance(value, str):
        return value[:place] + chr(ord(value[place]) ^ 1 << bit) + value[place + 1 :]
    return value[:place] + bytes([value[place] ^ 1 << bit]) + value[place + 1 :]


def length(value: Any) -> int:
    return 0 if value is None else 7 if isinstance(value, int) else len(value)


COLUMNS = [column.name for column in ledger_entries.c if column.name != "number"]


def test_a_sound_ledger_is_found_sound(ledger: Ledger) -> None:
    verified = ledger.verified()
    assert verified.findings == []
    assert (verified.entries, verified.checkpoints, verified.covered) == (SIZE, 3, SIZE)


def test_an_empty_ledger_is_sound(database, settings) -> None:
    place = second_place(settings)
    assert verify(database, settings, place, verifier_for(database, settings)).findings == []


def test_each_byte_of_each_column_is_covered_by_its_entrys_hash(standing: Ledger) -> None:
    """Every byte of every entry is changed: that of one column and place in all entries at once."""
    changed = 0
    for column in COLUMNS:
        longest = max(length(row[column]) for row in standing.entries)
        for place in range(longest):
            touched = [row for row in standing.entries if length(row[column]) > place]
            with standing.changing() as connection:
                for row in touched:
                    value = flipped(row[column], place)
                    set_value(connection, row["number"], column, value)
            assert numbers_of(standing.found(), Trouble.CHANGED) == {
                row["number"] for row in touched
            }
            with standing.changing() as connection:
                for row in touched:
                    set_value(connection, row["number"], column, row[column])
            changed += len(touched)
    assert changed > 90_000


def set_value(connection: Connection, number: int, column: str, value: Any) -> None:
    connection.exec_driver_sql(
        f"UPDATE ledger_entries SET {column} = ? WHERE number = ?", (value, number)
    )


def single_bytes(ledger: Ledger) -> list[tuple[str, int, int]]:
    every = [
        (column, row["number"], place)
        for row in ledger.entries
        for column in COLUMNS
        for place in range(length(row[column]))
    ]
    return every if SOAK else random.Random(1).sample(every, 150)


@pytest.mark.parametrize("share", range(8 if SOAK else 1))
@pytest.mark.timeout(7200)
def test_one_changed_byte_of_an_entry_is_found_in_that_entry(standing: Ledger, share: int) -> None:
    chosen = single_bytes(standing)[share :: 8 if SOAK else 1]
    for count, (column, number, place) in enumerate(chosen):
        value = standing.entries[number][column]
        with standing.changing() as connection:
            set_value(connection, number, column, flipped(value, place, count % 8 % 7))
        found = standing.found()
        assert place_of(found, Trouble.CHANGED) == [(number, number)]
        with standing.changing() as connection:
            set_value(connection, number, column, value)


def test_one_changed_byte_of_an_entry_is_found_on_each_database(ledger: Ledger) -> None:
    for number in (0, 255, 256, 511, 700, 999):
        row = ledger.entries[number]
        for column in COLUMNS:
            value = row[column]
            if value is not None:
                where = ledger_entries.c.number == number
                change = update(ledger_entries).where(where)
                ledger.change(change.values({column: flipped(value, 0)}))
                assert place_of(ledger.found(), Trouble.CHANGED) == [(number, number)]
                ledger.change(change.values({column: value}))
    assert ledger.found() == []


def test_a_value_of_another_type_is_found(standing: Ledger) -> None:
    for column, value in (
        ("at", "1768478400000000 x"),
        ("at", b"1"),
        ("at", 1.5),
        ("actor", b"test:8"),
        ("actor", 8),
        ("role", ""),
        ("case_id", ""),
        ("case_id", None),
        ("item", "x"),
        ("item", None),
        ("thing", None),
        ("reason", None),
        ("reason", "text"),
        ("reason", b""),
        ("leaf", "text"),
        ("leaf", b""),
    ):
        number = next(
            row["number"]
            for row in standing.entries
            if row[column] != value and (row[column] is not None or value is not None)
        )
        with standing.changing() as connection:
            set_value(connection, number, column, value)
        assert (number, number) in place_of(standing.found(), Trouble.CHANGED), (column, value)
        with standing.changing() as connection:
            set_value(connection, number, column, standing.entries[number][column])


def test_bytes_that_are_no_text_are_found_and_not_stumbled_over(standing: Ledger) -> None:
    change = "UPDATE ledger_entries SET actor = CAST(X'74FF80' AS TEXT) WHERE number = 7"
    with standing.changing() as connection:
        connection.exec_driver_sql(change)
    assert place_of(standing.found(), Trouble.CHANGED) == [(7, 7)]
    with standing.changing() as connection:
        set_value(connection, 7, "actor", standing.entries[7]["actor"])
        connection.exec_driver_sql(
            "UPDATE ledger_reasons SET words = CAST(X'74FF80' AS TEXT) WHERE entry = 8"
        )
    assert place_of(standing.found(), Trouble.WORDS) == [(8, 8)]
    with standing.changing() as connection:
        words = next(row["words"] for row in standing.words if row["entry"] == 8)
        connection.exec_driver_sql("UPDATE ledger_reasons SET words = ? WHERE entry = 8", (words,))


def test_each_changed_byte_of_words_and_salts_is_found(standing: Ledger) -> None:
    for column in ("salt", "words"):
        for place in range(max(length(row[column]) for row in standing.words)):
            touched = [row for row in standing.words if length(row[column]) > place]
            change = f"UPDATE ledger_reasons SET {column} = ? WHERE entry = ?"
            with standing.changing() as connection:
                for row in touched:
                    value = flipped(row[column], place)
                    connection.exec_driver_sql(change, (value, row["entry"]))
            assert numbers_of(standing.found(), Trouble.WORDS) == {row["entry"] for row in touched}
            with standing.changing() as connection:
                for row in touched:
                    connection.exec_driver_sql(change, (row[column], row["entry"]))


def test_each_changed_byte_of_the_kept_hashes_and_the_head_is_found(ledger: Ledger) -> None:
    step = 1 if SOAK or ledger.database.is_sqlite else 8
    for tile in ledger.rows(ledger_tiles):
        change = update(ledger_tiles).where(ledger_tiles.c.number == tile["number"])
        for place in range(0, 32, step):
            ledger.change(change.values(hash=flipped(tile["hash"], place)))
            found = ledger.found()
            first = tile["number"] * 256
            assert place_of(found, Trouble.HASHES) == [(first, first + 255)]
            assert len(found) == 1
        ledger.change(change.values(hash=tile["hash"]))
    (head,) = ledger.rows(ledger_head)
    ranges = Frontier.read(head["size"], head["frontier"]).ranges()
    for place in range(0, len(head["frontier"]), 5 * step):
        ledger.change(update(ledger_head).values(frontier=flipped(head["frontier"], place)))
        start, end = ranges[place // 32]
        assert place_of(ledger.found(), Trouble.HEAD) == [(start, end - 1)]
    ledger.change(update(ledger_head).values(frontier=head["frontier"]))
    for place in range(0, len(head["origin"]), step):
        ledger.change(update(ledger_head).values(origin=flipped(head["origin"], place)))
        (finding,) = ledger.found()
        assert finding.trouble is Trouble.HEAD
    ledger.change(update(ledger_head).values(origin=head["origin"]))
    for place, bit in (
        (place, bit) for place in range(0, 7, 1 if SOAK else 3) for bit in (0, 3, 6)
    ):
        ledger.change(update(ledger_head).values(size=flipped(SIZE, place, bit)))
        assert {each.trouble for each in ledger.found()} & {Trouble.HEAD, Trouble.MISSING}
    ledger.change(update(ledger_head).values(size=SIZE))
    assert ledger.found() == []


def test_a_head_that_is_gone_or_not_alone_is_found(ledger: Ledger) -> None:
    (head,) = ledger.rows(ledger_head)
    ledger.change(insert(ledger_head).values({**head, "id": 2}))
    assert [each.trouble for each in ledger.found()] == [Trouble.HEAD]
    ledger.change(delete(ledger_head))
    assert [each.trouble for each in ledger.found()] == [Trouble.HEAD]


def test_each_dropped_entry_is_found(standing: Ledger) -> None:
    step = 1 if SOAK else 13
    for row in standing.entries[::step]:
        standing.change(delete(ledger_entries).where(ledger_entries.c.number == row["number"]))
        found = standing.found()
        assert place_of(found, Trouble.MISSING) == [(row["number"], row["number"])]
        assert place_of(found, Trouble.CHANGED) == []
        standing.change(insert(ledger_entries).values(row))


def test_each_swapped_pair_is_found(standing: Ledger) -> None:
    chance = random.Random(3)
    pairs = [(number, number + 1) for number in range(0, SIZE - 1, 1 if SOAK else 41)]
    pairs += [tuple(chance.sample(range(SIZE), 2)) for _ in range(1000 if SOAK else 20)]
    for one, other in pairs:
        swap(standing, one, other)
        assert numbers_of(standing.found(), Trouble.CHANGED) == {one, other}
        swap(standing, one, other)


def swap(ledger: Ledger, one: int, other: int) -> None:
    aside = -1
    with ledger.changing() as connection:
        for old, new in ((one, aside), (other, one), (aside, other)):
            connection.execute(
                update(ledger_entries).where(ledger_entries.c.number == old).values(number=new)
            )


def test_dropping_an_entry_and_closing_the_gap_is_found(ledger: Ledger) -> None:
    with ledger.changing() as connection:
        if not ledger.database.is_sqlite:
            connection.execute(text("SET session_replication_role = replica"))
        connection.execute(delete(ledger_entries).where(ledger_entries.c.number == 400))
        for number in range(401, SIZE):
            connection.execute(
                update(ledger_entries)
                .where(ledger_entries.c.number == number)
                .values(number=number - 1)
            )
    found = ledger.found()
    assert place_of(found, Trouble.CHANGED) == [(400, SIZE - 2)]
    assert place_of(found, Trouble.MISSING) == [(SIZE - 1, SIZE - 1)]


# What an attacker makes of all rows, and between which checkpoints that is found.
REWRITTEN: list[tuple[Callable[[list[Row]], list[Row]], tuple[int, int]]] = [
    (lambda rows: rows[:400] + rows[401:], (300, 599)),
    (lambda rows: [*rows[:50], rows[51], rows[50], *rows[52:]], (0, 299)),
    (lambda rows: [*rows[:700], {**rows[700]}, *rows[700:]], (600, 999)),
    (lambda rows: [*rows[:999], {**rows[999], "actor": "os:0"}], (600, 999)),
    (lambda rows: [{**rows[0], "at": rows[0]["at"] + 1}, *rows[1:]], (0, 299)),
]


def test_who_rewrites_everything_consistently_is_found_by_the_checkpoints(ledger: Ledger) -> None:
    for rewritten, between in REWRITTEN:
        ledger.rewrite(rewritten([{**row} for row in ledger.entries]))
        found = ledger.found()
        assert place_of(found, Trouble.CHECKPOINT) == [between]
        assert place_of(found, Trouble.CHANGED) == []
        assert place_of(found, Trouble.HEAD) == []


def test_who_rewrites_an_entry_and_its_hash_alone_is_found_by_the_hash_over_256(
    ledger: Ledger,
) -> None:
    row = {**ledger.entries[300], "actor": "os:0"}
    (head,) = ledger.rows(ledger_head)
    row["leaf"] = leaf_of(head["origin"], row)
    where = ledger_entries.c.number == 300
    ledger.change(update(ledger_entries).where(where).values(row))
    found = ledger.found()
    assert place_of(found, Trouble.HASHES) == [(256, 511)]
    assert place_of(found, Trouble.HEAD) == [(0, 511)]
    assert place_of(found, Trouble.CHECKPOINT) == [(300, 599)]


def test_a_ledger_that_was_cut_off_is_found(ledger: Ledger) -> None:
    for end in (999, 750, 601, 600, 599, 256, 1):
        ledger.rewrite([{**row} for row in ledger.entries[:end]])
        ledger.change(delete(ledger_reasons).where(ledger_reasons.c.entry >= end))
        found = ledger.found()
        assert place_of(found, Trouble.ROLLED_BACK)[0][0] == end
        assert place_of(found, Trouble.ROLLED_BACK)[-1] == (end, SIZE - 1)
        assert {each.trouble for each in found} == {Trouble.ROLLED_BACK}
    ledger.change(delete(ledger_reasons), delete(ledger_tiles), delete(ledger_entries))
    assert {each.trouble for each in ledger.found()} >= {Trouble.MISSING}


def test_entries_cut_off_alone_are_missed(ledger: Ledger) -> None:
    with ledger.changing() as connection:
        if not ledger.database.is_sqlite:
            connection.execute(text("SET session_replication_role = replica"))
        connection.execute(delete(ledger_entries).where(ledger_entries.c.number >= 990))
    assert place_of(ledger.found(), Trouble.MISSING) == [(990, 999)]


def test_an_old_copy_of_the_database_is_found(clock, data: Path) -> None:
    """On PostgreSQL likewise, by statements: ``test_a_ledger_that_was_cut_off_is_found``."""
    settings = load_settings(data=data)
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    checkpoints = checkpointed(database, settings, clock, [300, 600])
    with closing(sqlite3.connect(data / "tutela.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(data / "old.db"),))
    fill(database, clock, 400, first=600)
    checkpoints.make()
    database.close()
    for name in ("tutela.db", "tutela.db-wal", "tutela.db-shm"):
        (data / name).unlink(missing_ok=True)
    (data / "old.db").rename(data / "tutela.db")
    place = second_place(settings)
    found = verify(database, settings, place, verifier_for(database, settings)).findings
    assert [(each.trouble, each.first, each.last) for each in found] == [
        (Trouble.ROLLED_BACK, 600, 999)
    ]
    # Going on from there does not hide it.
    fill(database, clock, 900, first=600)
    found = verify(database, settings, place, verifier_for(database, settings)).findings
    assert place_of(list(found), Trouble.CHECKPOINT) == [(600, 999)]
    database.close()


def test_no_changed_byte_of_the_file_is_taken_for_sound_if_it_changes_a_row(
    data: Path, clock: Any
) -> None:
    settings = load_settings(data=data)
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    checkpointed(database, settings, clock, SIGNED)
    verifier = verifier_for(database, settings)
    database.close()
    file = data / "tutela.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    sound, rows = file.read_bytes(), raw_rows(file)
    chance = random.Random(4)
    found = 0
    for _ in range(5000 if SOAK else 150):
        place = chance.randrange(len(sound))
        file.write_bytes(flipped(sound, place, chance.randrange(8)))
        try:
            findings = verify(database, settings, second_place(settings), verifier).findings
        except StorageError:
            continue
        finally:
            database.close()
        found += bool(findings)
        assert findings or raw_rows(file) == rows
    assert found > 10


def raw_rows(file: Path) -> list[list[Any]]:
    tables = (ledger_head, ledger_entries, ledger_tiles, ledger_reasons)
    with closing(sqlite3.connect(file)) as connection:
        connection.text_factory = bytes
        return [
            sorted(connection.execute(f"SELECT * FROM {table.name} NOT INDEXED"))
            for table in tables
        ]


def test_what_stands_outside_is_found(ledger: Ledger) -> None:
    (row,) = (each for each in ledger.entries if each["number"] == 5)
    ledger.change(
        insert(ledger_entries).values({**row, "number": SIZE}),
        insert(ledger_entries).values({**row, "number": -1}),
        insert(ledger_reasons).values(entry=SIZE, salt=b"s" * 32, words="because"),
        insert(ledger_tiles).values(level=1, number=3, hash=b"h" * 32),
        insert(ledger_tiles).values(level=2, number=0, hash=b"h" * 32),
        insert(ledger_tiles).values(level=0, number=0, hash=b"h" * 32),
    )
    found = ledger.found()
    assert place_of(found, Trouble.ADDED) == [(-1, -1), (SIZE, SIZE)]
    assert place_of(found, Trouble.WORDS) == [(SIZE, SIZE)]
    assert len(place_of(found, Trouble.HASHES)) == 3


def test_words_that_are_gone_without_an_entry_are_missed(ledger: Ledger) -> None:
    ledger.change(delete(ledger_reasons).where(ledger_reasons.c.entry.in_([4, 996])))
    assert numbers_of(ledger.found(), Trouble.WORDS) == {4, 996}


def test_words_given_to_an_entry_that_had_none_are_found(ledger: Ledger) -> None:
    ledger.change(insert(ledger_reasons).values(entry=5, salt=b"s" * 32, words="because"))
    assert place_of(ledger.found(), Trouble.WORDS) == [(5, 5)]


def test_erased_words_break_nothing_and_their_return_is_found(ledger: Ledger) -> None:
    kept = next(row for row in ledger.words if row["entry"] == 8)
    with ledger.changing() as connection:
        assert erase_reason(connection, 8, ACTOR, ledger.clock) == SIZE
    verified = ledger.verified()
    assert verified.findings == []
    assert (verified.entries, verified.covered) == (SIZE + 1, SIZE)
    ledger.change(insert(ledger_reasons).values(kept))
    assert place_of(ledger.found(), Trouble.WORDS) == [(8, 8)]


def test_a_changed_or_foreign_checkpoint_is_found(ledger: Ledger) -> None:
    folder = ledger.settings.keys_folder / "checkpoints"
    first, *_ = sorted(folder.iterdir())
    note = first.read_bytes()
    for place in range(0, len(note), 1 if SOAK else 11):
        first.write_bytes(flipped(note, place))
        (finding,) = ledger.found()
        assert finding.trouble is Trouble.CHECKPOINT
        assert first.name in finding.what
    first.write_bytes(note)
    assert ledger.found() == []


def test_another_key_verifies_nothing(ledger: Ledger) -> None:
    place = second_place(ledger.settings)
    with ledger.database.reading() as connection:
        origin = connection.execute(select(ledger_head.c.origin)).scalar_one()
    found = verify(ledger.database, ledger.settings, place, VerifierKey(origin, b"k" * 32)).findings
    assert len(place_of(list(found), Trouble.CHECKPOINT)) == 3


def test_several_processes_find_the_same(settings, database, clock, monkeypatch) -> None:
    monkeypatch.setattr("tutela.ledger.verifying._WORTH_PROCESSES", 100)
    monkeypatch.setattr("tutela.ledger.verifying.PART", 256)
    checkpointed(database, settings, clock, SIGNED)
    with database.writing() as connection:
        for number in (3, 512):
            connection.execute(
                update(ledger_entries).where(ledger_entries.c.number == number).values(act="x")
            )
    place = second_place(settings)
    seen: list[tuple[int, int]] = []
    found = verify(
        database,
        settings,
        place,
        verifier_for(database, settings),
        processes=2,
        progress=lambda done, size: seen.append((done, size)),
    ).findings
    assert place_of(list(found), Trouble.CHANGED) == [(3, 3), (512, 512)]
    assert seen == [(256, SIZE), (512, SIZE), (768, SIZE), (SIZE, SIZE)]


def test_entries_appended_meanwhile_are_left_for_the_next_time(ledger: Ledger) -> None:
    def append_more(done: int, size: int) -> None:
        fill(ledger.database, ledger.clock, 70_000 if SOAK else 300, first=SIZE)

    place = second_place(ledger.settings)
    verifier = verifier_for(ledger.database, ledger.settings)
    verified = verify(ledger.database, ledger.settings, place, verifier, progress=append_more)
    assert verified.findings == []
    assert verified.entries == SIZE
    with ledger.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(ledger_entries)).scalar() > SIZE
    assert ledger.found() == []


def test_an_act_appended_by_somebody_without_the_key_is_not_yet_covered(ledger: Ledger) -> None:
    with ledger.changing() as connection:
        append(connection, ACTOR, Act.KEY_ADDED, ledger.clock)
    assert ledger.verified().covered == SIZE


@pytest.mark.parametrize("number", [17, 980])
@pytest.mark.parametrize("also_dropped", [None, 18, 981])
@pytest.mark.parametrize("order", ["forged first", "forged last"])
def test_an_entry_inserted_under_the_number_of_another_is_found(
    ledger: Ledger, number: int, also_dropped: int | None, order: str
) -> None:
    without_key(ledger, ledger_entries)
    honest = ledger.entries[number]
    forged = {**honest, "act": "case.opened", "actor": "key:1", "reason": None}
    with ledger.database.reading() as connection:
        origin = connection.execute(select(ledger_head.c.origin)).scalar_one()
    forged["leaf"] = leaf_of(origin, forged)
    both = [forged, honest] if order == "forged first" else [honest, forged]
    ledger.change(
        delete(ledger_entries).where(ledger_entries.c.number.in_([number, also_dropped])),
        *(insert(ledger_entries).values(row) for row in both),
    )
    found = ledger.found()
    assert place_of(found, Trouble.ADDED) == [(number, number)]
    dropped = [] if also_dropped is None else [(also_dropped, also_dropped)]
    assert place_of(found, Trouble.MISSING) == dropped


@pytest.mark.parametrize(
    ("table", "trouble"), [(ledger_reasons, Trouble.WORDS), (ledger_tiles, Trouble.HASHES)]
)
def test_words_and_hashes_kept_twice_are_found(
    ledger: Ledger, table: Any, trouble: Trouble
) -> None:
    row = ledger.rows(table)[0]
    without_key(ledger, table)
    ledger.change(insert(table).values(row))
    (found,) = ledger.found()
    assert found.trouble is trouble
    assert "twice" in found.what


def without_key(ledger: Ledger, table: Any) -> None:
    """Rebuild a table so that a key may be there twice."""
    name = table.name
    if ledger.database.is_sqlite:
        ledger.change(
            text("PRAGMA legacy_alter_table=ON"),
            text(f"CREATE TABLE rebuilt AS SELECT * FROM {name}"),
            text(f"DROP TABLE {name}"),
            text(f"ALTER TABLE rebuilt RENAME TO {name}"),
        )
    else:
        ledger.change(text(f"ALTER TABLE {name} DROP CONSTRAINT pk_{name} CASCADE"))
