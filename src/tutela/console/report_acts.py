"""What people do with a report on its page: begin it, sign it, agree, send, return, discard it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import Response

from tutela.accounts.permissions import Permission
from tutela.cases.model import read_case_id
from tutela.console.case import case_page
from tutela.console.frame import go, page_router
from tutela.console.house import Here, House, Number
from tutela.console.report import Shown, desk_of, report_page
from tutela.console.visiting import Visitor, visitor
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    OutOfTurnError,
)
from tutela.reporting.delivery.doubting import say_sent, say_unsent
from tutela.reporting.delivery.queueing import NotLiveError
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.beginning import begin_report, correct_report
from tutela.reporting.model import ReportId
from tutela.reporting.signing.signing import (
    approve_report,
    discard_report,
    return_report,
    send_report,
    sign_report,
)

router = page_router()
Writer = Annotated[Visitor, Depends(visitor(Permission.REPORTS_WRITE))]
# Whoever stands for what leaves the house has shown who they are lately.
Signer = Annotated[Visitor, Depends(visitor(Permission.REPORTS_WRITE, proved=True))]
Approver = Annotated[Visitor, Depends(visitor(Permission.REPORTS_APPROVE, proved=True))]
Text = Annotated[str, Form(max_length=1000)]


@router.post("/cases/{case}/reports")
def begin(
    request: Request, writer: Writer, house: Here, case: str, authority: Text = ""
) -> Response:
    """Begin a draft of a case to an authority."""
    number = read_case_id(case)
    try:
        report = begin_report(desk_of(house), number, authority, writer.caller)
    except InvalidInputError as error:
        return case_page(request, writer, house, number, wrong=error, status=422)
    except (AlreadyExistsError, OutOfTurnError) as error:
        return case_page(request, writer, house, number, wrong=error, status=409)
    return go(house, f"/reports/{report}", "said_report_begun", str(report))


@router.post("/reports/{report}/sign")
def sign(
    request: Request, signer: Signer, house: Here, report: Number, seal: Text = ""
) -> Response:
    """Stand for every word of it."""

    def act(desk: Desk, number: ReportId) -> str:
        sign_report(desk, number, signer.caller, seal=seal)
        return "said_report_signed"

    return _do(request, house, signer, report, act)


@router.post("/reports/{report}/approve")
def approve(
    request: Request, approver: Approver, house: Here, report: Number, seal: Text = ""
) -> Response:
    """Agree that it is sent."""

    def act(desk: Desk, number: ReportId) -> str:
        approve_report(desk, number, approver.caller, seal=seal)
        return "said_report_approved"

    return _do(request, house, approver, report, act)


@router.post("/reports/{report}/send")
def send(request: Request, signer: Signer, house: Here, report: Number) -> Response:
    """Have it sent now."""

    def act(desk: Desk, number: ReportId) -> str:
        send_report(desk, number, signer.caller)
        return "said_report_queued"

    return _do(request, house, signer, report, act)


@router.post("/reports/{report}/return")
def write_on(
    request: Request, writer: Writer, house: Here, report: Number, reason: Text = ""
) -> Response:
    """Have it written on: it has to be signed anew."""

    def act(desk: Desk, number: ReportId) -> str:
        return_report(desk, number, writer.caller, reason=reason)
        return "said_report_returned"

    return _do(request, house, writer, report, act)


@router.post("/reports/{report}/discard")
def discard(
    request: Request, writer: Writer, house: Here, report: Number, reason: Text = ""
) -> Response:
    """Say that it is never sent."""

    def act(desk: Desk, number: ReportId) -> str:
        discard_report(desk, number, writer.caller, reason=reason)
        return "said_report_discarded"

    return _do(request, house, writer, report, act)


@router.post("/reports/{report}/was-sent")
def was_sent(
    request: Request, approver: Approver, house: Here, report: Number, number: Text = ""
) -> Response:
    """The authority has it, by this number: the house was restored, and does not know."""

    def act(desk: Desk, meant: ReportId) -> str:
        with desk.database.writing() as connection:
            say_sent(connection, desk.settings, meant, number, approver.caller, desk.clock)
        return "said_report_said_sent"

    return _do(request, house, approver, report, act)


@router.post("/reports/{report}/not-sent")
def not_sent(
    request: Request, approver: Approver, house: Here, report: Number, reason: Text = ""
) -> Response:
    """The authority does not have it: it goes on."""

    def act(desk: Desk, meant: ReportId) -> str:
        with desk.database.writing() as connection:
            say_unsent(connection, meant, approver.caller, desk.clock, reason=reason)
        return "said_report_said_unsent"

    return _do(request, house, approver, report, act)


@router.post("/reports/{report}/correct")
def correct(request: Request, writer: Writer, house: Here, report: Number) -> Response:
    """Begin a new report that corrects, or adds to, one that was sent."""
    try:
        new = correct_report(desk_of(house), ReportId(report), writer.caller)
    except (OutOfTurnError, AlreadyExistsError) as error:
        shown = Shown(wrong=error, status=409)
        return report_page(request, house, writer, ReportId(report), shown)
    return go(house, f"/reports/{new}", "said_report_begun", str(new))


def _do(
    request: Request,
    house: House,
    person: Visitor,
    report: int,
    act: Callable[[Desk, ReportId], str],
) -> Response:
    """Do something with a report, or show its page, which says why not."""
    number = ReportId(report)
    try:
        said = act(desk_of(house), number)
    except InvalidInputError as error:
        shown = Shown(wrong=error, status=422)
    except (OutOfTurnError, NotLiveError, AlreadyExistsError) as error:
        shown = Shown(wrong=error, status=409)
    else:
        return go(house, f"/reports/{number}", said, str(number))
    return report_page(request, house, person, number, shown)
