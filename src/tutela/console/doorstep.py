"""Who stands at the door: a browser that began something, a person whose second step is due."""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, HTTPException, Request
from starlette.responses import Response

from tutela.accounts.passkeys import HouseAddress
from tutela.accounts.second_factors import second_factors_of
from tutela.accounts.sessions import Awaits, end_session
from tutela.console.cookies import browser_secret, give_browser_secret
from tutela.console.house import Here, House
from tutela.console.origin import check_origin, own_origin, own_path
from tutela.console.visiting import SIGN_IN, Visitor, find_visitor, lead_to
from tutela.errors import NotFoundError

SECOND_STEP = "/sign-in/second-step"
SET_UP = "/sign-in/set-up"


@dataclass(frozen=True, slots=True)
class Expected:
    """A route's dependency: somebody whose password was right, and who still owes something.

    Attributes:
        due: What they owe.
    """

    due: Awaits

    def __call__(self, request: Request, house: Here) -> Visitor:
        """Let them in.

        Raises:
            HTTPException: They are elsewhere on their way; it leads there.
            NotPermittedError: Another site made the browser ask.
        """
        visitor = find_visitor(request, house)
        if visitor is None:
            raise lead_to(request, SIGN_IN)
        check_origin(request, house.settings)
        if visitor.session.awaits is not self.due:
            raise HTTPException(
                HTTPStatus.SEE_OTHER, headers={"Location": way_on(visitor.session.awaits, request)}
            )
        if self.due is Awaits.SET_UP and _has_set_up(house, visitor):
            # It was set up from elsewhere meanwhile: whoever has only the password is to show it.
            raise lead_to(request, SIGN_IN)
        return visitor


SecondStepDue = Annotated[Visitor, Depends(Expected(Awaits.SECOND_STEP))]
"""A route's parameter that receives somebody who has to take the second step."""

SetUpDue = Annotated[Visitor, Depends(Expected(Awaits.SET_UP))]
"""A route's parameter that receives somebody who has to set a second step up."""


def _has_set_up(house: House, visitor: Visitor) -> bool:
    person = visitor.person.id
    with house.database.reading() as connection:
        if not second_factors_of(connection, person).any:
            return False
    with suppress(NotFoundError), house.database.writing() as connection:
        end_session(connection, person, visitor.session.id, visitor.caller.actor, house.clock)
    return True


def way_on(due: Awaits | None, request: Request) -> str:
    """Where somebody goes next, who wanted to go where the request's ``next`` says."""
    wanted = own_path(request.query_params.get("next"))
    if due is None:
        return wanted
    page = SECOND_STEP if due is Awaits.SECOND_STEP else SET_UP
    return f"{page}?next={quote(wanted)}"


def browser_of(request: Request, house: House) -> str:
    """A secret that only this browser has: its own, or a new one that it has yet to be given."""
    known: str | None = getattr(request.state, "browser", None)
    secret = known or browser_secret(request, house.settings) or secrets.token_urlsafe(32)
    request.state.browser = secret
    return secret


def remember_browser(response: Response, request: Request, house: House) -> None:
    """Give a browser its secret, so that it can end what it began."""
    give_browser_secret(response, browser_of(request, house), house.settings)


def address_of_house(request: Request, house: House) -> HouseAddress:
    """Where the house is, as this browser sees it."""
    return HouseAddress(own_origin(request, house.settings))


def whence(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client else ""
