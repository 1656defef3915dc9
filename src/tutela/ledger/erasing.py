"""Erasing the words that say why: the duty to forget, without breaking any proof."""

from sqlalchemy import Connection, delete, text

from tutela.errors import NotFoundError
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor, EntryNumber
from tutela.ledger.reading import find_entry
from tutela.ledger.tables import ledger_reasons
from tutela.storage.clock import Clock
from tutela.storage.database import Database, changed_rows


def erase_reason(
    connection: Connection, entry: EntryNumber, actor: Actor, clock: Clock
) -> EntryNumber:
    """Erase the words that say why something was done, and their salt.

    The entry stays as it is: what it holds of them tells nothing without the salt.

    Returns:
        The number of the entry that tells of the erasure.

    Raises:
        NotFoundError: There is no such entry, or it has no words, or they are erased already.
    """
    if connection.dialect.name == "sqlite":
        # Otherwise the words would stay in the file until their page is used again.
        connection.execute(text("PRAGMA secure_delete=ON"))
    found = find_entry(connection, entry)
    if not changed_rows(connection, delete(ledger_reasons).where(ledger_reasons.c.entry == entry)):
        raise NotFoundError(
            f"entry {entry} never had words that say why"
            if found.reason is None
            else f"the words of entry {entry} are erased already"
        )
    return append(connection, actor, Act.REASON_ERASED, clock, thing=f"entry:{entry}")


def clear_remains(database: Database) -> None:
    """Clear what erased words may have left in SQLite's log of changes, as far as it can be.

    On PostgreSQL its own housekeeping (VACUUM) does so.
    """
    if database.is_sqlite:
        with database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
