"""``/sign-in``: the password, then the second step; and signing out."""

from contextlib import suppress
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from tutela.accounts.ceremonies import Ceremony
from tutela.accounts.locking import address_of, begin_try
from tutela.accounts.passkeys import ask_for_passkey
from tutela.accounts.second_factors import second_factors_of
from tutela.accounts.sessions import end_session, find_session
from tutela.accounts.signing_in import sign_in_by_passkey, sign_in_by_password, take_second_step
from tutela.console.cookies import give_session, take_session
from tutela.console.device import device_of
from tutela.console.doorstep import (
    SecondStepDue,
    address_of_house,
    browser_of,
    remember_browser,
    way_on,
    whence,
)
from tutela.console.frame import page_router, show
from tutela.console.house import Here, House
from tutela.console.origin import FromOwnPages, own_path
from tutela.console.proofs import answered, by_code, by_passkey, by_recovery_code, end
from tutela.console.visiting import SIGN_IN, Visitor, find_visitor
from tutela.errors import LockedOutError, NotFoundError, NotProvedError

router = page_router()

Text = Annotated[str, Form(max_length=2000)]
Answer = Annotated[str, Form(max_length=100_000)]


@router.get("/sign-in")
def show_sign_in(request: Request, house: Here) -> Response:
    """Ask for address and password; those who are in already are led on."""
    known = find_visitor(request, house)
    if known is not None:
        return RedirectResponse(way_on(known.session.awaits, request), HTTPStatus.SEE_OTHER)
    site = request.headers.get("sec-fetch-site")
    if site == "cross-site" and "again" not in request.query_params:
        # A browser that another site leads here does not show who its person is. It does when the
        # page asks for itself once more.
        wanted = quote(own_path(request.query_params.get("next")))
        return show(request, None, "sign_in/again.html", address=f"{SIGN_IN}?again=1&next={wanted}")
    return sign_in_page(request, house)


@router.post("/sign-in")
def sign_in(
    request: Request, house: Here, _ours: FromOwnPages, email: Text = "", password: Text = ""
) -> Response:
    """Let somebody in by their password, or as far as the second step."""
    try:
        token = sign_in_by_password(
            house.database,
            email,
            password,
            address=whence(request),
            device=device_of(request.headers.get("user-agent")),
            settings=house.settings,
            clock=house.clock,
        )
    except (LockedOutError, NotProvedError) as error:
        return sign_in_page(request, house, "wrong_password", error, email=email)
    return enter(request, house, token)


@router.post("/sign-in/passkey/ask")
def ask(request: Request, house: Here, _ours: FromOwnPages) -> Response:
    """Say what a passkey has to sign: anybody's, or that of the person who is here already."""
    known = find_visitor(request, house)
    if known is None:
        with house.database.writing() as connection:
            # Whoever asks without end, and never answers, has to wait.
            begin_try(connection, (address_of(whence(request)),), house.clock)
    with house.database.writing() as connection:
        options = ask_for_passkey(
            connection,
            address_of_house(request, house),
            house.clock,
            browser=browser_of(request, house),
            person=None if known is None else known.person.id,
        )
    return as_json(options, request, house)


@router.post("/sign-in/passkey")
def sign_in_with_passkey(
    request: Request, house: Here, _ours: FromOwnPages, answer: Answer = ""
) -> Response:
    """Let somebody in by a passkey, which is both steps in one."""
    try:
        begun = end(request, house, Ceremony.PASSKEY)
        token = sign_in_by_passkey(
            house.database,
            answered(request, house, begun, answer),
            # Whoever was signed in already when they asked was not counted.
            address=whence(request) if begun.person is None else None,
            device=device_of(request.headers.get("user-agent")),
            clock=house.clock,
        )
    except (LockedOutError, NotProvedError) as error:
        return sign_in_page(request, house, "wrong_passkey", error)
    return enter(request, house, token)


@router.get("/sign-in/second-step")
def show_second_step(request: Request, house: Here, person: SecondStepDue) -> HTMLResponse:
    """Ask for the second step."""
    return _second_step_page(request, house, person)


@router.post("/sign-in/second-step")
def second_step(
    request: Request,
    house: Here,
    person: SecondStepDue,
    code: Text = "",
    recovery_code: Text = "",
    answer: Answer = "",
) -> Response:
    """Let somebody in by a code, a passkey or a recovery code."""
    way = "passkey" if answer else "recovery" if recovery_code else "code"
    try:
        if answer:
            check = by_passkey(request, house, answer, person.person)
        elif recovery_code:
            check = by_recovery_code(house, person.person, recovery_code)
        else:
            check = by_code(house, person.person, code)
        token = take_second_step(
            house.database, person.session, check, address=whence(request), clock=house.clock
        )
    except (LockedOutError, NotProvedError) as error:
        return _second_step_page(request, house, person, f"wrong_{way}", error)
    return enter(request, house, token)


@router.post("/sign-out")
def sign_out(request: Request, house: Here, _ours: FromOwnPages) -> Response:
    """End this browser's session."""
    known = find_visitor(request, house)
    if known is not None:
        # One that has ended by itself meanwhile is as good.
        with suppress(NotFoundError), house.database.writing() as connection:
            end_session(
                connection, known.person.id, known.session.id, known.caller.actor, house.clock
            )
    answer = RedirectResponse(f"{SIGN_IN}?out=1", HTTPStatus.SEE_OTHER)
    take_session(answer, house.settings)
    return answer


def enter(request: Request, house: House, token: str) -> RedirectResponse:
    """Give a browser its session, and lead it to what is still due, or to what was wanted."""
    with house.database.reading() as connection:
        session = find_session(connection, token, house.settings, house.clock)
    answer = RedirectResponse(
        way_on(session.awaits if session else None, request), HTTPStatus.SEE_OTHER
    )
    give_session(answer, token, house.settings)
    return answer


def sign_in_page(
    request: Request,
    house: House,
    wrong: str = "",
    error: Exception | None = None,
    *,
    email: str = "",
) -> HTMLResponse:
    """The page that asks for address and password.

    Args:
        request: What is answered.
        house: The house.
        wrong: The key of the text that says what was wrong, if anything was.
        error: What was wrong.
        email: What was typed.
    """
    return show(
        request,
        None,
        "sign_in/sign_in.html",
        status=status_of(error),
        email=email,
        next=own_path(request.query_params.get("next")),
        out="out" in request.query_params,
        elsewhere=house.settings.single_sign_on.name
        if house.settings.single_sign_on.issuer
        else None,
        **what_was_wrong(wrong, error),
    )


def what_was_wrong(wrong: str, error: Exception | None) -> dict[str, object]:
    """What a page says of an error: the key of its text, and for how many minutes to wait."""
    if isinstance(error, LockedOutError):
        return {"refused": "wrong_locked", "minutes": max(1, -(-error.seconds // 60))}
    return {"refused": wrong, "minutes": 0}


def status_of(error: Exception | None) -> int:
    """The status of a page that says what was wrong."""
    if error is None:
        return HTTPStatus.OK
    if isinstance(error, LockedOutError):
        return HTTPStatus.TOO_MANY_REQUESTS
    return HTTPStatus(422)


def as_json(options: str, request: Request, house: House) -> Response:
    """What a browser wants to know about a passkey; it gets its secret along with it."""
    answer = Response(options, media_type="application/json", headers={"Cache-Control": "no-store"})
    remember_browser(answer, request, house)
    return answer


def _second_step_page(
    request: Request,
    house: House,
    person: Visitor,
    wrong: str = "",
    error: Exception | None = None,
) -> HTMLResponse:
    with house.database.reading() as connection:
        factors = second_factors_of(connection, person.person.id)
    return show(
        request,
        None,
        "sign_in/second_step.html",
        status=status_of(error),
        factors=factors,
        who=person.person.name,
        next=own_path(request.query_params.get("next")),
        **what_was_wrong(wrong, error),
    )
