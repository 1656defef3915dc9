"""The encrypted file: a fresh key for each backup, which the house's key provider wraps.

The file begins in the clear with what the key provider needs, and nothing else: the backup's id,
the name of the wrapping key, the wrapped key. All the rest is one encrypted stream that is bound to
that beginning, so that no byte of the file can change unnoticed, and none be cut off or added.
"""

import base64
import json
import secrets
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tutela.backup.model import BackupId
from tutela.errors import InvalidInputError
from tutela.evidence.encrypting import AlteredError, decrypted, encrypted, new_data_key
from tutela.evidence.model import KeyProvider, WrappedKey, WrongKeyError
from tutela.storage.blobs.model import CHUNK

MAGIC = b"tutela backup 1\n"
_LENGTH = struct.Struct(">I")
_LONGEST_BEGINNING = 1 << 16


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a backup shows to everybody.

    Attributes:
        id: The backup.
        wrapped: Its key, as the key provider wrapped it.
        encoded: The bytes that say so.
    """

    id: BackupId
    wrapped: WrappedKey
    encoded: bytes


def new_backup_id() -> BackupId:
    """A new backup's name."""
    return BackupId(secrets.token_hex(16))


def sealed(backup: BackupId, chunks: Iterable[bytes], keys: KeyProvider) -> Iterator[bytes]:
    """The bytes of the file, made while those of the backup come.

    Raises:
        StorageError: The key provider cannot be used.
    """
    data_key = new_data_key()
    wrapped = keys.wrap(data_key, _context(backup))
    beginning = _encoded(backup, wrapped)
    yield beginning
    yield from encrypted(chunks, data_key, beginning)


def opened(file: BinaryIO, keys: KeyProvider) -> tuple[Beginning, Iterator[bytes]]:
    """A backup's beginning, and its bytes. Each is authentic; read to their end, all were there.

    Raises:
        InvalidInputError: The file is no backup, or is not as it was written.
        OSError: The file cannot be read.
        StorageError: The key provider cannot be used, or lacks the key.
    """
    beginning = read_beginning(file)
    try:
        data_key = keys.unwrap(beginning.wrapped, _context(beginning.id))
    except WrongKeyError:
        raise damaged() from None
    return beginning, _decrypted(file, data_key, beginning.encoded)


def read_beginning(file: BinaryIO) -> Beginning:
    """What a backup shows to everybody; none of it is proved until the rest has been read.

    Raises:
        InvalidInputError: The file is no backup of Tutela, or is damaged.
    """
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
        raise InvalidInputError(
            "the file is no backup of this version of Tutela: name one that tutela backup made"
        )
    length = file.read(_LENGTH.size)
    if len(length) < _LENGTH.size or _LENGTH.unpack(length)[0] > _LONGEST_BEGINNING:
        raise damaged()
    encoded = file.read(_LENGTH.unpack(length)[0])
    try:
        fields = json.loads(encoded)
        wrapped = WrappedKey(fields["key"], base64.b64decode(fields["wrapped"], validate=True))
        return Beginning(BackupId(fields["id"]), wrapped, magic + length + encoded)
    except (ValueError, KeyError, TypeError):
        raise damaged() from None


def damaged() -> InvalidInputError:
    """What is said of a backup that cannot be trusted."""
    return InvalidInputError(
        "the backup is damaged: it is not as it was written, or was cut off; nothing of it was "
        "used: take another"
    )


def _decrypted(file: BinaryIO, data_key: bytes, bound_to: bytes) -> Iterator[bytes]:
    try:
        yield from decrypted(iter(lambda: file.read(CHUNK), b""), data_key, bound_to)
    except AlteredError:
        raise damaged() from None


def _context(backup: BackupId) -> bytes:
    return f"tutela backup 1|{backup}".encode()


def _encoded(backup: BackupId, wrapped: WrappedKey) -> bytes:
    fields = {
        "id": backup,
        "key": wrapped.key_id,
        "wrapped": base64.b64encode(wrapped.ciphertext).decode(),
    }
    encoded = json.dumps(fields).encode()
    return MAGIC + _LENGTH.pack(len(encoded)) + encoded
