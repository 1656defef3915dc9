"""``/v1/authorities``: whom a case goes to, who stands for that, and until when."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.calling import caller_of_key
from tutela.accounts.keys import ids_of
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, actor_of
from tutela.cases.model import read_case_id
from tutela.cases.reading import enter_read
from tutela.reporting.authorities.changing import NewDuty, add_authority, set_channel
from tutela.reporting.authorities.confirming import confirm, withdraw
from tutela.reporting.authorities.model import (
    AuthorityKind,
    Binding,
    IfUnknown,
    Incident,
    Origin,
    Standing,
)
from tutela.reporting.authorities.routing import Because, Circumstances, Outcome, route
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.authorities.telling import (
    authority_fields,
    channel_fields,
    duty_fields,
    row_fields,
)
from tutela.reporting.authorities.told import Relation
from tutela.reporting.authorities.weighing import weigh
from tutela.reporting.model import ChannelKind, Environment
from tutela.reporting.states import State

router = APIRouter(
    prefix="/v1/authorities",
    tags=["authorities"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.CASES_READ))]
Writer = Annotated[ApiKey, Security(Permitted(Permission.AUTHORITIES_WRITE))]

_ABSENT = problems(HTTPStatus.NOT_FOUND)
_THERE = problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_COUNTRY = r"^[A-Z]{2}$"

AuthorityName = Annotated[
    str, Path(max_length=50, description="The authority's id.", examples=["us-ncmec"])
]
RowName = Annotated[
    str, Path(max_length=100, description="The row's id.", examples=["au-afp", "gb-nca:form"])
]
Country = Annotated[
    str | None,
    Query(pattern=_COUNTRY, description="A country (ISO 3166-1, two letters), if known."),
]
Incidents = Annotated[list[Incident] | None, Query(description="What it is about.")]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SentDuty(_Sent):
    """When one's own authority has to be told, or may be."""

    established: list[str] = Field(
        ["*"], min_length=1, description="Where the provider is established; `*` for anywhere."
    )
    concerned: list[str] = Field(
        default_factory=list,
        description="Where the subject or the victim has to be; none if that does not matter.",
    )
    incidents: list[Incident] = Field(min_length=1)
    binding: Binding
    law: str = Field(min_length=1, max_length=200, examples=["our agreement of 3 May 2026"])
    promptness: str = Field("", max_length=500, description="How soon, in the law's words.")
    within_hours: int | None = Field(
        None, ge=1, le=8760, description="How soon, if the law gives a number of hours."
    )


class NewAuthority(_Sent):
    """An authority of one's own."""

    id: str = Field(min_length=1, max_length=49, examples=["fr-hotline"])
    name: str = Field(min_length=1, max_length=200)
    country: str = Field(pattern=r"^([A-Z]{2,6}|\*)$", examples=["FR"])
    kind: AuthorityKind
    duty: SentDuty | None = Field(None, description="When it is told.")
    source: str = Field(min_length=1, max_length=1000, description="On what source.")
    notes: str = Field("", max_length=2000)


class SentChannel(_Sent):
    """How an authority is reached; what is left out stays."""

    address: str | None = Field(
        None,
        max_length=2000,
        description="A mail address, the URL of a webhook, or of the page with the form.",
    )
    recipients: str | None = Field(
        None, max_length=20_000, description="Public keys of age or SSH, one a line."
    )
    source: str = Field(min_length=1, max_length=1000, description="On what source.")
    notes: str = Field("", max_length=2000)


class SentSource(_Sent):
    """What somebody relies on."""

    source: str = Field(
        min_length=1, max_length=1000, examples=["our counsel's letter of 3 May 2026"]
    )


class SentReason(_Sent):
    """Why something is done."""

    reason: str = Field(min_length=1, max_length=1000, description="Why, for the ledger.")


class RowAnswer(BaseModel):
    """A row of the directory."""

    row: str
    version: int
    origin: Origin
    standing: Standing = Field(description="Nothing goes by what is `unverified`.")
    source: str | None = Field(description="What was read, if it is `verified`.")
    checked_on: date | None
    confirmed_at: datetime | None
    confirmed_by: str | None = Field(description="As the ledger calls them.")
    confirmed_source: str | None
    notes: str
    digest: str = Field(description="Of its terms: when it changes, it is confirmed anew.")


class ChannelAnswer(RowAnswer):
    """A way to an authority."""

    authority: str
    kind: ChannelKind
    address: str
    recipients: list[str]
    lacks: str = Field(description="What has to be set before it can be used.")
    ready: bool


class AuthorityAnswer(RowAnswer):
    """An authority."""

    name: str
    country: str
    kind: AuthorityKind
    channels: list[ChannelAnswer]


class DutyAnswer(RowAnswer):
    """When somebody has to be told, or may be."""

    authority: str | None
    authority_kind: AuthorityKind | None
    established: list[str]
    not_established: list[str]
    concerned: list[str]
    if_unknown: IfUnknown
    incidents: list[Incident]
    binding: Binding
    provider: str
    promptness: str
    within_hours: int | None
    law: str
    satisfied_by: list[str]


class DirectoryAnswer(BaseModel):
    """The whole directory."""

    edition: int
    establishment: str | None = Field(description="The setting `reporting.establishment`.")
    authorities: list[AuthorityAnswer]
    duties: list[DutyAnswer]


class ReasonAnswer(BaseModel):
    """One step of an explanation."""

    because: Because
    about: str
    words: str


class RouteAnswer(BaseModel):
    """What becomes of one duty, for one authority."""

    duty: str
    authority: str | None
    name: str | None
    outcome: Outcome
    binding: Binding
    law: str
    provider: str
    promptness: str
    channel: ChannelKind | None = Field(description="The way that can be used.")
    reasons: list[ReasonAnswer]


class RoutesAnswer(BaseModel):
    """To whom something goes: those that apply, those that would, and the others."""

    establishment: str | None
    routes: list[RouteAnswer]


class TellingAnswer(BaseModel):
    """That an authority was told, or is about to be."""

    relation: Relation
    case: str
    authority: str | None
    report: int | None
    state: State
    environment: Environment | None
    told: bool = Field(description="Whether the authority itself has it.")
    at: datetime
    reference: str | None


class ClockAnswer(BaseModel):
    """Until when somebody has to be told."""

    duty: str
    authority: str | None
    due_at: datetime
    overdue: bool
    by_law: bool = Field(description="Whether the law gives the number of hours.")
    words: str


class WeighedAnswer(BaseModel):
    """A case weighed against the directory."""

    incidents: list[Incident]
    routes: list[RouteAnswer]
    told: list[TellingAnswer]
    clocks: list[ClockAnswer]


@router.get("", summary="The directory")
def show_directory(service: Here, _key: Reader) -> DirectoryAnswer:
    """Every authority, the ways to it, and every duty, each with who stands for it."""
    with service.database.reading() as connection:
        directory = directory_now(connection, service.settings)
    return DirectoryAnswer.model_validate(
        {
            "edition": directory.edition,
            "establishment": service.settings.reporting.establishment,
            "authorities": [
                authority_fields(directory, each) for each in directory.authorities.values()
            ],
            "duties": [duty_fields(each) for each in directory.duties.values()],
        }
    )


@router.post("", summary="Add an authority", status_code=HTTPStatus.CREATED, responses=_THERE)
def add(service: Here, key: Writer, new: NewAuthority) -> AuthorityAnswer:
    """Whoever adds it stands for it, on the source that they name."""
    with service.database.writing() as connection:
        added = add_authority(
            connection,
            service.settings,
            actor_of(key),
            service.clock,
            authority=new.id,
            name=new.name,
            country=new.country,
            kind=new.kind,
            duty=None if new.duty is None else _duty(new.duty),
            source=new.source,
            notes=new.notes,
        )
        directory = directory_now(connection, service.settings)
    return AuthorityAnswer.model_validate(authority_fields(directory, added))


# Before the routes of one authority, whose id these would be taken for.
@router.get("/route", summary="To whom a case would go")
def explain(
    service: Here,
    _key: Reader,
    establishment: Country = None,
    subject: Country = None,
    victim: Country = None,
    incident: Incidents = None,
) -> RoutesAnswer:
    """By where those concerned are and what it is about, each with the reasons.

    Without `establishment` the setting counts; without `incident` it is about material.
    """
    here = establishment or service.settings.reporting.establishment
    about = frozenset(incident or (Incident.MATERIAL,))
    with service.database.reading() as connection:
        directory = directory_now(connection, service.settings)
    routes = route(directory, Circumstances(here, subject, victim, about))
    return RoutesAnswer.model_validate(
        {"establishment": here, "routes": [each.as_fields() for each in routes]}
    )


@router.get("/cases/{case}", summary="To whom a case goes, and until when", responses=_ABSENT)
def weigh_case(
    service: Here,
    key: Reader,
    case: str,
    subject: Country = None,
    victim: Country = None,
    incident: Incidents = None,
) -> WeighedAnswer:
    """With who was told of it, of the same content and of the same subject.

    The ledger tells who asked. Without `incident` it is about what its items and facts say.
    """
    number = read_case_id(case)
    with service.database.reading() as connection:
        weighed = weigh(
            connection,
            service.settings,
            number,
            subject=subject,
            victim=victim,
            incidents=incident,
        )
    with service.database.writing() as connection:
        enter_read(connection, number, caller_of_key(key), service.clock)
    return WeighedAnswer.model_validate(weighed.as_fields(service.clock()))


@router.post("/rows/{row}/confirm", summary="Stand for a row", responses=_THERE)
def confirm_row(
    service: Here, key: Writer, row: RowName, on: SentSource
) -> AuthorityAnswer | ChannelAnswer | DutyAnswer:
    """As it reads now: when its terms change, it has to be confirmed again."""
    with service.database.writing() as connection:
        found = confirm(
            connection,
            service.settings,
            row,
            actor_of(key),
            service.clock,
            source=on.source,
            own=ids_of(connection, key.owner),
        )
        directory = directory_now(connection, service.settings)
    return _row_answer(row_fields(directory, found))


@router.post("/rows/{row}/withdraw", summary="No longer stand for a row", responses=_ABSENT)
def withdraw_row(
    service: Here, key: Writer, row: RowName, why: SentReason
) -> AuthorityAnswer | ChannelAnswer | DutyAnswer:
    """Nothing goes by it from now on."""
    with service.database.writing() as connection:
        found = withdraw(
            connection, service.settings, row, actor_of(key), service.clock, reason=why.reason
        )
        directory = directory_now(connection, service.settings)
    return _row_answer(row_fields(directory, found))


@router.get("/{authority}", summary="One authority", responses=_ABSENT)
def show_authority(service: Here, _key: Reader, authority: AuthorityName) -> AuthorityAnswer:
    """With the ways to it."""
    with service.database.reading() as connection:
        directory = directory_now(connection, service.settings)
    found = directory.authority(authority)
    return AuthorityAnswer.model_validate(authority_fields(directory, found))


@router.put(
    "/{authority}/channels/{kind}", summary="Set how an authority is reached", responses=_ABSENT
)
def set_way(
    service: Here, key: Writer, authority: AuthorityName, kind: ChannelKind, way: SentChannel
) -> ChannelAnswer:
    """On the source that you name. What evidence is sent by, another person has to confirm."""
    with service.database.writing() as connection:
        found = set_channel(
            connection,
            service.settings,
            actor_of(key),
            service.clock,
            authority=authority,
            kind=kind,
            source=way.source,
            address=way.address,
            recipients=way.recipients,
            notes=way.notes,
        )
    return ChannelAnswer.model_validate(channel_fields(found))


def _duty(sent: SentDuty) -> NewDuty:
    return NewDuty(
        established=tuple(sent.established),
        concerned=tuple(sent.concerned),
        incidents=tuple(sent.incidents),
        binding=sent.binding,
        law=sent.law,
        promptness=sent.promptness,
        within_hours=sent.within_hours,
    )


def _row_answer(fields: dict[str, object]) -> AuthorityAnswer | ChannelAnswer | DutyAnswer:
    if "law" in fields:
        return DutyAnswer.model_validate(fields)
    if "channels" in fields:
        return AuthorityAnswer.model_validate(fields)
    return ChannelAnswer.model_validate(fields)
