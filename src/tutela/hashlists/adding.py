"""Adding a handful of entries at once, as the API does."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, update

from tutela.errors import InvalidInputError
from tutela.hashlists.entries import add_entries, next_revision
from tutela.hashlists.formats.rows import checked_row
from tutela.hashlists.model import Added, HashList, ImportId, ListRow, Provenance
from tutela.hashlists.tables import imports
from tutela.hashlists.wording import checked_text
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock


def add_with_provenance(
    connection: Connection,
    hash_list: HashList,
    provenance: Provenance,
    rows: Sequence[ListRow],
    *,
    actor: Actor,
    clock: Clock,
) -> Added:
    """Put hashes on a list, with where they come from written beside them.

    Raises:
        InvalidInputError: The source is missing, a text cannot be used, or a row holds the hash of
            an empty file; then nothing is added.
    """
    rows = [_checked(row) for row in rows]
    now = clock()
    revision = next_revision(connection)
    record = ImportId(
        connection.execute(
            insert(imports)
            .values(
                list_id=hash_list.id,
                source=checked_text("source", provenance.source, required=True),
                label=checked_text("label", provenance.label),
                reason=checked_text("reason", provenance.reason),
                imported_by=actor.name,
                started_at=now,
                finished_at=now,
                rows_done=len(rows),
                added=0,
                already=0,
                withdrawn=0,
                rejected=0,
            )
            .returning(imports.c.id)
        ).scalar_one()
    )
    added = add_entries(connection, hash_list.id, record, rows, revision)
    connection.execute(
        update(imports)
        .where(imports.c.id == record)
        .values(added=added.added, already=added.already, withdrawn=added.withdrawn)
    )
    thing = f"list:{hash_list.id}/import:{record}"
    reason = provenance.reason.strip()
    append(connection, actor, Act.ENTRIES_ADDED, clock, thing=thing, reason=reason)
    return added


def _checked(row: ListRow) -> ListRow:
    try:
        return checked_row(row.number, row.fingerprint, row.quality, row.label, row.frames)
    except InvalidInputError as error:
        raise InvalidInputError("entry {number}: {error}", number=row.number, error=error) from None
