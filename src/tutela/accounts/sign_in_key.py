"""The key under which secrets that are needed again lie in the database.

A password or a recovery code is only ever compared, so its hash is enough. The secret of an
authenticator app has to be read again for each code: a stolen database must not give it away, so it
is encrypted (AES-256-GCM) under a key that is in the folder of keys, apart from the database.
"""

import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tutela.errors import StorageError
from tutela.storage.secret_files import make_secret, read_secret
from tutela.storage.settings import Settings

_NONCE_BYTES = 12
_KEY_BYTES = 32


class SignInKey:
    """The key. Its file is made at first use and read at each one, which is seldom."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, settings: Settings) -> "SignInKey":
        """The key of the house with these settings."""
        return cls(settings.keys_folder / "sign-in.key")

    def seal(self, secret: bytes, bound_to: str) -> bytes:
        """Encrypt a secret.

        Args:
            secret: What is encrypted.
            bound_to: Whose it is: it opens for nobody else, wherever it may be copied to.

        Raises:
            StorageError: The key's file cannot be read or made.
        """
        if not self.path.exists():
            make_secret(self.path, secrets.token_bytes(_KEY_BYTES))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, secret, bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """Decrypt a secret.

        Raises:
            StorageError: The key's file is missing or not the one that sealed it, or what was
                sealed is damaged or somebody else's.
        """
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher().decrypt(nonce, ciphertext, bound_to.encode())
        except InvalidTag:
            raise StorageError(
                f"{self.path} does not open the secret of an authenticator app: put back the copy "
                "that was kept elsewhere, or let people set their second step up anew"
            ) from None

    def _cipher(self) -> AESGCM:
        try:
            key = read_secret(self.path)
        except FileNotFoundError:
            raise StorageError(
                f"{self.path} is missing: put back the copy that was kept elsewhere, or let people "
                "set their second step up anew"
            ) from None
        if len(key) != _KEY_BYTES:
            raise StorageError(f"{self.path} is damaged: put back the copy that was kept elsewhere")
        return AESGCM(key)
