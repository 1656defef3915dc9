"""``/me/sign-in``: one's own password, second factors, recovery codes and sessions."""

from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from tutela.accounts.ceremonies import Ceremony
from tutela.accounts.codes import confirm_app, forget_app
from tutela.accounts.identities import is_bound
from tutela.accounts.passkeys import PasskeyId, add_passkey, forget_passkey
from tutela.accounts.passwords import hash_password, kept_password, refuse_weak, set_password
from tutela.accounts.recovery import make_recovery_codes
from tutela.accounts.second_factors import second_factors_of
from tutela.accounts.sessions import SessionId, end_session, end_sessions_of, sessions_of
from tutela.accounts.sign_in_key import SignInKey
from tutela.console.doorstep import address_of_house
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.proofs import end, read_answer
from tutela.console.setting_up import app_of, changed, new_passkey
from tutela.console.signing_in import Answer, Text, as_json, status_of
from tutela.console.visiting import Anyone, Visitor, visitor
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError, NotProvedError
from tutela.storage.settings import SecondFactor

router = page_router()

PAGE = "/me/sign-in"
Proved = Annotated[Visitor, Depends(visitor(None, proved=True))]


@router.get("/me/sign-in")
def show_mine(request: Request, house: Here, person: Anyone) -> HTMLResponse:
    """How somebody signs in, and where they are signed in."""
    return _page(request, house, person)


@router.post("/me/sign-in/password")
def change_password(request: Request, house: Here, person: Proved, password: Text = "") -> Response:
    """Take another password; sign the person out everywhere else."""
    try:
        refuse_weak(password, person.person.name, person.person.email)
    except InvalidInputError as error:
        return _page(request, house, person, "wrong_new_password", error)
    hashed = hash_password(password)
    with house.database.writing() as connection:
        set_password(connection, person.person, hashed, house.clock)
        end_sessions_of(
            connection, person.person.id, person.caller.actor, house.clock, but=person.session.id
        )
        changed(connection, house, person, "the password")
    return go(house, PAGE, "said_password")


@router.get("/me/sign-in/app")
def show_app(request: Request, house: Here, person: Proved) -> HTMLResponse:
    """Show a new secret for an authenticator app."""
    return _app_page(request, house, person)


@router.post("/me/sign-in/app")
def add_app(request: Request, house: Here, person: Proved, code: Text = "") -> Response:
    """Let the new secret count, in the place of an older one."""
    try:
        with house.database.writing() as connection:
            confirm_app(
                connection, person.person.id, code, SignInKey.of(house.settings), house.clock
            )
            changed(connection, house, person, "an authenticator app")
    except (NotProvedError, NotFoundError) as error:
        return _app_page(request, house, person, "wrong_code", error)
    return go(house, PAGE, "said_app")


@router.post("/me/sign-in/app/forget")
def drop_app(house: Here, person: Proved) -> Response:
    """Remove the authenticator app, if another second factor is left or none is needed."""
    if not _may_lose(house, person, app=True):
        return go(house, PAGE, "said_last_factor")
    with house.database.writing() as connection:
        forget_app(connection, person.person.id)
        changed(connection, house, person, "the authenticator app is forgotten")
    return go(house, PAGE, "said_forgotten")


@router.post("/me/sign-in/passkey/begin")
def begin_mine(request: Request, house: Here, person: Proved) -> Response:
    """Say what a new passkey is for."""
    return as_json(new_passkey(request, house, person), request, house)


@router.post("/me/sign-in/passkey")
def add_mine(
    request: Request,
    house: Here,
    person: Proved,
    answer: Answer = "",
    name: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Set a passkey up."""
    try:
        begun = end(request, house, Ceremony.NEW_PASSKEY)
        if begun.person != person.person.id:
            raise NotProvedError("this passkey was begun by another person")
        spoken = read_answer(answer)
        with house.database.writing() as connection:
            add_passkey(
                connection,
                begun,
                spoken,
                address_of_house(request, house),
                house.clock,
                name=name or person.session.device or "1",
            )
            changed(connection, house, person, "a passkey")
    except (NotProvedError, AlreadyExistsError, InvalidInputError) as error:
        return _page(request, house, person, "wrong_new_passkey", error)
    return go(house, PAGE, "said_passkey")


@router.post("/me/sign-in/passkey/{number}/forget")
def drop_passkey(house: Here, person: Proved, number: Number) -> Response:
    """Remove a passkey, if another second factor is left or none is needed."""
    if not _may_lose(house, person, passkey=PasskeyId(number)):
        return go(house, PAGE, "said_last_factor")
    with house.database.writing() as connection:
        forget_passkey(connection, person.person.id, PasskeyId(number))
        changed(connection, house, person, "a passkey is forgotten")
    return go(house, PAGE, "said_forgotten")


@router.post("/me/sign-in/recovery-codes")
def renew_codes(request: Request, house: Here, person: Proved) -> HTMLResponse:
    """Make new recovery codes and show them, once."""
    with house.database.writing() as connection:
        codes = make_recovery_codes(connection, person.person.id, house.clock)
        changed(connection, house, person, "new recovery codes")
    return show(request, person, "sign_in/recovery_codes.html", codes=codes, next=PAGE)


@router.post("/me/sign-in/sessions/{number}/end")
def end_one(house: Here, person: Anyone, number: Number) -> Response:
    """End one of one's sessions."""
    with house.database.writing() as connection:
        end_session(
            connection, person.person.id, SessionId(number), person.caller.actor, house.clock
        )
    return go(house, PAGE, "said_session_ended")


@router.post("/me/sign-in/sessions/end")
def end_others(house: Here, person: Anyone) -> Response:
    """End all of one's sessions but this one."""
    with house.database.writing() as connection:
        end_sessions_of(
            connection, person.person.id, person.caller.actor, house.clock, but=person.session.id
        )
    return go(house, PAGE, "said_session_ended")


def _may_lose(
    house: House, person: Visitor, *, app: bool = False, passkey: PasskeyId | None = None
) -> bool:
    if house.settings.console.second_factor is SecondFactor.OPTIONAL:
        return True
    with house.database.reading() as connection:
        factors = second_factors_of(connection, person.person.id)
    left = [each for each in factors.passkeys if each.id != passkey]
    return bool(left) or (factors.app and not app)


def _page(
    request: Request,
    house: House,
    person: Visitor,
    wrong: str = "",
    error: Exception | None = None,
) -> HTMLResponse:
    with house.database.reading() as connection:
        factors = second_factors_of(connection, person.person.id)
        sessions = sessions_of(connection, person.person.id, house.settings, house.clock)
        has_password = kept_password(connection, person.person.id) is not None
        elsewhere = is_bound(connection, person.person.id)
    return show(
        request,
        person,
        "sign_in/mine.html",
        status=status_of(error),
        factors=factors,
        sessions=sessions,
        has_password=has_password,
        elsewhere=house.settings.single_sign_on.name if elsewhere else None,
        proved=person.session.is_proved(house.settings, house.clock),
        refused=wrong,
        detail=error if isinstance(error, InvalidInputError) else None,
    )


def _app_page(
    request: Request,
    house: House,
    person: Visitor,
    wrong: str = "",
    error: Exception | None = None,
) -> HTMLResponse:
    return show(
        request,
        person,
        "sign_in/app.html",
        status=status_of(error),
        app=app_of(house, person),
        refused=wrong,
    )
