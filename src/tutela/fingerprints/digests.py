"""MD5, SHA-1 and SHA-256 in one pass."""

import hashlib
from typing import BinaryIO

from tutela.fingerprints.model import Digests

_CHUNK = 1 << 20


def digests_of(source: BinaryIO | bytes | bytearray | memoryview) -> Digests:
    """The digests of a file's remaining bytes, or of a buffer.

    A file is read once, a mebibyte at a time, so that memory does not grow with its size.

    Args:
        source: A binary file, read from where it stands to its end, or the bytes themselves.

    Raises:
        OSError: The file cannot be read.
    """
    # They name files here and guard nothing, so a FIPS build of OpenSSL may compute them too.
    functions = [hashlib.new(name, usedforsecurity=False) for name in ("md5", "sha1", "sha256")]
    size = 0
    if isinstance(source, bytes | bytearray | memoryview):
        size = memoryview(source).nbytes
        for function in functions:
            function.update(source)
    else:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            for function in functions:
                function.update(chunk)
    md5, sha1, sha256 = (function.digest() for function in functions)
    return Digests(size, md5, sha1, sha256)
