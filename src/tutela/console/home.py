"""The first page: what this is, whether it is well, and where to go next."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from tutela.accounts.people import is_alone
from tutela.console import headers
from tutela.console.language import choose, languages
from tutela.console.model import Health
from tutela.console.navigation import first_page
from tutela.console.pages import page
from tutela.console.translating import translated
from tutela.console.visiting import find_visitor
from tutela.errors import StorageError


def router(health: Callable[[FastAPI], Health], *, public: bool = False) -> APIRouter:
    """The routes of the home page.

    Args:
        health: Looks at the application's house anew for each visit. It is called from a worker
            thread, so it may take a moment; what it says can be read by anyone. It is not to hold
            the application itself: FastAPI remembers the functions of routes, and so with each
            all that it holds.
        public: Whether there are statistics for the public, to lead to.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.get("/", response_class=HTMLResponse)
    def home(
        request: Request,
        lang: Annotated[str | None, Query()] = None,
        accept_language: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Say what this is, how it is and where to go next; lead those who work here to work."""
        if (work := _place_of_work(request)) is not None:
            return RedirectResponse(work, HTTPStatus.SEE_OTHER)
        language = choose(lang, accept_language)
        answer = page(
            "home.html",
            headers.PAGE,
            language=language,
            languages=languages().values(),
            say=language.texts,
            translated=partial(translated, language=language),
            health=health(request.app),
            public=public,
            address=str(request.base_url).rstrip("/"),
        )
        answer.headers["Content-Language"] = language.tag
        answer.headers["Vary"] = "Accept-Language"
        return answer

    return routes


def _place_of_work(request: Request) -> str | None:
    if not request.cookies:
        return None
    house = request.app.state.house
    try:
        visitor = find_visitor(request, house)
        if visitor is None or visitor.session.awaits is not None:
            return None
        with house.database.reading() as connection:
            alone = is_alone(connection)
    except StorageError:
        # The page says how the storage is.
        return None
    return first_page(visitor.caller.permissions, alone=alone)
