"""``/appeals``: the person concerned says that it is a mistake."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import Response

from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import Permission
from tutela.cases.appealing import (
    LONGEST_WORDS,
    AppealId,
    AppealOutcome,
    decide_appeal,
    find_appeal,
    receive_appeal,
    waiting_appeals,
)
from tutela.cases.model import read_case_id
from tutela.cases.moving import has_decided
from tutela.console.case import case_page
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError, OutOfTurnError, TutelaError

router = page_router()
Opener = Annotated[Visitor, Depends(visitor(Permission.CASES_OPEN))]
Reader = Annotated[Visitor, Depends(visitor(Permission.CASES_READ))]
Lead = Annotated[Visitor, Depends(visitor(Permission.CASES_LEAD))]

_A_PAGE = 50


@router.get("/appeals")
def list_appeals(
    request: Request,
    house: Here,
    reader: Reader,
    after: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """The appeals that wait for a decision, the oldest first."""
    with house.database.reading() as connection:
        found = waiting_appeals(
            connection,
            reader.caller,
            after=AppealId(after) if after else None,
            limit=_A_PAGE + 1,
        )
        names = names_of_people(connection)
    return show(
        request,
        reader,
        "appeals.html",
        appeals=found[:_A_PAGE],
        names=names,
        next_page=found[_A_PAGE - 1].id if len(found) > _A_PAGE else None,
    )


@router.get("/appeals/{appeal}")
def show_appeal(request: Request, house: Here, reader: Reader, appeal: Number) -> Response:
    """One appeal, and for leads what is said in it and a form to decide it."""
    return _page(request, house, reader, AppealId(appeal))


@router.post("/appeals/{appeal}")
def decide(
    request: Request,
    house: Here,
    lead: Lead,
    appeal: Number,
    outcome: Annotated[AppealOutcome, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Decide it. It takes effect at once."""
    number = AppealId(appeal)
    try:
        with house.database.writing() as connection:
            decided = decide_appeal(
                connection, number, outcome, lead.caller, house.clock, reason=reason
            )
    except InvalidInputError as error:
        return _page(request, house, lead, number, wrong=error, status=422)
    except OutOfTurnError as error:
        return _page(request, house, lead, number, wrong=error, status=409)
    return go(house, "/appeals", f"said_appeal_{outcome}", decided.case)


@router.post("/cases/{number}/appeal")
def take_in(
    request: Request,
    house: Here,
    opener: Opener,
    number: str,
    words: Annotated[str, Form(max_length=LONGEST_WORDS)] = "",
) -> Response:
    """Take an appeal in by hand, on the page of its case."""
    case = read_case_id(number)
    try:
        with house.database.writing() as connection:
            receive_appeal(
                connection,
                case,
                words,
                opener.caller,
                house.clock,
                undo_seconds=house.settings.review.undo_seconds,
            )
    except OutOfTurnError as error:
        return case_page(request, opener, house, case, wrong=error, status=409)
    return go(house, f"/cases/{case}", "said_appeal_taken_in", case)


def _page(
    request: Request,
    house: House,
    person: Visitor,
    appeal: AppealId,
    *,
    wrong: TutelaError | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    with house.database.reading() as connection:
        found = find_appeal(connection, appeal, person.caller)
        barred = has_decided(connection, found.case, person.caller)
        names = names_of_people(connection)
    return show(
        request,
        person,
        "appeal.html",
        status=status,
        appeal=found,
        barred=barred,
        names=names,
        outcomes=list(AppealOutcome),
        wrong=wrong,
    )
