"""``/v1/cases``: what was found."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Security
from pydantic import BaseModel, Field

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted
from tutela.cases.model import Case, CaseId, read_case_id
from tutela.cases.reading import find_case, recent_cases
from tutela.cases.states import State
from tutela.evidence.model import ItemId
from tutela.evidence.model import State as EvidenceState
from tutela.fingerprints.model import Kind

router = APIRouter(
    prefix="/v1/cases",
    tags=["cases"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.CASES_READ))]


class CaseMatchAnswer(BaseModel):
    """A list that had the item."""

    list: str
    kind: Kind
    distance: int


class EvidenceAnswer(BaseModel):
    """What was sealed of the item."""

    item: ItemId = Field(description="The id of this piece of evidence.")
    state: EvidenceState = Field(
        description="`sealed`: it is in the vault. `missed`: the file changed or went before it "
        "could be sealed. `destroyed`: nobody can open it any more."
    )
    reason: str | None = Field(None, description="Why it was missed.")


class CaseAnswer(BaseModel):
    """One case."""

    case: CaseId = Field(description="The case's number.", examples=["7K3M-9QPD-2X4H"])
    state: State = Field(description="Where it stands.")
    opened_at: datetime
    name: str = Field(description="The file's name, as it was sent.")
    origin: str = Field(description="`scan`, or `key:` and the name of the API key.")
    size: int | None = Field(None, description="Bytes.")
    md5: str | None = None
    sha1: str | None = None
    sha256: str | None = None
    pdq: str | None = None
    pdq_quality: int | None = None
    evidence: list[EvidenceAnswer] = Field(
        description="What was sealed; empty if only fingerprints were sent."
    )
    matches: list[CaseMatchAnswer] | None = Field(
        None, description="What matched. Only for keys that also have the scope `screen:details`."
    )


class CasesAnswer(BaseModel):
    """Cases, the newest first."""

    cases: list[CaseAnswer]


@router.get("", summary="The cases opened last")
def list_cases(
    service: Here,
    key: Reader,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
) -> CasesAnswer:
    """The newest first."""
    with service.database.reading() as connection:
        return CasesAnswer(cases=[_answer(case, key) for case in recent_cases(connection, limit)])


@router.get("/{case}", summary="One case", responses=problems(HTTPStatus.NOT_FOUND))
def show_case(service: Here, key: Reader, case: str) -> CaseAnswer:
    """By its number, in either case, with or without dashes."""
    with service.database.reading() as connection:
        return _answer(find_case(connection, read_case_id(case)), key)


def _answer(case: Case, key: ApiKey) -> CaseAnswer:
    answer = CaseAnswer.model_validate(case.as_fields())
    if Permission.SCREEN_DETAILS not in key.scopes:
        answer.matches = None
    return answer
