"""Verifying the whole ledger: reading everything there is, on all cores, and judging it."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

from sqlalchemy import Connection, Executable, func, literal, or_, select

from tutela.errors import StorageError
from tutela.ledger.checking import (
    TILE,
    Finding,
    Part,
    Tree,
    Trouble,
    check_checkpoints,
    check_head,
    check_part,
    check_tiles,
    check_words,
    merged,
)
from tutela.ledger.checkpointing import SUFFIX, TIMESTAMP_SUFFIX
from tutela.ledger.merkle import Frontier
from tutela.ledger.notes import InvalidNoteError, VerifierKey, read_note
from tutela.ledger.places.model import Place
from tutela.ledger.tables import ledger_entries, ledger_head, ledger_reasons, ledger_tiles
from tutela.ledger.timestamping import StampVerifier
from tutela.storage.database import Database
from tutela.storage.settings import Settings

PART = 64 * TILE
"""Entries that are read and checked at once."""

_WORTH_PROCESSES = 4 * PART
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying a ledger gave.

    Attributes:
        entries: How many entries were checked.
        checkpoints: How many checkpoints were found, each over a part or all of them.
        timestamps: How many timestamps of them were found.
        covered: How many entries are below the newest sound checkpoint.
        findings: What is not as it was written. None: the ledger is sound.
    """

    entries: int
    checkpoints: int
    timestamps: int
    covered: int
    findings: Sequence[Finding]


def verify(
    database: Database,
    settings: Settings,
    place: Place,
    verifier: VerifierKey,
    *,
    processes: int = 1,
    stamps: StampVerifier | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Verification:
    """Check every entry, every kept hash, all words, and every checkpoint in a place.

    Entries may be appended meanwhile; those are left for the next time.

    Args:
        database: The ledger's.
        settings: How other processes open it.
        place: Where the checkpoints are.
        verifier: By what they are verified.
        processes: How many processes share the work, if it is worth it.
        stamps: By what timestamps of checkpoints are verified.
        progress: Is told how many entries of how many are checked.

    Raises:
        StorageError: The database or the place cannot be read.
    """
    notes = _read_notes(place, verifier, stamps)
    with database.reading() as connection:
        head, size, findings = _read_head(connection, verifier)
    tasks = _tasks(verifier.name, size, sorted(notes.roots))
    parts = []
    with _checking(database, settings, processes if size >= _WORTH_PROCESSES else 1) as check:
        for part in check(tasks):
            parts.append(part)
            progress(part.end, size)
            if part.empty:
                break
    tree = Tree(parts)
    with database.reading() as connection:
        if tree.size < size:
            # Of a part nothing is there: what else is missing, nobody needs to count through.
            findings.append(Finding(Trouble.MISSING, "not there", tree.size, size - 1))
        findings += [finding for part in parts for finding in part.findings]
        findings += check_words(parts)
        findings += _strays(connection, tree, size)
    if head is not None and tree.size == head.size:
        findings += check_head(tree, head)
    wrong = check_checkpoints(tree, size, notes.roots)
    sound = [each for each in notes.roots if not wrong or each <= (wrong[0].first or 0)]
    return Verification(
        entries=tree.size,
        checkpoints=len(notes.roots),
        timestamps=notes.timestamps,
        covered=max(sound, default=0),
        findings=merged([*notes.findings, *wrong, *_in_order(findings)]),
    )


def check_rows(
    connection: Connection, origin: str, start: int, end: int, sizes: Sequence[int]
) -> Part:
    """Read and check the entries from ``start``, a multiple of 256, up to ``end``."""
    number, level = ledger_entries.c.number, ledger_tiles.c.level
    entry, tile = ledger_reasons.c.entry, ledger_tiles.c.number
    return check_part(
        origin,
        start,
        end,
        rows=_raw(
            connection,
            select(ledger_entries).where(number >= start, number < end).order_by(number),
        ),
        words=_raw(connection, select(ledger_reasons).where(entry >= start, entry < end)),
        tiles=_raw(
            connection,
            select(ledger_tiles).where(level == 1, tile >= start // TILE, tile < end // TILE),
        ),
        sizes=sizes,
    )


def verifier_of(database: Database, place: Place, public: bytes) -> VerifierKey:
    """By what a ledger with this public key is verified.

    Its name is what the checkpoints call it, should the database call it otherwise.
    """
    with database.reading() as connection:
        rows = connection.execute(select(ledger_head.c.origin)).all()
    own = rows[0].origin if rows else ""
    names = [name for name in place.names() if name.endswith(SUFFIX)]
    note = place.read(names[-1]) if names else None
    signed = note.partition(b"\n")[0].decode("utf-8", "replace") if note else own
    return VerifierKey(signed or own, public)


@dataclass(frozen=True, slots=True)
class _Notes:
    roots: Mapping[int, bytes]
    timestamps: int
    findings: Sequence[Finding]


def _read_notes(place: Place, verifier: VerifierKey, stamps: StampVerifier | None) -> _Notes:
    roots: dict[int, bytes] = {}
    findings: list[Finding] = []
    timestamps = 0
    names = place.names()
    for name in names:
        content = place.read(name) if name.endswith(SUFFIX) else None
        if content is None:
            continue
        try:
            found = read_note(content, verifier)
        except InvalidNoteError as error:
            findings.append(
                Finding(Trouble.CHECKPOINT, f"the checkpoint {name} cannot be trusted: {error}")
            )
            continue
        if roots.setdefault(found.size, found.root) != found.root:
            findings.append(
                Finding(
                    Trouble.CHECKPOINT,
                    f"two different checkpoints over {found.size} entries were signed",
                    0,
                    found.size - 1,
                )
            )
        token = name.removesuffix(SUFFIX) + TIMESTAMP_SUFFIX
        answer = place.read(token) if token in names and stamps is not None else None
        if answer is not None and stamps is not None:
            timestamps += 1
            wrong = stamps.what_is_wrong(answer, content)
            if wrong:
                findings.append(Finding(Trouble.TIMESTAMP, f"the timestamp {token}: {wrong}"))
    return _Notes(roots, timestamps, findings)


def _read_head(
    connection: Connection, verifier: VerifierKey
) -> tuple[Frontier | None, int, list[Finding]]:
    """The head, if it is one; how many entries there should be; and what is wrong with it."""
    findings = []
    rows = connection.execute(select(ledger_head)).all()
    head = None
    for row in rows:
        if row.id == 1 and row.origin != verifier.name:
            findings.append(
                Finding(
                    Trouble.HEAD,
                    f'the ledger calls itself "{row.origin}", but its key and checkpoints call it '
                    f'"{verifier.name}"',
                )
            )
        try:
            head = Frontier.read(row.size, row.frontier) if row.id == 1 else head
        except (ValueError, TypeError):
            head = None
    if head is not None and len(rows) == 1:
        return head, head.size, findings
    findings.append(Finding(Trouble.HEAD, "the ledger's head is missing, damaged, or not alone"))
    last = connection.execute(select(func.max(ledger_entries.c.number))).scalar_one()
    counted = 0 if last is None else last + 1
    return head, counted if head is None else head.size, findings


def _strays(connection: Connection, tree: Tree, size: int) -> list[Finding]:
    """What stands outside: entries behind the end, words of no entry, hashes of nothing."""
    # The end as it is at that moment: others may be appending.
    grown = select(ledger_head.c.size).where(ledger_head.c.id == 1).scalar_subquery()
    end = func.coalesce(grown, literal(size)) if size == tree.size else literal(size)
    number = ledger_entries.c.number
    findings = [
        Finding(Trouble.ADDED, "it stands outside of the ledger", row.number, row.number)
        for row in connection.execute(
            select(number).where(or_(number < 0, number >= end)).order_by(number).limit(1000)
        )
    ]
    entry = ledger_reasons.c.entry
    findings += [
        Finding(Trouble.WORDS, "words of an entry that is none", row.entry, row.entry)
        for row in connection.execute(
            select(entry).where(or_(entry < 0, entry >= end)).order_by(entry).limit(1000)
        )
    ]
    columns = ledger_tiles.c
    rows = connection.execute(
        select(ledger_tiles, end.label("end")).where(
            or_(columns.level != 1, columns.number < 0, columns.number >= tree.size // TILE)
        )
    ).all()
    known = [row for row in rows if not _is_newer(row.level, row.number, tree.size, row.end)]
    return findings + check_tiles(tree, [(row.level, row.number, row.hash) for row in known])


def _is_newer(level: int, number: int, size: int, end: int) -> bool:
    """Whether a hash was kept since this verification began."""
    return level > 0 and size >> 8 * level <= number < end >> 8 * level


_Task = tuple[str, int, int, Sequence[int]]


def _tasks(origin: str, size: int, signed: Sequence[int]) -> Iterator[_Task]:
    for start in range(0, size, PART):
        end = min(start + PART, size)
        yield origin, start, end, [each for each in signed if start < each <= end]


@contextmanager
def _checking(
    database: Database, settings: Settings, processes: int
) -> Iterator[Callable[[Iterator[_Task]], Iterator[Part]]]:
    """What turns tasks into parts, in their order: here, or in several processes."""

    def here(tasks: Iterator[_Task]) -> Iterator[Part]:
        for task in tasks:
            with database.reading() as connection:
                part = check_rows(connection, *task)
            yield part

    if processes == 1:
        yield here
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _open_worker, (settings,)) as pool:

        def there(tasks: Iterator[_Task]) -> Iterator[Part]:
            # A few at a time: there may be very many, and their results wait in memory.
            waiting: deque[Future[Part]] = deque()
            for task in tasks:
                waiting.append(pool.submit(_work, *task))
                if len(waiting) > _AT_ONCE * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        try:
            yield there
        finally:
            pool.shutdown(cancel_futures=True)


class _Worker:
    database: Database


def _open_worker(settings: Settings) -> None:
    _Worker.database = Database.open(settings)


def _work(origin: str, start: int, end: int, sizes: Sequence[int]) -> Part:
    with _Worker.database.reading() as connection:
        return check_rows(connection, origin, start, end, sizes)


def _raw(connection: Connection, statement: Executable) -> list[Sequence[object]]:
    """The rows as the driver gives them: quick, and with whatever was put into their columns."""
    sql = str(
        statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
    )
    try:
        return _fetched(connection, sql)
    except sqlite3.DatabaseError as error:
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection) or "decode" not in str(error):
            raise StorageError(
                f"the database is damaged beyond reading ({error}): restore it from a backup, and "
                "verify that"
            ) from error
        # Bytes that are no text, in the place of a text.
        driver.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        try:
            return _fetched(connection, sql)
        finally:
            driver.text_factory = str


def _fetched(connection: Connection, sql: str) -> list[Sequence[object]]:
    return list(connection.exec_driver_sql(sql).cursor.fetchall())


def _in_order(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda each: (each.first is not None, each.first, each.last))
