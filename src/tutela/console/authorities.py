"""``/authorities``: to whom cases have to be reported, who stands for that, and by which way.

``/cases/NUMBER/authorities`` says it of one case, with who was told before, and until when.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from tutela.accounts.keys import ids_of
from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import Permission
from tutela.cases.model import read_case_id
from tutela.cases.reading import enter_read
from tutela.console.explaining import explains
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House
from tutela.console.visiting import Visitor, visitor
from tutela.errors import AlreadyExistsError, InvalidInputError, NotPermittedError, TutelaError
from tutela.reporting.authorities.alerting import alerted_cases
from tutela.reporting.authorities.changing import add_authority, set_channel
from tutela.reporting.authorities.confirming import confirm, withdraw
from tutela.reporting.authorities.model import (
    Authority,
    AuthorityKind,
    Channel,
    Directory,
    Incident,
)
from tutela.reporting.authorities.routing import (
    Circumstances,
    Outcome,
    Route,
    route,
)
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.authorities.weighing import weigh
from tutela.reporting.model import ChannelKind

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.CASES_READ))]
# Whoever changes to whom evidence goes has shown who they are lately.
Writer = Annotated[Visitor, Depends(visitor(Permission.AUTHORITIES_WRITE, proved=True))]
RowName = Annotated[str, Path(max_length=100)]
Words = Annotated[str, Form(max_length=1000)]
Place = Annotated[str, Query(max_length=10)]


class Asked(BaseModel):
    """What somebody asks an explanation for, as the page sends it."""

    subject: str = ""
    victim: str = ""
    incidents: list[Incident] = []


class Typed(BaseModel):
    """An authority of one's own, as the page sends it."""

    id: str = ""
    name: str = ""
    country: str = ""
    kind: AuthorityKind = AuthorityKind.HOTLINE
    source: str = ""


class TypedWay(BaseModel):
    """A way to an authority, as the page sends it."""

    kind: ChannelKind = ChannelKind.SEALED_MAIL
    address: str = ""
    recipients: str = ""
    source: str = ""


@router.get("/authorities")
def list_authorities(
    request: Request,
    house: Here,
    reader: Reader,
    subject: Place = "",
    victim: Place = "",
    incident: Annotated[list[Incident] | None, Query()] = None,
) -> Response:
    """The directory, and to whom a case would go."""
    return _list(request, house, reader, _asked(subject, victim, incident))


@router.post("/authorities")
def add(request: Request, house: Here, writer: Writer, typed: Annotated[Typed, Form()]) -> Response:
    """Add an authority of one's own."""
    try:
        with house.database.writing() as connection:
            added = add_authority(
                connection,
                house.settings,
                writer.caller.actor,
                house.clock,
                authority=typed.id.strip(),
                name=typed.name,
                country=typed.country.strip().upper(),
                kind=typed.kind,
                duty=None,
                source=typed.source,
            )
    except (InvalidInputError, AlreadyExistsError) as error:
        return _list(request, house, writer, Asked(), typed=typed, wrong=error)
    return go(house, f"/authorities/{added.id}", "said_authority_added", added.id)


@router.get("/authorities/{row}")
def show_row(request: Request, house: Here, reader: Reader, row: RowName) -> Response:
    """One row: what it says, on what it rests, and who stands for it."""
    return _page(request, house, reader, row)


@router.get("/cases/{case}/authorities")
def weigh_case(
    request: Request,
    house: Here,
    reader: Reader,
    case: str,
    *,
    subject: Place = "",
    victim: Place = "",
    incident: Annotated[list[Incident] | None, Query()] = None,
) -> Response:
    """To whom a case goes, who was told, and until when. The ledger says who asked."""
    number = read_case_id(case)
    asked = _asked(subject, victim, incident)
    wrong: InvalidInputError | None = None
    try:
        places = _country(asked.subject), _country(asked.victim)
    except InvalidInputError as error:
        places, wrong = (None, None), error
    with house.database.reading() as connection:
        weighed = weigh(
            connection,
            house.settings,
            number,
            subject=places[0],
            victim=places[1],
            incidents=asked.incidents or None,
        )
    with house.database.writing() as connection:
        enter_read(connection, number, reader.caller, house.clock)
    return show(
        request,
        reader,
        "case_authorities.html",
        status=HTTPStatus.OK if wrong is None else 422,
        case=number,
        now=house.clock(),
        weighed=weighed,
        asked=asked,
        incidents=list(Incident),
        routes=[each for each in weighed.routes if each.outcome is not Outcome.NOT],
        others=[each for each in weighed.routes if each.outcome is Outcome.NOT],
        why=explains(reader),
        wrong=wrong,
    )


@router.post("/authorities/{row}/confirm")
def confirm_row(
    request: Request, house: Here, writer: Writer, row: RowName, *, source: Words = ""
) -> Response:
    """Stand for a row as it reads now."""
    try:
        with house.database.writing() as connection:
            confirm(
                connection,
                house.settings,
                row,
                writer.caller.actor,
                house.clock,
                source=source,
                own=ids_of(connection, writer.person.id),
            )
    except (InvalidInputError, AlreadyExistsError, NotPermittedError) as error:
        return _page(request, house, writer, row, wrong=error)
    return go(house, f"/authorities/{row}", "said_row_confirmed", row)


@router.post("/authorities/{row}/withdraw")
def withdraw_row(
    request: Request, house: Here, writer: Writer, row: RowName, *, reason: Words = ""
) -> Response:
    """No longer stand for it."""
    try:
        with house.database.writing() as connection:
            withdraw(
                connection, house.settings, row, writer.caller.actor, house.clock, reason=reason
            )
    except InvalidInputError as error:
        return _page(request, house, writer, row, wrong=error)
    return go(house, f"/authorities/{row}", "said_row_withdrawn", row)


@router.post("/authorities/{row}/ways")
def set_way(
    request: Request,
    house: Here,
    writer: Writer,
    row: RowName,
    typed: Annotated[TypedWay, Form()],
) -> Response:
    """Set how an authority is reached."""
    try:
        with house.database.writing() as connection:
            way = set_channel(
                connection,
                house.settings,
                writer.caller.actor,
                house.clock,
                authority=row,
                kind=typed.kind,
                source=typed.source,
                address=typed.address or None,
                recipients=typed.recipients or None,
            )
    except InvalidInputError as error:
        return _page(request, house, writer, row, typed=typed, wrong=error)
    return go(house, f"/authorities/{row}", "said_way_set", way.id)


def _list(
    request: Request,
    house: House,
    person: Visitor,
    asked: Asked,
    *,
    typed: Typed | None = None,
    wrong: TutelaError | None = None,
) -> Response:
    establishment = house.settings.reporting.establishment
    with house.database.reading() as connection:
        directory = directory_now(connection, house.settings)
        near = alerted_cases(connection)
    routes: tuple[Route, ...] | None = None
    if asked.incidents:
        try:
            routes = route(
                directory,
                Circumstances(
                    establishment,
                    _country(asked.subject),
                    _country(asked.victim),
                    frozenset(asked.incidents),
                ),
            )
        except InvalidInputError as error:
            wrong = error
    return show(
        request,
        person,
        "authorities.html",
        status=HTTPStatus.OK if wrong is None else 422,
        establishment=establishment,
        directory=directory,
        near=near,
        asked=asked,
        incidents=list(Incident),
        routes=[each for each in routes or () if each.outcome is not Outcome.NOT],
        others=[each for each in routes or () if each.outcome is Outcome.NOT],
        explained=routes is not None,
        why=explains(person),
        kinds=list(AuthorityKind),
        typed=typed or Typed(),
        wrong=wrong,
    )


def _page(
    request: Request,
    house: House,
    person: Visitor,
    row: str,
    *,
    typed: TypedWay | None = None,
    wrong: TutelaError | None = None,
) -> Response:
    with house.database.reading() as connection:
        directory = directory_now(connection, house.settings)
        names = names_of_people(connection)
    found = directory.row(row)
    return show(
        request,
        person,
        "authority.html",
        status=HTTPStatus.OK if wrong is None else 422,
        row=found,
        authority=_authority(directory, found),
        ways=directory.channels_of(found.id),
        duties=directory.duties_to(found.id),
        shape=type(found).__name__.lower(),
        names=names,
        way_kinds=list(ChannelKind),
        typed=typed or TypedWay(),
        wrong=wrong,
    )


def _authority(directory: Directory, row: object) -> Authority | None:
    if isinstance(row, Authority):
        return row
    return directory.authorities.get(row.authority) if isinstance(row, Channel) else None


def _asked(subject: str, victim: str, incidents: list[Incident] | None) -> Asked:
    return Asked(
        subject=subject.strip().upper(), victim=victim.strip().upper(), incidents=incidents or []
    )


def _country(text: str) -> str | None:
    if not text:
        return None
    if len(text) == 2 and text.isascii() and text.isalpha():
        return text
    raise InvalidInputError('"{text}" is not a country: write two letters, such as DE', text=text)
