"""``/v1/me`` and ``/v1/load``: how much people had to look at, and their breaks.

Nothing can be looked at by a key: media is shown on the pages alone, to a person who is signed in.
"""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey, PersonId
from tutela.accounts.people import all_people
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted
from tutela.cases.comfort import (
    LONGEST_PEEK,
    SHORTEST_PEEK,
    Comfort,
    Reveal,
    Size,
    choose_comfort,
    comfort_of,
)
from tutela.cases.exposure import Exposure, exposure_by_day
from tutela.cases.load import load_of
from tutela.cases.pausing import come_back, take_break
from tutela.cases.resting import Rest, RestKind, is_much, rest_due
from tutela.errors import InvalidInputError

router = APIRouter(
    prefix="/v1",
    tags=["wellbeing"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reviewer = Annotated[ApiKey, Security(Permitted(Permission.CASES_REVIEW))]
Leader = Annotated[ApiKey, Security(Permitted(Permission.LOAD_READ))]


class RestAnswer(BaseModel):
    """A rest that somebody takes, or has to take now."""

    kind: RestKind = Field(
        description="`paused`: they asked for a break. `break`: one is due. `day-over`: they have "
        "seen as much as anybody should in a day."
    )
    until: datetime | None = Field(description="When it ends; `null` for when they say so.")


class ExposureAnswer(BaseModel):
    """What somebody looked at on a day."""

    day: date = Field(description="In the person's own time zone.")
    items: int = Field(description="Items revealed, in part or whole; each once.")
    severe: int = Field(description="How many of these are of severe cases.")
    peeks: int = Field(description="How often something was revealed.")
    minutes: float = Field(description="For how long more than a veil was in sight.")


class MyExposureAnswer(BaseModel):
    """What I looked at."""

    days: list[ExposureAnswer] = Field(description="The last seven days, today first.")
    much: bool = Field(description="Whether it would be good to stop looking for today.")
    rest: RestAnswer | None


class BreakAnswer(BaseModel):
    """What a break gave back."""

    given_back: list[str] = Field(description="The numbers of the cases.")


class ComfortDocument(BaseModel):
    """How I am shown things. There is never any sound, and nothing opens with more than a veil."""

    model_config = ConfigDict(extra="forbid")

    veils: bool = Field(True, description="Whether a case opens with veils, or with nothing.")
    grey: bool = Field(True, description="Whether what is revealed is grey until colour is chosen.")
    size: Size = Size.SMALL
    reveal: Reveal = Reveal.HOLD
    longest_peek: int = Field(10, ge=SHORTEST_PEEK, le=LONGEST_PEEK, description="In seconds.")
    time_zone: str = Field("UTC", max_length=60, examples=["Europe/Luxembourg"])


class LoadAnswer(BaseModel):
    """What one person has to carry today. Decisions are not counted."""

    person: int
    name: str
    today: ExposureAnswer
    breaks: int = Field(description="Breaks that they asked for today.")
    much: bool
    rest: RestAnswer | None


class LoadsAnswer(BaseModel):
    """Everybody who may look, in the order of their names."""

    people: list[LoadAnswer]


@router.get("/me/exposure", summary="See what I looked at")
def my_exposure(key: Reviewer, here: Here) -> MyExposureAnswer:
    """What the key's owner looked at in the last seven days, and whether a rest is due."""
    me = _person(key)
    with here.database.reading() as connection:
        days = exposure_by_day(connection, me, here.clock)
        rest = rest_due(connection, me, here.clock, here.settings)
    return MyExposureAnswer(
        days=[_exposure(day) for day in days],
        much=is_much(days[0], here.settings.care),
        rest=_rest(rest),
    )


@router.post("/me/break", summary="Take a break")
def begin_break(key: Reviewer, here: Here) -> BreakAnswer:
    """Give back whatever the key's owner holds, and give them nothing until they come back."""
    _person(key)
    with here.database.writing() as connection:
        given_back = take_break(connection, caller_of_key(key), here.clock)
    return BreakAnswer(given_back=list(given_back))


@router.delete("/me/break", summary="Come back from a break", status_code=HTTPStatus.NO_CONTENT)
def end_break(key: Reviewer, here: Here) -> None:
    """The key's owner is back."""
    _person(key)
    with here.database.writing() as connection:
        come_back(connection, caller_of_key(key), here.clock)


@router.get("/me/comfort", summary="See how I am shown things")
def my_comfort(key: Reviewer, here: Here) -> ComfortDocument:
    """How the key's owner wants to be shown things."""
    with here.database.reading() as connection:
        comfort = comfort_of(connection, _person(key))
    return ComfortDocument.model_validate(comfort, from_attributes=True)


@router.put("/me/comfort", summary="Choose how I am shown things")
def change_comfort(key: Reviewer, here: Here, wish: ComfortDocument) -> ComfortDocument:
    """Remember how the key's owner wants to be shown things."""
    with here.database.writing() as connection:
        choose_comfort(connection, _person(key), Comfort(**wish.model_dump()))
    return wish


@router.get("/load", summary="See how much each person has to carry")
def load(_key: Leader, here: Here) -> LoadsAnswer:
    """How much each person looked at today, and who rests, in the order of their names."""
    with here.database.reading() as connection:
        loads = load_of(connection, all_people(connection), here.clock, here.settings)
    return LoadsAnswer(
        people=[
            LoadAnswer(
                person=each.person.id,
                name=each.person.name,
                today=_exposure(each.today),
                breaks=each.breaks,
                much=each.much,
                rest=_rest(each.rest),
            )
            for each in loads
        ]
    )


def _person(key: ApiKey) -> PersonId:
    if key.owner is None:
        raise InvalidInputError(
            'this is about a person: use a key that belongs to one ("tutela key add NAME --owner")'
        )
    return key.owner


def _exposure(exposure: Exposure) -> ExposureAnswer:
    return ExposureAnswer(
        day=exposure.day,
        items=exposure.items,
        severe=exposure.severe,
        peeks=exposure.peeks,
        minutes=round(exposure.minutes, 1),
    )


def _rest(rest: Rest | None) -> RestAnswer | None:
    return RestAnswer(kind=rest.kind, until=rest.until) if rest else None
