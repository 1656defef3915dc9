"""The nouns: a list, an entry, where entries came from."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from tutela.fingerprints.model import Fingerprint

HashListId = NewType("HashListId", int)
ImportId = NewType("ImportId", int)
EntryId = NewType("EntryId", int)


@dataclass(frozen=True, slots=True)
class HashList:
    """A list of known material.

    Attributes:
        id: The list's number.
        name: What people and settings call it.
        description: A line for people, may be empty.
        created_at: When it was made.
        created_by: The actor's name.
    """

    id: HashListId
    name: str
    description: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Why a set of entries is on a list.

    Attributes:
        source: Who says that this material is known: a hotline, a partner, our own reviewers.
        label: What it is said to be, in a scheme's own words such as ``A1``; empty if not said.
        reason: Why it was added.
    """

    source: str
    label: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row of a list file, read and understood.

    Attributes:
        number: Line (or record, in a JSON array) that it stands on, counted from 1.
        fingerprint: The hash.
        quality: The PDQ quality that the list states, or ``None``.
        label: The row's own label, or empty to take the import's.
    """

    number: int
    fingerprint: Fingerprint
    quality: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row of a list file that could not be understood.

    Attributes:
        number: Line (or record) that it stands on, counted from 1.
        reason: What is wrong with it, for people.
        text: The row as it stands, shortened.
    """

    number: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, over all its runs if it was resumed.

    Attributes:
        id: The import's number, kept as provenance beside each entry it added.
        rows: Rows read, good and bad.
        added: Entries that are new on the list.
        already: Rows whose entry was on the list before.
        withdrawn: Rows whose entry had been withdrawn, and stays so.
        rejected: Rows that could not be understood.
        resumed_at: Rows that an earlier, interrupted run had done; 0 if there was none.
    """

    id: ImportId
    rows: int
    added: int
    already: int
    withdrawn: int
    rejected: int
    resumed_at: int = 0
