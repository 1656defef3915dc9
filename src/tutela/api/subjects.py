"""``/v1/subjects``: the platform supplies what it knows of those whom a confirmed case concerns."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Security

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.report_documents import SentSubject, SuppliedAnswer
from tutela.api.service import Here, Permitted
from tutela.cases.model import read_case_id
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.beginning import refill_case
from tutela.reporting.drafts.supplying import supply

router = APIRouter(
    prefix="/v1/subjects",
    tags=["reports"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
Supplier = Annotated[ApiKey, Security(Permitted(Permission.SUBJECTS_WRITE))]
Key = Annotated[
    str,
    Path(
        min_length=1,
        max_length=200,
        description="What you call the account, as in the event `subject.wanted`.",
        examples=["user-5"],
    ),
]


@router.post("/{key:path}/data", summary="Supply what you know of a case")
def supply_data(service: Here, caller: Supplier, key: Key, sent: SentSubject) -> SuppliedAnswer:
    """Only of a case that is confirmed and about this account, and only what a channel knows.

    Any other field is refused, so that it is never kept. What you sent for this case before is
    replaced. Drafts of its reports are brought up to date.
    """
    case, who = read_case_id(sent.case), caller_of_key(caller)
    desk = Desk(service.settings, service.database, service.screening.vault, service.clock)
    with service.database.writing() as connection:
        supply(
            connection,
            desk.secrets,
            key,
            case,
            sent.supplied(),
            caller=who,
            clock=service.clock,
        )
    return SuppliedAnswer(case=case, drafts=list(refill_case(desk, case, who)))
