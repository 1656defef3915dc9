"""``/sign-in/set-up``: a second step for somebody who has none and needs one."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from tutela.accounts.ceremonies import Ceremony
from tutela.accounts.codes import Enrolment, begin_app, begun_app, confirm_app
from tutela.accounts.passkeys import add_passkey, begin_passkey
from tutela.accounts.recovery import make_recovery_codes
from tutela.accounts.sessions import complete_session
from tutela.accounts.sign_in_key import SignInKey
from tutela.console.cookies import give_session
from tutela.console.doorstep import SetUpDue, address_of_house, browser_of
from tutela.console.frame import page_router, show
from tutela.console.house import Here, House
from tutela.console.origin import own_path
from tutela.console.proofs import end, read_answer
from tutela.console.signing_in import Answer, Text, as_json, status_of
from tutela.console.visiting import Visitor
from tutela.errors import AlreadyExistsError, NotFoundError, NotProvedError
from tutela.ledger.appending import append
from tutela.ledger.model import Act

router = page_router()


@router.get("/sign-in/set-up")
def show_set_up(request: Request, house: Here, person: SetUpDue) -> HTMLResponse:
    """Let somebody choose: a passkey, or an authenticator app."""
    return _page(request, house, person)


@router.post("/sign-in/set-up/passkey/begin")
def begin_at_the_door(request: Request, house: Here, person: SetUpDue) -> Response:
    """Say what a new passkey is for."""
    return as_json(new_passkey(request, house, person), request, house)


@router.post("/sign-in/set-up")
def set_up(
    request: Request,
    house: Here,
    person: SetUpDue,
    code: Text = "",
    answer: Answer = "",
    name: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Set the second step up, let the person in, and show their recovery codes, once."""
    try:
        begun = end(request, house, Ceremony.NEW_PASSKEY) if answer else None
        spoken = read_answer(answer) if answer else {}
        with house.database.writing() as connection:
            if begun is not None:
                if begun.person != person.person.id:
                    raise NotProvedError("this passkey was begun by another person")
                add_passkey(
                    connection,
                    begun,
                    spoken,
                    address_of_house(request, house),
                    house.clock,
                    name=name or person.session.device or "1",
                )
            else:
                key = SignInKey.of(house.settings)
                confirm_app(connection, person.person.id, code, key, house.clock)
            codes = make_recovery_codes(connection, person.person.id, house.clock)
            changed(connection, house, person, "a passkey" if answer else "an authenticator app")
            token = complete_session(connection, person.session, house.clock)
    except (NotProvedError, NotFoundError, AlreadyExistsError) as error:
        wrong = "wrong_new_passkey" if answer else "wrong_code"
        return _page(request, house, person, wrong, error)
    page = show(
        request,
        None,
        "sign_in/recovery_codes.html",
        codes=codes,
        next=own_path(request.query_params.get("next")),
    )
    give_session(page, token, house.settings)
    return page


def new_passkey(request: Request, house: House, person: Visitor) -> str:
    """What a browser wants to know, to make a passkey for this person."""
    with house.database.writing() as connection:
        return begin_passkey(
            connection,
            person.person.id,
            person.person.email or person.person.name,
            address_of_house(request, house),
            house.clock,
            browser=browser_of(request, house),
        )


def app_of(house: House, person: Visitor) -> Enrolment:
    """The secret for an authenticator app that is being set up: the one begun, or a new one."""
    key = SignInKey.of(house.settings)
    name = person.person.email or person.person.name
    names = {"name": name, "house": house.settings.organisation or "Tutela"}
    with house.database.writing() as connection:
        begun = begun_app(connection, person.person.id, key, **names)
        return begun or begin_app(connection, person.person.id, key, house.clock, **names)


def changed(connection: Connection, house: House, person: Visitor, reason: str) -> None:
    """Write down that somebody changed how they sign in."""
    append(
        connection,
        person.caller.actor,
        Act.SIGN_IN_CHANGED,
        house.clock,
        thing=person.person.actor_id,
        reason=reason,
    )


def _page(
    request: Request,
    house: House,
    person: Visitor,
    wrong: str = "",
    error: Exception | None = None,
) -> HTMLResponse:
    return show(
        request,
        None,
        "sign_in/set_up.html",
        status=status_of(error),
        app=app_of(house, person),
        who=person.person.name,
        next=own_path(request.query_params.get("next")),
        refused=wrong,
    )
