"""``/feedback/{feedback}``: what an authority said of a report, and being done with it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import Response

from tutela.accounts.permissions import Permission
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotPermittedError,
    OutOfTurnError,
    TutelaError,
)
from tutela.reporting.following.finding import find_feedback, read_words
from tutela.reporting.following.model import FeedbackId
from tutela.reporting.following.settling import follow_feedback, settle_feedback
from tutela.storage.kept_secrets import KeptSecrets

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.REPORTS_READ))]
Writer = Annotated[Visitor, Depends(visitor(Permission.FEEDBACK_WRITE))]
Reason = Annotated[str, Form(max_length=1000)]


@router.get("/feedback/{feedback}")
def show_feedback(request: Request, house: Here, reader: Reader, feedback: Number) -> Response:
    """What was said, with its words: the ledger says who reads them."""
    return _page(request, house, reader, FeedbackId(feedback))


@router.post("/feedback/{feedback}/settle")
def settle(
    request: Request, house: Here, writer: Writer, feedback: Number, reason: Reason = ""
) -> Response:
    """What waited is done, or is not to be done."""
    number = FeedbackId(feedback)
    try:
        with house.database.writing() as connection:
            settle_feedback(connection, number, writer.caller, house.clock, reason=reason)
    except (InvalidInputError, OutOfTurnError) as error:
        return _page(request, house, writer, number, wrong=error)
    return go(house, f"/feedback/{number}", "said_feedback_settled", str(number))


@router.post("/feedback/{feedback}/follow")
def follow(
    request: Request, house: Here, writer: Writer, feedback: Number, reason: Reason = ""
) -> Response:
    """The clock of the evidence moves, or the report's number changes."""
    number = FeedbackId(feedback)
    try:
        with house.database.writing() as connection:
            follow_feedback(connection, number, writer.caller, house.clock, reason=reason)
    except (InvalidInputError, OutOfTurnError, AlreadyExistsError, NotPermittedError) as error:
        return _page(request, house, writer, number, wrong=error)
    return go(house, f"/feedback/{number}", "said_feedback_followed", str(number))


def _page(
    request: Request,
    house: House,
    person: Visitor,
    feedback: FeedbackId,
    *,
    wrong: TutelaError | None = None,
) -> Response:
    secrets = KeptSecrets(house.settings.keys_folder)
    with house.database.writing() as connection:
        found = find_feedback(connection, feedback)
        words = read_words(connection, secrets, feedback, person.caller, house.clock)
    is_wish = found.kind.event is not None or bool(found.number)
    may_follow = found.kind.event is None or person.may(Permission.EVIDENCE_KEEP)
    return show(
        request,
        person,
        "feedback.html",
        status=HTTPStatus.OK if wrong is None else HTTPStatus.CONFLICT,
        feedback=found,
        words=words,
        can_follow=is_wish and may_follow and found.report is not None,
        wrong=wrong,
    )
