"""``/v1/cases``: what there is to decide on, and what people decided. Acts are in ``case_work``."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Security

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey, PersonId
from tutela.accounts.permissions import Permission
from tutela.api.case_documents import (
    GREATEST,
    AlikeAnswer,
    CaseAnswer,
    CasesAnswer,
    QueuedAnswer,
    SchemeAnswer,
    SchemesAnswer,
)
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted
from tutela.cases.alike import alike
from tutela.cases.grounds import undoable_since
from tutela.cases.joining import LONGEST_KEY
from tutela.cases.listing import end_of, listed
from tutela.cases.model import read_case_id
from tutela.cases.queue import Place
from tutela.cases.reading import enter_read, read_case
from tutela.cases.schemes import all_schemes
from tutela.cases.searching import By, enter_search
from tutela.cases.states import State
from tutela.cases.telling import queued_fields, whole_fields

router = APIRouter(
    tags=["cases"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.CASES_READ))]
_Person = Annotated[int | None, Query(ge=1, le=GREATEST)]


@router.get(
    "/v1/cases", summary="Cases that fit, a page at a time", response_model_exclude_none=True
)
def list_cases(
    service: Here,
    key: Reader,
    *,
    state: Annotated[State | None, Query(description="Where they stand.")] = None,
    subject: Annotated[str | None, Query(max_length=LONGEST_KEY)] = None,
    assigned_to: _Person = None,
    held_by: _Person = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
    after: Annotated[
        str | None, Query(max_length=60, description="What the page before gave as `next`.")
    ] = None,
) -> CasesAnswer:
    """The newest first; those of one state in the order in which they come up.

    That order tells how well a list knows a file: without `screen:details` they too come the
    newest first.
    """
    details = Permission.SCREEN_DETAILS in key.permissions
    with service.database.reading() as connection:
        page = listed(
            connection,
            state=state,
            subject=subject,
            assigned_to=None if assigned_to is None else PersonId(assigned_to),
            held_by=None if held_by is None else PersonId(held_by),
            limit=limit,
            after=None if after is None else Place.read(after),
            ranked=details,
        )
    if subject is not None:
        with service.database.writing() as connection:
            enter_search(connection, By.SUBJECT, bool(page), caller_of_key(key), service.clock)
    now = service.clock()
    by_rank = (
        details and state is not None and (subject, assigned_to, held_by) == (None, None, None)
    )
    end = end_of(page, by_rank=by_rank) if len(page) == limit else None
    return CasesAnswer(
        cases=[
            QueuedAnswer.model_validate(queued_fields(row, now, details=details)) for row in page
        ],
        next=end.text if end else None,
    )


@router.get("/v1/cases/{case}", summary="One case", responses=problems(HTTPStatus.NOT_FOUND))
def show_case(service: Here, key: Reader, case: str) -> CaseAnswer:
    """By its number, in either case, with or without dashes. The ledger tells who read it."""
    caller = caller_of_key(key)
    with service.database.reading() as connection:
        undo_since = undoable_since(service.clock, service.settings.review)
        found = read_case(connection, read_case_id(case), caller, undo_since)
    if not found.is_held_by(caller.person, service.clock()):
        # Whoever holds it is in the ledger already, since they took it.
        with service.database.writing() as connection:
            enter_read(connection, found.id, caller, service.clock)
    details = Permission.SCREEN_DETAILS in key.permissions
    return CaseAnswer.model_validate(whole_fields(found, service.clock(), details=details))


@router.get("/v1/cases/{case}/alike", summary="Open cases with the same files")
def list_alike(service: Here, _key: Reader, case: str) -> AlikeAnswer:
    """Those that have nothing in them but files that are confirmed in this one."""
    with service.database.reading() as connection:
        found = alike(connection, read_case_id(case), service.clock, service.settings)
    return AlikeAnswer(cases=found)


@router.get("/v1/label-schemes", summary="The schemes that labels are taken from")
def list_schemes(service: Here, _key: Reader) -> SchemesAnswer:
    """Tutela's own and the operator's, each with its version."""
    return SchemesAnswer(
        schemes=[
            SchemeAnswer.model_validate(scheme, from_attributes=True)
            for scheme in all_schemes(service.settings)
        ]
    )
