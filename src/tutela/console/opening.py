"""``/cases/new``: opening a case by hand, from what somebody was told of: words, files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from tutela.accounts.permissions import Permission
from tutela.cases.by_hand import (
    LONGEST_WORDS,
    MOST_AT_ONCE,
    SentForm,
    given_words,
    open_by_hand,
)
from tutela.cases.facts import Fact, said_facts
from tutela.cases.joining import LONGEST_KEY
from tutela.cases.model import CaseId, ItemKind
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError

router = page_router()
Opener = Annotated[Visitor, Depends(visitor(Permission.CASES_OPEN))]

SAYABLE = tuple(fact for fact in Fact if not fact.is_derived)
"""The facts that a person says of a case."""


_WORDS = ("words", "address", "subject", "reference", "due")


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told, as the page sends it, without the files."""

    words: str = ""
    address: str = ""
    subject: str = ""
    reference: str = ""
    due: str = ""
    facts: Sequence[str] = ()


@router.get("/cases/new")
def show_form(request: Request, opener: Opener, house: Here) -> Response:
    """The empty form."""
    return _page(request, opener, house, Told())


@router.post("/cases/new")
async def open_case(request: Request, opener: Opener, house: Here) -> Response:
    """Open a case, or add to the one that is open for this sender."""
    async with house.receive(request) as sent:
        told = Told(
            **{name: sent.word(name) for name in _WORDS}, facts=[*sent.fields.get("facts", ())]
        )
        try:
            case = await sent.judge(partial(_open, house, opener, told, sent))
        except InvalidInputError as error:
            return await run_in_threadpool(_page, request, opener, house, told, error)
    return go(house, f"/cases/{case}", "said_opened")


def _open(house: House, opener: Visitor, told: Told, sent: SentForm) -> CaseId:
    items = [given_words(ItemKind.TEXT, told.words)] if told.words.strip() else []
    if told.address.strip():
        items.append(given_words(ItemKind.URL, told.address))
    return open_by_hand(
        house.vault,
        [*sent.recognise(items), *sent.files],
        opener.caller,
        house.clock,
        subject=told.subject or None,
        reference=told.reference or None,
        facts=said_facts(told.facts),
        due_at=read_due(told.due),
        due_hours=house.settings.review.due_hours,
    )


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
    request: Request,
    opener: Visitor,
    house: House,
    told: Told,
    wrong: InvalidInputError | None = None,
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
        most_files=MOST_AT_ONCE,
        largest_mib=house.settings.max_upload_mib,
    )
