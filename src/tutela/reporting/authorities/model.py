"""The nouns: an authority, the way to it, the duty to tell it, and who stands for each of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from tutela.errors import NotFoundError
from tutela.reporting.model import ChannelKind


class Standing(StrEnum):
    """Whether anybody stands for a row."""

    VERIFIED = "verified"
    """Somebody read the source that it names, on the day that it names."""
    CONFIRMED = "confirmed"
    """An operator stands for it."""
    UNVERIFIED = "unverified"
    """Nobody does: nothing goes by it."""


class Origin(StrEnum):
    """Where a row is written."""

    PACKAGE = "package"
    """In the file that comes with Tutela."""
    FILE = "file"
    """In the operator's own file."""
    HOUSE = "house"
    """In the database: somebody added it, or set its address."""


class RowKind(StrEnum):
    """What a row is about."""

    AUTHORITY = "authority"
    CHANNEL = "channel"
    DUTY = "duty"


class TypedPart(StrEnum):
    """What people type of an authority of their own, by its name in a file."""

    ID = "id"
    NAME = "name"
    COUNTRY = "country"
    ADDRESS = "address"
    RECIPIENTS = "recipients"


class AuthorityKind(StrEnum):
    """What an authority is."""

    CLEARING_HOUSE = "clearing-house"
    POLICE = "police"
    HOTLINE = "hotline"
    REGULATOR = "regulator"
    INTERNATIONAL = "international"


class Incident(StrEnum):
    """What a case is about, as far as it decides who is told."""

    MATERIAL = "material"
    """Material on one's own service that shows the abuse of a child."""
    ELSEWHERE = "elsewhere"
    """An address of such material that is not on one's own service."""
    ENTICEMENT = "enticement"
    """Somebody approaches a child, or blackmails one."""
    TRAFFICKING = "trafficking"
    """Somebody trades in a child."""
    DANGER = "danger"
    """Somebody's life or safety is threatened."""

    @property
    def words(self) -> str:
        """The same as people say it."""
        return _INCIDENTS[self]


_INCIDENTS = {
    Incident.MATERIAL: "material on the service",
    Incident.ELSEWHERE: "an address of material elsewhere",
    Incident.ENTICEMENT: "enticement or extortion of a child",
    Incident.TRAFFICKING: "trafficking in a child",
    Incident.DANGER: "a threat to life or safety",
}


class Binding(StrEnum):
    """Whether one has to."""

    MUST = "must"
    MAY = "may"


class IfUnknown(StrEnum):
    """What becomes of a duty that asks who is concerned, where that is not known."""

    NOT = "not"
    """It does not apply."""
    ESTABLISHED = "established"
    """It goes to the country where the provider is established."""
    ONLY = "only"
    """It applies only then."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """That an operator stands for a row as it reads.

    Attributes:
        confirmed_at: When.
        confirmed_by: Who, as the ledger calls them.
        source: What they rely on.
    """

    confirmed_at: datetime
    confirmed_by: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every row of the directory has.

    Attributes:
        id: Its name, which no other row has.
        version: Which wording of it.
        origin: Where it is written.
        source: What was read, or empty: then it is unverified.
        checked_on: When that was read.
        notes: What whoever relies on it should know.
        digest: SHA-256 of the terms in hex: of all that something goes by.
        confirmation: That an operator stands for it as it reads, if one does.
    """

    id: str
    version: int
    origin: Origin
    source: str
    checked_on: date | None
    notes: str
    digest: str
    confirmation: Confirmation | None = None

    @property
    def standing(self) -> Standing:
        """Whether anybody stands for it."""
        if self.source and self.checked_on is not None:
            return Standing.VERIFIED
        return Standing.UNVERIFIED if self.confirmation is None else Standing.CONFIRMED

    @property
    def counts(self) -> bool:
        """Whether anything may go by it."""
        return self.standing is not Standing.UNVERIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority(Row):
    """Somebody who can be told.

    Attributes:
        name: What it calls itself.
        country: Two letters (ISO 3166-1), a group of countries such as ``EU``, or ``*``.
        kind: What it is.
    """

    name: str
    country: str
    kind: AuthorityKind

    @property
    def places(self) -> tuple[str, ...]:
        """Every place that it names."""
        return (self.country,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Row):
    """A way to an authority. Its id is the authority's, a colon and its kind.

    Attributes:
        authority: The authority's id.
        kind: How it is told.
        address: A mail address, or the URL of a webhook or of a page with a form; or empty.
        recipients: The public keys, one a line, that what is mailed is encrypted to; or empty.
    """

    authority: str
    kind: ChannelKind
    address: str
    recipients: str

    @property
    def lacks(self) -> str:
        """What has to be set before it can be used; empty if nothing."""
        if self.kind is ChannelKind.SEALED_MAIL:
            missing = [] if self.address else ["its address"]
            return " and ".join(missing + ([] if self.recipients else ["its public key"]))
        if self.kind is ChannelKind.WEBHOOK and not self.address:
            return "its URL"
        return ""

    @property
    def is_ready(self) -> bool:
        """Whether something can be sent this way."""
        return self.counts and not self.lacks


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty(Row):
    """When somebody has to be told, or may be.

    Attributes:
        authority: Who, by the authority's id; or empty.
        authority_kind: Or which kind of authority of the countries that are concerned, or, where
            that makes no difference, of the one where the provider is established.
        established: Where the provider has to be established: countries, groups, or ``*``.
        not_established: Where it must not be.
        concerned: Where the subject or the victim has to be; empty if that makes no difference.
        if_unknown: What then, if that is not known.
        incidents: What the case has to be about.
        binding: Whether one has to.
        provider: Whom the law means, in words.
        promptness: How soon, in the law's words; or empty.
        within_hours: How soon, if the law gives a number of hours.
        law: The law, in short.
        satisfied_by: The authorities of which telling one makes this unnecessary.
    """

    authority: str
    authority_kind: AuthorityKind | None
    established: tuple[str, ...]
    not_established: tuple[str, ...]
    concerned: tuple[str, ...]
    if_unknown: IfUnknown
    incidents: tuple[Incident, ...]
    binding: Binding
    provider: str
    promptness: str
    within_hours: int | None
    law: str
    satisfied_by: tuple[str, ...]

    @property
    def places(self) -> tuple[str, ...]:
        """Every place that it names."""
        return (*self.established, *self.not_established, *self.concerned)


@dataclass(frozen=True, slots=True)
class Directory:
    """Every row, by its id.

    Attributes:
        edition: Which edition of the package's file.
        authorities: Those who can be told.
        channels: The ways to them.
        duties: When they have to be.
        groups: Which countries a group such as ``EU`` has.
    """

    edition: int
    authorities: Mapping[str, Authority] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    duties: Mapping[str, Duty] = field(default_factory=dict)
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def rows(self) -> Iterator[Authority | Channel | Duty]:
        """Every authority followed by the ways to it, then every duty."""
        for authority in self.authorities.values():
            yield authority
            yield from self.channels_of(authority.id)
        yield from self.duties.values()

    def row(self, row: str) -> Authority | Channel | Duty:
        """The row of this id.

        Raises:
            NotFoundError: There is none.
        """
        found = self.authorities.get(row) or self.channels.get(row) or self.duties.get(row)
        if found is None:
            raise NotFoundError(f'the directory has no row "{row}": see "tutela authority ls"')
        return found

    def authority(self, authority: str) -> Authority:
        """The authority of this id.

        Raises:
            NotFoundError: There is none.
        """
        found = self.authorities.get(authority)
        if found is None:
            raise NotFoundError(f'there is no authority "{authority}": see "tutela authority ls"')
        return found

    def channels_of(self, authority: str) -> tuple[Channel, ...]:
        """The ways to an authority."""
        return tuple(each for each in self.channels.values() if each.authority == authority)

    def duties_to(self, authority: str) -> tuple[Duty, ...]:
        """The duties that name an authority."""
        return tuple(each for each in self.duties.values() if each.authority == authority)

    def knows(self, place: str) -> bool:
        """Whether a place is a country, a group that the directory knows, or anywhere."""
        return place == "*" or place in self.groups or (len(place) == 2 and place.isupper())

    def is_in(self, country: str, places: tuple[str, ...]) -> bool:
        """Whether a country is one of these places: countries, groups, or ``*`` for anywhere."""
        return any(
            place in ("*", country) or country in self.groups.get(place, ()) for place in places
        )


def channel_id(authority: str, kind: ChannelKind) -> str:
    """The id of a way to an authority."""
    return f"{authority}:{kind}"
