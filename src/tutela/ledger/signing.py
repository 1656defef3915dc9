"""The key that signs checkpoints: a file apart from the data folder, made at first need.

The database remembers which keys signed. So one that is lost is never replaced unnoticed: everybody
outside would go on checking by the old one.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from sqlalchemy import Connection, select

from tutela.errors import AlreadyExistsError, StorageError
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.ledger.places.model import Place
from tutela.ledger.tables import ledger_keys
from tutela.storage.clock import Clock
from tutela.storage.database import Database, insert_or_ignore
from tutela.storage.secret_files import make_secret, read_secret

_NAME = "ledger.key"


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """The key in the folder of keys, to be looked at: none is made.

    Raises:
        StorageError: The file cannot be read, is no key, is gone, or others may read it.
    """
    path = folder / _NAME
    try:
        return _read(path)
    except FileNotFoundError:
        raise _gone(path) from None


def key_to_sign(folder: Path, place: Place, database: Database, clock: Clock) -> Ed25519PrivateKey:
    """The key in the folder of keys. If there is none and nothing was ever signed, one is made.

    Args:
        folder: The folder of keys.
        place: Where the checkpoints are.
        database: Remembers which keys sign.
        clock: The time.

    Raises:
        StorageError: The file cannot be read or written, is no key, is gone, or others may read it.
    """
    path = folder / _NAME
    with database.reading() as connection:
        known = _known(connection)
    try:
        key = _read(path)
    except FileNotFoundError:
        if known or place.names():
            raise _gone(path) from None
        key = _make(path)
    if public_bytes(key) not in known:
        with database.writing() as connection:
            _remember(connection, key, clock)
    return key


def renew_key(
    folder: Path, place: Place, database: Database, actor: Actor, clock: Clock
) -> Ed25519PrivateKey:
    """Make another key in the place of one that is lost for good. The ledger says so.

    Raises:
        AlreadyExistsError: The key is there, or checkpoints of the old one are in place still.
        StorageError: The key cannot be made, or the database does not answer.
    """
    path = folder / _NAME
    if path.exists():
        raise AlreadyExistsError("{path} is there: only a key that is lost is made anew", path=path)
    if place.names():
        raise AlreadyExistsError(
            "the checkpoints that the lost key signed are in their place still: move them to one "
            'of their own and keep them, see "Lost keys" in docs/ledger.md'
        )
    key = _make(path)
    with database.writing() as connection:
        _remember(connection, key, clock)
        append(connection, actor, Act.LEDGER_KEY_RENEWED, clock)
    return key


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The public half, of 32 bytes."""
    return key.public_key().public_bytes_raw()


def _known(connection: Connection) -> set[bytes]:
    return set(connection.execute(select(ledger_keys.c.public)).scalars())


def _remember(connection: Connection, key: Ed25519PrivateKey, clock: Clock) -> None:
    connection.execute(
        insert_or_ignore(connection, ledger_keys).values(
            public=public_bytes(key), first_used_at=clock()
        )
    )


def _make(path: Path) -> Ed25519PrivateKey:
    made = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    # Another process may be quicker: then its key is the one.
    make_secret(path, made)
    return _read(path)


def _gone(path: Path) -> StorageError:
    return StorageError(
        f"{path} is gone, though checkpoints were signed by it: put back the copy of it, or, if "
        'there is none, make another: "tutela ledger key --new", see "Lost keys" in docs/ledger.md'
    )


def _read(path: Path) -> Ed25519PrivateKey:
    content = read_secret(path)
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise StorageError(f"{path} holds no Ed25519 key: restore it from its backup")
    return key
