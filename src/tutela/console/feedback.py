"""What an authority said of a report: entering it, reading it, and being done with it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import Response
from pydantic import BaseModel

from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import Permission
from tutela.console.days import beginning_of, read_day
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
    OutOfTurnError,
    TutelaError,
)
from tutela.evidence.retention import Period
from tutela.reporting.finding import find_report
from tutela.reporting.following.finding import find_feedback, read_words
from tutela.reporting.following.model import LONGEST_WORDS, FeedbackId, FeedbackKind, Said
from tutela.reporting.following.recording import enter_feedback
from tutela.reporting.following.settling import (
    attach_feedback,
    follow_feedback,
    settle_feedback,
)
from tutela.reporting.model import ReportId
from tutela.reporting.states import State
from tutela.storage.clock import Clock
from tutela.storage.kept_secrets import KeptSecrets

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.REPORTS_READ))]
Writer = Annotated[Visitor, Depends(visitor(Permission.FEEDBACK_WRITE))]
# What can move the clock of evidence needs a recent proof, as on the evidence's own page.
Mover = Annotated[Visitor, Depends(visitor(Permission.FEEDBACK_WRITE, proved=True))]
Reason = Annotated[str, Form(max_length=1000)]

_LONGEST_NUMBER = 2**63 - 1


class Typed(BaseModel):
    """What an authority said, as the page sends it."""

    kind: FeedbackKind = FeedbackKind.MORE_WANTED
    at: str = ""
    reference: str = ""
    number: str = ""
    until: str = ""
    period: str = ""
    words: str = ""


@router.get("/reports/{report}/feedback")
def show_form(request: Request, house: Here, writer: Mover, report: Number) -> Response:
    """The form by which somebody enters what an authority said of a report."""
    return _form(request, house, writer, ReportId(report), Typed())


@router.post("/reports/{report}/feedback")
def enter(
    request: Request,
    house: Here,
    writer: Mover,
    report: Number,
    typed: Annotated[Typed, Form()],
) -> Response:
    """Enter it: a letter, or a request for destruction, moves the clock of the evidence."""
    number = ReportId(report)
    try:
        said = _said(typed, house.clock)
        with house.database.writing() as connection:
            feedback = enter_feedback(
                connection,
                KeptSecrets(house.settings.keys_folder),
                number,
                said,
                writer.caller,
                house.clock,
            )
    except (InvalidInputError, OutOfTurnError, AlreadyExistsError, NotPermittedError) as error:
        return _form(request, house, writer, number, typed, wrong=error)
    return go(house, f"/reports/{number}#feedback", "said_feedback_entered", str(feedback))


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
    request: Request, house: Here, writer: Mover, feedback: Number, reason: Reason = ""
) -> Response:
    """The clock of the evidence moves, or the report's number changes."""
    number = FeedbackId(feedback)
    try:
        with house.database.writing() as connection:
            follow_feedback(connection, number, writer.caller, house.clock, reason=reason)
    except (InvalidInputError, OutOfTurnError, AlreadyExistsError, NotPermittedError) as error:
        return _page(request, house, writer, number, wrong=error)
    return go(house, f"/feedback/{number}", "said_feedback_followed", str(number))


@router.post("/feedback/{feedback}/attach")
def attach(
    request: Request,
    house: Here,
    writer: Mover,
    feedback: Number,
    report: Annotated[str, Form(max_length=30)] = "",
) -> Response:
    """Say which report is meant: what asks for keeping moves the clock of its case's evidence."""
    number = FeedbackId(feedback)
    try:
        meant = _report_number(report)
        with house.database.writing() as connection:
            attach_feedback(connection, number, meant, writer.caller, house.clock)
    except (InvalidInputError, OutOfTurnError, NotPermittedError) as error:
        return _page(request, house, writer, number, typed=report, wrong=error)
    except NotFoundError:
        with house.database.reading() as connection:
            find_feedback(connection, number)
        wrong = OutOfTurnError("there is no report {report}: look for it among all", report=meant)
        return _page(request, house, writer, number, typed=report, wrong=wrong)
    return go(house, f"/feedback/{number}", "said_feedback_attached", str(number))


def _form(
    request: Request,
    house: House,
    person: Visitor,
    report: ReportId,
    typed: Typed,
    *,
    wrong: TutelaError | None = None,
) -> Response:
    with house.database.reading() as connection:
        found = find_report(connection, report)
    keeps = person.may(Permission.EVIDENCE_KEEP)
    return show(
        request,
        person,
        "feedback_new.html",
        status=_status(wrong),
        report=found,
        can_be_said=found.state is State.SENT,
        kinds=[each for each in FeedbackKind if keeps or each.event is None],
        typed=typed,
        today=house.clock().date(),
        longest=LONGEST_WORDS,
        wrong=wrong,
    )


def _page(
    request: Request,
    house: House,
    person: Visitor,
    feedback: FeedbackId,
    *,
    typed: str = "",
    wrong: TutelaError | None = None,
) -> Response:
    secrets = KeptSecrets(house.settings.keys_folder)
    with house.database.writing() as connection:
        found = find_feedback(connection, feedback)
        names = names_of_people(connection)
        words = read_words(connection, secrets, feedback, person.caller, house.clock)
    is_wish = found.kind.event is not None or bool(found.number)
    may_follow = found.kind.event is None or person.may(Permission.EVIDENCE_KEEP)
    return show(
        request,
        person,
        "feedback.html",
        status=_status(wrong),
        feedback=found,
        words=words,
        names=names,
        can_follow=is_wish and may_follow and found.report is not None,
        typed=typed,
        wrong=wrong,
    )


def _status(wrong: TutelaError | None) -> int:
    if isinstance(wrong, InvalidInputError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.OK if wrong is None else HTTPStatus.CONFLICT


def _said(typed: Typed, clock: Clock) -> Said:
    said_on = read_day(typed.at.strip())
    return Said(
        kind=typed.kind,
        at=beginning_of(said_on) if said_on else clock(),
        reference=typed.reference.strip(),
        number=typed.number.strip(),
        until=read_day(typed.until.strip()),
        period=Period.read(typed.period) if typed.period.strip() else None,
        words=typed.words,
    )


def _report_number(text: str) -> ReportId:
    written = text.strip()
    if written.isascii() and written.isdigit() and 1 <= int(written) <= _LONGEST_NUMBER:
        return ReportId(int(written))
    raise InvalidInputError(
        '"{text}" is not the number of a report here: write it as 17', text=text
    )
