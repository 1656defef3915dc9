"""Making, finding, summing up and removing lists."""

import difflib
from collections import Counter

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from tutela.fingerprints.model import Kind
from tutela.hashlists.entries import KINDS, next_revision
from tutela.hashlists.model import (
    HashList,
    HashListId,
    ImportId,
    ImportRecord,
    ListSize,
    ListSummary,
    Provenance,
)
from tutela.hashlists.tables import entries, hash_lists, imports
from tutela.hashlists.wording import checked_text
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock

LONGEST_NAME = 100


def create_list(
    connection: Connection, name: str, description: str, actor: Actor, clock: Clock
) -> HashList:
    """Make an empty list.

    Raises:
        AlreadyExistsError: A list of this name is in use.
        InvalidInputError: The name or the description cannot be used.
    """
    _check_name(name)
    description = checked_text("description", description)
    next_revision(connection)
    try:
        row = connection.execute(
            insert(hash_lists)
            .values(name=name, description=description, created_at=clock(), created_by=actor.name)
            .returning(*hash_lists.c)
        )
        made = _hash_list(row.mappings().one())
    except IntegrityError:
        raise AlreadyExistsError(
            'there is a list "{name}" already: choose another name, or import into that one',
            name=name,
        ) from None
    append(connection, actor, Act.LIST_CREATED, clock, thing=f"list:{made.id}")
    return made


def list_numbered(connection: Connection, number: int) -> HashList:
    """The list of this number that is in use.

    Raises:
        NotFoundError: There is none.
    """
    row = connection.execute(_IN_USE.where(hash_lists.c.id == number)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"there is no list of the number {number}")
    return _hash_list(row)


def find_list(connection: Connection, name: str) -> HashList:
    """The list of this name that is in use.

    Raises:
        NotFoundError: There is none; the message names the nearest.
    """
    if not _is_name(name):
        # PostgreSQL cannot even be asked for a name with NUL in it.
        raise NotFoundError('there is no list of such a name: see "tutela list ls"')
    row = connection.execute(_IN_USE.where(hash_lists.c.name == name)).mappings().one_or_none()
    if row is None:
        names = [hash_list.name for hash_list in all_lists(connection)]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f'did you mean "{near[0]}"?' if near else 'see "tutela list ls"'
        raise NotFoundError(f'there is no list "{name}": {hint}')
    return _hash_list(row)


def all_lists(connection: Connection) -> list[HashList]:
    """Every list in use, by name."""
    rows = connection.execute(_IN_USE.order_by(hash_lists.c.name)).mappings()
    return [_hash_list(row) for row in rows]


def live_lists(connection: Connection) -> dict[HashListId, HashList]:
    """Every list in use, by number: those whose entries match."""
    return {hash_list.id: hash_list for hash_list in all_lists(connection)}


def list_summary(connection: Connection, hash_list: HashList) -> ListSummary:
    """How much a list holds, and where it came from."""
    # Counted from two indexes alone, without reading the entries.
    live = _count_by_kind(connection, hash_list.id)
    withdrawn = _count_by_kind(connection, hash_list.id, entries.c.live.is_(False))
    rows = connection.execute(
        select(imports).where(imports.c.list_id == hash_list.id).order_by(imports.c.id)
    ).mappings()
    return ListSummary(
        hash_list=hash_list,
        live=dict(live - withdrawn),
        withdrawn=withdrawn.total(),
        imports=tuple(_import_record(row) for row in rows),
    )


def list_size(connection: Connection, hash_list: HashList) -> ListSize:
    """How much a list holds in all, and where it came from; however long the list is, at once."""
    rows = connection.execute(
        select(imports).where(imports.c.list_id == hash_list.id).order_by(imports.c.id.desc())
    ).mappings()
    records = tuple(_import_record(row) for row in rows)
    # Few are withdrawn, and they have an index of their own.
    withdrawn = connection.execute(
        select(func.count())
        .select_from(entries)
        .where(entries.c.list_id == hash_list.id, entries.c.live.is_(False))
    ).scalar_one()
    added = sum(record.added for record in records)
    return ListSize(hash_list, added - withdrawn, withdrawn, records)


def remove_list(
    connection: Connection, name: str, reason: str, actor: Actor, clock: Clock
) -> HashList:
    """Take a list out of use: nothing on it matches any more, and its name is free again.

    Its entries and their history are kept, because cases refer to them.

    Raises:
        NotFoundError: There is no list of this name in use.
        InvalidInputError: No reason is given.
    """
    reason = checked_text("reason", reason, required=True)
    revision = next_revision(connection)
    hash_list = find_list(connection, name)
    connection.execute(
        update(hash_lists)
        .where(hash_lists.c.id == hash_list.id)
        .values(
            removed_at=clock(),
            removed_by=actor.name,
            removed_reason=reason,
            removed_revision=revision,
        )
    )
    append(connection, actor, Act.LIST_REMOVED, clock, thing=f"list:{hash_list.id}", reason=reason)
    return hash_list


_IN_USE = select(hash_lists).where(hash_lists.c.removed_at.is_(None))


def _check_name(name: str) -> None:
    if not _is_name(name):
        raise InvalidInputError(
            "a list's name is 1 to {longest} printable characters, without spaces at its ends",
            longest=LONGEST_NAME,
        )


def _is_name(name: str) -> bool:
    return 1 <= len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()


def _count_by_kind(
    connection: Connection, hash_list: HashListId, *conditions: ColumnElement[bool]
) -> Counter[Kind]:
    rows = connection.execute(
        select(entries.c.kind, func.count())
        .where(entries.c.list_id == hash_list, *conditions)
        .group_by(entries.c.kind)
    )
    return Counter({KINDS[kind]: count for kind, count in rows})


def _hash_list(row: RowMapping) -> HashList:
    return HashList(
        id=HashListId(row["id"]),
        name=row["name"],
        description=row["description"],
        created_at=row["created_at"],
        created_by=row["created_by"],
    )


def _import_record(row: RowMapping) -> ImportRecord:
    return ImportRecord(
        id=ImportId(row["id"]),
        provenance=Provenance(row["source"], row["label"], row["reason"]),
        imported_by=row["imported_by"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        file_name=row["file_name"],
        rows=row["rows_done"],
        added=row["added"],
        already=row["already"],
        withdrawn=row["withdrawn"],
        rejected=row["rejected"],
    )
