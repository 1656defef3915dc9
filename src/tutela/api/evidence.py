"""``/v1/evidence``: how long evidence is kept, what holds it, and who may have it.

Nothing of its content is given out. A package for an authority is made on the machine itself.
"""

from datetime import UTC, date, datetime, time
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Security
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from tutela.accounts.keys import ids_of
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, Service, actor_of
from tutela.cases.dossiers import dossier_of, media_type
from tutela.cases.model import read_case_id
from tutela.cases.naming_evidence import find_subject
from tutela.cases.reading import find_case
from tutela.evidence.assigning import assign_rule, confirm_rule, confirmations, rule_called
from tutela.evidence.daily import destroy_due_of
from tutela.evidence.disclosure.exhibits import exhibits_of
from tutela.evidence.disclosure.model import Disclosure
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
from tutela.evidence.model import read_item_id
from tutela.evidence.retention import EventKind, LegalEvent, Period
from tutela.evidence.rules import open_rule_book
from tutela.evidence.standing import standings_of
from tutela.evidence.subjects import Subject, items_of
from tutela.evidence.verifying import verify

router = APIRouter(
    prefix="/v1/evidence",
    tags=["evidence"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
Keeper = Annotated[ApiKey, Security(Permitted(Permission.EVIDENCE_KEEP))]
Discloser = Annotated[ApiKey, Security(Permitted(Permission.EVIDENCE_DISCLOSE))]
Named = Annotated[
    str, Path(max_length=40, description="A piece of evidence, or a case for all its evidence.")
]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Words = Annotated[str, Field(min_length=1, max_length=1000)]


class Recordable(StrEnum):
    """What is recorded here. An order to destroy comes with the destruction itself."""

    REPORT_FINISHED = EventKind.REPORT_FINISHED
    PRESERVATION_LETTER = EventKind.PRESERVATION_LETTER
    DESTRUCTION_REQUESTED = EventKind.DESTRUCTION_REQUESTED


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HoldWish(_Sent):
    """That evidence is to be held, or a hold to be released."""

    reference: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="What the sender calls it: a file number."
    )
    reason: Words = Field(description="Why. The ledger keeps it.")


class NewEvent(_Sent):
    """What happened in law."""

    kind: Recordable
    reference: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Words
    at: date | None = Field(None, description="When; today if it is left out.")
    until: date | None = Field(None, description="A letter's last day.")
    period: str | None = Field(None, max_length=20, description="A letter's period: `90d`, `1y`.")


class Why(_Sent):
    """Why something is done."""

    reason: Words


class NewDisclosure(_Sent):
    """That a case is to be handed to an authority."""

    authority: Annotated[str, Field(min_length=1, max_length=300)]
    reference: Annotated[str, Field(min_length=1, max_length=300)]
    legal_basis: Annotated[str, Field(min_length=1, max_length=3000)]
    recipients: Annotated[str, Field(min_length=1, max_length=100_000)] = Field(
        description="The authority's public keys for age, one a line."
    )
    without: list[str] = Field(default_factory=list, description="Items whose files are left out.")


class EvidenceAnswer(BaseModel):
    """How evidence stands: its clock, its holds, what happened to it in law."""

    case: str
    item: str | None
    evidence: list[dict[str, Any]] = Field(description="Each piece: its rule, and when it is due.")
    holds: list[dict[str, Any]]
    events: list[dict[str, Any]]


class RuleWish(Why):
    """Under which rule evidence is to be kept."""

    rule: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="The rule, as `/v1/evidence/rules` names it; `none` to keep it for good.",
        examples=["us-2258a@1"],
    )


class RuleAnswer(BaseModel):
    """A rule of how long evidence is kept."""

    rule: str = Field(examples=["us-2258a@1"])
    jurisdiction: str = Field(examples=["US"])
    terms: str = Field(examples=["at least 1 year from report finished"])
    verified: bool = Field(description="Whether somebody compared it with the law.")
    confirmed: bool = Field(description="Whether somebody here stands for it as it reads.")
    in_force: bool = Field(description="Whether what is sealed now is kept under it.")


class DestroyedAnswer(BaseModel):
    """What was destroyed."""

    destroyed: list[str] = Field(description="The pieces of evidence; none if none was due.")


class VerifiedAnswer(BaseModel):
    """Whether each bit is as it was sealed."""

    sound: int
    damaged: list[str] = Field(description="What is wrong with each that is not.")


@router.get("/rules", summary="The rules of how long evidence is kept")
def list_rules(service: Here, _key: Keeper) -> list[RuleAnswer]:
    """Which of them are sure, which one is in force, and who stands for the others."""
    book = open_rule_book(service.settings)
    with service.database.reading() as connection:
        confirmed = confirmations(connection)
    return [
        RuleAnswer(
            rule=rule.name,
            jurisdiction=rule.jurisdiction,
            terms=f"{rule.bound.replace('-', ' ')} {rule.period} from "
            f"{rule.starts.replace('-', ' ')}",
            verified=rule.is_verified,
            confirmed=rule.digest in confirmed,
            in_force=rule is book.current,
        )
        for rule in sorted(book.rules.values(), key=lambda rule: (rule.jurisdiction, rule.name))
    ]


@router.post(
    "/rules/{rule}/confirmation",
    summary="Stand for a rule",
    status_code=HTTPStatus.NO_CONTENT,
)
def confirm(service: Here, key: Keeper, rule: Named, why: Why) -> None:
    """Stand for an unverified rule as it reads now: what is due by it is destroyed from then on."""
    found = open_rule_book(service.settings).named(rule)
    with service.database.writing() as connection:
        confirm_rule(connection, found, actor_of(key), service.clock, reason=why.reason)


@router.get("/{subject}", summary="How evidence stands")
def show_evidence(service: Here, _key: Keeper, subject: Named) -> EvidenceAnswer:
    """Its rule and clock, its holds, and what happened to it in law."""
    with service.database.reading() as connection:
        return _answer(connection, service, find_subject(connection, subject))


@router.post("/{subject}/holds", summary="Hold evidence")
def hold_evidence(service: Here, key: Keeper, subject: Named, wish: HoldWish) -> EvidenceAnswer:
    """It is kept until this hold is released, whatever its clock says."""
    with service.database.writing() as connection:
        about = find_subject(connection, subject)
        hold(
            connection,
            about,
            actor_of(key),
            service.clock,
            reference=wish.reference,
            reason=wish.reason,
        )
        return _answer(connection, service, about)


@router.post("/{subject}/releases", summary="Release a hold")
def release_evidence(service: Here, key: Keeper, subject: Named, wish: HoldWish) -> EvidenceAnswer:
    """Other holds stay, and the clock goes on as if this one had never been."""
    with service.database.writing() as connection:
        about = find_subject(connection, subject)
        release(
            connection,
            about,
            actor_of(key),
            service.clock,
            reference=wish.reference,
            reason=wish.reason,
        )
        return _answer(connection, service, about)


@router.post("/{subject}/events", summary="Record what happened in law")
def record(service: Here, key: Keeper, subject: Named, new: NewEvent) -> EvidenceAnswer:
    """A finished report, a preservation letter, or a request for destruction."""
    event = LegalEvent(
        kind=EventKind(new.kind),
        at=datetime.combine(new.at, time(), UTC) if new.at else service.clock(),
        reference=new.reference,
        until=new.until,
        period=Period.read(new.period) if new.period else None,
    )
    with service.database.writing() as connection:
        about = find_subject(connection, subject)
        record_event(connection, about, event, actor_of(key), service.clock, reason=new.reason)
        return _answer(connection, service, about)


@router.post("/events/{event}/withdrawal", summary="Take an event back")
def withdraw(service: Here, key: Keeper, event: Number, why: Why) -> EvidenceAnswer:
    """One that was recorded by mistake, or that its sender took back."""
    with service.database.writing() as connection:
        taken = withdraw_event(
            connection, EventId(event), actor_of(key), service.clock, reason=why.reason
        )
        return _answer(connection, service, taken.subject)


@router.post("/events/{event}/agreement", summary="Agree to an event")
def agree_to_what_happened(service: Here, key: Keeper, event: Number) -> EvidenceAnswer:
    """To a request for destruction that another person recorded, with a key of your own."""
    with service.database.writing() as connection:
        own = ids_of(connection, key.owner)
        agreed = agree_to_event(connection, EventId(event), actor_of(key), own, service.clock)
        return _answer(connection, service, agreed.subject)


@router.post("/{subject}/verification", summary="Verify evidence")
def verify_evidence(service: Here, key: Keeper, subject: Named) -> VerifiedAnswer:
    """Read it, and see that each bit is as it was sealed."""
    with service.database.reading() as connection:
        about = find_subject(connection, subject)
        items = set(items_of(connection, about))
        sealed = [
            each
            for each in find_case(connection, read_case_id(about.case)).evidence
            if each.id in items
        ]
    found = list(verify(service.screening.vault, sealed, actor_of(key)))
    damaged = [each.problem for each in found if each.problem]
    return VerifiedAnswer(sound=len(found) - len(damaged), damaged=damaged)


@router.post("/{subject}/rule", summary="Keep evidence under another rule")
def assign(service: Here, key: Keeper, subject: Named, wish: RuleWish) -> EvidenceAnswer:
    """From now on; or for good, by the rule `none`."""
    rule = rule_called(open_rule_book(service.settings), wish.rule)
    with service.database.writing() as connection:
        about = find_subject(connection, subject)
        assign_rule(connection, about, rule, actor_of(key), service.clock, reason=wish.reason)
        return _answer(connection, service, about)


@router.post("/{subject}/destruction", summary="Destroy what is due")
def destroy(service: Here, key: Keeper, subject: Named, why: Why) -> DestroyedAnswer:
    """For good, and only what is due: what is held or not due is left.

    What somebody orders to be destroyed before it is due is destroyed on the machine itself, by
    `tutela evidence destroy --ordered-by`.
    """
    with service.database.reading() as connection:
        about = find_subject(connection, subject)
    destroyed = destroy_due_of(
        service.screening.vault,
        about,
        actor_of(key),
        reason=why.reason,
        max_gap_days=service.settings.max_clock_gap_days,
    )
    return DestroyedAnswer(destroyed=list(destroyed))


@router.get("/{case}/disclosures", summary="Who asked for a case")
def list_disclosures(service: Here, _key: Discloser, case: Named) -> list[dict[str, Any]]:
    """Every request to hand it over, the newest first."""
    with service.database.reading() as connection:
        return [each.as_fields() for each in disclosures_of(connection, read_case_id(case))]


@router.post("/{case}/disclosures", summary="Ask for a disclosure", status_code=HTTPStatus.CREATED)
def ask_for_disclosure(
    service: Here, key: Discloser, case: Named, new: NewDisclosure
) -> dict[str, Any]:
    """Another person has to agree, with a key of their own, within a week."""
    number = read_case_id(case)
    left_out = frozenset(read_item_id(each) for each in new.without)
    recipients = read_recipients(new.recipients, "recipients")
    with service.database.writing() as connection:
        asked = ask(
            connection,
            key,
            number,
            exhibits_of(connection, dossier_of(connection, number), left_out),
            recipients,
            authority=new.authority,
            legal_basis=new.legal_basis,
            reference=new.reference,
            clock=service.clock,
            face="api",
        )
    return asked.as_fields()


@router.post("/disclosures/{disclosure}/agreement", summary="Agree to a disclosure")
def agree_to(service: Here, key: Discloser, disclosure: Number) -> dict[str, Any]:
    """As another person than the one who asked. The package is made on the machine."""
    office = Office(service.settings, service.screening.vault, dossier_of, media_type)
    with service.database.writing() as connection:
        _, _, exhibits = present(connection, office, disclosure)
        agreed: Disclosure = agree(connection, key, disclosure, exhibits, service.clock, face="api")
    return agreed.as_fields()


@router.post("/disclosures/{disclosure}/refusal", summary="Refuse a disclosure")
def refuse_to(service: Here, key: Discloser, disclosure: Number, why: Why) -> dict[str, Any]:
    """Or take an agreement back."""
    with service.database.writing() as connection:
        refused = refuse(connection, key, disclosure, why.reason, service.clock, face="api")
    return refused.as_fields()


def _answer(connection: Connection, service: Service, about: Subject) -> EvidenceAnswer:
    now = service.clock()
    book = open_rule_book(service.settings)
    standings = standings_of(connection, book, items_of(connection, about), now)
    return EvidenceAnswer(
        case=about.case,
        item=about.item,
        evidence=[each.as_fields(now) for each in standings],
        holds=[
            {
                "reference": each.reference,
                "item": each.subject.item,
                "reason": each.reason,
                "held_at": each.held_at.isoformat(),
                "held_by": each.held_by,
                "released_at": each.released_at.isoformat() if each.released_at else None,
            }
            for each in holds_about(connection, about)
        ],
        events=[
            {
                "event": each.id,
                "item": each.subject.item,
                "kind": each.event.kind,
                "at": each.event.at.isoformat(),
                "reference": each.event.reference,
                "reason": each.reason,
                "recorded_by": each.recorded_by,
                "counts": each.counts,
                "agreed_at": each.agreed_at.isoformat() if each.agreed_at else None,
                "agreed_by": each.agreed_by,
                "withdrawn_at": each.withdrawn_at.isoformat() if each.withdrawn_at else None,
            }
            for each in events_about(connection, about)
        ],
    )
