"""Small secrets that rest in the database, sealed under a key that does not.

A copy of the database alone opens none of them: the key is ``secrets.key`` in the folder of keys.
"""

import hashlib
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tutela.errors import StorageError
from tutela.storage.secret_files import make_secret, read_secret

_FORM = b"\1"
_KEY_BYTES = 32
_ID_BYTES = 8
_NONCE_BYTES = 12


class KeptSecrets:
    """Seals and opens secrets of a few bytes.

    Args:
        keys_folder: ``settings.keys_folder``.
    """

    def __init__(self, keys_folder: Path) -> None:
        self.path = keys_folder / "secrets.key"

    def seal(self, secret: bytes, bound_to: str) -> bytes:
        """A secret as it may rest in the database. The key is made where there is none yet.

        Args:
            secret: What nobody may read.
            bound_to: Where it belongs, such as ``webhook:3``: elsewhere it does not open.

        Raises:
            StorageError: The key cannot be made or used.
        """
        if not self.path.exists():
            make_secret(self.path, secrets.token_hex(_KEY_BYTES).encode())
        key = self._key()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _FORM + _id_of(key)
        return head + nonce + AESGCM(key).encrypt(nonce, secret, head + bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """The secret again.

        Raises:
            StorageError: The key is missing or another one, or what was sealed is altered.
        """
        key = self._key()
        head, rest = sealed[: 1 + _ID_BYTES], sealed[1 + _ID_BYTES :]
        if head != _FORM + _id_of(key):
            raise StorageError(
                f"{self.path} is not the key that this was sealed under: put back the copy that "
                "was kept elsewhere"
            )
        try:
            return AESGCM(key).decrypt(
                rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + bound_to.encode()
            )
        except (InvalidTag, ValueError):
            raise StorageError(
                f"what is kept for {bound_to} is altered: restore the database from a backup"
            ) from None

    def _key(self) -> bytes:
        try:
            key = bytes.fromhex(read_secret(self.path).decode())
        except FileNotFoundError:
            raise StorageError(
                f"the key file {self.path} is missing: put back the copy that was kept elsewhere"
            ) from None
        except ValueError:
            key = b""
        if len(key) != _KEY_BYTES:
            raise StorageError(f"{self.path} is damaged: put back the copy that was kept elsewhere")
        return key


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"tutela secrets key 1" + key).digest()[:_ID_BYTES]
