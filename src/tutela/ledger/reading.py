"""Reading the ledger: its head, its entries, the words that say why, and the kept hashes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from tutela.errors import NotFoundError
from tutela.ledger.appending import TILE_HEIGHT
from tutela.ledger.encoding import moment
from tutela.ledger.merkle import Frontier, Subtree, levels
from tutela.ledger.model import AlteredLedgerError, Entry, EntryNumber
from tutela.ledger.tables import ledger_entries, ledger_head, ledger_reasons, ledger_tiles

_TILE = 1 << TILE_HEIGHT


@dataclass(frozen=True, slots=True)
class Head:
    """Where the ledger ends.

    Attributes:
        origin: The ledger's name.
        frontier: The tree over all entries.
    """

    origin: str
    frontier: Frontier

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.frontier.size


def read_head(connection: Connection) -> Head:
    """The ledger's head.

    Raises:
        AlteredLedgerError: It is missing or damaged.
    """
    row = connection.execute(select(ledger_head).where(ledger_head.c.id == 1)).one_or_none()
    if row is not None:
        try:
            return Head(row.origin, Frontier.read(row.size, row.frontier))
        except ValueError:
            pass
    raise AlteredLedgerError('the ledger\'s head is missing or damaged: see "tutela ledger verify"')


def entries_counted(connection: Connection) -> int:
    """How many entries the ledger says it has; 0 if it does not say."""
    size = connection.execute(
        select(ledger_head.c.size).where(ledger_head.c.id == 1)
    ).scalar_one_or_none()
    return size or 0


def find_entry(connection: Connection, number: int) -> Entry:
    """One entry.

    Raises:
        NotFoundError: There is none of this number.
    """
    row = connection.execute(
        select(ledger_entries).where(ledger_entries.c.number == number)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f'there is no entry {number}: see "tutela ledger ls"')
    return entry_of(row)


def newest_entries(
    connection: Connection, limit: int, case: str | None = None, before: int | None = None
) -> list[Entry]:
    """The newest entries, the newest first.

    Args:
        connection: Where to read.
        limit: How many at most.
        case: Only those about this case.
        before: Only those with a smaller number.
    """
    statement = select(ledger_entries).order_by(ledger_entries.c.number.desc()).limit(limit)
    if case is not None:
        statement = statement.where(ledger_entries.c.case_id == case)
    if before is not None:
        statement = statement.where(ledger_entries.c.number < before)
    return [entry_of(row) for row in connection.execute(statement)]


def words_of(connection: Connection, entries: Sequence[Entry]) -> dict[EntryNumber, str]:
    """The words that say why, of those entries that have any which are not erased."""
    numbers = [entry.number for entry in entries if entry.reason is not None]
    rows = connection.execute(select(ledger_reasons).where(ledger_reasons.c.entry.in_(numbers)))
    return {EntryNumber(row.entry): row.words for row in rows}


def kept_hashes(connection: Connection) -> Subtree:
    """The hashes of whole subtrees, from those that were kept: of any, some 256 rows are read.

    What it gives may raise ``AlteredLedgerError``, if one that should be there is missing.
    """
    tiles: dict[tuple[int, int], list[bytes]] = {}

    def tile(level: int, number: int) -> list[bytes]:
        if (level, number) not in tiles:
            tiles[level, number] = _tile(connection, level, number)
        return tiles[level, number]

    def subtree(height: int, place: int) -> bytes:
        level, above = divmod(height, TILE_HEIGHT)
        first = place << above
        start = first % _TILE
        found = tile(level, first // _TILE)[start : start + (1 << above)]
        if len(found) != 1 << above:
            raise AlteredLedgerError(
                'the ledger lacks a hash over the entries from {first} to {last}: see "tutela '
                'ledger verify"',
                first=place << height,
                last=(place + 1 << height) - 1,
            )
        return levels(found)[-1][0]

    return subtree


def _tile(connection: Connection, level: int, number: int) -> list[bytes]:
    """Up to 256 hashes of a level, as many as there are without a gap."""
    first = number * _TILE
    if level:
        columns, where = ledger_tiles.c, [ledger_tiles.c.level == level]
        hashed = columns.hash
    else:
        columns, where = ledger_entries.c, []
        hashed = columns.leaf
    rows = connection.execute(
        select(columns.number, hashed)
        .where(*where, columns.number >= first, columns.number < first + _TILE)
        .order_by(columns.number)
    ).all()
    return [found for place, (at, found) in enumerate(rows, first) if at == place]


def entry_of(row: Row[tuple[object, ...]]) -> Entry:
    """An entry from all its columns."""
    return Entry(
        number=EntryNumber(row.number),
        at=moment(row.at),
        actor=row.actor,
        role=row.role,
        face=row.face,
        act=row.act,
        case=row.case_id,
        item=row.item,
        thing=row.thing,
        reason=row.reason,
    )
