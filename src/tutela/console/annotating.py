"""What people say of a case: labels, facts, notes, whose it is, that it is over, or not yet."""

from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from tutela.accounts.model import PersonId
from tutela.accounts.permissions import Permission
from tutela.cases.alike import confirm_alike
from tutela.cases.assigning import assign
from tutela.cases.closing import close, reopen
from tutela.cases.facts import said_facts
from tutela.cases.labelling import label, unlabel
from tutela.cases.marking import mark
from tutela.cases.model import CaseId
from tutela.cases.noting import note
from tutela.console.deciding import do
from tutela.console.frame import go, page_router
from tutela.console.house import Here, Number
from tutela.console.opening import read_due
from tutela.console.visiting import Visitor, visitor

router = page_router()
Reviewer = Annotated[Visitor, Depends(visitor(Permission.CASES_REVIEW))]
Lead = Annotated[Visitor, Depends(visitor(Permission.CASES_LEAD))]
Words = Annotated[str, Form()]


@router.post("/cases/{case}/notes")
def write_note(
    request: Request, reviewer: Reviewer, house: Here, case: str, words: Words = ""
) -> Response:
    """Write a note for those who work on the case after."""

    def act(connection: Connection, case: CaseId) -> Response:
        note(connection, case, words, reviewer.caller, house.clock)
        return go(house, f"/cases/{case}", "said_noted")

    return do(request, reviewer, house, case, act)


@router.post("/cases/{case}/labels")
def add_label(
    request: Request,
    reviewer: Reviewer,
    house: Here,
    case: str,
    chosen: Annotated[str, Form()] = "",
    item: Annotated[int, Form(ge=0, le=2**63 - 1)] = 0,
) -> Response:
    """Label the case, or one of its items; 0 for the case as a whole."""
    scheme, _, code = chosen.partition("/")

    def act(connection: Connection, case: CaseId) -> Response:
        label(
            connection,
            case,
            scheme,
            code,
            reviewer.caller,
            house.clock,
            settings=house.settings,
            item=item or None,
        )
        return go(house, f"/cases/{case}", "said_labelled")

    return do(request, reviewer, house, case, act)


@router.post("/cases/{case}/labels/{number}/remove")
def remove_label(
    request: Request, reviewer: Reviewer, house: Here, case: str, number: Number
) -> Response:
    """Take a label away."""

    def act(connection: Connection, case: CaseId) -> Response:
        unlabel(connection, case, number, reviewer.caller, house.clock)
        return go(house, f"/cases/{case}", "said_unlabelled")

    return do(request, reviewer, house, case, act)


@router.post("/cases/{case}/facts")
def change_facts(
    request: Request,
    reviewer: Reviewer,
    house: Here,
    case: str,
    facts: Annotated[list[str] | None, Form()] = None,
    due: Annotated[str, Form()] = "",
) -> Response:
    """Say what makes the case more urgent, and until when it has to be decided."""

    def act(connection: Connection, case: CaseId) -> Response:
        said = said_facts(facts or ())
        mark(connection, case, said, read_due(due), reviewer.caller, house.clock)
        return go(house, f"/cases/{case}", "said_marked")

    return do(request, reviewer, house, case, act)


@router.post("/cases/{case}/assign")
def assign_case(
    request: Request,
    lead: Lead,
    house: Here,
    case: str,
    person: Annotated[int, Form(ge=0, le=2**63 - 1)] = 0,
) -> Response:
    """Say whose it is; 0 for everybody's."""

    def act(connection: Connection, case: CaseId) -> Response:
        assign(connection, case, PersonId(person) if person else None, lead.caller, house.clock)
        return go(house, f"/cases/{case}", "said_assigned")

    return do(request, lead, house, case, act)


@router.post("/cases/{case}/close")
def close_case(request: Request, lead: Lead, house: Here, case: str, words: Words = "") -> Response:
    """Say that nothing is left to do."""

    def act(connection: Connection, case: CaseId) -> Response:
        close(
            connection,
            case,
            lead.caller,
            house.clock,
            reason=words,
            undo_seconds=house.settings.review.undo_seconds,
        )
        return go(house, f"/cases/{case}", "said_closed")

    return do(request, lead, house, case, act)


@router.post("/cases/{case}/reopen")
def reopen_case(
    request: Request, lead: Lead, house: Here, case: str, words: Words = ""
) -> Response:
    """Have it decided anew."""

    def act(connection: Connection, case: CaseId) -> Response:
        reopen(
            connection,
            case,
            lead.caller,
            house.clock,
            reason=words,
            undo_seconds=house.settings.review.undo_seconds,
        )
        return go(house, f"/cases/{case}", "said_reopened")

    return do(request, lead, house, case, act)


@router.post("/cases/{case}/alike")
def confirm_the_same(
    request: Request,
    reviewer: Reviewer,
    house: Here,
    case: str,
    others: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Confirm other cases because the same files are confirmed in this one."""

    def act(connection: Connection, case: CaseId) -> Response:
        chosen = [CaseId(other) for other in others or ()]
        done = confirm_alike(connection, case, chosen, reviewer.caller, house.clock, house.settings)
        said = "said_alike_some" if done.left else "said_alike"
        return go(house, f"/cases/{case}", said, str(len(done.decided)))

    return do(request, reviewer, house, case, act)
