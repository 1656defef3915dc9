"""``/v1/reports/doubts``, ``was-sent`` and ``not-sent``: what may have been sent since a backup."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.report_documents import ReportAnswer
from tutela.api.service import Here, Permitted
from tutela.cases.deciding import LONGEST_REASON
from tutela.reporting.delivery.doubting import (
    LONGEST_NUMBER,
    count_doubted,
    doubted,
    say_sent,
    say_unsent,
)
from tutela.reporting.finding import find_report
from tutela.reporting.model import ReportId

router = APIRouter(
    prefix="/v1/reports",
    tags=["reports"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.REPORTS_READ))]
Approver = Annotated[ApiKey, Security(Permitted(Permission.REPORTS_APPROVE))]

_GREATEST = 2**63 - 1
_OF_ONE = problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
Number = Annotated[int, Path(ge=1, le=_GREATEST, description="Its number.", examples=[5])]


class DoubtsAnswer(BaseModel):
    """Reports that may have been sent already, what was begun first at the beginning."""

    count: int = Field(description="How many there are in all.")
    reports: list[ReportAnswer]
    next: int | None = Field(description="Ask with `after` for the next page.")


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SentNumber(_Sent):
    """That the authority has a report."""

    number: Annotated[str, Field(min_length=1, max_length=LONGEST_NUMBER)] = Field(
        description="What the authority calls it.", examples=["1234567"]
    )


class SentUnsent(_Sent):
    """That the authority does not have a report."""

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)] = Field(
        description="How you know. The ledger keeps it."
    )


@router.get("/doubts", summary="The reports that may have been sent since a backup")
def list_doubts(
    service: Here,
    _key: Reader,
    after: Annotated[
        int | None, Query(ge=1, le=_GREATEST, description="From the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
) -> DoubtsAnswer:
    """After the house was restored. None of it goes before somebody has said whether it was."""
    last = None if after is None else ReportId(after)
    with service.database.reading() as connection:
        found = doubted(connection, after=last, limit=limit + 1)
        count = count_doubted(connection)
    shown = found[:limit]
    return DoubtsAnswer.model_validate(
        {
            "count": count,
            "reports": [each.as_fields() for each in shown],
            "next": shown[-1].id if len(found) > limit else None,
        }
    )


@router.post("/{report}/was-sent", summary="Say that the authority has it", responses=_OF_ONE)
def was_sent(service: Here, key: Approver, report: Number, sent: SentNumber) -> ReportAnswer:
    """By a person's key. The CyberTipline is asked whether so; of letters, what is said counts."""
    number, caller = ReportId(report), caller_of_key(key)
    with service.database.writing() as connection:
        say_sent(connection, service.settings, number, sent.number, caller, service.clock)
        found = find_report(connection, number)
    return ReportAnswer.model_validate(found.as_fields())


@router.post("/{report}/not-sent", summary="Say that it was not sent", responses=_OF_ONE)
def not_sent(service: Here, key: Approver, report: Number, sent: SentUnsent) -> ReportAnswer:
    """By a person's key. It goes on, as it stood in the backup."""
    number, caller = ReportId(report), caller_of_key(key)
    with service.database.writing() as connection:
        say_unsent(connection, number, caller, service.clock, reason=sent.reason)
        found = find_report(connection, number)
    return ReportAnswer.model_validate(found.as_fields())
