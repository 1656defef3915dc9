"""``/v1/numbers``: what comes in, what is decided, how long it takes, and what waits."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Security
from pydantic import BaseModel, Field

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted
from tutela.cases.counting_days import Age, read_figures

router = APIRouter(
    prefix="/v1/numbers",
    tags=["numbers"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.NUMBERS_READ))]


class DayAnswer(BaseModel):
    """The figures of one day, in UTC."""

    day: date
    opened: int = Field(description="Cases that were opened.")
    confirmed: int = Field(description="Decisions to confirm, those that were undone left out.")
    not_confirmed: int
    not_sure: int
    second_looks: int = Field(description="Cases that a second person decided on.")
    agreed: int = Field(description="Those of them on which the second agreed with the first.")
    median_seconds: int | None = Field(
        description="From a case's opening to its first decision, in the middle."
    )
    slow_seconds: int | None = Field(
        description="The time within which 95 of 100 first decisions were taken."
    )


class NumbersAnswer(BaseModel):
    """The figures of the work. They tell of no person."""

    counted_at: datetime | None = Field(description="When they were counted: every five minutes.")
    days: list[DayAnswer] = Field(description="The oldest first.")
    waiting: dict[Age, int] = Field(
        description="How many cases wait for a decision: for less than an hour, up to a day, a "
        "week, a month (30 days), or longer."
    )
    agreement: float | None = Field(
        description="The part of second looks that agreed with the first, in all these days."
    )


@router.get("", summary="The figures of the work")
def show_numbers(
    service: Here,
    _key: Reader,
    days: Annotated[int, Query(ge=1, le=366, description="How many days, with today.")] = 30,
) -> NumbersAnswer:
    """By day, and what waits now."""
    with service.database.reading() as connection:
        figures = read_figures(connection, days, service.clock)
    return NumbersAnswer(
        counted_at=figures.counted_at,
        days=[DayAnswer.model_validate(each, from_attributes=True) for each in figures.days],
        waiting=figures.ages,
        agreement=figures.agreement,
    )
