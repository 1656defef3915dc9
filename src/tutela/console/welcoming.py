"""``/welcome/TOKEN``: somebody who was invited says how they will sign in."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, Response

from tutela.accounts.invitations import Invitation, accept, find_invitation
from tutela.accounts.locking import address_of, begin_try, note_success
from tutela.accounts.passwords import hash_password, refuse_weak, set_password
from tutela.accounts.signing_in import let_in
from tutela.console.device import device_of
from tutela.console.doorstep import whence
from tutela.console.frame import page_router, show
from tutela.console.house import Here, House
from tutela.console.origin import FromOwnPages
from tutela.console.signing_in import Text, enter
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError

router = page_router()


@router.get("/welcome/{token}")
def show_welcome(request: Request, house: Here, token: str) -> HTMLResponse:
    """Greet somebody who was invited."""
    try:
        invitation = _find(request, house, token)
    except NotFoundError:
        return show(request, None, "sign_in/no_invitation.html", status=404)
    return _page(request, house, token, invitation)


@router.post("/welcome/{token}")
def welcome(
    request: Request,
    house: Here,
    _ours: FromOwnPages,
    token: str,
    name: Annotated[str, Form(max_length=1000)] = "",
    email: Annotated[str, Form(max_length=1000)] = "",
    password: Text = "",
) -> Response:
    """Let them in, as far as their second step."""
    try:
        invitation = _find(request, house, token)
        refuse_weak(password, name, invitation.email or email)
        hashed = hash_password(password)
        with house.database.writing() as connection:
            person = accept(connection, token, house.clock, name=name, email=email)
            set_password(connection, person, hashed, house.clock)
            session = let_in(
                connection,
                person,
                house.settings,
                house.clock,
                device=device_of(request.headers.get("user-agent")),
            )
    except NotFoundError:
        return show(request, None, "sign_in/no_invitation.html", status=404)
    except (InvalidInputError, AlreadyExistsError) as error:
        return _page(request, house, token, invitation, error, name=name, email=email)
    return enter(request, house, session)


def _find(request: Request, house: House, token: str) -> Invitation:
    subjects = (address_of(whence(request)),)
    # Whoever tries one token after another has to wait; no right one costs anything.
    with house.database.writing() as connection:
        begun = begin_try(connection, subjects, house.clock)
    with house.database.writing() as connection:
        invitation = find_invitation(connection, token, house.clock)
        note_success(connection, subjects, house.clock, begun=begun)
    return invitation


def _page(
    request: Request,
    house: House,
    token: str,
    invitation: Invitation,
    error: InvalidInputError | AlreadyExistsError | None = None,
    *,
    name: str | None = None,
    email: str = "",
) -> HTMLResponse:
    sign_on = house.settings.single_sign_on
    return show(
        request,
        None,
        "sign_in/welcome.html",
        status=422 if error else 200,
        token=token,
        invitation=invitation,
        name=invitation.name if name is None else name,
        email=invitation.email or email,
        error=error,
        elsewhere=sign_on.name if sign_on.issuer else None,
    )
