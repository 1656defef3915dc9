"""The nouns of looking up: what an index holds, what it is asked, what it answers."""

from dataclasses import dataclass

from tutela.fingerprints.model import Kind


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A live list entry as the index sees it.

    Attributes:
        entry: The entry's number in the database, unique over all lists.
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
    """What is looked up: the fingerprints of one file.

    Attributes:
        md5: 16 bytes, or ``None`` to leave the kind out; likewise below.
        sha1: 20 bytes.
        sha256: 32 bytes.
        pdq: 32 bytes.
    """

    md5: bytes | None = None
    sha1: bytes | None = None
    sha256: bytes | None = None
    pdq: bytes | None = None


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
