"""The key that signs checkpoints: a file apart from the data folder, made at first need."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tutela.errors import StorageError
from tutela.ledger.places.model import Place
from tutela.storage.secret_files import make_secret, read_secret

_NAME = "ledger.key"


def signing_key(folder: Path, place: Place) -> Ed25519PrivateKey:
    """The key in the folder of keys. If there is none and nothing was ever signed, one is made.

    Args:
        folder: The folder of keys.
        place: Where the checkpoints are.

    Raises:
        StorageError: The file cannot be read or written, is no key, is gone, or others may read it.
    """
    path = folder / _NAME
    try:
        return _read(path)
    except FileNotFoundError:
        if place.names():
            raise StorageError(
                f"{path} is gone, though checkpoints were signed by it: restore it from its "
                'backup, or see "Lost keys" in docs/ledger.md'
            ) from None
        made = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        # Another process may be quicker: then its key is the one.
        make_secret(path, made)
        return _read(path)


def _read(path: Path) -> Ed25519PrivateKey:
    content = read_secret(path)
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise StorageError(f"{path} holds no Ed25519 key: restore it from its backup")
    return key
