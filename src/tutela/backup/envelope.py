"""The encrypted file: a fresh key for each backup, which the house's key provider wraps.

The file begins in the clear with what the key provider needs, and nothing else: the backup's id,
the name of the wrapping key, the wrapped key. All the rest is one stream under Tink's
AES-256-GCM-HKDF, whose associated data is that beginning, so that no byte of the file can change
unnoticed, and none be cut off or added.
"""

import base64
import io
import json
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from tink import TinkError, proto_keyset_format, secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

from tutela.backup.model import BackupId
from tutela.errors import InvalidInputError
from tutela.evidence.model import KeyProvider, WrappedKey

MAGIC = b"tutela backup 1\n"
_LENGTH = struct.Struct(">I")
_LONGEST_BEGINNING = 1 << 16
_SEGMENT_BYTES = 1 << 18
_KEY_BYTES = 32

streaming_aead.register()


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a backup shows to everybody.

    Attributes:
        id: The backup.
        wrapped: Its key, as the key provider wrapped it.
        encoded: The bytes that say so at the file's beginning.
    """

    id: BackupId
    wrapped: WrappedKey
    encoded: bytes


def new_backup_id() -> BackupId:
    """A new backup's name."""
    return BackupId(secrets.token_hex(16))


@contextmanager
def encrypting(file: BinaryIO, backup: BackupId, keys: KeyProvider) -> Iterator[BinaryIO]:
    """A stream whose bytes reach the file encrypted. The file stays open, and is not yet durable.

    Raises:
        OSError: The file cannot be written: the disk is full, say.
        TutelaError: The key provider cannot be used.
    """
    secret = secrets.token_bytes(_KEY_BYTES)
    wrapped = keys.wrap(secret, _context(backup))
    beginning = _encoded(backup, wrapped)
    file.write(beginning)
    underneath = _Underneath(file)
    stream = _primitive(secret).new_encrypting_stream(cast(BinaryIO, underneath), beginning)
    try:
        yield stream
        stream.close()
    except TinkError:
        if underneath.failure is not None:
            raise underneath.failure from None
        raise
    finally:
        # Closing ends the ciphertext. What was not written to its end lacks the form's own end.
        with suppress(TinkError, OSError):
            stream.close()


def read_beginning(file: BinaryIO) -> Beginning:
    """What a backup shows to everybody; none of it is proved until the rest has been read.

    Raises:
        InvalidInputError: The file is no backup of Tutela.
    """
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
        raise InvalidInputError(_NO_BACKUP)
    length = file.read(_LENGTH.size)
    size = _LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else _LONGEST_BEGINNING + 1
    if size > _LONGEST_BEGINNING:
        raise InvalidInputError(_DAMAGED)
    encoded = file.read(size)
    try:
        fields = json.loads(encoded)
        wrapped = WrappedKey(fields["key"], base64.b64decode(fields["wrapped"], validate=True))
        return Beginning(BackupId(fields["id"]), wrapped, magic + length + encoded)
    except (ValueError, KeyError, TypeError):
        raise InvalidInputError(_DAMAGED) from None


@contextmanager
def decrypting(file: BinaryIO, keys: KeyProvider) -> Iterator[tuple[Beginning, BinaryIO]]:
    """The stream again. Every byte that it gives is authentic; read to its end, so is its length.

    Raises:
        InvalidInputError: The file is no backup, or is not as it was written.
        OSError: The file cannot be read.
        TutelaError: The key provider cannot be used, or lacks the key.
    """
    beginning = read_beginning(file)
    secret = keys.unwrap(beginning.wrapped, _context(beginning.id))
    underneath = _Underneath(file)
    try:
        stream = _primitive(secret).new_decrypting_stream(
            cast(BinaryIO, underneath), beginning.encoded
        )
        yield beginning, stream
    except TinkError:
        if underneath.failure is not None:
            raise underneath.failure from None
        raise InvalidInputError(_DAMAGED) from None


_NO_BACKUP = "the file is no backup of Tutela: name one that tutela backup made"
_DAMAGED = (
    "the backup is damaged: it is not as it was written, or was cut off; nothing of it is used: "
    "take another"
)


def _context(backup: BackupId) -> bytes:
    return b"tutela backup " + backup.encode()


def _encoded(backup: BackupId, wrapped: WrappedKey) -> bytes:
    fields = {
        "id": backup,
        "key": wrapped.key_id,
        "wrapped": base64.b64encode(wrapped.ciphertext).decode(),
    }
    encoded = json.dumps(fields).encode()
    return MAGIC + _LENGTH.pack(len(encoded)) + encoded


def _primitive(secret: bytes) -> streaming_aead.StreamingAead:
    key = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(key_value=secret)
    key.params.ciphertext_segment_size = _SEGMENT_BYTES
    key.params.derived_key_size = _KEY_BYTES
    key.params.hkdf_hash_type = common_pb2.SHA256
    keyset = tink_pb2.Keyset(primary_key_id=1)
    only = keyset.key.add(
        key_id=1, status=tink_pb2.ENABLED, output_prefix_type=tink_pb2.RAW
    )
    only.key_data.type_url = "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey"
    only.key_data.value = key.SerializeToString()
    only.key_data.key_material_type = tink_pb2.KeyData.SYMMETRIC
    handle = proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


class _Underneath(io.RawIOBase):
    """The file under Tink's stream: it stays open, and its own error is not lost in Tink's."""

    def __init__(self, file: BinaryIO) -> None:
        self.failure: OSError | None = None
        self._file = file

    def writable(self) -> bool:
        return self._file.writable()

    def readable(self) -> bool:
        return self._file.readable()

    def write(self, data: Any) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.failure = error
            raise

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            self.failure = error
            raise
