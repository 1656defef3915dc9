"""``/search``: one box for whatever leads to a case."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from tutela.accounts.permissions import Permission
from tutela.cases.searching import LONGEST_TEXT, By, fingerprints_in, search
from tutela.console.frame import page_router, show
from tutela.console.house import Here
from tutela.console.visiting import Visitor, visitor

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.CASES_READ))]


@router.get("/search")
def show_search(request: Request, reader: Reader) -> Response:
    """The empty box."""
    return show(
        request, reader, "search.html", text="", found=None, longest=LONGEST_TEXT, kept_back=False
    )


# What is looked for is sent in a form, so that it is in no address and no browser's history.
@router.post("/search")
def find(
    request: Request, reader: Reader, house: Here, text: Annotated[str, Form()] = ""
) -> Response:
    """The cases that a text leads to; at once to the one of this number."""
    with house.database.writing() as connection:
        found = search(connection, text, reader.caller, house.clock)
    if len(found) == 1 and found[0].by is By.NUMBER:
        return RedirectResponse(f"/cases/{found[0].case}", HTTPStatus.SEE_OTHER)
    kept_back = bool(fingerprints_in(text.strip())) and not reader.may(Permission.SCREEN_DETAILS)
    return show(
        request,
        reader,
        "search.html",
        text=text[:LONGEST_TEXT],
        found=found,
        longest=LONGEST_TEXT,
        kept_back=kept_back,
    )
