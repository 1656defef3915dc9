"""Single sign-on: ``/sign-in/elsewhere`` leads to the provider, ``/sign-in/back`` is the way back.

Both are plain links, since a form must not lead to another server (``form-action 'self'``).
"""

from http import HTTPStatus

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from tutela.accounts.ceremonies import Begun, Ceremony, begin_ceremony
from tutela.accounts.identities import is_behind
from tutela.accounts.locking import address_of, begin_try, note_success
from tutela.accounts.people import Person
from tutela.accounts.signing_in import prove_again, sign_in_from_elsewhere
from tutela.accounts.single_sign_on import Identity, Provider
from tutela.console.cookies import give_session
from tutela.console.device import device_of
from tutela.console.doorstep import browser_of, remember_browser, whence
from tutela.console.frame import page_router, show
from tutela.console.house import Here, House
from tutela.console.origin import own_origin, own_path
from tutela.console.proofs import end
from tutela.console.signing_in import sign_in_page
from tutela.console.visiting import SIGN_IN, find_visitor
from tutela.errors import (
    InvalidInputError,
    LockedOutError,
    NotFoundError,
    NotProvedError,
    OutsideError,
)

router = page_router()

_FROM_HERE = ("same-origin", "none", None)


@router.get("/sign-in/elsewhere")
def depart(request: Request, house: Here, welcome: str = "", prove: bool = False) -> Response:
    """Lead a browser to the provider."""
    provider = _provider(request, house)
    if request.headers.get("sec-fetch-site") not in _FROM_HERE:
        return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
    visitor = find_visitor(request, house) if prove else None
    try:
        with house.database.writing() as connection:
            begin_try(connection, (address_of(whence(request)),), house.clock)
        going = provider.depart(_way_back(request, house), anew=prove)
    except (LockedOutError, OutsideError) as error:
        return sign_in_page(request, house, "wrong_elsewhere_away", error)
    with house.database.writing() as connection:
        begin_ceremony(
            connection,
            Ceremony.SINGLE_SIGN_ON,
            house.clock,
            browser=browser_of(request, house),
            person=None if visitor is None else visitor.person.id,
            words={
                "state": going.state,
                "nonce": going.nonce,
                "verifier": going.verifier,
                "next": own_path(request.query_params.get("next")),
                "welcome": welcome,
                "prove": "prove" if prove else "",
            },
        )
    answer = RedirectResponse(going.address, HTTPStatus.SEE_OTHER)
    remember_browser(answer, request, house)
    return answer


@router.get("/sign-in/back")
def arrive(request: Request, house: Here) -> Response:
    """Let somebody in whom the provider sends back."""
    provider = _provider(request, house)
    if (
        request.headers.get("sec-fetch-site") == "cross-site"
        and "again" not in request.query_params
    ):
        # The browser shows who its person is only when the page asks for itself once more, and
        # that is needed where somebody proves who they are.
        return show(
            request,
            None,
            "sign_in/again.html",
            address=f"{request.url.path}?{request.url.query}&again=1",
        )
    try:
        begun = end(request, house, Ceremony.SINGLE_SIGN_ON)
        identity = _identity(provider, begun, request, house)
        with house.database.writing() as connection:
            note_success(connection, (address_of(whence(request)),), house.clock)
        if begun.words["prove"]:
            token = _prove(request, house, begun, identity)
        else:
            token = sign_in_from_elsewhere(
                house.database,
                identity,
                provider.roles_for(identity),
                invitation=begun.words["welcome"] or None,
                device=device_of(request.headers.get("user-agent")),
                settings=house.settings,
                clock=house.clock,
            )
    except OutsideError as error:
        return sign_in_page(request, house, "wrong_elsewhere_away", error)
    except (LockedOutError, NotProvedError, NotFoundError, InvalidInputError) as error:
        return sign_in_page(request, house, "wrong_elsewhere", error)
    answer = show(request, None, "sign_in/again.html", address=begun.words["next"])
    give_session(answer, token, house.settings)
    return answer


def _identity(provider: Provider, begun: Begun, request: Request, house: House) -> Identity:
    return provider.arrive(
        request.query_params,
        _way_back(request, house),
        state=begun.words["state"],
        nonce=begun.words["nonce"],
        verifier=begun.words["verifier"],
        since=begun.at if begun.words["prove"] else None,
    )


def _prove(request: Request, house: House, begun: Begun, identity: Identity) -> str:
    visitor = find_visitor(request, house)
    if visitor is None or visitor.session.awaits or begun.person != visitor.person.id:
        raise NotProvedError("the session that this was for has ended: sign in again")

    def check(connection: Connection) -> Person:
        if not is_behind(connection, visitor.person.id, identity):
            raise NotProvedError("somebody else signed in there")
        return visitor.person

    return prove_again(
        house.database, visitor.session, check, address=whence(request), clock=house.clock
    )


def _provider(request: Request, house: House) -> Provider:
    if house.settings.single_sign_on.issuer is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    state = request.app.state
    known: Provider | None = getattr(state, "sign_on_provider", None)
    if known is None:
        known = state.sign_on_provider = Provider(house.settings.single_sign_on, house.clock)
    return known


def _way_back(request: Request, house: House) -> str:
    return f"{own_origin(request, house.settings)}/sign-in/back"
