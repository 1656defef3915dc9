"""Changing the key that wraps all evidence, without touching a blob.

Each step is seen from what there is: from the keys in the file and from the rows. So a rotation
that was cut short goes on where it stopped when it is begun again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from tutela.errors import DamagedEvidenceError
from tutela.evidence.key_registry import keys_in_use, prepare_keys, register
from tutela.evidence.model import WrappedKey, WrongKeyError
from tutela.evidence.tables import evidence_items, vault_keys
from tutela.evidence.vault import Vault
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.database import changed_rows

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation has done.

    Attributes:
        key: The key that wraps everything now.
        rewrapped: How many items' data keys it has wrapped anew.
        retired: The keys that wrap nothing any more.
    """

    key: str
    rewrapped: int
    retired: tuple[str, ...]


def rotate_key(vault: Vault, actor: Actor, tell: Callable[[int], None]) -> Rotated:
    """Have a new key wrap everything.

    With a key file, a key is added to it, unless a rotation was cut short, which is then finished.
    With a KMS, the new key is the one that the settings name now, or that its alias stands for.

    Args:
        vault: The vault. It may be in use meanwhile.
        actor: Who does it.
        tell: Is told, again and again, how many items have been wrapped anew.

    Raises:
        DamagedEvidenceError: An item's wrapped key is altered. The others are done; the old key is
            kept, so that nothing is lost by it.
        StorageError: The key provider or the database fails; begun again, it goes on. Or another
            rotation with this key file is under way.
    """
    file = vault.keyring.file
    if vault.keyring.wraps_by_file or file.exists():
        # Two at once would each write the file from what they have read of it.
        with file.changing():
            return _rotate(vault, actor, tell)
    return _rotate(vault, actor, tell)


def _rotate(vault: Vault, actor: Actor, tell: Callable[[int], None]) -> Rotated:
    file = vault.keyring.file
    prepare_keys(vault.keyring, vault.database, tell=lambda _: None)
    if vault.keyring.wraps_by_file and len(file.key_ids()) == 1:
        file.add_key()
    if file.exists():
        # Those that wrap nothing yet are to be retired as well, and nobody may begin to use them.
        for key in file.key_ids():
            register(vault.database, vault.keyring, key, vault.clock, may_be_retired=True)
    newest = vault.newest_key()
    rewrapped, retired = 0, None
    while retired is None:
        rewrapped = _rewrap_all(vault, newest, rewrapped, tell)
        retired = _retire_others(vault, newest, actor)
    if file.exists():
        # Those that were retired by a rotation which was cut short here are removed as well.
        with vault.database.reading() as connection:
            unused = _retired(connection) - keys_in_use(connection)
        unwanted = unused & set(file.key_ids())
        if unwanted:
            file.remove_keys(unwanted)
    return Rotated(newest, rewrapped, retired)


def _rewrap_all(vault: Vault, newest: str, done: int, tell: Callable[[int], None]) -> int:
    after, altered = "", []
    while True:
        with vault.database.reading() as connection:
            rows = connection.execute(
                select(evidence_items)
                .where(
                    evidence_items.c.wrapped_key.is_not(None),
                    evidence_items.c.key_id != newest,
                    evidence_items.c.id > after,
                )
                .order_by(evidence_items.c.id)
                .limit(_AT_ONCE)
            ).all()
        if not rows:
            break
        after = rows[-1].id
        wrapped: list[tuple[Row[Any], WrappedKey]] = []
        # Outside of any transaction: a KMS takes its time.
        for row in rows:
            old = WrappedKey(row.key_id, row.wrapped_key)
            try:
                new = vault.rewrapped(old, row.blob_id, row.case_id, row.id)
            except WrongKeyError:
                altered.append(row.id)
            else:
                wrapped.append((row, new))
        with vault.database.writing() as connection:
            done += sum(_put_in_place(connection, row, new) for row, new in wrapped)
        tell(done)
    if altered:
        raise DamagedEvidenceError(
            f"the wrapped keys of {', '.join(altered)} do not open: their rows are altered. The "
            "others are wrapped by the new key; restore these rows from a backup, or destroy "
            "this evidence, and begin again"
        )
    return done


def _put_in_place(connection: Connection, row: Row[Any], new: WrappedKey) -> int:
    # Not if it was destroyed meanwhile.
    return changed_rows(
        connection,
        update(evidence_items)
        .where(evidence_items.c.id == row.id, evidence_items.c.wrapped_key == row.wrapped_key)
        .values(wrapped_key=new.ciphertext, key_id=new.key_id),
    )


def _retire_others(vault: Vault, newest: str, actor: Actor) -> tuple[str, ...] | None:
    """Retire all keys but one; gives ``None`` if one of them wraps something still."""
    with vault.database.writing() as connection:
        # Whoever keeps evidence just now is waited for, and nobody keeps it by these from here on.
        others = connection.execute(
            select(vault_keys.c.id)
            .where(vault_keys.c.id != newest, vault_keys.c.retired_at.is_(None))
            .order_by(vault_keys.c.id)
            .with_for_update()
        ).scalars()
        unused = tuple(others)
        if keys_in_use(connection) - {newest}:
            return None
        connection.execute(
            update(vault_keys).where(vault_keys.c.id.in_(unused)).values(retired_at=vault.clock())
        )
        append(connection, actor, Act.VAULT_KEYS_ROTATED, vault.clock, thing=_short(newest))
    return unused


def _retired(connection: Connection) -> set[str]:
    return set(
        connection.execute(
            select(vault_keys.c.id).where(vault_keys.c.retired_at.is_not(None))
        ).scalars()
    )


def _short(key_id: str) -> str:
    return key_id[-200:]
