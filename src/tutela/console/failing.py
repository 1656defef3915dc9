"""What a browser is shown when something goes wrong: a page in the frame that says what to do."""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from inspect import isawaitable

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from tutela.accounts.people import all_people
from tutela.accounts.permissions import Role
from tutela.console.frame import show
from tutela.console.house import House
from tutela.console.visiting import Visitor, find_visitor
from tutela.errors import TutelaError

Answering = Callable[[Request, Exception], Response | Awaitable[Response]]

# Addresses of programs; a browser that asks for one of them is shown what they are shown.
_PROGRAMS = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/static/")
_KNOWN = frozenset({403, 404, 405, 409, 422, 503})


def in_pages(programs: Answering) -> Answering:
    """Answer errors with a page where a person reads, and as before where a program does.

    Args:
        programs: Answers with a problem document, whose status and words the page takes.
    """

    async def answer(request: Request, error: Exception) -> Response:
        found = programs(request, error)
        document = await found if isawaitable(found) else found
        if not _is_read_by_a_person(request):
            return document
        if location := document.headers.get("location"):
            return _lead(request, location)
        return _page(request, document, error)

    return answer


def _is_read_by_a_person(request: Request) -> bool:
    if request.url.path.startswith(_PROGRAMS):
        return False
    return "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers


def _lead(request: Request, location: str) -> Response:
    if "hx-request" in request.headers:
        # A part of a page must not be replaced by the whole of another.
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": location})
    return RedirectResponse(location, HTTPStatus.SEE_OTHER)


def _page(request: Request, document: Response, error: Exception) -> Response:
    status = document.status_code
    lacking = getattr(request.state, "lacking", None)
    return show(
        request,
        _visitor(request),
        "error.html",
        status=status,
        code=status if status in _KNOWN else 500,
        detail=_detail(document, error),
        lacking=lacking,
        administrators=_administrators(request) if lacking else [],
    )


def _detail(document: Response, error: Exception) -> TutelaError | None:
    """What the page says of it, besides its own words: the error itself, if programs hear it too.

    What a library finds wrong with a form names fields and types, which are nothing for people.
    """
    told = json.loads(bytes(document.body))["detail"] if document.body else ""
    return error if isinstance(error, TutelaError) and error.message == told else None


def _visitor(request: Request) -> Visitor | None:
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known is not None:
        return known
    try:
        found = find_visitor(request, request.app.state.house)
    except TutelaError:
        # It may be what went wrong in the first place.
        return None
    return found if found and found.session.awaits is None else None


def _administrators(request: Request) -> list[str]:
    house: House = request.app.state.house
    with house.database.reading() as connection:
        return sorted(
            person.name
            for person in all_people(connection)
            if Role.ADMINISTRATOR in person.roles and person.closed_at is None
        )
