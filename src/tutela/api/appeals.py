"""``/v1/cases/{case}/appeals``, ``/v1/appeals`` and ``/v1/flags``: mistakes, and what follows."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, actor_of
from tutela.cases.appealing import (
    LONGEST_REASON,
    LONGEST_WORDS,
    AppealId,
    AppealOutcome,
    appeals_of,
    decide_appeal,
    find_appeal,
    receive_appeal,
    waiting_appeals,
)
from tutela.cases.model import read_case_id
from tutela.cases.reading import find_case
from tutela.fingerprints.model import Kind
from tutela.hashlists.flagging import FlagId, FlagOutcome, open_flags, settle_flag

router = APIRouter(
    prefix="/v1",
    tags=["appeals"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Opener = Annotated[ApiKey, Security(Permitted(Permission.CASES_OPEN))]
Reader = Annotated[ApiKey, Security(Permitted(Permission.CASES_READ))]
Lead = Annotated[ApiKey, Security(Permitted(Permission.CASES_LEAD))]
ListReader = Annotated[ApiKey, Security(Permitted(Permission.LISTS_READ))]
ListWriter = Annotated[ApiKey, Security(Permitted(Permission.LISTS_WRITE))]

_GREATEST = 2**63 - 1
Number = Annotated[int, Path(ge=1, le=_GREATEST, description="Its number.", examples=[5])]
After = Annotated[int | None, Query(ge=1, le=_GREATEST, description="From the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
_ABSENT = problems(HTTPStatus.NOT_FOUND)
_REFUSED = problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewAppeal(_Sent):
    """What the person concerned says."""

    words: str = Field("", max_length=LONGEST_WORDS, examples=["It is a picture of our garden."])


class AppealDecision(_Sent):
    """What a lead decides."""

    outcome: AppealOutcome = Field(
        description="`granted`: it was a mistake. `upheld`: it was none."
    )
    reason: str = Field(min_length=1, max_length=LONGEST_REASON, examples=["it is a garden"])


class Settling(_Sent):
    """What a person says of an entry in doubt."""

    outcome: FlagOutcome = Field(
        description="`withdrawn`: it matches no more. `kept`: it belongs on the list."
    )
    reason: str = Field(min_length=1, max_length=1000, examples=["the partner confirms it"])


class AppealAnswer(BaseModel):
    """That somebody says that it is a mistake."""

    appeal: int = Field(examples=[5])
    case: str = Field(examples=["7K3M-9QPD-2X4H"])
    received_at: datetime
    received_by: str = Field(description="Who took it in, as the ledger calls them.")
    words: str | None = Field(
        description="What the person concerned says. Only for keys with `cases:lead`."
    )
    decided_at: datetime | None
    decided_by: str | None
    outcome: AppealOutcome | None
    reason: str | None = Field(description="Why. Only for keys with `cases:lead`.")


class AppealsAnswer(BaseModel):
    """Appeals, the oldest first."""

    appeals: list[AppealAnswer]
    after: int | None = Field(description="Ask with this for the next page; `null` at the end.")


class FlagAnswer(BaseModel):
    """An entry of a list in doubt. The entry itself is never shown."""

    flag: int = Field(examples=[3])
    list: str
    kind: Kind
    label: str = Field(description="What the list says that it is.")
    case: str = Field(description="The case that put it in doubt.")
    raised_at: datetime


class FlagsAnswer(BaseModel):
    """Entries in doubt, the oldest first."""

    flags: list[FlagAnswer]
    after: int | None = Field(description="Ask with this for the next page; `null` at the end.")


@router.post(
    "/cases/{case}/appeals",
    summary="Hand an appeal in",
    status_code=HTTPStatus.CREATED,
    responses=_REFUSED,
)
def add_appeal(service: Here, key: Opener, case: str, new: NewAppeal) -> AppealAnswer:
    """Of a case that is confirmed."""
    with service.database.writing() as connection:
        appeal = receive_appeal(
            connection,
            read_case_id(case),
            new.words,
            caller_of_key(key),
            service.clock,
            undo_seconds=service.settings.review.undo_seconds,
        )
    return AppealAnswer.model_validate(appeal.as_fields())


@router.get("/cases/{case}/appeals", summary="The appeals of a case", responses=_ABSENT)
def list_appeals_of_case(service: Here, key: Reader, case: str) -> AppealsAnswer:
    """Also those that are decided."""
    with service.database.reading() as connection:
        number = find_case(connection, read_case_id(case)).id
        found = appeals_of(connection, number, caller_of_key(key))
    return AppealsAnswer.model_validate(
        {"appeals": [each.as_fields() for each in found], "after": None}
    )


@router.get("/appeals", summary="The appeals that wait for a decision")
def list_appeals(
    service: Here, key: Reader, after: After = None, limit: Limit = 50
) -> AppealsAnswer:
    """The oldest first."""
    with service.database.reading() as connection:
        found = waiting_appeals(
            connection,
            caller_of_key(key),
            after=AppealId(after) if after else None,
            limit=limit + 1,
        )
    shown = found[:limit]
    return AppealsAnswer.model_validate(
        {
            "appeals": [each.as_fields() for each in shown],
            "after": shown[-1].id if len(found) > limit else None,
        }
    )


@router.get("/appeals/{appeal}", summary="One appeal", responses=_ABSENT)
def show_appeal(service: Here, key: Reader, appeal: Number) -> AppealAnswer:
    """With its words, for keys with `cases:lead`."""
    with service.database.reading() as connection:
        found = find_appeal(connection, AppealId(appeal), caller_of_key(key))
    return AppealAnswer.model_validate(found.as_fields())


@router.post("/appeals/{appeal}/decision", summary="Decide an appeal", responses=_REFUSED)
def decide(service: Here, key: Lead, appeal: Number, decision: AppealDecision) -> AppealAnswer:
    """By a key of a person who has not decided on the case before. It takes effect at once."""
    with service.database.writing() as connection:
        decided = decide_appeal(
            connection,
            AppealId(appeal),
            decision.outcome,
            caller_of_key(key),
            service.clock,
            reason=decision.reason,
        )
    return AppealAnswer.model_validate(decided.as_fields())


@router.get("/flags", summary="The entries in doubt")
def list_flags(
    service: Here, _key: ListReader, after: After = None, limit: Limit = 50
) -> FlagsAnswer:
    """Those that nobody has settled."""
    with service.database.reading() as connection:
        found = open_flags(connection, after=FlagId(after) if after else None, limit=limit + 1)
    shown = found[:limit]
    return FlagsAnswer.model_validate(
        {
            "flags": [each.as_fields() for each in shown],
            "after": shown[-1].id if len(found) > limit else None,
        }
    )


@router.post(
    "/flags/{flag}",
    summary="Withdraw an entry in doubt, or keep it",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_ABSENT,
)
def settle(service: Here, key: ListWriter, flag: Number, settling: Settling) -> Response:
    """The entry itself is not shown."""
    with service.database.writing() as connection:
        settle_flag(
            connection,
            FlagId(flag),
            settling.outcome,
            actor_of(key),
            service.clock,
            reason=settling.reason,
        )
    return Response(status_code=HTTPStatus.NO_CONTENT)
