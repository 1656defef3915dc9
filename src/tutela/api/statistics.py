"""``/v1/statistics``: what the public is shown, if the house shows it."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from tutela.api.problems import problems
from tutela.api.service import Here, Service
from tutela.cases.counting import Technology
from tutela.errors import NotFoundError
from tutela.statistics.forms import as_csv, as_fields
from tutela.statistics.model import Month
from tutela.statistics.publishing import published_months

# Anybody may read it: no key is asked for.
router = APIRouter(tags=["statistics"], responses=problems(HTTPStatus.NOT_FOUND))

_COUNT = Field(description="`null`: 1 to 4, or another count would follow from it.")


class TechnologyAnswer(BaseModel):
    """What became of the cases that one technology found."""

    found_by: Technology = Field(
        description="`exact`: a list has the very same file. `pdq`: a list has a picture like it. "
        "`none`: a person reported it."
    )
    opened: int | None = _COUNT
    confirmed: int | None = _COUNT
    not_confirmed: int | None = _COUNT
    appealed: int | None = _COUNT
    granted: int | None = _COUNT
    upheld: int | None = _COUNT
    error_rate: float | None = Field(
        description="What part of the decided cases were not confirmed; `null` where one of the "
        "counts is."
    )


class MonthAnswer(BaseModel):
    """A month that has ended."""

    month: str = Field(examples=["2026-01"])
    screened: int | None = _COUNT
    matched: int | None = _COUNT
    unreadable: int | None = _COUNT
    cases: list[TechnologyAnswer]
    median_hours_to_decision: float | None
    median_hours_to_appeal_decision: float | None


class StatisticsAnswer(BaseModel):
    """The last twelve months that have ended, the newest first."""

    months: list[MonthAnswer]


@router.get("/v1/statistics", summary="Counts of past months")
def show_statistics(service: Here) -> StatisticsAnswer:
    """What was screened, found, decided and appealed. No small number, no running month."""
    return StatisticsAnswer.model_validate(
        {"months": [as_fields(month) for month in _published(service)]}
    )


@router.get(
    "/v1/statistics.csv",
    summary="The same as a table",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "One figure a line."}},
)
def show_table(service: Here) -> Response:
    """One figure a line; `<5` where a count is kept back."""
    return Response(as_csv(_published(service)), media_type="text/csv; charset=utf-8")


def _published(service: Service) -> tuple[Month, ...]:
    if not service.settings.statistics.public:
        raise NotFoundError("this house does not publish its statistics")
    return published_months(service.database, service.clock)
