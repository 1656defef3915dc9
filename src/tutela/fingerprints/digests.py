"""MD5, SHA-1 and SHA-256 in one pass."""

import hashlib
from typing import BinaryIO

from tutela.fingerprints.model import Digests

_CHUNK = 1 << 20


class Digesting:
    """Digests of bytes that come piece by piece."""

    def __init__(self) -> None:
        # They name files here and guard nothing, so a FIPS build of OpenSSL may compute them too.
        self._functions = [
            hashlib.new(name, usedforsecurity=False) for name in ("md5", "sha1", "sha256")
        ]
        self._size = 0

    def add(self, piece: bytes | bytearray | memoryview) -> None:
        """Take the next bytes."""
        self._size += memoryview(piece).nbytes
        for function in self._functions:
            function.update(piece)

    def digests(self) -> Digests:
        """The digests of all of them so far."""
        md5, sha1, sha256 = (function.digest() for function in self._functions)
        return Digests(self._size, md5, sha1, sha256)


def digests_of(source: BinaryIO | bytes | bytearray | memoryview) -> Digests:
    """The digests of a file's remaining bytes, or of a buffer.

    A file is read once, a mebibyte at a time, so that memory does not grow with its size.

    Args:
        source: A binary file, read from where it stands to its end, or the bytes themselves.

    Raises:
        OSError: The file cannot be read.
    """
    digesting = Digesting()
    if isinstance(source, bytes | bytearray | memoryview):
        digesting.add(source)
    else:
        while chunk := source.read(_CHUNK):
            digesting.add(chunk)
    return digesting.digests()
