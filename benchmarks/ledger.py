"""The ledger: appending to it, verifying all of it and proving an entry, from small to large."""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, insert, select, text, update

from benchmarks.results import Findings, Goal, Table
from benchmarks.scale import Scale
from benchmarks.timing import percentile
from tutela.cases.model import new_case_id
from tutela.ledger.appending import TILE_HEIGHT, append
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.encoding import leaf
from tutela.ledger.merkle import Frontier, leaf_hash
from tutela.ledger.model import Act, Actor
from tutela.ledger.places.choosing import second_place
from tutela.ledger.proving import prove
from tutela.ledger.reading import read_head
from tutela.ledger.tables import ledger_entries, ledger_head, ledger_tiles
from tutela.ledger.verifying import verify
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings

_ACTOR = Actor("bench", "os:1000", "operator", "cli")
_VERIFIED_A_SECOND = 200_000
_FLAT = 1.5
_AT_ONCE = 100_000
_PROCESSES = 2
_SEED = 20264


def measure(scale: Scale) -> Findings:
    """Grow one ledger on SQLite, and measure at each size.

    Raises:
        RuntimeError: The ledger is not found sound.
    """
    sizes = scale.pick((500, 2_000), (1_000, 100_000, 10_000_000))
    acts = scale.pick(20, 400)
    rows: list[list[str | float | None]] = []
    appended: list[float] = []
    rate = ratio = 0.0
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as name:
        settings = load_settings(data=Path(name) / "data")
        database = Database.open(settings)
        upgrade(database, settings.data, tell=lambda _: None)
        _make_plain(database)
        checkpoints = Checkpoints(database, settings, system_clock)
        for size in sizes:
            _grow(database, size)
            checkpoints.make()
            plain, ours, grouped_plain, grouped = _appending(database, acts)
            appended.append(grouped)
            checkpoints.make()
            entries, seconds = _verifying(database, settings, checkpoints)
            rate = entries / seconds
            hashing = _hashing(database, min(entries, 1_000_000))
            ratio = rate / hashing
            rows.append(
                [
                    f"{size:,}",
                    1e6 * plain,
                    1e6 * ours,
                    1e6 * grouped_plain,
                    1e6 * grouped,
                    rate,
                    hashing,
                    1e3 * _proving(database, checkpoints, scale.pick(5, 100)),
                ]
            )
        megabytes = (settings.data / "tutela.db").stat().st_size / 1e6
        database.close()
    goals = [
        Goal(
            f"verifying {sizes[-1]:,} entries whole, in {_PROCESSES} processes, against one pass "
            "of SHA-256 over the entries' bytes by Python in one",
            f"{rate:,.0f} entries/s",
            f"{rate / ratio:,.0f} entries/s",
            rate,
            _VERIFIED_A_SECOND,
            "entries/s",
        ),
        Goal(
            f"appending an entry to {sizes[-1]:,}, against the same to {sizes[0]:,}",
            f"{1e6 * appended[-1]:.0f} µs",
            f"{1e6 * appended[0]:.0f} µs",
            appended[-1] / appended[0],
            _FLAT,
            at_most=True,
        ),
    ]
    table = Table(
        "The ledger at several sizes, on SQLite (times in µs, medians)",
        (
            "entries",
            "insert of the same row, committed",
            "append, committed",
            "insert, of many in a transaction",
            "append, likewise",
            "verified/s",
            "hashed/s",
            "proof, ms",
        ),
        rows,
    )
    notes = [
        f"Committed: each in a transaction of its own, with SQLite's synchronous=FULL; {acts} of "
        "each in turns. The insert is of the same columns into a table with the same indexes. The "
        "ledger was filled up to each size by the same functions as append uses, but in "
        f"transactions of {_AT_ONCE:,}. It takes {megabytes:,.0f} MB in the end, "
        f"{1e6 * megabytes / sizes[-1]:.0f} B an entry.",
    ]
    return Findings(goals, [table], notes)


def _entries(count: int) -> Iterator[tuple[str, str | None]]:
    """Acts and cases: five entries each."""
    case = None
    acts = list(Act)
    for number in range(count):
        if number % 5 == 0:
            case = new_case_id()
        yield str(acts[number % 4]), case


def _grow(database: Database, size: int) -> None:
    with database.writing() as connection:
        # Made anew at the end, which is quicker than keeping them meanwhile.
        for index in ledger_entries.indexes:
            index.drop(connection, checkfirst=True)
    with database.reading() as connection:
        head = read_head(connection)
    tree = head.frontier
    entries = _entries(size - tree.size)
    while portion := list(islice(entries, _AT_ONCE)):
        with database.writing() as connection:
            tree = _append_many(connection, head.origin, tree, portion)
    with database.writing() as connection:
        for index in ledger_entries.indexes:
            index.create(connection)


def _append_many(
    connection: Connection, origin: str, tree: Frontier, portion: list[tuple[str, str | None]]
) -> Frontier:
    at = int(datetime.now(UTC).timestamp() * 1e6)
    rows, tiles = [], []
    for act, case in portion:
        number = tree.size
        said = (number, at + number, _ACTOR.id, _ACTOR.role, _ACTOR.face, act, case, None, None)
        hashed = leaf_hash(leaf(origin, (*said, None)))
        rows.append((*said, None, hashed))
        tree, made = tree.grown(hashed)
        tiles += [
            (height // TILE_HEIGHT, number >> height, made[height])
            for height in range(TILE_HEIGHT, len(made), TILE_HEIGHT)
        ]
    marks = ", ".join("?" * len(ledger_entries.c))
    connection.exec_driver_sql(f"INSERT INTO ledger_entries VALUES ({marks})", rows)
    if tiles:
        connection.execute(
            insert(ledger_tiles),
            [dict(zip(("level", "number", "hash"), tile, strict=True)) for tile in tiles],
        )
    connection.execute(update(ledger_head).values(size=tree.size, frontier=bytes(tree)))
    return tree


def _make_plain(database: Database) -> None:
    with database.writing() as connection:
        columns = ", ".join(column.name for column in ledger_entries.c)
        connection.execute(text(f"CREATE TABLE plain AS SELECT {columns} FROM ledger_entries"))
        connection.execute(text("CREATE UNIQUE INDEX plain_number ON plain (number)"))
        for column in ("case_id", "actor", "act"):
            connection.execute(text(f"CREATE INDEX plain_{column} ON plain ({column}, number)"))


def _appending(database: Database, count: int) -> tuple[float, float, float, float]:
    """Seconds of a plain insert and an append: each committed, and of many in one transaction."""
    plain_row = dict.fromkeys((column.name for column in ledger_entries.c), None)
    plain_row |= {"at": 1, "actor": "os:1000", "role": "operator", "face": "cli"}
    plain_row |= {"act": "case.opened", "leaf": b"h" * 32}
    names = ", ".join(plain_row)
    statement = text(f"INSERT INTO plain ({names}) VALUES (:{', :'.join(plain_row)})")

    def plain(connection: Connection) -> None:
        plain_row["number"] = random.getrandbits(60)
        connection.execute(statement, plain_row | {"case_id": new_case_id()})

    def ours(connection: Connection) -> None:
        append(connection, _ACTOR, Act.CASE_OPENED, system_clock, case=new_case_id())

    committed: tuple[list[float], list[float]] = ([], [])
    together: tuple[list[float], list[float]] = ([], [])
    for _ in range(count):
        for place, act in enumerate((plain, ours)):
            begin = time.perf_counter()
            with database.writing() as connection:
                act(connection)
            committed[place].append(time.perf_counter() - begin)
    for place, act in enumerate((plain, ours)):
        with database.writing() as connection:
            together[place].extend(_timed(act, connection, 5 * count))
    return (
        median(committed[0]),
        median(committed[1]),
        median(together[0]),
        median(together[1]),
    )


def _timed(act: Callable[[Connection], None], connection: Connection, count: int) -> list[float]:
    seconds = []
    for _ in range(count):
        begin = time.perf_counter()
        act(connection)
        seconds.append(time.perf_counter() - begin)
    return seconds


def _verifying(
    database: Database, settings: Settings, checkpoints: Checkpoints
) -> tuple[int, float]:
    begin = time.perf_counter()
    verified = verify(
        database,
        settings,
        second_place(settings),
        checkpoints.verifier(),
        processes=_PROCESSES,
    )
    seconds = time.perf_counter() - begin
    if verified.findings or verified.covered != verified.entries:
        raise RuntimeError(f"the ledger is not found sound: {verified.findings[:3]}")
    return verified.entries, seconds


def _hashing(database: Database, count: int) -> float:
    """Entries a second in one pass of SHA-256 over their bytes, which are in memory."""
    with database.reading() as connection:
        origin = read_head(connection).origin
        rows = connection.execute(
            select(*list(ledger_entries.c)[:9]).where(ledger_entries.c.number < count)
        )
        texts = [leaf(origin, (*row, None)) for row in rows]
    begin = time.perf_counter()
    for each in texts:
        sha256(each).digest()
    return len(texts) / (time.perf_counter() - begin)


def _proving(database: Database, checkpoints: Checkpoints, count: int) -> float:
    newest = checkpoints.newest()
    size = newest.checkpoint.size if newest else 0
    chance = random.Random(_SEED)
    seconds = []
    for _ in range(count):
        begin = time.perf_counter()
        prove(database, checkpoints, chance.randrange(size))
        seconds.append(time.perf_counter() - begin)
    return percentile(seconds, 50)
