"""The key provider for one machine: a file of keys.

The file is a Tink keyset of AES-256-GCM keys as JSON. It has one key, or several while ``tutela
evidence rotate-key`` is under way. It is read anew whenever it has changed, so that every process
uses the newest key.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tink
from tink import aead, json_proto_keyset_format, secret_key_access

from tutela.errors import StorageError
from tutela.evidence.model import WrappedKey, WrongKeyError
from tutela.storage.secret_files import alone_with, make_secret, read_secret, replace_secret

aead.register()

PREFIX = "file:"


class KeyFile:
    """A ``KeyProvider`` whose keys are in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, ...], _Keys] | None = None
        # The thread that has the file to itself.
        self._changing: int | None = None

    def exists(self) -> bool:
        """Whether there is a file of keys.

        Raises:
            StorageError: This user may not look.
        """
        try:
            return self.path.exists()
        except OSError as error:
            raise StorageError(
                f"{self.path} cannot be read ({error.strerror}): "
                "run this as the user to whom the folder of keys belongs"
            ) from error

    def make(self) -> bool:
        """Make the file with one new key; gives whether there was none before.

        Raises:
            StorageError: It cannot be written.
        """
        return make_secret(self.path, _new_keyset().encode())

    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys in the file, the newest first: the one that wraps.

        Raises:
            StorageError: The file is missing, cannot be used, or others may read it.
        """
        return self._keys().ids

    def wrap(self, secret: bytes, context: bytes) -> WrappedKey:
        """Wrap a secret, as ``KeyProvider`` has it."""
        keys = self._keys()
        return WrappedKey(keys.ids[0], bytes(keys.primitive.encrypt(secret, context)))

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Open what was wrapped, as ``KeyProvider`` has it."""
        keys = self._keys()
        if wrapped.key_id not in keys.ids:
            raise StorageError(
                f"{self.path} does not hold the key {wrapped.key_id}, which wraps evidence: "
                "put back the copy of the file that was kept elsewhere"
            )
        try:
            return bytes(keys.primitive.decrypt(wrapped.ciphertext, context))
        except tink.TinkError as error:
            raise WrongKeyError("the wrapped key is altered, or belongs to another item") from error

    def check(self) -> str:
        """Whether the file can be used."""
        self._keys()
        return "keys in a file"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Have the file to oneself, so that what another one adds to it is never lost.

        Everybody else may read it meanwhile. May be entered again by the one who is in it.

        Raises:
            StorageError: Another one is changing it, or the lock beside it cannot be made.
        """
        if self._changing == threading.get_ident():
            yield
            return
        with alone_with(self.path):
            self._changing = threading.get_ident()
            try:
                yield
            finally:
                self._changing = None

    def add_key(self) -> str:
        """Put a new key first, which wraps from now on; gives its id.

        Raises:
            StorageError: The file cannot be read or written, or another one is changing it.
        """
        with self.changing():
            keyset = self._keys(anew=True).keyset
            new = json.loads(_new_keyset())
            while new["primaryKeyId"] in [key["keyId"] for key in keyset["key"]]:
                new = json.loads(_new_keyset())
            new["key"] += keyset["key"]
            replace_secret(self.path, json.dumps(new, indent=2).encode())
            return self._keys(anew=True).ids[0]

    def remove_keys(self, ids: Iterable[str]) -> None:
        """Take keys out of the file, but never the one that wraps.

        Raises:
            StorageError: The file cannot be read or written, or another one is changing it.
        """
        with self.changing():
            keyset, unwanted = dict(self._keys(anew=True).keyset), set(ids)
            keyset["key"] = [
                key
                for key in keyset["key"]
                if _id_of(key) not in unwanted or key["keyId"] == keyset["primaryKeyId"]
            ]
            replace_secret(self.path, json.dumps(keyset, indent=2).encode())

    def _keys(self, *, anew: bool = False) -> "_Keys":
        with self._lock:
            try:
                state = self.path.stat()
                seen = (state.st_ino, state.st_mtime_ns, state.st_size, state.st_mode)
                if anew or self._read is None or self._read[0] != seen:
                    self._read = seen, _Keys.of(read_secret(self.path), self.path)
            except FileNotFoundError:
                raise missing(self.path) from None
            except OSError as error:
                raise StorageError(f"{self.path} cannot be read: {error.strerror}") from error
            return self._read[1]


def missing(path: Path) -> StorageError:
    """What is said where the file is gone."""
    return StorageError(
        f"the vault's key file {path} is missing: put back the copy that was kept elsewhere; "
        "without it nobody can open what is sealed, and nothing more is sealed"
    )


@dataclass(frozen=True, slots=True)
class _Keys:
    """What a file holds.

    Attributes:
        keyset: As JSON has it.
        ids: The keys' ids, the one that wraps first.
        primitive: Encrypts with that one, and decrypts with each.
    """

    keyset: dict[str, Any]
    ids: tuple[str, ...]
    primitive: aead.Aead

    @classmethod
    def of(cls, content: bytes, path: Path) -> "_Keys":
        try:
            text = content.decode()
            primitive = json_proto_keyset_format.parse(text, secret_key_access.TOKEN).primitive(
                aead.Aead
            )
            keyset = json.loads(text)
            first = keyset["primaryKeyId"]
            keys = sorted(keyset["key"], key=lambda key: key["keyId"] != first)
            return cls(keyset, tuple(_id_of(key) for key in keys), primitive)
        except (tink.TinkError, ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"{path} is damaged or is no file of keys: put back the copy that was kept "
                "elsewhere"
            ) from error


def _new_keyset() -> str:
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return str(json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def _id_of(key: dict[str, Any]) -> str:
    # Tink's own numbers have 32 bits, and a copy of an older file might have the same by chance.
    secret = base64.b64decode(key["keyData"]["value"])
    return PREFIX + hashlib.sha256(b"tutela key id 1" + secret).hexdigest()[:16]
