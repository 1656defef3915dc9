"""The nouns: a case's number, the item it is about, and what matched."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import FingerprintSet, Kind, Unreadable

CaseId = NewType("CaseId", str)

# Crockford's base 32: no I, L, O or U, so that a number read aloud is not misheard.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS, _GROUP = 3, 4


def new_case_id() -> CaseId:
    """A random number such as ``7K3M-9QPD-2X4H``: 60 bits, easy to read aloud."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return CaseId("-".join(groups))


def read_case_id(text: str) -> CaseId:
    """Understand a case number as people type it: in either case, with or without dashes.

    Raises:
        InvalidInputError: It cannot be a case number.
    """
    letters = text.upper().replace("-", "").replace(" ", "")
    letters = letters.translate(str.maketrans("OIL", "011"))
    if len(letters) != _GROUPS * _GROUP or not set(letters) <= set(_ALPHABET):
        raise InvalidInputError(
            '"{text}" is not a case number: it looks like {form}',
            text=text,
            form="-".join(["XXXX"] * _GROUPS),
        )
    return CaseId(
        "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))
    )


class ItemKind(StrEnum):
    """What an item is."""

    PICTURE = "picture"
    VIDEO = "video"
    TEXT = "text"
    """An excerpt of a conversation, or other words."""
    URL = "url"
    FILE = "file"
    """Something else, or nobody knows what, as where only its digests were sent."""


def kind_of(fingerprints: FingerprintSet) -> ItemKind:
    """What an item is, as far as its fingerprints show."""
    return ItemKind.FILE if fingerprints.pdq is None else ItemKind.PICTURE


@dataclass(frozen=True, slots=True)
class Match:
    """An entry of a list that an item matched.

    Attributes:
        hash_list: The list's number.
        list_name: The list's name.
        entry: The entry's number.
        kind: The kind of fingerprint that matched.
        distance: Number of differing bits; 0 for an exact digest.
        place: Where in the item, as ``fingerprints.model.Part`` has it; ``""`` is the item itself.
        query_percent: Of a video by vPDQ: how much of it is in the entry.
        compared_percent: Of a video by vPDQ: how much of the entry is in it.
    """

    hash_list: int
    list_name: str
    entry: int
    kind: Kind
    distance: int
    place: str = ""
    query_percent: int | None = None
    compared_percent: int | None = None

    @property
    def is_the_very_file(self) -> bool:
        """Whether the list has the item itself, to the bit, and not only something in it."""
        return self.kind.is_digest and not self.place

    def as_fields(self) -> dict[str, str | int]:
        """What callers who may know are told of it: never the entry."""
        fields: dict[str, str | int] = {
            "list": self.list_name,
            "kind": self.kind,
            "distance": self.distance,
        }
        if self.place:
            fields["place"] = self.place
        if self.query_percent is not None and self.compared_percent is not None:
            fields["query_percent"] = self.query_percent
            fields["compared_percent"] = self.compared_percent
        return fields


@dataclass(frozen=True, slots=True)
class Item:
    """What a case is about.

    Attributes:
        name: The file's name or path, as the sender gave it; may be empty.
        origin: Where it came from: ``scan`` or ``key:<name of the API key>``.
        fingerprints: What is known of the file itself.
        kind: What it is.
        reference: What the platform calls the upload, if it says so.
        unreadable: Why it, or something in it, could not be looked at, if so.
        unreadable_at: Where in it, as ``fingerprints.model.Part`` has it; ``""`` is the item
            itself.
    """

    name: str
    origin: str
    fingerprints: FingerprintSet
    kind: ItemKind = ItemKind.FILE
    reference: str | None = None
    unreadable: Unreadable | None = None
    unreadable_at: str = ""
