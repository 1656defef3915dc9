"""The frame of every page of the console: header, navigation, what was just done, and the rest."""

import json
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from tutela.console import headers
from tutela.console.cookies import (
    forget_said,
    language_of,
    say_next,
    take_said,
    theme_of,
)
from tutela.console.house import House
from tutela.console.language import Language, choose, languages
from tutela.console.navigation import line_of, navigation_for
from tutela.console.pages import page
from tutela.console.translating import in_directory, translated
from tutela.console.visiting import Visitor

_HTMX = json.dumps(
    {
        # Nothing that the content security policy would refuse, nothing kept in the browser.
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
        # What went wrong is shown in its place as well.
        "responseHandling": [
            {"code": "204", "swap": False},
            {"code": "[2345]..", "swap": True},
        ],
    }
)


def page_router() -> APIRouter:
    """A router for pages: they are no part of the API's description."""
    return APIRouter(include_in_schema=False)


def show(
    request: Request,
    visitor: Visitor | None,
    template: str,
    *,
    status: int = HTTPStatus.OK,
    **values: object,
) -> HTMLResponse:
    """A page in the frame, as an answer.

    Args:
        request: What is answered.
        visitor: Whoever is signed in, or ``None`` on the pages before that.
        template: A file in ``templates/`` that extends ``frame.html``: its blocks are ``title``,
            ``content`` and ``scripts``.
        status: The HTTP status.
        values: What the template reads besides ``say``, ``visitor``, ``language``, ``path``,
            ``line``, ``said``, ``translated``, which says an error or an English sentence in the
            reader's language, and ``in_directory``, which does so for the directory of authorities.
            The error ``wrong`` is shown on top, if it is given.
    """
    language = spoken(request, visitor)
    said = take_said(request)
    answer = page(
        template,
        headers.CONSOLE,
        status,
        visitor=visitor,
        say=language.texts,
        language=language,
        translated=partial(translated, language=language),
        in_directory=partial(in_directory, language=language),
        languages=languages().values(),
        theme=theme_of(request),
        navigation=navigation_for(visitor.caller.permissions) if visitor else (),
        path=request.url.path,
        line=line_of(request.url.path),
        said=said,
        htmx=_HTMX,
        **{"wrong": None, **values},
    )
    answer.headers["Content-Language"] = language.tag
    if said is not None:
        forget_said(answer)
    return answer


def go(house: House, address: str, said: str = "", about: str = "") -> RedirectResponse:
    """Lead on to a page after something was done, and have it say so.

    Args:
        house: The house.
        address: The page's path.
        said: The key of a text, which begins with ``said_``; or nothing.
        about: What the text's ``{about}`` stands for.
    """
    answer = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    if said:
        say_next(answer, said, about, house.settings)
    return answer


def spoken(request: Request, visitor: Visitor | None) -> Language:
    """The language of a page."""
    if visitor is not None:
        return visitor.language
    return choose(
        request.query_params.get("lang") or language_of(request),
        request.headers.get("accept-language"),
    )
