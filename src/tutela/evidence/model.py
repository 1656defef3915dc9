"""The nouns: a piece of evidence, its blob, and the key that opens it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol

from tutela.errors import InvalidInputError, TutelaError
from tutela.storage.blobs.model import BlobId, random_name

ItemId = NewType("ItemId", str)
"""A piece of evidence: 26 lower-case letters and digits of base 32."""

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz234567")
_LENGTH = 26


def new_item_id() -> ItemId:
    """An id for a new piece of evidence."""
    return ItemId(random_name())


def read_item_id(text: str) -> ItemId:
    """Understand an id as people type or paste it.

    Raises:
        InvalidInputError: It cannot be one.
    """
    letters = text.strip().lower()
    if len(letters) != _LENGTH or not set(letters) <= _LETTERS:
        raise InvalidInputError(
            '"{text}" is not the id of a piece of evidence: see "tutela evidence ls"', text=text
        )
    return ItemId(letters)


Content = Callable[[], Iterable[bytes]]
"""Gives the bytes of a file from its beginning, each time it is called.

It raises ``ContentChangedError`` where the file is gone.
"""


class ContentChangedError(Exception):
    """A file is no longer the one that matched; the text says what became of it."""


class State(StrEnum):
    """What there is of a piece of evidence."""

    SEALED = "sealed"
    """It is in the vault."""
    MISSED = "missed"
    """The file changed or went after it had matched, before it could be sealed."""
    DESTROYING = "destroying"
    """Its destruction has begun and is finished after any crash. Nobody may open it any more."""
    DESTROYED = "destroyed"
    """Its key is erased, so that nobody can open it any more."""


class BlobState(StrEnum):
    """What there is of a blob."""

    LIVE = "live"
    """It is in the store, and evidence needs it."""
    DOOMED = "doomed"
    """No evidence needs it any more. It is being removed, or has been."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A secret that only a key provider can open.

    Attributes:
        key_id: Which key wraps it: ``file:`` or ``aws-kms:`` and the key's own id.
        ciphertext: The wrapped secret.
    """

    key_id: str
    ciphertext: bytes


class KeyProvider(Protocol):
    """Wraps secrets with a key that it keeps to itself. Safe to share between threads.

    The context is bound to what is wrapped: with any other one it does not open.
    """

    def wrap(self, secret: bytes, context: bytes) -> WrappedKey:
        """Wrap a secret by the newest key.

        Raises:
            StorageError: The key is missing, or its provider does not answer.
        """

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Open what was wrapped.

        Raises:
            StorageError: The key is missing, or its provider does not answer.
            WrongKeyError: It is altered, or was wrapped in another context.
        """

    def check(self) -> str:
        """Raise ``StorageError`` if nothing can be wrapped; gives a few words for people."""


class WrongKeyError(TutelaError):
    """What was wrapped does not open: it is altered, or belongs elsewhere."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A content that is durable in the vault, but which no row names yet.

    Attributes:
        blob: Where it is.
        case: The case that it is for.
        item: The piece of evidence that it is for.
        sha256: Its SHA-256.
        size: Its length in bytes.
        wrapped: The blob's data key, wrapped for this item alone.
        sealed_at: When.
        fresh: Whether the blob was made for it, and is not another item's as well.
    """

    blob: BlobId
    case: str
    item: ItemId
    sha256: bytes
    size: int
    wrapped: WrappedKey
    sealed_at: datetime
    fresh: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """A content that was no longer what had matched when it was to be sealed.

    Attributes:
        case: The case that it was for.
        item: The piece of evidence that it would have been.
        reason: What had become of it.
    """

    case: str
    item: ItemId
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A piece of evidence.

    Attributes:
        id: Its id.
        case: The number of its case.
        state: What there is of it.
        sealed_at: When it was sealed, or missed.
        blob: Where its bytes are, or were; ``None`` if it was missed.
        size: Their number.
        sha256: Their SHA-256.
        key_id: Which key wraps its data key; ``None`` if it has none any more.
        reason: Why it was missed.
    """

    id: ItemId
    case: str
    state: State
    sealed_at: datetime
    blob: BlobId | None
    size: int | None
    sha256: bytes | None
    key_id: str | None
    reason: str

    def as_fields(self) -> dict[str, object]:
        """The evidence by names, as programs are given it."""
        return {
            "item": self.id,
            "case": self.case,
            "state": self.state,
            "sealed_at": self.sealed_at.isoformat(),
            "blob": self.blob,
            "size": self.size,
            "sha256": self.sha256.hex() if self.sha256 else None,
            "key": self.key_id,
            **({"reason": self.reason} if self.reason else {}),
        }


def wrapping_context(blob: str, case: str, item: str) -> bytes:
    """What a data key's wrapping is bound to."""
    return f"tutela evidence 1|{blob}|{case}|{item}".encode()
