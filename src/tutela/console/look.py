"""How the pages look: light or dark, and in which language."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import RedirectResponse

from tutela.accounts.people import choose_language
from tutela.console.cookies import THEMES, remember_look
from tutela.console.frame import go, page_router
from tutela.console.house import Here
from tutela.console.language import languages
from tutela.console.origin import FromOwnPages, own_path
from tutela.console.visiting import find_visitor

router = page_router()


@router.post("/look")
def change_look(
    request: Request,
    house: Here,
    _ours: FromOwnPages,
    theme: Annotated[str | None, Form()] = None,
    language: Annotated[str | None, Form()] = None,
    lead_to: Annotated[str | None, Form(alias="next")] = None,
) -> RedirectResponse:
    """Remember how the pages are to look: colours in this browser, a language with the person."""
    answer = go(house, own_path(lead_to))
    if theme is not None:
        remember_look(answer, "theme", theme if theme in THEMES else "", house.settings)
    if language is not None and language in languages():
        remember_look(answer, "language", language, house.settings)
        visitor = find_visitor(request, house)
        if visitor is not None:
            with house.database.writing() as connection:
                choose_language(connection, visitor.person, language)
    return answer
