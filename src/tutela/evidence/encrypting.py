"""Encrypting and decrypting a stream under a fresh data key.

Tink's streaming AEAD (AES-256-GCM with HKDF, segments of 1 MiB): each segment is authenticated with
its place and whether it is the last, so that none can be altered, moved, dropped or added.
https://developers.google.com/tink/streaming-aead
"""

import io
from collections.abc import Iterable, Iterator

import tink
from tink import proto_keyset_format, secret_key_access, streaming_aead

from tutela.evidence.model import WrongKeyError
from tutela.storage.blobs.model import CHUNK

streaming_aead.register()
_TEMPLATE = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB


class AlteredError(Exception):
    """The bytes are not those that were encrypted, or not all of them."""


def new_data_key() -> bytes:
    """A fresh data key: a serialized keyset of one key."""
    return bytes(
        proto_keyset_format.serialize(tink.new_keyset_handle(_TEMPLATE), secret_key_access.TOKEN)
    )


def encrypted(chunks: Iterable[bytes], data_key: bytes, bound_to: bytes) -> Iterator[bytes]:
    """Encrypt a stream.

    Args:
        chunks: The plaintext. What it raises is raised; the ciphertext then stays unfinished, and
            never opens.
        data_key: From ``new_data_key``.
        bound_to: Without it, the ciphertext does not open.
    """
    sink = _Sink()
    stream = _primitive(data_key).new_encrypting_stream(sink, bound_to)
    try:
        for chunk in chunks:
            stream.write(chunk)
            yield from sink.take()
        stream.close()
        yield from sink.take()
    finally:
        # A stream that is let go of would finish what it has to write. Nobody may have that.
        sink.shut()


def decrypted(chunks: Iterable[bytes], data_key: bytes, bound_to: bytes) -> Iterator[bytes]:
    """Decrypt a stream. Each piece is authenticated before it is given.

    Raises:
        AlteredError: A bit is not as it was, or an end or a beginning is missing.
        WrongKeyError: The data key is not one.
    """
    source = _Source(chunks)
    stream = _primitive(data_key).new_decrypting_stream(source, bound_to)
    while True:
        try:
            piece = stream.read(CHUNK)
        except tink.TinkError as error:
            if source.failure is not None:
                raise source.failure from None
            raise AlteredError from error
        if source.failure is not None:
            raise source.failure
        if not piece:
            return
        yield piece


def _primitive(data_key: bytes) -> streaming_aead.StreamingAead:
    try:
        handle = proto_keyset_format.parse(data_key, secret_key_access.TOKEN)
        return handle.primitive(streaming_aead.StreamingAead)
    except tink.TinkError as error:
        raise WrongKeyError("this is not a data key") from error


class _Sink(io.RawIOBase):
    """Holds what was encrypted until it is taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._shut = False

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]  # only ever bytes
        if not self._shut:
            self._pieces.append(piece)
        return len(piece)

    def take(self) -> list[bytes]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def shut(self) -> None:
        self._shut = True


class _Source(io.RawIOBase):
    """Reads from an iterator, and remembers what it raised, which Tink would not pass on."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")
        self.failure: Exception | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            try:
                self._rest = memoryview(next(self._chunks))
            except StopIteration:
                return b""
            except Exception as error:
                self.failure = error
                raise
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)
