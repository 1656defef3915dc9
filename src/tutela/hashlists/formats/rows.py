"""What every row must keep to, whether a file or a caller of the API brought it."""

import hashlib

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.model import ListRow
from tutela.hashlists.wording import checked_text

_OF_NOTHING = {hashlib.new(kind, usedforsecurity=False).digest() for kind in Kind if kind.is_digest}


def checked_row(
    number: int,
    fingerprint: Fingerprint,
    quality: int | None = None,
    label: str = "",
    frames: bytes = b"",
) -> ListRow:
    """A row that may be put on a list.

    Args:
        number: Where it stands, counted from 1.
        fingerprint: The hash.
        quality: The PDQ quality, 0 to 100; passed over for a hash of another kind.
        label: The row's own label.
        frames: All of a vPDQ hash.

    Raises:
        InvalidInputError: It is the hash of an empty file, a vPDQ hash lacks its frames, or the
            label cannot be kept.
    """
    if (fingerprint.kind is Kind.VPDQ) is not bool(frames):
        raise InvalidInputError(
            "a vpdq hash is the hashes of all its frames, as a JSON array: see docs/lists.md"
        )
    if fingerprint.value in _OF_NOTHING and fingerprint.kind.is_digest:
        raise InvalidInputError("is the hash of an empty file, and would match every empty file")
    return ListRow(
        number,
        fingerprint,
        quality if fingerprint.kind is Kind.PDQ else None,
        checked_text("label", label),
        frames,
    )
