"""Who visits a page, and whether they may: sessions by cookie, permissions, recent proof."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request

from tutela.accounts.calling import caller_of_person
from tutela.accounts.model import Caller
from tutela.accounts.people import Person
from tutela.accounts.permissions import Permission
from tutela.accounts.sessions import Awaits, Session, find_session, mark_seen
from tutela.console.cookies import session_token, theme_of
from tutela.console.house import Here, House
from tutela.console.language import Language, choose
from tutela.console.origin import check_origin, own_path
from tutela.errors import NotPermittedError

SIGN_IN = "/sign-in"
PROVE = "/prove"
_STILL_DUE = {
    Awaits.SECOND_STEP: "/sign-in/second-step",
    Awaits.SET_UP: "/sign-in/set-up",
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in.

    Attributes:
        person: Who it is.
        caller: The same, as the domain knows callers.
        session: By which session.
        language: The language that they read.
        theme: ``light``, ``dark``, or nothing for what their device prefers.
    """

    person: Person
    caller: Caller
    session: Session
    language: Language
    theme: str

    def may(self, permission: Permission | str) -> bool:
        """Whether they have a permission, which templates name by its text."""
        return permission in self.caller.permissions


@dataclass(frozen=True, slots=True)
class Allowed:
    """A route's dependency: the visitor, if they may see the page.

    Attributes:
        permission: What the page needs; ``None`` if it is for everybody who is signed in.
        proved: Whether they have to have shown who they are within the last minutes.
    """

    permission: Permission | None
    proved: bool = False

    def __call__(self, request: Request, house: Here) -> Visitor:
        """Let them in.

        Raises:
            HTTPException: They have to sign in, or to prove who they are, first; it leads there.
            NotPermittedError: They lack the permission, or another site made the browser ask.
        """
        visitor = find_visitor(request, house)
        if visitor is None:
            raise lead_to(request, SIGN_IN)
        if visitor.session.awaits is not None:
            raise lead_to(request, _STILL_DUE[visitor.session.awaits])
        # Error pages have the frame of whoever meets them.
        request.state.visitor = visitor
        if self.permission is not None and not visitor.may(self.permission):
            request.state.lacking = self.permission
            raise NotPermittedError(
                'this needs the permission "{permission}" ({meaning}), which none of your '
                "roles has",
                permission=self.permission,
                meaning=self.permission.meaning,
            )
        check_origin(request, house.settings)
        if self.proved and not visitor.session.is_proved(house.settings, house.clock):
            raise lead_to(request, PROVE)
        return visitor


def visitor(permission: Permission | None, *, proved: bool = False) -> Allowed:
    """A dependency that gives the visitor, or leads them where they have to go first.

    Args:
        permission: What the page needs; ``None`` if it is for everybody who is signed in.
        proved: Whether they have to have shown who they are within the last minutes.
    """
    return Allowed(permission, proved)


Anyone = Annotated[Visitor, Depends(Allowed(None))]
"""A route's parameter that receives whoever is signed in."""


def find_visitor(request: Request, house: House) -> Visitor | None:
    """Whoever is signed in, whatever they may do; also if a second step is still due."""
    token = session_token(request, house.settings)
    if token is None:
        return None
    with house.database.reading() as connection:
        session = find_session(connection, token, house.settings, house.clock)
    if session is None:
        return None
    if session.is_stale(house.clock):
        with house.database.writing() as connection:
            mark_seen(connection, session, house.clock)
    person = session.person
    return Visitor(
        person,
        caller_of_person(person, "console"),
        session,
        choose(
            request.query_params.get("lang") or person.language,
            request.headers.get("accept-language"),
        ),
        theme_of(request),
    )


def lead_to(request: Request, address: str) -> HTTPException:
    """What to raise so that somebody is led to another page, and from there back to this one."""
    if request.method == "GET":
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    else:
        # What was sent is not kept: they come back to the page, and send it again.
        back = own_path(urlsplit(request.headers.get("referer", "")).path)
    return HTTPException(
        HTTPStatus.SEE_OTHER, headers={"Location": f"{address}?next={quote(back)}"}
    )
