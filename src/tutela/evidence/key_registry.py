"""Which keys wrap something, as the database remembers: so that a lost key is never replaced."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, exists, select

from tutela.errors import StorageError
from tutela.evidence import key_file
from tutela.evidence.keyring import Keyring
from tutela.evidence.tables import evidence_items, vault_keys
from tutela.storage.clock import Clock
from tutela.storage.database import Database, insert_or_ignore

_LOOKS = 5


class UnfitKeyError(StorageError):
    """A key cannot wrap: it is retired, or others that are needed are not beside it.

    In the middle of a rotation this may be so for a moment.
    """


def prepare_keys(keyring: Keyring, database: Database, tell: Callable[[str], None]) -> None:
    """See that the key file is the right one, and make it at the first start.

    Does nothing if no file is needed.

    Args:
        keyring: The keys of the house.
        database: Knows which of them wrap something.
        tell: Is given one line for people if a file is made.

    Raises:
        StorageError: The file is missing although keys of it wrap evidence, or does not hold them
            all, or cannot be made or used.
    """
    needed = _file_keys_in_use(database)
    if not needed and not keyring.wraps_by_file:
        return
    if not keyring.file.exists():
        if needed:
            raise key_file.missing(keyring.file.path)
        if keyring.file.make():
            tell(
                f"The key of all evidence is now in {keyring.file.path}. Keep a copy of it in "
                "another place: if it is lost, nobody can open the evidence any more. Keep a "
                "copy of ledger.key too, which is made beside it and signs the ledger."
            )
    _refuse_foreign(keyring, needed)


def check_keys(keyring: Keyring, database: Database) -> None:
    """See that the key file is the newest one, as far as evidence needs it.

    Raises:
        UnfitKeyError: It lacks keys that wrap evidence, or the one that wraps is retired.
        StorageError: The file is missing or cannot be used, or the database does not answer.
    """
    for left in reversed(range(_LOOKS)):
        try:
            _look_at(keyring, database)
        except UnfitKeyError:
            # A rotation may have ended between the two looks.
            if not left:
                raise
        else:
            return


def register(
    database: Database,
    keyring: Keyring,
    key_id: str,
    clock: Clock,
    *,
    may_be_retired: bool = False,
) -> None:
    """Remember a key before it wraps anything.

    Raises:
        UnfitKeyError: It has been retired, or the key file lacks others that wrap evidence.
        StorageError: The database does not answer.
    """
    if key_id.startswith(key_file.PREFIX):
        _refuse_foreign(keyring, _file_keys_in_use(database))
    with database.writing() as connection:
        connection.execute(
            insert_or_ignore(connection, vault_keys).values(id=key_id, first_used_at=clock())
        )
        retired = connection.execute(
            select(vault_keys.c.retired_at).where(vault_keys.c.id == key_id)
        ).scalar_one()
    if retired and not may_be_retired:
        raise _retired(keyring, key_id, retired)


def keys_in_use(connection: Connection) -> set[str]:
    """The ids of the keys that wrap something."""
    wraps = exists().where(
        evidence_items.c.key_id == vault_keys.c.id, evidence_items.c.wrapped_key.is_not(None)
    )
    return set(connection.execute(select(vault_keys.c.id).where(wraps)).scalars())


def _look_at(keyring: Keyring, database: Database) -> None:
    with database.reading() as connection:
        retired = {
            row.id: row.retired_at
            for row in connection.execute(
                select(vault_keys).where(vault_keys.c.retired_at.is_not(None))
            )
        }
    needed = _file_keys_in_use(database)
    if needed and not keyring.file.exists():
        raise key_file.missing(keyring.file.path)
    _refuse_foreign(keyring, needed)
    if keyring.wraps_by_file:
        # The file after the rows: a key is retired when another one wraps already.
        newest = keyring.file.key_ids()[0]
        if newest in retired:
            raise _retired(keyring, newest, retired[newest])


def _retired(keyring: Keyring, key_id: str, retired: datetime) -> UnfitKeyError:
    return UnfitKeyError(
        f"the key {key_id} was retired on {retired:%Y-%m-%d} and wraps nothing any more: "
        f"put back the newest copy of {keyring.file.path}, or choose another key in vault_key"
    )


def _file_keys_in_use(database: Database) -> set[str]:
    with database.reading() as connection:
        return {key for key in keys_in_use(connection) if key.startswith(key_file.PREFIX)}


def _refuse_foreign(keyring: Keyring, needed: set[str]) -> None:
    lacking = sorted(needed - set(keyring.file.key_ids())) if needed else []
    if lacking:
        raise UnfitKeyError(
            f"{keyring.file.path} is another vault's, or too old: it does not hold "
            f"{', '.join(lacking)}, which wraps evidence of this one. Put back the right copy"
        )
