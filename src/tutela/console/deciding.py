"""What people do on the page of a case: take it, keep it, give it back, decide, and undo that."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from tutela.accounts.permissions import Permission
from tutela.cases.deciding import Decision, decide, settle, undo
from tutela.cases.grounds import Basis
from tutela.cases.model import CaseId, read_case_id
from tutela.cases.moving import give_back, keep_hold, take
from tutela.cases.resting import RestDueError, see_rested
from tutela.cases.states import State
from tutela.console.case import case_page
from tutela.console.frame import go, page_router
from tutela.console.house import Here, House
from tutela.console.reasons import kept_reason
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError, OutOfTurnError

router = page_router()
Reviewer = Annotated[Visitor, Depends(visitor(Permission.CASES_REVIEW))]
Lead = Annotated[Visitor, Depends(visitor(Permission.CASES_LEAD))]
HoldNumber = Annotated[int, Form(alias="hold", ge=0, le=2**63 - 1)]


class Taken(BaseModel):
    """A decision, as the page sends it."""

    decision: Decision
    basis: Basis
    hold: int = Field(0, ge=0, le=2**63 - 1)
    picked: str = ""
    words: str = ""
    second: bool = False


_SAID = {
    State.CONFIRMED: "said_confirmed",
    State.NOT_CONFIRMED: "said_not_confirmed",
    State.SECOND_LOOK: "said_sent_on",
    State.DISPUTED: "said_disputed",
}


def do(
    request: Request,
    person: Visitor,
    house: House,
    asked: str,
    act: Callable[[Connection, CaseId], Response],
) -> Response:
    """Do something with a case in one transaction, or show its page, which says why not.

    Args:
        request: What is answered.
        person: Who does it.
        house: The house.
        asked: The case's number, as it stands in the address.
        act: Does it, and gives the answer.
    """
    case = read_case_id(asked)
    try:
        with house.database.writing() as connection:
            return act(connection, case)
    except RestDueError:
        return go(house, "/rest")
    except OutOfTurnError as error:
        return case_page(request, person, house, case, wrong=error, status=409)
    except InvalidInputError as error:
        return case_page(request, person, house, case, wrong=error, status=422)


@router.post("/cases/{case}/take")
def take_case(request: Request, reviewer: Reviewer, house: Here, case: str) -> Response:
    """Have this case to oneself."""

    def act(connection: Connection, case: CaseId) -> Response:
        review = house.settings.review
        see_rested(connection, reviewer.person.id, house.clock, house.settings)
        take(
            connection,
            case,
            reviewer.caller,
            house.clock,
            review.hold_minutes,
            undo_seconds=review.undo_seconds,
        )
        return go(house, f"/cases/{case}")

    return do(request, reviewer, house, case, act)


@router.post("/cases/{case}/keep")
def keep_case(
    request: Request, reviewer: Reviewer, house: Here, case: str, hold: HoldNumber
) -> Response:
    """Go on having it."""

    def act(connection: Connection, case: CaseId) -> Response:
        minutes = house.settings.review.hold_minutes
        keep_hold(connection, case, reviewer.caller, house.clock, hold, minutes)
        return go(house, f"/cases/{case}")

    return do(request, reviewer, house, case, act)


@router.post("/cases/{case}/give-back")
def give_case_back(
    request: Request, reviewer: Reviewer, house: Here, case: str, hold: HoldNumber
) -> Response:
    """Put it back into the queue."""

    def act(connection: Connection, case: CaseId) -> Response:
        give_back(connection, case, reviewer.caller, house.clock, hold)
        return go(house, "/queue", "said_given_back", case)

    return do(request, reviewer, house, case, act)


@router.post("/cases/{case}/decide")
def decide_case(
    request: Request,
    reviewer: Reviewer,
    house: Here,
    case: str,
    taken: Annotated[Taken, Form()],
) -> Response:
    """Decide what it is."""

    def act(connection: Connection, case: CaseId) -> Response:
        outcome = decide(
            connection,
            case,
            taken.decision,
            reviewer.caller,
            house.clock,
            house.settings,
            hold=taken.hold,
            basis=taken.basis,
            reason=kept_reason(taken.picked, taken.words),
            ask_second=taken.second,
        )
        return go(house, "/queue", _SAID[outcome.state], case)

    return do(request, reviewer, house, case, act)


@router.post("/cases/{case}/settle")
def settle_case(
    request: Request,
    lead: Lead,
    house: Here,
    case: str,
    taken: Annotated[Taken, Form()],
) -> Response:
    """Settle what two people did not agree on."""

    def act(connection: Connection, case: CaseId) -> Response:
        outcome = settle(
            connection,
            case,
            taken.decision,
            lead.caller,
            house.clock,
            house.settings,
            basis=taken.basis,
            reason=kept_reason(taken.picked, taken.words),
        )
        return go(house, "/queue?tab=disputed", _SAID[outcome.state], case)

    return do(request, lead, house, case, act)


@router.post("/cases/{case}/undo")
def undo_decision(request: Request, reviewer: Reviewer, house: Here, case: str) -> Response:
    """Take one's own last decision back."""

    def act(connection: Connection, case: CaseId) -> Response:
        undo(connection, case, reviewer.caller, house.clock, house.settings)
        return go(house, f"/cases/{case}", "said_undone", case)

    return do(request, reviewer, house, case, act)
