"""Appending an entry, in the transaction of the act that it tells of."""

import re
import secrets

from sqlalchemy import Connection, RowMapping, insert, select, update

from tutela.errors import StorageError
from tutela.ledger.encoding import SALT_BYTES, commitment, leaf, microseconds
from tutela.ledger.merkle import Frontier, leaf_hash
from tutela.ledger.model import Act, Actor, EntryNumber
from tutela.ledger.tables import ledger_entries, ledger_head, ledger_reasons, ledger_tiles
from tutela.storage.clock import Clock

TILE_HEIGHT = 8
"""The height of the subtrees whose hashes are kept: they have 256 leaves, as in C2SP tlog-tiles."""

_ID = re.compile(r"[!-~]{1,200}")
_HEAD = select(ledger_head.c.origin, ledger_head.c.size, ledger_head.c.frontier).where(
    ledger_head.c.id == 1
)


def append(
    connection: Connection,
    actor: Actor,
    act: Act,
    clock: Clock,
    *,
    case: str | None = None,
    item: str | None = None,
    thing: str | None = None,
    reason: str = "",
) -> EntryNumber:
    """Write down who does what. The entry is there if and only if the caller's transaction commits.

    From here to the end of the transaction nobody else can append. So do it last, behind what
    waits for other locks: then writers queue, and never wait for one another in a circle.

    Args:
        connection: The transaction of the act.
        actor: Who does it.
        act: What is done.
        clock: The time.
        case: The number of the case that it is about.
        item: The id of the item that it is about.
        thing: Another thing's id, such as ``list:3``.
        reason: Why, in a person's own words. They are kept apart from the entry, which only holds
            a commitment to them, and can be erased (``tutela.ledger.erasing``).

    Returns:
        The entry's number.

    Raises:
        StorageError: The ledger's head is missing or damaged.
        ValueError: An id has a space, is longer than 200 characters, or is not plain ASCII: then it
            is no id, and may be a name or other personal data.
    """
    for value in (actor.id, actor.role, actor.face, case, item, thing):
        if value is not None and not _ID.fullmatch(value):
            raise ValueError(f"not an id: {value!r}")
    origin, frontier = _lock_head(connection)
    number = EntryNumber(frontier.size)
    reason = _storable(reason)
    salt = secrets.token_bytes(SALT_BYTES) if reason else None
    committed = commitment(salt, reason) if salt else None
    at = microseconds(clock())
    said = (at, actor.id, actor.role, actor.face, str(act), case, item, thing)
    hashed = leaf_hash(leaf(origin, (number, *said, committed.hex() if committed else None)))
    grown, made_whole = frontier.grown(hashed)
    connection.execute(
        insert(ledger_entries),
        dict(zip(ledger_entries.c.keys(), (number, *said, committed, hashed), strict=True)),
    )
    if salt:
        connection.execute(insert(ledger_reasons), {"entry": number, "salt": salt, "words": reason})
    for height in range(TILE_HEIGHT, len(made_whole), TILE_HEIGHT):
        connection.execute(
            insert(ledger_tiles),
            {
                "level": height // TILE_HEIGHT,
                "number": number >> height,
                "hash": made_whole[height],
            },
        )
    connection.execute(
        update(ledger_head)
        .where(ledger_head.c.id == 1)
        .values(size=grown.size, frontier=bytes(grown))
    )
    return number


def _storable(words: str) -> str:
    # A command line may hold bytes that are not UTF-8, and PostgreSQL takes neither those nor NUL.
    readable = words.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return readable.replace("\0", "\\x00")


def _lock_head(connection: Connection) -> tuple[str, Frontier]:
    row = connection.execute(_HEAD.with_for_update()).mappings().one_or_none()
    try:
        return _head(row)
    except ValueError:
        raise StorageError(
            "the ledger's head is damaged, so nothing can be done that needs an entry: "
            'see "tutela ledger verify", and restore the database from a backup'
        ) from None


def _head(row: RowMapping | None) -> tuple[str, Frontier]:
    if row is None:
        raise ValueError
    return row["origin"], Frontier.read(row["size"], row["frontier"])
