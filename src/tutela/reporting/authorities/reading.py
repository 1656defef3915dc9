"""Reading the directory: the package's file, and the operator's own that adds to it.

The package's is ``directory.toml`` beside this file. A row of the operator's file, which the
setting ``reporting.authorities`` names, adds to it or takes the place of the row of the same id.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tutela.errors import InvalidInputError, SettingsError
from tutela.refusing import words_of_refusal
from tutela.reporting.authorities.model import (
    Authority,
    AuthorityKind,
    Binding,
    Channel,
    Directory,
    Duty,
    IfUnknown,
    Incident,
    Origin,
    RowKind,
    TypedPart,
    channel_id,
)
from tutela.reporting.model import ChannelKind
from tutela.storage.settings import Settings

_PACKAGED = files("tutela.reporting.authorities") / "directory.toml"

ROW_ID = r"^[a-z0-9][a-z0-9-]{0,48}$"
_TYPED = frozenset(TypedPart)
PLACE = r"^([A-Z]{2,6}|\*)$"


def written_directory(settings: Settings) -> Directory:
    """The directory as it is written in the package and in the operator's file.

    Raises:
        SettingsError: The operator's file cannot be read, or says something that it cannot mean.
    """
    packaged = _packaged()
    path = settings.reporting.authorities
    whole = packaged if path is None else _joined(packaged, _own(path))
    _check_names(whole, str(path or "directory.toml"))
    return whole


def read_directory(text: str, name: str, origin: Origin) -> Directory:
    """Read rows that are written as TOML.

    Args:
        text: The file.
        name: Its name, for errors.
        origin: Whose file it is.

    Raises:
        SettingsError: It is not TOML, or says something that a directory cannot mean.
    """
    try:
        written = _File(**tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name}: is not valid TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = words_of_refusal(first)
        raise SettingsError(f"{name}: {where}: {message}; see docs/authorities.md") from None
    rows = [
        *(each.read(origin) for each in written.authority),
        *(each.read(origin) for each in written.channel),
        *(each.read(origin) for each in written.duty),
    ]
    ids = [row.id for row in rows]
    twice = next((each for each in ids if ids.count(each) > 1), None)
    if twice is not None:
        raise SettingsError(f"{name}: the row {twice} is there twice: leave one")
    return Directory(
        edition=written.edition,
        authorities={row.id: row for row in rows if isinstance(row, Authority)},
        channels={row.id: row for row in rows if isinstance(row, Channel)},
        duties={row.id: row for row in rows if isinstance(row, Duty)},
        groups={each.id: frozenset(each.members) for each in written.group},
    )


def read_row(
    kind: RowKind, terms: Mapping[str, object], version: int, notes: str
) -> Authority | Channel | Duty:
    """Understand a row of the house's own, by its terms as they would stand in a file.

    Raises:
        InvalidInputError: It cannot be meant.
    """
    try:
        written = _FORMS[kind](**{**terms, "version": version, "notes": notes})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or kind
        raise InvalidInputError(
            "{where}: {message}; see docs/authorities.md",
            where=TypedPart(where) if where in _TYPED else where,
            message=words_of_refusal(first),
        ) from None
    return written.read(Origin.HOUSE)


def terms_digest(terms: Mapping[str, object]) -> str:
    """SHA-256 of what something goes by, in hex. Mending a note does not change it."""
    canonical = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


_Id = Annotated[str, Field(pattern=ROW_ID)]
_Place = Annotated[str, Field(pattern=PLACE)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Group(_Strict):
    id: str = Field(pattern=r"^[A-Z]{2,6}$")
    members: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...]
    source: str = ""
    checked_on: date | None = None


class _Written(_Strict):
    version: int = Field(ge=1, le=1_000_000)
    source: str = ""
    checked_on: date | None = None
    notes: str = ""

    def terms(self) -> str:
        """The digest of all that something goes by."""
        return terms_digest(self.model_dump(mode="json", exclude={"source", "checked_on", "notes"}))


class _WrittenAuthority(_Written):
    id: _Id
    name: str = Field(min_length=1, max_length=200)
    country: _Place
    kind: AuthorityKind

    def read(self, origin: Origin) -> Authority:
        """The row."""
        return Authority(
            id=self.id,
            version=self.version,
            origin=origin,
            source=self.source.strip(),
            checked_on=self.checked_on,
            notes=self.notes,
            digest=self.terms(),
            name=self.name,
            country=self.country,
            kind=self.kind,
        )


class _WrittenChannel(_Written):
    authority: _Id
    kind: ChannelKind
    address: str = Field("", max_length=2000)
    recipients: str = Field("", max_length=20_000)

    def read(self, origin: Origin) -> Channel:
        """The row."""
        return Channel(
            id=channel_id(self.authority, self.kind),
            version=self.version,
            origin=origin,
            source=self.source.strip(),
            checked_on=self.checked_on,
            notes=self.notes,
            digest=self.terms(),
            authority=self.authority,
            kind=self.kind,
            address=self.address,
            recipients=self.recipients,
        )


class _WrittenDuty(_Written):
    id: _Id
    authority: Annotated[str, Field(pattern=ROW_ID)] | None = None
    authority_kind: AuthorityKind | None = None
    established: tuple[_Place, ...] = ("*",)
    not_established: tuple[_Place, ...] = ()
    concerned: tuple[_Place, ...] = ()
    if_unknown: IfUnknown = IfUnknown.NOT
    incidents: tuple[Incident, ...] = Field(min_length=1)
    binding: Binding
    provider: str = ""
    promptness: str = ""
    within_hours: int | None = Field(None, ge=1, le=8760)
    law: str = Field(min_length=1, max_length=200)
    satisfied_by: tuple[_Id, ...] = ()

    @model_validator(mode="after")
    def _goes_to_somebody(self) -> Self:
        if (self.authority is None) is (self.authority_kind is None):
            raise ValueError("name an authority or an authority_kind, and not both")
        return self

    def read(self, origin: Origin) -> Duty:
        """The row."""
        return Duty(
            id=self.id,
            version=self.version,
            origin=origin,
            source=self.source.strip(),
            checked_on=self.checked_on,
            notes=self.notes,
            digest=self.terms(),
            authority=self.authority or "",
            authority_kind=self.authority_kind,
            established=self.established,
            not_established=self.not_established,
            concerned=self.concerned,
            if_unknown=self.if_unknown,
            incidents=self.incidents,
            binding=self.binding,
            provider=self.provider,
            promptness=self.promptness,
            within_hours=self.within_hours,
            law=self.law,
            satisfied_by=self.satisfied_by,
        )


_FORMS: Mapping[RowKind, type[_WrittenAuthority | _WrittenChannel | _WrittenDuty]] = {
    RowKind.AUTHORITY: _WrittenAuthority,
    RowKind.CHANNEL: _WrittenChannel,
    RowKind.DUTY: _WrittenDuty,
}


class _File(_Strict):
    edition: int = Field(1, ge=1)
    group: tuple[_Group, ...] = ()
    authority: tuple[_WrittenAuthority, ...] = ()
    channel: tuple[_WrittenChannel, ...] = ()
    duty: tuple[_WrittenDuty, ...] = ()


@cache
def _packaged() -> Directory:
    return read_directory(_PACKAGED.read_text(encoding="utf-8"), "directory.toml", Origin.PACKAGE)


def _own(path: Path) -> Directory:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"reporting.authorities: {path} cannot be read: {reason}") from None
    return read_directory(text, str(path), Origin.FILE)


def _joined(packaged: Directory, own: Directory) -> Directory:
    return Directory(
        edition=packaged.edition,
        authorities={**packaged.authorities, **own.authorities},
        channels={**packaged.channels, **own.channels},
        duties={**packaged.duties, **own.duties},
        groups={**packaged.groups, **own.groups},
    )


def _check_names(whole: Directory, name: str) -> None:
    """See that no row names an authority that is not there, and that no id is taken twice.

    Authorities that were added in the database do not count: the file has to stand by itself.
    """
    for channel in whole.channels.values():
        if channel.authority not in whole.authorities:
            raise SettingsError(f"{name}: {channel.id}: there is no authority {channel.authority}")
    for duty in whole.duties.values():
        for authority in (*filter(None, (duty.authority,)), *duty.satisfied_by):
            if authority not in whole.authorities:
                raise SettingsError(f"{name}: {duty.id}: there is no authority {authority}")
    placed: list[Authority | Duty] = [*whole.authorities.values(), *whole.duties.values()]
    for row in placed:
        unknown = [place for place in row.places if not whole.knows(place)]
        if unknown:
            raise SettingsError(
                f'{name}: {row.id}: "{unknown[0]}" is neither a country of two letters nor a group '
                f"({', '.join(sorted(whole.groups))})"
            )
    both = set(whole.authorities) & set(whole.duties)
    if both:
        raise SettingsError(
            f"{name}: {min(both)} is an authority and a duty: give one of them another id"
        )
