"""Adding, withdrawing and restoring entries, and the revision that tells the index of it."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, text, update

from tutela.errors import InvalidInputError, NotFoundError, TutelaError
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.model import Added, HashList, HashListId, ImportId, ListRow
from tutela.hashlists.tables import (
    entries,
    entry_frames,
    list_changes,
    list_revision,
    withdrawals,
)
from tutela.hashlists.wording import checked_text
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows

KINDS: tuple[Kind, ...] = (
    Kind.MD5,
    Kind.SHA1,
    Kind.SHA256,
    Kind.PDQ,
    Kind.VPDQ,
    Kind.URL,
    Kind.URL_PREFIX,
    Kind.DOMAIN,
    Kind.TEXT,
)
"""A kind's position here is its number in the database. Only ever add at the end."""

VPDQ_NUMBER = KINDS.index(Kind.VPDQ)
"""Entries of this number have rows in ``entry_frames`` too."""

_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_VALUES_AT_ONCE = 10_000


def next_revision(connection: Connection) -> int:
    """Count the list revision up; other writers wait until this transaction ends."""
    revision = int(
        connection.execute(
            update(list_revision)
            .values(value=list_revision.c.value + 1)
            .returning(list_revision.c.value)
        ).scalar_one()
    )
    connection.execute(insert(list_changes).values(revision=revision, token=secrets.token_hex(16)))
    return revision


def current_revision(connection: Connection) -> int:
    """The number of the last change of any list."""
    return int(connection.execute(select(list_revision.c.value)).scalar_one())


def add_entries(
    connection: Connection,
    hash_list: HashListId,
    import_id: ImportId,
    rows: Sequence[ListRow],
    revision: int,
) -> Added:
    """Put hashes on a list, passing over those that are on it already, live or withdrawn.

    Args:
        connection: A transaction that has called ``next_revision``.
        hash_list: The list.
        import_id: Where the hashes come from.
        rows: The hashes. Of equal ones the first counts. Tens of thousands at a time are quickest.
        revision: What ``next_revision`` gave.
    """
    # The order of the unique index, so that each of its pages is touched once.
    first: dict[tuple[int, bytes], ListRow] = {}
    for row in rows:
        first.setdefault(_key(row.fingerprint), row)
    keys = sorted(first)
    common: dict[str, object] = {
        "list_id": hash_list,
        "import_id": import_id,
        "live": True,
        "revision": revision,
    }
    insert_all = _insert_sqlite if connection.dialect.name == "sqlite" else _insert_postgresql
    added = insert_all(connection, [(key, first[key]) for key in keys], common)
    _insert_frames(connection, hash_list, [first[key] for key in keys])
    withdrawn = 0
    if added < len(rows) and _has_withdrawn(connection, hash_list):
        gone = set(_withdrawn_among(connection, hash_list, keys))
        withdrawn = sum(_key(row.fingerprint) in gone for row in rows)
    return Added(added=added, already=len(rows) - added - withdrawn, withdrawn=withdrawn)


def withdraw_entry(
    connection: Connection,
    hash_list: HashList,
    fingerprint: Fingerprint,
    *,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> None:
    """Make an entry match no more, for good: a later import that names it leaves it withdrawn.

    Raises:
        InvalidInputError: No reason is given, or the entry is withdrawn already.
        NotFoundError: The hash is not on the list.
    """
    change_entries(
        connection, hash_list, [fingerprint], live=False, reason=reason, actor=actor, clock=clock
    )


def restore_entry(
    connection: Connection,
    hash_list: HashList,
    fingerprint: Fingerprint,
    *,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> None:
    """Make a withdrawn entry match again; that it was withdrawn, and why, stays on record.

    Raises:
        InvalidInputError: No reason is given, or the entry is not withdrawn.
        NotFoundError: The hash is not on the list.
    """
    change_entries(
        connection, hash_list, [fingerprint], live=True, reason=reason, actor=actor, clock=clock
    )


def change_entries(
    connection: Connection,
    hash_list: HashList,
    fingerprints: Sequence[Fingerprint],
    *,
    live: bool,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> int:
    """Withdraw entries, or restore withdrawn ones, passing over those that cannot be; counts them.

    Args:
        connection: A transaction.
        hash_list: The list.
        fingerprints: The entries' hashes, one or more.
        live: Whether they shall match.
        reason: Why.
        actor: Who says so.
        clock: The time.

    Raises:
        InvalidInputError: No reason is given, or nothing could be changed.
        NotFoundError: The only hash is not on the list.
    """
    reason = checked_text("reason", reason, required=True)
    revision = next_revision(connection)
    changed = 0
    for fingerprint in fingerprints:
        entry = _find(connection, hash_list, fingerprint)
        if entry is not None and entry["live"] is not live:
            _set_live(connection, entry["id"], live=live, revision=revision)
            keep = _keep_restoration if live else _keep_withdrawal
            keep(connection, entry["id"], reason, actor, clock)
            changed += 1
        elif len(fingerprints) == 1:
            raise _why_not(hash_list, fingerprint, entry)
    if not changed:
        state = "withdrawn from" if live else "live on"
        raise InvalidInputError(
            'nothing was changed: none of the {count:,} hashes is {state} the list "{name}"',
            count=len(fingerprints),
            state=state,
            name=hash_list.name,
        )
    act = Act.ENTRIES_RESTORED if live else Act.ENTRIES_WITHDRAWN
    append(connection, actor, act, clock, thing=f"list:{hash_list.id}", reason=reason)
    return changed


def _key(fingerprint: Fingerprint) -> tuple[int, bytes]:
    return _NUMBERS[fingerprint.kind], fingerprint.value


def _insert_sqlite(
    connection: Connection,
    rows: Sequence[tuple[tuple[int, bytes], ListRow]],
    common: Mapping[str, object],
) -> int:
    if not rows:
        return 0
    names = [*common, "kind", "value", "quality", "label"]
    same = tuple(common.values())
    # Past SQLAlchemy's own executemany, which takes longer than SQLite does.
    return connection.exec_driver_sql(
        f"INSERT OR IGNORE INTO entries ({', '.join(names)}) "  # noqa: S608 - our own names
        f"VALUES ({', '.join('?' * len(names))})",
        [(*same, kind, value, row.quality, row.label or None) for (kind, value), row in rows],
    ).rowcount


_FROM_ARRAYS = text(
    """
    INSERT INTO entries (list_id, kind, value, quality, label, import_id, live, revision)
    SELECT :list_id, kind, value, quality, label, :import_id, :live, :revision
    FROM unnest(
        CAST(:kinds AS smallint[]), CAST(:values AS bytea[]),
        CAST(:qualities AS smallint[]), CAST(:labels AS text[])
    ) AS row (kind, value, quality, label)
    ON CONFLICT DO NOTHING
    """
)


def _insert_postgresql(
    connection: Connection,
    rows: Sequence[tuple[tuple[int, bytes], ListRow]],
    common: Mapping[str, object],
) -> int:
    columns: dict[str, Any] = {
        "kinds": [kind for (kind, _), _ in rows],
        "values": [value for (_, value), _ in rows],
        "qualities": [row.quality for _, row in rows],
        "labels": [row.label or None for _, row in rows],
    }
    return changed_rows(connection, _FROM_ARRAYS, {**columns, **common})


def _insert_frames(connection: Connection, hash_list: HashListId, rows: Sequence[ListRow]) -> None:
    """Put the frames of those vPDQ entries down that have none yet."""
    remaining = (row for row in rows if row.fingerprint.kind is Kind.VPDQ)
    while portion := {row.fingerprint.value: row.frames for row in islice(remaining, 1000)}:
        new = connection.execute(
            select(entries.c.id, entries.c.value)
            .outerjoin(entry_frames, entry_frames.c.entry_id == entries.c.id)
            .where(
                entries.c.list_id == hash_list,
                entries.c.kind == VPDQ_NUMBER,
                entries.c.value.in_(portion),
                entry_frames.c.entry_id.is_(None),
            )
        ).all()
        if new:
            connection.execute(
                insert(entry_frames),
                [{"entry_id": row.id, "frames": portion[row.value]} for row in new],
            )


def _withdrawn_in(hash_list: HashListId) -> Select[Any]:
    return select(entries.c.kind, entries.c.value).where(
        entries.c.list_id == hash_list, entries.c.live.is_(False)
    )


def _has_withdrawn(connection: Connection, hash_list: HashListId) -> bool:
    return connection.execute(_withdrawn_in(hash_list).limit(1)).first() is not None


def _withdrawn_among(
    connection: Connection, hash_list: HashListId, keys: Iterable[tuple[int, bytes]]
) -> Iterator[tuple[int, bytes]]:
    remaining = iter(keys)
    while portion := list(islice(remaining, _VALUES_AT_ONCE)):
        for number in {kind for kind, _ in portion}:
            values = [value for kind, value in portion if kind == number]
            found = connection.execute(
                _withdrawn_in(hash_list).where(
                    entries.c.kind == number, entries.c.value.in_(values)
                )
            )
            yield from ((kind, value) for kind, value in found)


def _find(
    connection: Connection, hash_list: HashList, fingerprint: Fingerprint
) -> RowMapping | None:
    kind, value = _key(fingerprint)
    return (
        connection.execute(
            select(entries.c.id, entries.c.live).where(
                entries.c.list_id == hash_list.id,
                entries.c.kind == kind,
                entries.c.value == value,
            )
        )
        .mappings()
        .one_or_none()
    )


def _why_not(
    hash_list: HashList, fingerprint: Fingerprint, entry: RowMapping | None
) -> TutelaError:
    kind, name = fingerprint.kind, hash_list.name
    if entry is None:
        return NotFoundError(
            f'this {kind} hash is not on the list "{name}": check the hash and its kind'
        )
    if entry["live"]:
        return InvalidInputError(
            'this {kind} hash of the list "{name}" is not withdrawn', kind=kind, name=name
        )
    return InvalidInputError(
        'this {kind} hash was withdrawn from the list "{name}" before', kind=kind, name=name
    )


def _set_live(connection: Connection, entry: int, *, live: bool, revision: int) -> None:
    connection.execute(
        update(entries).where(entries.c.id == entry).values(live=live, revision=revision)
    )


def _keep_withdrawal(
    connection: Connection, entry: int, reason: str, actor: Actor, clock: Clock
) -> None:
    connection.execute(
        insert(withdrawals).values(
            entry_id=entry, withdrawn_at=clock(), withdrawn_by=actor.name, reason=reason
        )
    )


def _keep_restoration(
    connection: Connection, entry: int, reason: str, actor: Actor, clock: Clock
) -> None:
    connection.execute(
        update(withdrawals)
        .where(withdrawals.c.entry_id == entry, withdrawals.c.restored_at.is_(None))
        .values(restored_at=clock(), restored_by=actor.name, restored_reason=reason)
    )
