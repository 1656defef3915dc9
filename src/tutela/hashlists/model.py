"""The nouns: a list, an entry, where entries came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from tutela.fingerprints.model import Fingerprint, Kind

HashListId = NewType("HashListId", int)
ImportId = NewType("ImportId", int)


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
    """One hash of a list file, read and understood.

    Attributes:
        number: Line (or record, in a JSON array) that it stands on, counted from 1.
        fingerprint: The hash.
        quality: The PDQ quality that the list states, or ``None``.
        label: The row's own label, or empty to take the import's.
        frames: Of a vPDQ hash all of it, as ``fingerprints.vpdq.pack`` has it.
    """

    number: int
    fingerprint: Fingerprint
    quality: int | None = None
    label: str = ""
    frames: bytes = b""


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
class Added:
    """What became of some rows.

    Attributes:
        added: Entries that are new on the list.
        already: Rows whose entry was on the list before, or earlier among the rows.
        withdrawn: Rows whose entry had been withdrawn, and stays so.
    """

    added: int
    already: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, over all its runs if it was resumed.

    Attributes:
        id: The import's number, kept as provenance beside each entry it added.
        rows: Hashes and unreadable rows met in the file.
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


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One time that entries came in, as it is remembered.

    Attributes:
        id: Its number.
        provenance: Who says so, what, and why.
        imported_by: The actor's name.
        started_at: When it began.
        finished_at: When it ended, or ``None`` while it is under way or interrupted.
        file_name: The file's name without folders, or ``None`` if it was no file.
        rows: Hashes and unreadable rows met.
        added: Entries that were new on the list.
        already: Rows whose entry was on the list before.
        withdrawn: Rows whose entry had been withdrawn.
        rejected: Rows that could not be understood.
    """

    id: ImportId
    provenance: Provenance
    imported_by: str
    started_at: datetime
    finished_at: datetime | None
    file_name: str | None
    rows: int
    added: int
    already: int
    withdrawn: int
    rejected: int


@dataclass(frozen=True, slots=True)
class ListSummary:
    """How much a list holds, and where it came from.

    Attributes:
        hash_list: The list.
        live: Entries that match, by kind; kinds without any are left out.
        withdrawn: Entries that no longer match.
        imports: Every time that entries came in, the oldest first.
    """

    hash_list: HashList
    live: Mapping[Kind, int]
    withdrawn: int
    imports: tuple[ImportRecord, ...]


@dataclass(frozen=True, slots=True)
class ListSize:
    """How much a list holds in all, and where it came from.

    Attributes:
        hash_list: The list.
        live: Entries that match.
        withdrawn: Entries that no longer match.
        imports: Every time that entries came in, the newest first.
    """

    hash_list: HashList
    live: int
    withdrawn: int
    imports: tuple[ImportRecord, ...]

    @property
    def sources(self) -> list[str]:
        """Who says that its entries are known."""
        return sorted({record.provenance.source for record in self.imports})


@dataclass(frozen=True, slots=True)
class WithdrawnEntry:
    """An entry that no longer matches.

    Attributes:
        fingerprint: The hash.
        withdrawn_at: When it was withdrawn.
        withdrawn_by: The actor's name.
        reason: Why.
    """

    fingerprint: Fingerprint
    withdrawn_at: datetime
    withdrawn_by: str
    reason: str
