"""``POST /v1/cases/search``: the cases that one line of text leads to."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Security
from pydantic import BaseModel, Field

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted
from tutela.cases.model import CaseId
from tutela.cases.searching import LONGEST_TEXT, By, search
from tutela.cases.states import State

router = APIRouter(
    tags=["cases"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.CASES_READ))]


class Sought(BaseModel):
    """What somebody looks for."""

    text: str = Field(
        max_length=LONGEST_TEXT,
        description="A case number, a subject, a reference, or a whole fingerprint in hex.",
        examples=["7K3M-9QPD-2X4H"],
    )


class FoundAnswer(BaseModel):
    """A case that was found."""

    case: CaseId = Field(description="Its number.", examples=["7K3M-9QPD-2X4H"])
    state: State = Field(description="Where it stands.")
    opened_at: datetime
    by: By = Field(description="What it was found by.")


class SearchAnswer(BaseModel):
    """The cases that were found."""

    cases: list[FoundAnswer]


@router.post("/v1/cases/search", summary="Find cases by one line of text")
def search_cases(service: Here, key: Reader, sought: Sought) -> SearchAnswer:
    """The newest first. Fingerprints are looked up only for keys with `screen:details`.

    What is looked for is sent in the body, so that it is in no address and no log.
    """
    with service.database.writing() as connection:
        found = search(connection, sought.text, caller_of_key(key), service.clock)
    return SearchAnswer(
        cases=[FoundAnswer.model_validate(each, from_attributes=True) for each in found]
    )
