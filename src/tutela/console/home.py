"""The first page: what this is, whether it is well, and where to go next."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import HTMLResponse

from tutela.console import headers
from tutela.console.language import choose, languages
from tutela.console.model import Health
from tutela.console.pages import page


def router(health: Callable[[], Health]) -> APIRouter:
    """The routes of the home page.

    Args:
        health: Looks at the house anew for each visit. It is called from a worker thread, so it
            may take a moment; what it says can be read by anyone.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.get("/", response_class=HTMLResponse)
    def home(
        request: Request,
        lang: Annotated[str | None, Query()] = None,
        accept_language: Annotated[str | None, Header()] = None,
    ) -> HTMLResponse:
        """Say what this is, whether it is well, and where to go next."""
        language = choose(lang, accept_language)
        answer = page(
            "home.html",
            headers.PAGE,
            language=language,
            languages=languages().values(),
            say=language.texts,
            health=health(),
            address=str(request.base_url).rstrip("/"),
        )
        answer.headers["Content-Language"] = language.tag
        answer.headers["Vary"] = "Accept-Language"
        return answer

    return routes
