"""``/v1/reports/service-levels``: how long authorities wait for reports."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted
from tutela.reporting.following.levels import read_levels
from tutela.reporting.model import Environment

router = APIRouter(
    prefix="/v1/reports",
    tags=["numbers"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.NUMBERS_READ))]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class WaitsAnswer(_Answer):
    """How long some reports waited, in seconds, to two parts in a hundred."""

    median: int | None = Field(description="In the middle.", examples=[5400])
    slow: int | None = Field(
        description="The time within which 95 of 100 of them were with the authority."
    )


class LevelAnswer(_Answer):
    """How long an authority waited in these days."""

    authority: str = Field(examples=["us-ncmec"])
    environment: Environment = Field(description="How real these reports were.")
    sent: int = Field(description="How many; what corrects an earlier one is left out.")
    from_opened: WaitsAnswer = Field(description="From a case's opening.")
    from_confirmed: WaitsAnswer = Field(description="From its confirmation.")


class DayLevelAnswer(_Answer):
    """One day, in UTC. Live reports count, or, where there are none, all."""

    day: date
    sent: int
    from_opened: WaitsAnswer
    from_confirmed: WaitsAnswer


class WaitingAnswer(_Answer):
    """What waits to be reported."""

    authority: str | None = Field(
        description="To whom; `null`: of confirmed cases of which no report is begun."
    )
    count: int
    oldest_at: datetime = Field(description="Since when the oldest is confirmed.")


class LevelsAnswer(_Answer):
    """How long authorities wait. It tells of no person."""

    counted_at: datetime | None = Field(description="When it was counted: every five minutes.")
    authorities: list[LevelAnswer]
    waiting: list[WaitingAnswer] = Field(description="What waits longest first.")
    days: list[DayLevelAnswer] = Field(description="The oldest first.")


@router.get("/service-levels", summary="How long authorities wait for reports")
def show_levels(
    service: Here,
    _key: Reader,
    days: Annotated[int, Query(ge=1, le=366, description="How many days, with today.")] = 30,
) -> LevelsAnswer:
    """Per authority: the middle, the slowest of twenty, and what waits."""
    with service.database.reading() as connection:
        return LevelsAnswer.model_validate(read_levels(connection, days, service.clock))
