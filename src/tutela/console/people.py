"""``/people``: who works here, who is invited, and what needs a second administrator."""

from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from tutela.accounts.agreeing import open_agreements, refuse
from tutela.accounts.changing import agree, change_roles, invite_person, let_start_anew
from tutela.accounts.invitations import Invited, open_invitations, withdraw_invitation
from tutela.accounts.locking import is_locked, unlock
from tutela.accounts.people import all_people, find_person, names_of_people
from tutela.accounts.permissions import WEIGHTY, Permission, Role
from tutela.accounts.second_factors import second_factors_of
from tutela.accounts.sessions import end_sessions_of, sessions_of
from tutela.cases.leaving import close_account
from tutela.console.doorstep import address_of_house
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotAgreedError,
    NotPermittedError,
    TutelaError,
)

router = page_router()

PAGE = "/people"
Reader = Annotated[Visitor, Depends(visitor(Permission.PEOPLE_READ))]
Writer = Annotated[Visitor, Depends(visitor(Permission.PEOPLE_WRITE, proved=True))]
Words = Annotated[str, Form(max_length=1000)]
Roles = Annotated[list[Role], Form()]
_REFUSALS = (AlreadyExistsError, InvalidInputError, NotAgreedError, NotPermittedError)


@router.get("/people")
def show_people(request: Request, house: Here, reader: Reader) -> HTMLResponse:
    """Everybody, the open invitations, and what waits for a second administrator."""
    return _page(request, house, reader)


@router.get("/people/new")
def show_new(request: Request, writer: Writer) -> HTMLResponse:
    """A form to invite somebody."""
    return _new_page(request, writer)


@router.post("/people")
def invite(
    request: Request,
    house: Here,
    writer: Writer,
    *,
    name: Words = "",
    email: Words = "",
    roles: Roles = [],  # noqa: B006 - FastAPI copies it
    reason: Words = "",
) -> Response:
    """Invite somebody; show the link, once."""
    try:
        with house.database.writing() as connection:
            made = invite_person(
                connection,
                name,
                email,
                roles,
                caller=writer.caller,
                clock=house.clock,
                reason=reason,
            )
    except _REFUSALS as error:
        return _new_page(request, writer, error, name=name, email=email, roles=roles, reason=reason)
    if isinstance(made, Invited):
        return _page(request, house, writer, invited=made)
    return go(house, PAGE, "said_asked_second")


@router.get("/people/{number}")
def show_person(request: Request, house: Here, reader: Reader, number: Number) -> HTMLResponse:
    """One person: roles, second factors, sessions."""
    return _person_page(request, house, reader, number)


@router.post("/people/{number}/roles")
def set_roles(
    request: Request,
    house: Here,
    writer: Writer,
    number: Number,
    roles: Roles = [],  # noqa: B006 - FastAPI copies it
    reason: Words = "",
) -> Response:
    """Let somebody work in other roles, or ask for it where it needs two."""
    try:
        with house.database.writing() as connection:
            asked = change_roles(
                connection,
                number,
                roles,
                caller=writer.caller,
                clock=house.clock,
                reason=reason,
            )
    except _REFUSALS as error:
        return _person_page(request, house, writer, number, error)
    return go(house, f"{PAGE}/{number}", "said_asked_second" if asked else "said_roles")


@router.post("/people/{number}/anew")
def start_anew(
    request: Request, house: Here, writer: Writer, number: Number, reason: Words = ""
) -> Response:
    """Make a link by which somebody sets up anew how they sign in; show it, once."""
    try:
        with house.database.writing() as connection:
            made = let_start_anew(
                connection, number, caller=writer.caller, clock=house.clock, reason=reason
            )
    except _REFUSALS as error:
        return _person_page(request, house, writer, number, error)
    if isinstance(made, Invited):
        return _page(request, house, writer, invited=made)
    return go(house, f"{PAGE}/{number}", "said_asked_second")


@router.post("/people/{number}/unlock")
def let_try_again(house: Here, writer: Writer, number: Number) -> Response:
    """Let somebody try to sign in again at once."""
    with house.database.writing() as connection:
        person = find_person(connection, number)
        unlock(connection, person, writer.caller.actor, house.clock)
    return go(house, f"{PAGE}/{number}", "said_unlocked")


@router.post("/people/{number}/sign-out")
def sign_somebody_out(house: Here, writer: Writer, number: Number) -> Response:
    """End all sessions of somebody."""
    with house.database.writing() as connection:
        person = find_person(connection, number)
        end_sessions_of(connection, person.id, writer.caller.actor, house.clock)
    return go(house, f"{PAGE}/{number}", "said_signed_somebody_out")


@router.post("/people/{number}/close")
def close(
    request: Request,
    house: Here,
    writer: Writer,
    number: Number,
    sure: Annotated[bool, Form()] = False,
    reason: Words = "",
) -> Response:
    """Close an account for good."""
    try:
        if not sure:
            raise InvalidInputError("tick that you are sure: a closed account stays closed")
        with house.database.writing() as connection:
            close_account(
                connection, number, caller=writer.caller, clock=house.clock, reason=reason
            )
    except _REFUSALS as error:
        return _person_page(request, house, writer, number, error)
    return go(house, f"{PAGE}/{number}", "said_account_closed")


@router.post("/people/invitations/{number}/withdraw")
def withdraw(house: Here, writer: Writer, number: Number) -> Response:
    """Make an invitation's link stop working."""
    with house.database.writing() as connection:
        withdraw_invitation(connection, number, writer.caller.actor, house.clock)
    return go(house, PAGE, "said_withdrawn")


@router.post("/people/agreements/{number}/agree")
def agree_to(request: Request, house: Here, writer: Writer, number: Number) -> Response:
    """Agree to what another administrator asked for; it is done at once."""
    try:
        with house.database.writing() as connection:
            made = agree(connection, number, caller=writer.caller, clock=house.clock)
    except _REFUSALS as error:
        return _page(request, house, writer, error)
    if made is not None:
        return _page(request, house, writer, invited=made)
    return go(house, PAGE, "said_agreed")


@router.post("/people/agreements/{number}/refuse")
def refuse_it(
    request: Request, house: Here, writer: Writer, number: Number, reason: Words = ""
) -> Response:
    """Refuse what was asked for, or take back what one asked for oneself."""
    try:
        with house.database.writing() as connection:
            refuse(connection, number, reason, writer.caller, house.clock)
    except _REFUSALS as error:
        return _page(request, house, writer, error)
    return go(house, PAGE, "said_refused")


def _page(
    request: Request,
    house: House,
    reader: Visitor,
    wrong: TutelaError | None = None,
    *,
    invited: Invited | None = None,
) -> HTMLResponse:
    with house.database.reading() as connection:
        everybody = all_people(connection)
        invitations = open_invitations(connection, house.clock)
        agreements = open_agreements(connection, house.clock)
        names = names_of_people(connection)
    return show(
        request,
        reader,
        "people/people.html",
        status=422 if wrong else 200,
        wrong=wrong,
        here=[person for person in everybody if person.closed_at is None],
        left=[person for person in everybody if person.closed_at is not None],
        invitations=invitations,
        agreements=agreements,
        names=names,
        invited=invited,
        link=address_of_house(request, house).origin + invited.path if invited else "",
    )


def _new_page(
    request: Request,
    writer: Visitor,
    wrong: TutelaError | None = None,
    *,
    name: str = "",
    email: str = "",
    roles: list[Role] | None = None,
    reason: str = "",
) -> HTMLResponse:
    return show(
        request,
        writer,
        "people/new.html",
        status=422 if wrong else 200,
        wrong=wrong,
        name=name,
        email=email,
        chosen=frozenset(roles or ()),
        reason=reason,
        all_roles=tuple(Role),
        weighty=WEIGHTY,
    )


def _person_page(
    request: Request,
    house: House,
    reader: Visitor,
    number: int,
    wrong: TutelaError | None = None,
) -> HTMLResponse:
    with house.database.reading() as connection:
        person = find_person(connection, number)
        factors = second_factors_of(connection, person.id)
        sessions = sessions_of(connection, person.id, house.settings, house.clock)
        locked = is_locked(connection, person, house.clock)
    return show(
        request,
        reader,
        "people/person.html",
        status=422 if wrong else 200,
        wrong=wrong,
        somebody=person,
        factors=factors,
        sessions=sessions,
        locked=locked,
        all_roles=tuple(Role),
        weighty=WEIGHTY,
        proved=reader.session.is_proved(house.settings, house.clock),
    )
