"""``/v1/ledger``: who did what, and the proof that it is unaltered."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Security
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, Service, actor_of
from tutela.cases.model import read_case_id
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.model import Act, Entry
from tutela.ledger.proving import prove
from tutela.ledger.reading import find_entry, read_head, words_of
from tutela.ledger.searching import Wanted, search
from tutela.ledger.verifications import (
    KeptVerification,
    ask_for_verification,
    find_verification,
    newest_verifications,
)

router = APIRouter(
    prefix="/v1/ledger",
    tags=["ledger"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.LEDGER_READ))]

_GREATEST = 2**63 - 1
_SHOWN_VERIFICATIONS = 20
Number = Annotated[int, Path(ge=0, le=_GREATEST, description="The entry's number.")]


class EntryAnswer(BaseModel):
    """One act."""

    entry: int = Field(description="Its number: 0 for the first, without gaps.")
    at: datetime
    actor: str = Field(description="Who did it.", examples=["person:3"])
    role: str = Field(description="In which capacity.", examples=["person"])
    face: str = Field(description="From where.", examples=["console"])
    act: str = Field(description="What was done.", examples=["case.moved"])
    case: str | None
    item: str | None
    thing: str | None = Field(description="Another thing that it is about.", examples=["list:3"])
    reason: str | None = Field(description="Why, in a person's own words, if they are kept.")
    reason_erased: bool = Field(description="Whether there were such words, and were erased.")


class EntriesAnswer(BaseModel):
    """Entries, the newest first."""

    entries: list[EntryAnswer]
    before: int | None = Field(
        description="Ask with this for the next page, which may be there even if this one is "
        "short; `null` at the end."
    )


class HeadAnswer(BaseModel):
    """The ledger as it is, and its newest checkpoint."""

    origin: str = Field(description="The ledger's name.")
    size: int = Field(description="How many entries it has.")
    covered: int = Field(description="How many of them are below the newest checkpoint.")
    key: str = Field(description="By what checkpoints and proofs are verified.")


class VerificationAnswer(BaseModel):
    """A verification of the whole ledger."""

    verification: int
    asked_at: datetime
    asked_by: str
    ended_at: datetime | None = Field(description="`null` while it is under way.")
    sound: bool | None = Field(description="Whether all is as it was written.")
    entries: int | None
    checkpoints: int | None
    covered: int | None
    findings: int | None = Field(description="How much is not as it was written.")
    first_findings: list[dict[str, Any]]


class VerificationsAnswer(BaseModel):
    """The newest verifications, the newest first."""

    verifications: list[VerificationAnswer]


@router.get("", summary="What was done")
def list_entries(
    service: Here,
    _key: Reader,
    *,
    case: Annotated[
        str | None, Query(max_length=30, description="Only what was done on this case.")
    ] = None,
    actor: Annotated[
        str | None,
        Query(
            pattern=r"^[!-~]{1,100}$",
            description="Only what these did: `person:3`, `key:5`, `os:1000`, `tutela`.",
        ),
    ] = None,
    act: Annotated[Act | None, Query(description="Only such acts.")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Not earlier than this.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Earlier than this.")] = None,
    before: Annotated[
        int | None, Query(ge=0, le=_GREATEST, description="From the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
) -> EntriesAnswer:
    """The newest first."""
    wanted = Wanted(case and read_case_id(case), actor, act, since, until)
    with service.database.reading() as connection:
        found = search(connection, wanted, limit=limit, before=before)
        return EntriesAnswer(entries=_answers(connection, *found.entries), before=found.before)


@router.get("/head", summary="How long the ledger is, and who signs it")
def show_head(service: Here, _key: Reader) -> HeadAnswer:
    """Needed to verify checkpoints elsewhere."""
    with service.database.reading() as connection:
        head = read_head(connection)
    newest = service.checkpoints.newest()
    return HeadAnswer(
        origin=head.origin,
        size=head.size,
        covered=newest.checkpoint.size if newest else 0,
        key=str(_checkpoints(service).verifier()),
    )


@router.get("/verifications", summary="The newest verifications")
def list_verifications(service: Here, _key: Reader) -> VerificationsAnswer:
    """The newest first, 20 of them."""
    with service.database.reading() as connection:
        found = newest_verifications(connection, _SHOWN_VERIFICATIONS)
    return VerificationsAnswer(verifications=[_verification(each) for each in found])


@router.post("/verifications", summary="Have the ledger verified", status_code=HTTPStatus.ACCEPTED)
def verify(service: Here, key: Reader) -> VerificationAnswer:
    """In the background: ask for its number until it has ended. One that waits is not doubled."""
    with service.database.writing() as connection:
        return _verification(ask_for_verification(connection, actor_of(key), service.clock))


@router.get(
    "/verifications/{verification}",
    summary="One verification",
    responses=problems(HTTPStatus.NOT_FOUND),
)
def show_verification(
    service: Here, _key: Reader, verification: Annotated[int, Path(ge=1, le=_GREATEST)]
) -> VerificationAnswer:
    """Whether it has ended, and what came of it."""
    with service.database.reading() as connection:
        return _verification(find_verification(connection, verification))


@router.get("/{entry}", summary="One entry", responses=problems(HTTPStatus.NOT_FOUND))
def show_entry(service: Here, _key: Reader, entry: Number) -> EntryAnswer:
    """By its number."""
    with service.database.reading() as connection:
        return _answers(connection, find_entry(connection, entry))[0]


@router.get("/{entry}/proof", summary="The proof of an entry",
            responses=problems(HTTPStatus.NOT_FOUND))  # fmt: skip
def prove_entry(
    service: Here,
    _key: Reader,
    entry: Number,
    words: Annotated[bool, Query(description="Show the words that say why, too.")] = False,
) -> dict[str, Any]:
    """For anyone to check with `docs/verify_proof.py`, who needs nothing else of this house."""
    proof = prove(service.database, _checkpoints(service), entry, with_words=words)
    return proof.as_fields()


def _checkpoints(service: Service) -> Checkpoints:
    # Those of the service are for the thread that keeps them up.
    return Checkpoints(service.database, service.settings, service.clock)


def _answers(connection: Connection, *entries: Entry) -> list[EntryAnswer]:
    words = words_of(connection, entries)
    return [
        EntryAnswer(
            entry=each.number,
            at=each.at,
            actor=each.actor,
            role=each.role,
            face=each.face,
            act=each.act,
            case=each.case,
            item=each.item,
            thing=each.thing,
            reason=words.get(each.number),
            reason_erased=each.reason is not None and each.number not in words,
        )
        for each in entries
    ]


def _verification(kept: KeptVerification) -> VerificationAnswer:
    return VerificationAnswer(
        verification=kept.id,
        asked_at=kept.asked_at,
        asked_by=kept.asked_by,
        ended_at=kept.ended_at,
        sound=None if kept.findings is None else kept.findings == 0,
        entries=kept.entries,
        checkpoints=kept.checkpoints,
        covered=kept.covered,
        findings=kept.findings,
        first_findings=[dict(each) for each in kept.first_findings],
    )
