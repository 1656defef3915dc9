"""The nouns: a blob, and a store of blobs."""

import base64
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NewType, Protocol

from tutela.errors import NotFoundError

BlobId = NewType("BlobId", str)
"""A blob's name: 26 lower-case letters and digits of base 32, which are 128 random bits."""

CHUNK = 1 << 20
"""How many bytes are passed on at once, where we may choose."""


def random_name() -> str:
    """26 lower-case letters and digits: 128 random bits, never the same twice."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def new_blob_id() -> BlobId:
    """A name for a new blob."""
    return BlobId(random_name())


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """What a store says of a blob.

    Attributes:
        id: Its name.
        size: Bytes.
        written_at: When it became visible.
    """

    id: BlobId
    size: int
    written_at: datetime


class BlobMissingError(NotFoundError):
    """The store has no blob of this name."""


class BlobStore(Protocol):
    """Keeps blobs. Each is whole or absent, and never changes. Safe to share between threads.

    Every method raises ``StorageError`` where the store cannot be reached or written.
    """

    def write(self, blob: BlobId, chunks: Iterable[bytes]) -> None:
        """Keep a blob: it is durable when this returns, and absent if anything is raised.

        What ``chunks`` raises is raised.
        """

    def read(self, blob: BlobId) -> Iterator[bytes]:
        """A blob's bytes, in pieces.

        Raises:
            BlobMissingError: There is none of this name; raised before the first piece.
        """

    def delete(self, blob: BlobId, *, early: bool = False) -> None:
        """Remove a blob for good, with every version that the store may keep of it.

        It is no error if there is none. ``early`` removes even what was to be retained longer, if
        the store lets us.
        """

    def find(self, blob: BlobId) -> BlobInfo | None:
        """What there is of a blob, or ``None`` if there is none."""

    def list(self) -> Iterator[BlobInfo]:
        """Every blob there is."""

    def retain(self, blob: BlobId, until: datetime) -> None:
        """Have the store refuse to remove a blob before a moment, if it can."""

    def hold(self, blob: BlobId, *, held: bool) -> None:
        """Have the store refuse to remove a blob while it is held, if it can."""

    def clear_away(self, before: datetime) -> int:
        """Remove what unfinished writes left that began before a moment; gives how many."""

    def check(self) -> str:
        """Raise ``StorageError`` if nothing can be written; gives a few words for people."""
