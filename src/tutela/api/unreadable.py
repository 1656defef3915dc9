"""``/v1/unreadable``: what could not be looked at, why, and what became of it."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted
from tutela.fingerprints.model import Unreadable
from tutela.screening.unreadable import not_looked_at
from tutela.storage.settings import OnUnreadable

router = APIRouter(
    prefix="/v1/unreadable",
    tags=["numbers"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.NUMBERS_READ))]


class ReasonAnswer(BaseModel):
    """How many files could not be looked at for one reason."""

    reason: Unreadable
    files: int
    policy: OnUnreadable = Field(description="What becomes of such a file now.")
    became: dict[OnUnreadable, int] = Field(description="What became of these.")
    decoders: dict[str, int] = Field(
        description="Of which formats they were; an empty text is one that is not known."
    )


class DayAnswer(BaseModel):
    """One day, in UTC."""

    day: date
    files: int


class SampleAnswer(BaseModel):
    """One of the latest, without anything that is of it alone."""

    model_config = ConfigDict(from_attributes=True)

    hour: datetime = Field(description="When, to the hour.")
    reason: Unreadable
    decoder: str = Field(description="The format that could not be looked at, if it is known.")
    named: str = Field(
        description="What its name ended in, if that is usual for a picture, a video or an archive."
    )
    below: int | None = Field(
        description="It had fewer bytes than this: 10 KiB, 100 KiB, and so on."
    )
    answer: OnUnreadable = Field(description="What became of it.")


class UnreadableAnswer(BaseModel):
    """What could not be looked at in these days."""

    reasons: list[ReasonAnswer] = Field(description="The one of most files first.")
    days: list[DayAnswer] = Field(description="The latest first.")
    samples: list[SampleAnswer] = Field(
        description="A few, the latest first, whenever that was. Of none, anything else is kept."
    )


@router.get("", summary="What could not be looked at")
def read_unreadable(
    service: Here,
    _key: Reader,
    days: Annotated[int, Query(ge=1, le=366, description="How many days, today the last.")] = 30,
) -> UnreadableAnswer:
    """Counts by reason, format and day, of files that match nothing and were not looked at."""
    with service.database.reading() as connection:
        found = not_looked_at(connection, days, service.clock)
    return UnreadableAnswer(
        reasons=[
            ReasonAnswer(
                reason=each.reason,
                files=each.files,
                policy=service.settings.unreadable.of(each.reason),
                became=dict(each.answers.most_common()),
                decoders=dict(each.decoders.most_common()),
            )
            for each in found.reasons
        ],
        days=[DayAnswer(day=day, files=files) for day, files in found.days],
        samples=[SampleAnswer.model_validate(each) for each in found.samples],
    )
