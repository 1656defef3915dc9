"""``/cases/new``: opening a case by hand, from words or an address that somebody was told of."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import Response
from pydantic import BaseModel

from tutela.accounts.permissions import Permission
from tutela.cases.by_hand import LONGEST_WORDS, given_words, open_by_hand
from tutela.cases.facts import Fact, said_facts
from tutela.cases.joining import LONGEST_KEY
from tutela.cases.model import ItemKind
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError

router = page_router()
Opener = Annotated[Visitor, Depends(visitor(Permission.CASES_OPEN))]

SAYABLE = tuple(fact for fact in Fact if not fact.is_derived)
"""The facts that a person says of a case."""


class Told(BaseModel):
    """What somebody was told, as the page sends it."""

    words: str = ""
    address: str = ""
    subject: str = ""
    reference: str = ""
    facts: list[str] = []
    due: str = ""


@router.get("/cases/new")
def show_form(request: Request, opener: Opener) -> Response:
    """The empty form."""
    return _page(request, opener, Told())


@router.post("/cases/new")
def open_case(
    request: Request, opener: Opener, house: Here, told: Annotated[Told, Form()]
) -> Response:
    """Open a case, or add to the one that is open for this sender."""
    try:
        items = [given_words(ItemKind.TEXT, told.words)] if told.words.strip() else []
        if told.address.strip():
            items.append(given_words(ItemKind.URL, told.address))
        case = open_by_hand(
            house.vault,
            items,
            opener.caller,
            house.clock,
            subject=told.subject or None,
            reference=told.reference or None,
            facts=said_facts(told.facts),
            due_at=read_due(told.due),
            due_hours=house.settings.review.due_hours,
        )
    except InvalidInputError as error:
        return _page(request, opener, told, error)
    return go(house, f"/cases/{case}", "said_opened")


def read_due(text: str) -> datetime | None:
    """A moment as a form sends it, or nothing. It is UTC unless it says how far from that it is.

    Raises:
        InvalidInputError: It is no moment.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError("write the moment as 2026-01-31T12:00, in UTC") from None


def _page(
    request: Request, opener: Visitor, told: Told, wrong: InvalidInputError | None = None
) -> Response:
    return show(
        request,
        opener,
        "new_case.html",
        status=422 if wrong else 200,
        wrong=wrong,
        told=told,
        sayable=SAYABLE,
        longest_words=LONGEST_WORDS,
        longest_key=LONGEST_KEY,
    )
