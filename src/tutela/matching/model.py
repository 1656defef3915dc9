"""The nouns of looking up: what an index holds, what it is asked, what it answers."""

from dataclasses import dataclass

from tutela.fingerprints.model import Kind

FRAMES_FROM = 1 << 62
"""Entry numbers from here on are of frames of known videos: their hits are of the kind vPDQ.

They are searched as the PDQ hashes that they are, together with those of pictures.
"""

_FRAME_BITS = 20


def frame_numbers(entry: int, frames: int) -> range:
    """The numbers by which the index knows the frames of a video's entry."""
    if frames > 1 << _FRAME_BITS or entry >= FRAMES_FROM >> _FRAME_BITS:
        raise ValueError("there are no numbers for so many frames")
    first = FRAMES_FROM + (entry << _FRAME_BITS)
    return range(first, first + frames)


def entry_of_frame(number: int) -> int:
    """The number of the entry that a frame is of."""
    return (number - FRAMES_FROM) >> _FRAME_BITS


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A live list entry as the index sees it.

    Attributes:
        entry: The entry's number in the database, unique over all lists; or that of one of its
            frames (``frame_numbers``), whose kind is PDQ.
        hash_list: The list's number in the database.
        kind: Which function made the value.
        value: The fingerprint's bytes, ``kind.width`` long.
    """

    entry: int
    hash_list: int
    kind: Kind
    value: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked up: the fingerprints of one file, or one of those of an address.

    Attributes:
        md5: 16 bytes, or ``None`` to leave the kind out; likewise below.
        sha1: 20 bytes.
        sha256: 32 bytes.
        pdq: 32 bytes.
        url: 32 bytes; likewise the others, of addresses and texts.
    """

    md5: bytes | None = None
    sha1: bytes | None = None
    sha256: bytes | None = None
    pdq: bytes | None = None
    url: bytes | None = None
    url_prefix: bytes | None = None
    domain: bytes | None = None
    text: bytes | None = None


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """One entry that matches a query.

    Attributes:
        distance: Number of differing bits, 0 for an exact digest.
        hash_list: The list's number.
        entry: The entry's number.
        kind: The kind of fingerprint that matched.
    """

    distance: int
    hash_list: int
    entry: int
    kind: Kind
