"""The nouns: what is known of a case, a request to disclose it, and what the package will hold."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from tutela.ledger.model import Entry

DisclosureId = NewType("DisclosureId", int)

OpenMedium = Callable[[str], Iterable[bytes]]
"""Gives the content of an item's file, by the vault's id of it."""

VALIDITY = timedelta(days=7)
"""How long a request waits for the second person, and how long their agreement holds."""


@dataclass(frozen=True, slots=True)
class Matched:
    """A list that an item matched: its name and the kind of fingerprint, never the entry.

    ``place`` says where in the item, for people; empty for the item itself.
    """

    list_name: str
    kind: str
    place: str = ""

    @property
    def words(self) -> str:
        """The same for people."""
        where = f", at {self.place}" if self.place else ""
        return f"{self.list_name} by {self.kind}{where}"


@dataclass(frozen=True, slots=True)
class DossierItem:
    """What the case knows of one item. Everything here is the case's word, not the vault's.

    Attributes:
        evidence: The id of its file in the vault, or ``None`` where only fingerprints came.
        name: The file's name as its sender gave it; may be empty.
        origin: Where it came from, such as ``scan`` or ``key:<name of the API key>``.
        received_at: When it came.
        size: In bytes, where known.
        digests: Lower-case hex by ``md5``, ``sha1`` and ``sha256``, as far as known.
        pdq: PDQ as 64 hex digits, if there is a picture.
        pdq_quality: PDQ's quality, 0 to 100.
        matches: What it matched.
    """

    evidence: str | None
    name: str
    origin: str
    received_at: datetime
    size: int | None
    digests: Mapping[str, str]
    pdq: str | None
    pdq_quality: int | None
    matches: tuple[Matched, ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is known of a case by those who keep cases, in plain values."""

    case: str
    state: str
    opened_at: datetime
    items: tuple[DossierItem, ...]


class Standing(StrEnum):
    """What became of an item's file, and so whether the package holds it."""

    KEPT = "kept"
    """In the vault: the package holds it."""
    LEFT_OUT = "left-out"
    """Left out by those who asked; its description is in the package."""
    DESTROYED = "destroyed"
    """Destroyed when its time was up: only its description is left."""
    MISSED = "missed"
    """The file had changed or gone before it could be sealed."""
    NO_FILE = "no-file"
    """Only fingerprints were ever received."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One item as the package presents it.

    Attributes:
        number: Its place in the package, from 1.
        known: What the case knows of it.
        standing: What became of its file.
        size: The file's size in bytes, as the vault knows it.
        sha256: The file's SHA-256 in hex, as the vault knows it.
        sealed_at: When the vault took it.
        destroyed_at: When it was destroyed.
        held: Whether a legal hold keeps it from being destroyed.
        media_type: What the file is by its first bytes, such as ``image/jpeg``, where known.
    """

    number: int
    known: DossierItem
    standing: Standing
    size: int | None = None
    sha256: str | None = None
    sealed_at: datetime | None = None
    destroyed_at: datetime | None = None
    held: bool = False
    media_type: str | None = None

    @property
    def id(self) -> str:
        """The vault's id of it, or its place where the vault never had it."""
        return self.known.evidence or f"number-{self.number}"

    @property
    def file(self) -> str | None:
        """Its file in the package, if it holds one. The name tells nothing of the content."""
        return f"media/{self.known.evidence}.bin" if self.standing is Standing.KEPT else None


class State(StrEnum):
    """Where a request stands."""

    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A request to hand a case over, and what two people said to it.

    Attributes:
        id: Its number.
        case: The case.
        state: Where it stands.
        authority: Who is to receive it.
        legal_basis: Why they may.
        reference: The authority's own reference, such as its file number.
        recipients: Their public keys, one a line, as the package will be encrypted to.
        recipients_sha256: SHA-256 of ``recipients``: what people compare by telephone.
        contents: What was agreed to be handed over: each item's id and standing, one a line.
        asked_at: When it was asked for.
        asked_by: By which API key, as the ledger calls it: ``key:5``.
        decided_at: When it was agreed to or refused.
        decided_by: By which API key.
        refused_because: Why it was refused.
        made_at: When the package was last made.
        package_sha256: That package's SHA-256, in hex.
        package_size: Its size in bytes.
    """

    id: DisclosureId
    case: str
    state: State
    authority: str
    legal_basis: str
    reference: str
    recipients: str
    recipients_sha256: str
    contents: str
    asked_at: datetime
    asked_by: str
    decided_at: datetime | None = None
    decided_by: str | None = None
    refused_because: str | None = None
    made_at: datetime | None = None
    package_sha256: str | None = None
    package_size: int | None = None

    @property
    def lapses_at(self) -> datetime:
        """When it is too late: to agree, or after that to make the package."""
        return (self.decided_at or self.asked_at) + VALIDITY

    @property
    def thing(self) -> str:
        """What the ledger calls it."""
        return f"disclosure:{self.id}"

    @property
    def folder(self) -> str:
        """The one folder that its package unpacks to."""
        return f"tutela-{self.case}-disclosure-{self.id}"

    def as_fields(self) -> dict[str, object]:
        """The request by names, as programs are given it."""
        return {
            "disclosure": self.id,
            "case": self.case,
            "state": self.state,
            "authority": self.authority,
            "reference": self.reference,
            "legal_basis": self.legal_basis,
            "recipients": self.recipients.splitlines(),
            "recipients_sha256": self.recipients_sha256,
            "asked_at": self.asked_at.isoformat(),
            "asked_by": self.asked_by,
            "decided_at": self.decided_at.isoformat() if self.decided_at else None,
            "decided_by": self.decided_by,
            "refused_because": self.refused_because,
            "lapses_at": self.lapses_at.isoformat(),
            "made_at": self.made_at.isoformat() if self.made_at else None,
            "package_sha256": self.package_sha256,
            "package_size": self.package_size,
        }


@dataclass(frozen=True, slots=True)
class Extract:
    """The ledger's entries about the case, and the files that prove them to a stranger.

    Attributes:
        entries: Every entry that names the case, in order.
        files: Name to content of what goes into the package's folder ``ledger``.
        how_to_check: The command that checks all of them, to be run in that folder.
    """

    entries: tuple[Entry, ...]
    files: Mapping[str, bytes]
    how_to_check: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything that a package says, in plain values; the media come apart, as streams.

    Attributes:
        disclosure: The request that was agreed to.
        case_state: Where the case stands.
        case_opened_at: When it was opened.
        exhibits: Its items.
        extract: What the ledger says of it.
        organisation: Who hands it over; may be empty.
        made_at: When the package is made.
        names: Who acted by the API keys, by what the ledger calls those.
    """

    disclosure: Disclosure
    case_state: str
    case_opened_at: datetime
    exhibits: tuple[Exhibit, ...]
    extract: Extract
    organisation: str
    made_at: datetime
    names: Mapping[str, str] = field(default_factory=dict)
