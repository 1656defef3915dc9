"""``/v1/reports`` and ``/v1/cases/{case}/reports``: writing reports, signing them, sending them."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response, Security

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.report_documents import (
    BegunAnswer,
    PreviewAnswer,
    ReportAnswer,
    ReportsAnswer,
    SentBeginning,
    SentChanges,
    SentDiscarding,
    SentReturn,
    SentSeal,
    WrittenAnswer,
)
from tutela.api.service import Here, Permitted, Service
from tutela.cases.model import read_case_id
from tutela.cases.moving import state_of
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.beginning import (
    begin_report,
    begin_reports,
    correct_report,
    refill_report,
    why_not_begun,
)
from tutela.reporting.drafts.previewing import preview_report
from tutela.reporting.drafts.reading import enter_read, read_as
from tutela.reporting.drafts.supplying import ask_for
from tutela.reporting.drafts.writing import change_report, remove_file
from tutela.reporting.finding import find_report, find_reports
from tutela.reporting.model import ReportId
from tutela.reporting.signing.signing import (
    approve_report,
    discard_report,
    return_report,
    send_report,
    sign_report,
)
from tutela.reporting.states import State

router = APIRouter(
    prefix="/v1",
    tags=["reports"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.REPORTS_READ))]
Writer = Annotated[ApiKey, Security(Permitted(Permission.REPORTS_WRITE))]
Approver = Annotated[ApiKey, Security(Permitted(Permission.REPORTS_APPROVE))]

_GREATEST = 2**63 - 1
Number = Annotated[int, Path(ge=1, le=_GREATEST, description="Its number.", examples=[5])]
Before = Annotated[int | None, Query(ge=1, le=_GREATEST, description="From the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]


@router.get("/reports", summary="The reports")
def list_reports(
    service: Here,
    _key: Reader,
    state: State | None = None,
    authority: Annotated[str | None, Query(max_length=60)] = None,
    before: Before = None,
    limit: Limit = 50,
) -> ReportsAnswer:
    """The newest first, without what they say."""
    with service.database.reading() as connection:
        found = find_reports(
            connection,
            state=state,
            authority=authority,
            before=None if before is None else ReportId(before),
            limit=limit + 1,
        )
    shown = found[:limit]
    return ReportsAnswer.model_validate(
        {
            "reports": [each.as_fields() for each in shown],
            "next": shown[-1].id if len(found) > limit else None,
        }
    )


@router.get("/cases/{case}/reports", summary="The reports of a case")
def list_reports_of_case(service: Here, _key: Reader, case: str) -> ReportsAnswer:
    """The newest first, without what they say."""
    number = read_case_id(case)
    with service.database.reading() as connection:
        state_of(connection, number)
        found = find_reports(connection, case=number, limit=200)
    return ReportsAnswer.model_validate({"reports": [each.as_fields() for each in found]})


@router.post(
    "/cases/{case}/reports", summary="Begin to report a case", status_code=HTTPStatus.CREATED
)
def begin(service: Here, key: Writer, case: str, sent: SentBeginning) -> BegunAnswer:
    """The drafts fill themselves. What is there already stays as it is.

    Whomever the directory knows of and no draft was begun to, the answer tells, with the reasons.
    """
    number, caller = read_case_id(case), caller_of_key(key)
    if sent.authority is not None:
        return BegunAnswer(reports=[begin_report(_desk(service), number, sent.authority, caller)])
    begun = begin_reports(_desk(service), number, caller)
    why = why_not_begun(_desk(service), number, begun)
    return BegunAnswer.model_validate(
        {"reports": begun, "left_out": [each.as_fields() for each in why]}
    )


@router.post(
    "/cases/{case}/subject/wanted",
    summary="Ask the platform for what it knows",
    status_code=HTTPStatus.NO_CONTENT,
)
def want_subject(service: Here, key: Writer, case: str) -> Response:
    """By the event `subject.wanted`. A confirmed case asks for it by itself."""
    with service.database.writing() as connection:
        ask_for(connection, read_case_id(case), caller_of_key(key), service.clock)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/reports/{report}", summary="A report with all that it says")
def show(service: Here, key: Reader, report: Number) -> WrittenAnswer:
    """With what is missing and what is wrong with it. The ledger says who reads it."""
    return _written(service, key, ReportId(report))


@router.patch("/reports/{report}", summary="Write in a draft")
def change(service: Here, key: Writer, report: Number, sent: SentChanges) -> WrittenAnswer:
    """Only what a channel knows; whether a file was viewed is said by the record alone."""
    change_report(_desk(service), ReportId(report), sent.changes, caller_of_key(key))
    return _written(service, key, ReportId(report))


@router.delete("/reports/{report}/files/{item}", summary="Take a file out of a draft")
def drop_file(service: Here, key: Writer, report: Number, item: Number) -> WrittenAnswer:
    """It stays in the case and in the vault."""
    remove_file(_desk(service), ReportId(report), item, caller_of_key(key))
    return _written(service, key, ReportId(report))


@router.post("/reports/{report}/refill", summary="Bring a draft up to date")
def refill(service: Here, key: Writer, report: Number) -> WrittenAnswer:
    """With what is known now. What a person wrote in it stays."""
    refill_report(_desk(service), ReportId(report), caller_of_key(key))
    return _written(service, key, ReportId(report))


@router.get("/reports/{report}/preview", summary="Exactly what would be sent")
def preview(service: Here, key: Reader, report: Number) -> PreviewAnswer:
    """The XML of the CyberTipline, or what a package holds. The ledger says who reads it."""
    caller = caller_of_key(key)
    shown = preview_report(_desk(service), ReportId(report), caller)
    with service.database.writing() as connection:
        enter_read(connection, shown.report, shown.draft, caller, service.clock)
    return PreviewAnswer.model_validate(shown.as_fields())


@router.post("/reports/{report}/sign", summary="Sign a report")
def sign(service: Here, key: Writer, report: Number, sent: SentSeal) -> ReportAnswer:
    """It is sent by itself from here, unless somebody has to agree. By a person's key."""
    sign_report(_desk(service), ReportId(report), caller_of_key(key), seal=sent.seal)
    return _standing(service, report)


@router.post("/reports/{report}/approve", summary="Agree that a report is sent")
def approve(service: Here, key: Approver, report: Number, sent: SentSeal) -> ReportAnswer:
    """By a key of another person than the one who signed it."""
    approve_report(_desk(service), ReportId(report), caller_of_key(key), seal=sent.seal)
    return _standing(service, report)


@router.post("/reports/{report}/send", summary="Have a report sent now")
def send(service: Here, key: Writer, report: Number) -> ReportAnswer:
    """Where that could not be done by itself."""
    send_report(_desk(service), ReportId(report), caller_of_key(key))
    return _standing(service, report)


@router.post("/reports/{report}/return", summary="Have a report written on")
def give_back(service: Here, key: Writer, report: Number, sent: SentReturn) -> ReportAnswer:
    """One that is signed, agreed to or stopped."""
    return_report(_desk(service), ReportId(report), caller_of_key(key), reason=sent.reason)
    return _standing(service, report)


@router.post("/reports/{report}/discard", summary="Never send a report")
def discard(service: Here, key: Writer, report: Number, sent: SentDiscarding) -> ReportAnswer:
    """What it says is erased."""
    discard_report(_desk(service), ReportId(report), caller_of_key(key), reason=sent.reason)
    return _standing(service, report)


@router.post(
    "/reports/{report}/correct",
    summary="Correct a report that was sent",
    status_code=HTTPStatus.CREATED,
)
def correct(service: Here, key: Writer, report: Number) -> BegunAnswer:
    """By a new draft that names it."""
    begun = correct_report(_desk(service), ReportId(report), caller_of_key(key))
    return BegunAnswer(reports=[begun])


def _desk(service: Service) -> Desk:
    return Desk(service.settings, service.database, service.screening.vault, service.clock)


def _written(service: Service, key: ApiKey, report: ReportId) -> WrittenAnswer:
    written = read_as(_desk(service), report, caller_of_key(key))
    return WrittenAnswer.model_validate(written.as_fields())


def _standing(service: Service, report: int) -> ReportAnswer:
    with service.database.reading() as connection:
        found = find_report(connection, ReportId(report))
    return ReportAnswer.model_validate(found.as_fields())
