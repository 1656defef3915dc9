"""``/v1/cases``: taking cases, deciding on them, and all else that people do with them."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response, Security

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey, PersonId
from tutela.accounts.permissions import Permission
from tutela.api.case_documents import (
    GREATEST,
    BulkAnswer,
    HoldAnswer,
    MadeAnswer,
    OutcomeAnswer,
    SentAssignment,
    SentBulk,
    SentDecision,
    SentFacts,
    SentHold,
    SentLabel,
    SentNext,
    SentNote,
    SentReason,
    SentSettlement,
    StateAnswer,
)
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, Service
from tutela.cases.alike import confirm_alike
from tutela.cases.assigning import assign
from tutela.cases.closing import close, reopen
from tutela.cases.deciding import decide, settle, undo
from tutela.cases.facts import said_facts
from tutela.cases.labelling import label, unlabel
from tutela.cases.marking import mark
from tutela.cases.model import CaseId, read_case_id
from tutela.cases.moving import give_back, keep_hold, state_of, take
from tutela.cases.noting import note
from tutela.cases.queue import next_case
from tutela.cases.resting import see_rested
from tutela.cases.telling import hold_fields, outcome_fields

router = APIRouter(
    prefix="/v1/cases",
    tags=["cases"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
Reviewer = Annotated[ApiKey, Security(Permitted(Permission.CASES_REVIEW))]
Lead = Annotated[ApiKey, Security(Permitted(Permission.CASES_LEAD))]


@router.post(
    "/next",
    summary="Take the case that is yours to do next",
    responses={HTTPStatus.NO_CONTENT.value: {"description": "Nothing waits for you."}},
    response_model=HoldAnswer,
)
def take_next(service: Here, key: Reviewer, how: SentNext) -> HoldAnswer | Response:
    """What is assigned to you comes first. Refused while you have to rest."""
    caller = caller_of_key(key)
    with service.database.reading() as connection:
        see_rested(connection, caller.person, service.clock, service.settings)
    with service.database.writing() as connection:
        hold = next_case(connection, caller, service.clock, service.settings, calm=how.calm)
    if hold is None:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return HoldAnswer.model_validate(hold_fields(hold))


@router.post("/{case}/take", summary="Have a case to yourself")
def take_case(service: Here, key: Reviewer, case: str) -> HoldAnswer:
    """Taking again what you have keeps it for longer. Refused while you have to rest."""
    caller, review = caller_of_key(key), service.settings.review
    with service.database.writing() as connection:
        see_rested(connection, caller.person, service.clock, service.settings)
        hold = take(
            connection,
            read_case_id(case),
            caller,
            service.clock,
            review.hold_minutes,
            undo_seconds=review.undo_seconds,
        )
    return HoldAnswer.model_validate(hold_fields(hold))


@router.post("/{case}/keep", summary="Go on having a case")
def keep_case(service: Here, key: Reviewer, case: str, sent: SentHold) -> HoldAnswer:
    """Call it while somebody works on the case, or others may have it."""
    minutes = service.settings.review.hold_minutes
    with service.database.writing() as connection:
        hold = keep_hold(
            connection, read_case_id(case), caller_of_key(key), service.clock, sent.hold, minutes
        )
    return HoldAnswer.model_validate(hold_fields(hold))


@router.post("/{case}/give-back", summary="Put a case back")
def give_case_back(service: Here, key: Reviewer, case: str, sent: SentHold) -> StateAnswer:
    """It goes to where it was taken from."""
    number = read_case_id(case)
    with service.database.writing() as connection:
        give_back(
            connection,
            number,
            caller_of_key(key),
            service.clock,
            sent.hold,
            reason=sent.reason,
        )
    return _standing(service, number)


@router.post("/{case}/decide", summary="Decide on a case that you hold")
def decide_case(service: Here, key: Reviewer, case: str, sent: SentDecision) -> OutcomeAnswer:
    """Nobody outside is told while it can be undone. It needs a key that belongs to a person."""
    number = read_case_id(case)
    with service.database.writing() as connection:
        outcome = decide(
            connection,
            number,
            sent.decision,
            caller_of_key(key),
            service.clock,
            service.settings,
            hold=sent.hold,
            basis=sent.basis,
            reason=sent.reason,
            ask_second=sent.ask_second,
        )
    return OutcomeAnswer.model_validate(outcome_fields(number, outcome))


@router.post("/{case}/undo", summary="Take your decision back")
def undo_decision(service: Here, key: Reviewer, case: str) -> StateAnswer:
    """Within the seconds that the settings give. If you held the case, you hold it again."""
    number = read_case_id(case)
    with service.database.writing() as connection:
        undo(connection, number, caller_of_key(key), service.clock, service.settings)
    return _standing(service, number)


@router.post("/{case}/settle", summary="Decide what two people did not agree on")
def settle_case(service: Here, key: Lead, case: str, sent: SentSettlement) -> OutcomeAnswer:
    """Only by a lead who is neither of the two."""
    number = read_case_id(case)
    with service.database.writing() as connection:
        outcome = settle(
            connection,
            number,
            sent.decision,
            caller_of_key(key),
            service.clock,
            service.settings,
            basis=sent.basis,
            reason=sent.reason,
        )
    return OutcomeAnswer.model_validate(outcome_fields(number, outcome))


@router.post("/{case}/close", summary="Close a case")
def close_case(service: Here, key: Lead, case: str, sent: SentReason) -> StateAnswer:
    """Once it is decided, and nothing is left to do."""
    number = read_case_id(case)
    with service.database.writing() as connection:
        close(
            connection,
            number,
            caller_of_key(key),
            service.clock,
            reason=sent.reason,
            undo_seconds=service.settings.review.undo_seconds,
        )
    return _standing(service, number)


@router.post("/{case}/reopen", summary="Have a case decided anew")
def reopen_case(service: Here, key: Lead, case: str, sent: SentReason) -> StateAnswer:
    """What was decided stays on record, and counts no more."""
    number = read_case_id(case)
    with service.database.writing() as connection:
        reopen(
            connection,
            number,
            caller_of_key(key),
            service.clock,
            reason=sent.reason,
            undo_seconds=service.settings.review.undo_seconds,
        )
    return _standing(service, number)


@router.post("/{case}/assign", summary="Say whose a case is")
def assign_case(service: Here, key: Lead, case: str, sent: SentAssignment) -> StateAnswer:
    """They are given it first, and nobody else is given it."""
    number = read_case_id(case)
    person = None if sent.person is None else PersonId(sent.person)
    with service.database.writing() as connection:
        assign(connection, number, person, caller_of_key(key), service.clock, reason=sent.reason)
    return _standing(service, number)


@router.post("/{case}/labels", summary="Label a case or an item")
def label_case(service: Here, key: Reviewer, case: str, sent: SentLabel) -> MadeAnswer:
    """By one of `/v1/label-schemes`."""
    with service.database.writing() as connection:
        made = label(
            connection,
            read_case_id(case),
            sent.scheme,
            sent.label,
            caller_of_key(key),
            service.clock,
            settings=service.settings,
            item=sent.item,
        )
    return MadeAnswer(id=made)


@router.delete("/{case}/labels/{number}", summary="Take a label away")
def unlabel_case(
    service: Here, key: Reviewer, case: str, number: Annotated[int, Path(ge=1, le=GREATEST)]
) -> StateAnswer:
    """That it was there stays on record."""
    of = read_case_id(case)
    with service.database.writing() as connection:
        unlabel(connection, of, number, caller_of_key(key), service.clock)
    return _standing(service, of)


@router.post("/{case}/notes", summary="Write a note")
def note_on_case(service: Here, key: Reviewer, case: str, sent: SentNote) -> MadeAnswer:
    """For those who work with the case. It is never sent outside."""
    with service.database.writing() as connection:
        made = note(connection, read_case_id(case), sent.words, caller_of_key(key), service.clock)
    return MadeAnswer(id=made)


@router.put("/{case}/facts", summary="Say what makes a case urgent")
def mark_case(service: Here, key: Reviewer, case: str, sent: SentFacts) -> StateAnswer:
    """What Tutela finds out by itself stays."""
    number = read_case_id(case)
    with service.database.writing() as connection:
        mark(
            connection,
            number,
            said_facts(sent.facts),
            sent.due_at,
            caller_of_key(key),
            service.clock,
        )
    return _standing(service, number)


@router.post("/{case}/alike", summary="Confirm cases with the same files together")
def confirm_cases_alike(service: Here, key: Reviewer, case: str, sent: SentBulk) -> BulkAnswer:
    """One decision each, with an entry of its own in the ledger."""
    with service.database.writing() as connection:
        done = confirm_alike(
            connection,
            read_case_id(case),
            [read_case_id(each) for each in sent.cases],
            caller_of_key(key),
            service.clock,
            service.settings,
            reason=sent.reason,
        )
    return BulkAnswer(decided=list(done.decided), left=list(done.left))


def _standing(service: Service, case: CaseId) -> StateAnswer:
    with service.database.reading() as connection:
        return StateAnswer(case=case, state=state_of(connection, case))
