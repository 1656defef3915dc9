"""Erasing the words that say why: the duty to forget, without breaking any proof."""

from sqlalchemy import Connection, delete, text

from tutela.errors import NotFoundError, StorageError
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor, EntryNumber
from tutela.ledger.reading import find_entry
from tutela.ledger.tables import ledger_reasons
from tutela.storage.clock import Clock
from tutela.storage.database import Database, changed_rows, overwrite_erased


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
    """Clear what erased words have left in the database's files, as far as it can be.

    Not within a transaction. Nobody waits for it.

    Raises:
        StorageError: Others read from SQLite without a pause. The words are erased from the table,
            but still lie in its log of changes.
    """
    try:
        overwrite_erased(database, ledger_reasons)
    except StorageError as error:
        raise StorageError(
            "the words are erased from the table, and an entry of the ledger says so, but the "
            f"database's files may still hold them ({error.message}). They go with the next "
            "erasure of words or destruction of evidence; with SQLite also when the last program "
            "that has the database open ends: wait until a running backup has ended, and restart "
            "the service"
        ) from error
