"""``/cases/NUMBER/evidence``: how long evidence is kept, what holds it, and who may have it."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from tutela.accounts.keys import bearers, ids_of, own_key
from tutela.accounts.model import ApiKey
from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import Permission
from tutela.cases.dossiers import dossier_of, media_type
from tutela.cases.model import CaseId, read_case_id
from tutela.cases.naming_evidence import find_subject
from tutela.cases.reading import find_case
from tutela.console.days import beginning_of, read_day
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import (
    InvalidInputError,
    NotAgreedError,
    NotFoundError,
    NotPermittedError,
    TutelaError,
)
from tutela.evidence.assigning import assign_rule, confirm_rule, confirmations, rule_called
from tutela.evidence.daily import destroy_due_of
from tutela.evidence.disclosure.exhibits import exhibits_of
from tutela.evidence.disclosure.packaging import Office, present
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.evidence.disclosure.requesting import agree, ask, disclosures_of, refuse
from tutela.evidence.events import (
    EventId,
    agree_to_event,
    events_about,
    record_event,
    withdraw_event,
)
from tutela.evidence.holds import hold, holds_about, release
from tutela.evidence.model import ItemId
from tutela.evidence.retention import EventKind, LegalEvent
from tutela.evidence.rules import RuleBook, open_rule_book
from tutela.evidence.standing import Standing, standings_of
from tutela.evidence.subjects import Subject
from tutela.evidence.verifying import verify

router = page_router()
Keeper = Annotated[Visitor, Depends(visitor(Permission.EVIDENCE_KEEP, proved=True))]
Discloser = Annotated[Visitor, Depends(visitor(Permission.EVIDENCE_DISCLOSE, proved=True))]
Text = Annotated[str, Form(max_length=3000)]


class Recordable(StrEnum):
    """What people record here. An order to destroy comes with the destruction itself."""

    REPORT_FINISHED = EventKind.REPORT_FINISHED
    PRESERVATION_LETTER = EventKind.PRESERVATION_LETTER
    DESTRUCTION_REQUESTED = EventKind.DESTRUCTION_REQUESTED


@router.get("/cases/{number}/evidence")
def show_evidence(request: Request, house: Here, keeper: Keeper, number: str) -> HTMLResponse:
    """The evidence of a case."""
    return _page(request, house, keeper, read_case_id(number))


@router.post("/cases/{number}/evidence/holds", response_model=None)
def hold_evidence(
    request: Request, house: Here, keeper: Keeper, number: str, *, reference: Text, reason: Text
) -> Response:
    """Have it kept, whatever its clock says."""

    def act(connection: Connection, subject: Subject) -> None:
        hold(
            connection,
            subject,
            keeper.caller.actor,
            house.clock,
            reference=reference,
            reason=reason,
        )

    return _do(request, house, keeper, number, act, "said_held")


@router.post("/cases/{number}/evidence/releases", response_model=None)
def release_evidence(
    request: Request, house: Here, keeper: Keeper, number: str, *, reference: Text, reason: Text
) -> Response:
    """End a hold."""

    def act(connection: Connection, subject: Subject) -> None:
        release(
            connection,
            subject,
            keeper.caller.actor,
            house.clock,
            reference=reference,
            reason=reason,
        )

    return _do(request, house, keeper, number, act, "said_released")


@router.post("/cases/{number}/evidence/events", response_model=None)
def record(
    request: Request,
    house: Here,
    keeper: Keeper,
    number: str,
    *,
    kind: Annotated[Recordable, Form()],
    reference: Text,
    reason: Text,
    at: Text = "",
    until: Text = "",
) -> Response:
    """Write down what happened in law."""

    def act(connection: Connection, subject: Subject) -> None:
        day = read_day(at)
        event = LegalEvent(
            kind=EventKind(kind),
            at=beginning_of(day) if day else house.clock(),
            reference=reference,
            until=read_day(until),
        )
        record_event(connection, subject, event, keeper.caller.actor, house.clock, reason=reason)

    return _do(request, house, keeper, number, act, "said_event_recorded")


@router.post("/cases/{number}/evidence/events/{event}/withdraw", response_model=None)
def withdraw(
    request: Request, house: Here, keeper: Keeper, number: str, event: Number, *, reason: Text
) -> Response:
    """Take back what was written down by mistake."""

    def act(connection: Connection, subject: Subject) -> None:
        _refuse_others(connection, subject, event)
        withdraw_event(connection, EventId(event), keeper.caller.actor, house.clock, reason=reason)

    return _do(request, house, keeper, number, act, "said_event_withdrawn")


@router.post("/cases/{number}/evidence/events/{event}/agree", response_model=None)
def agree_to_what_happened(
    request: Request, house: Here, keeper: Keeper, number: str, event: Number
) -> Response:
    """Agree to what another person wrote down."""

    def act(connection: Connection, subject: Subject) -> None:
        _refuse_others(connection, subject, event)
        own = ids_of(connection, keeper.person.id)
        agree_to_event(connection, EventId(event), keeper.caller.actor, own, house.clock)

    return _do(request, house, keeper, number, act, "said_event_agreed")


@router.post("/cases/{number}/evidence/verify", response_model=None)
def verify_evidence(request: Request, house: Here, keeper: Keeper, number: str) -> Response:
    """Read it, and see that each bit is as it was sealed."""
    case = read_case_id(number)
    with house.database.reading() as connection:
        sealed = list(find_case(connection, case).evidence)
    found = list(verify(house.vault, sealed, keeper.caller.actor))
    damaged = [each.problem for each in found if each.problem]
    if damaged:
        return _page(request, house, keeper, case, refused=damaged)
    return go(house, f"/cases/{case}/evidence", "said_evidence_sound", str(len(found)))


@router.post("/cases/{number}/evidence/rule", response_model=None)
def assign(
    request: Request, house: Here, keeper: Keeper, number: str, *, rule: Text, reason: Text
) -> Response:
    """Keep it under another rule from now on, or for good."""

    def act(connection: Connection, subject: Subject) -> None:
        chosen = rule_called(open_rule_book(house.settings), rule)
        assign_rule(connection, subject, chosen, keeper.caller.actor, house.clock, reason=reason)

    return _do(request, house, keeper, number, act, "said_rule_assigned")


@router.post("/cases/{number}/evidence/confirmations", response_model=None)
def confirm(
    request: Request, house: Here, keeper: Keeper, number: str, *, rule: Text, reason: Text
) -> Response:
    """Stand for a rule that nobody has compared with the law."""

    def act(connection: Connection, _subject: Subject) -> None:
        found = open_rule_book(house.settings).named(rule)
        confirm_rule(connection, found, keeper.caller.actor, house.clock, reason=reason)

    return _do(request, house, keeper, number, act, "said_rule_confirmed")


@router.post("/cases/{number}/evidence/destruction", response_model=None)
def destroy(
    request: Request, house: Here, keeper: Keeper, number: str, *, reason: Text
) -> Response:
    """Destroy what is due of it, for good."""
    case = read_case_id(number)
    with house.database.reading() as connection:
        subject = find_subject(connection, case)
    try:
        destroyed = destroy_due_of(
            house.vault,
            subject,
            keeper.caller.actor,
            reason=reason,
            max_gap_days=house.settings.max_clock_gap_days,
        )
    except (InvalidInputError, NotPermittedError) as error:
        return _page(request, house, keeper, case, refused=[error])
    return go(house, f"/cases/{case}/evidence", "said_destroyed", str(len(destroyed)))


@router.post("/cases/{number}/evidence/disclosures", response_model=None)
def ask_for_disclosure(
    request: Request,
    house: Here,
    discloser: Discloser,
    number: str,
    *,
    authority: Text,
    reference: Text,
    legal_basis: Text,
    recipients: Annotated[str, Form(max_length=100_000)],
) -> Response:
    """Ask for a case to be handed to an authority. Another person has to agree."""

    def act(connection: Connection, subject: Subject) -> None:
        ask(
            connection,
            _key(connection, discloser),
            subject.case,
            exhibits_of(connection, dossier_of(connection, subject.case), frozenset[ItemId]()),
            read_recipients(recipients, "the authority's keys"),
            authority=authority,
            legal_basis=legal_basis,
            reference=reference,
            clock=house.clock,
            face="console",
        )

    return _do(request, house, discloser, number, act, "said_disclosure_asked")


@router.post("/cases/{number}/evidence/disclosures/{disclosure}/agree", response_model=None)
def agree_to_disclosure(
    request: Request, house: Here, discloser: Discloser, number: str, disclosure: Number
) -> Response:
    """Agree to what another person asked for."""

    def act(connection: Connection, _subject: Subject) -> None:
        _, _, exhibits = present(connection, _office(house), disclosure)
        key = _key(connection, discloser)
        agree(connection, key, disclosure, exhibits, house.clock, face="console")

    return _do(request, house, discloser, number, act, "said_disclosure_agreed")


@router.post("/cases/{number}/evidence/disclosures/{disclosure}/refuse", response_model=None)
def refuse_disclosure(
    request: Request,
    house: Here,
    discloser: Discloser,
    number: str,
    disclosure: Number,
    *,
    reason: Text,
) -> Response:
    """Refuse a request, or take an agreement back."""

    def act(connection: Connection, _subject: Subject) -> None:
        key = _key(connection, discloser)
        refuse(connection, key, disclosure, reason, house.clock, face="console")

    return _do(request, house, discloser, number, act, "said_disclosure_refused")


def _refuse_others(connection: Connection, subject: Subject, event: int) -> None:
    if event not in {each.id for each in events_about(connection, subject)}:
        raise NotFoundError(f"there is no event {event} of this case")


def _do(
    request: Request,
    house: House,
    person: Visitor,
    number: str,
    act: Callable[[Connection, Subject], None],
    said: str,
) -> Response:
    case = read_case_id(number)
    try:
        with house.database.writing() as connection:
            act(connection, find_subject(connection, case))
    except (InvalidInputError, NotAgreedError, NotPermittedError) as error:
        return _page(request, house, person, case, refused=[error])
    return go(house, f"/cases/{case}/evidence", said, case)


def _page(
    request: Request,
    house: House,
    person: Visitor,
    case: CaseId,
    *,
    refused: Sequence[TutelaError | str] = (),
) -> HTMLResponse:
    now = house.clock()
    subject = Subject(case)
    book = open_rule_book(house.settings)
    with house.database.reading() as connection:
        found = find_case(connection, case)
        items = [each.id for each in found.evidence]
        standings = standings_of(connection, book, items, now)
        asked = disclosures_of(connection, case)
        names = {f"person:{who}": name for who, name in names_of_people(connection).items()}
        values = {
            "evidence": found.evidence,
            "standings": {each.item: each for each in standings},
            "any_due": any(each.due.is_due(now) for each in standings),
            "rules": sorted(rule.name for rule in book.rules.values()),
            "unsure": _unsure(book, standings, confirmations(connection)),
            "holds": holds_about(connection, subject),
            "events": events_about(connection, subject),
            "disclosures": asked,
            "names": names | bearers(connection),
            "key": own_key(connection, person.person.id, Permission.EVIDENCE_DISCLOSE),
        }
    return show(
        request,
        person,
        "evidence.html",
        status=422 if refused else 200,
        case=case,
        now=now,
        refused=refused,
        kinds=list(Recordable),
        is_due=partial(_is_due, now),
        **values,
    )


def _unsure(book: RuleBook, standings: Sequence[Standing], confirmed: Collection[str]) -> list[str]:
    """The rules that evidence of a case is kept under, and that nobody stands for."""
    named = {each.rule for each in standings}
    return sorted(
        rule.name
        for rule in book.rules.values()
        if rule.name in named and not rule.is_verified and rule.digest not in confirmed
    )


def _is_due(now: datetime, standing: object) -> bool:
    due = getattr(standing, "due", None)
    return due is not None and due.is_due(now)


def _key(connection: Connection, person: Visitor) -> ApiKey:
    key = own_key(connection, person.person.id, Permission.EVIDENCE_DISCLOSE)
    if key is None:
        raise NotPermittedError(
            "you need a key of your own for this, with the scope evidence:disclose: ask an "
            "administrator to make one for you"
        )
    return key


def _office(house: House) -> Office:
    return Office(house.settings, house.vault, dossier_of, media_type)
