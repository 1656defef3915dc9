"""``/ledger``: who did what, and the proof that it is unaltered."""

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, Response

from tutela.accounts.keys import key_names
from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import Permission
from tutela.cases.model import read_case_id
from tutela.console.days import beginning_of, read_day
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError, TutelaError
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.model import Act
from tutela.ledger.proving import Proof, prove
from tutela.ledger.reading import entries_counted, find_entry, words_of
from tutela.ledger.searching import Found, Wanted, search
from tutela.ledger.verifications import (
    ask_for_verification,
    find_verification,
    newest_verifications,
)

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.LEDGER_READ))]
EntryNumber = Annotated[int, Path(ge=0, le=2**63 - 1)]

_A_PAGE = 50
_DAY = timedelta(days=1)
Asked = Annotated[str, Query(max_length=100)]


@router.get("/ledger")
def show_ledger(
    request: Request,
    house: Here,
    reader: Reader,
    *,
    case: Asked = "",
    actor: Asked = "",
    act: Asked = "",
    since: Asked = "",
    until: Asked = "",
    before: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
) -> HTMLResponse:
    """What was done, the newest first."""
    asked = {"case": case, "actor": actor, "act": act, "since": since, "until": until}
    asked = {name: value.strip() for name, value in asked.items() if value.strip()}
    wrong: TutelaError | None = None
    found = Found((), None)
    with house.database.reading() as connection:
        try:
            found = search(connection, _wanted(asked), limit=_A_PAGE, before=before)
        except InvalidInputError as error:
            wrong = error
        size = entries_counted(connection)
        newest = newest_verifications(connection, 1)
        words = words_of(connection, found.entries)
        names = names_in_ledger(house)
    signed = house.checkpoints.newest()
    return show(
        request,
        reader,
        "ledger.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        asked=asked,
        refused=wrong,
        entries=found.entries,
        words=words,
        names=names,
        next_page=_page(asked | {"before": str(found.before)}) if found.before else None,
        size=size,
        covered=signed.checkpoint.size if signed else 0,
        verification=newest[0] if newest else None,
        acts=sorted(Act),
    )


@router.post("/ledger/verifications")
def verify(house: Here, reader: Reader) -> Response:
    """Have the whole ledger verified in the background."""
    with house.database.writing() as connection:
        ask_for_verification(connection, reader.caller.actor, house.clock)
    return go(house, "/ledger")


@router.get("/ledger/verifications/{verification}")
def show_verification(
    request: Request, house: Here, reader: Reader, verification: Number
) -> HTMLResponse:
    """How far a verification is: a part of the page, which asks for it now and then."""
    with house.database.reading() as connection:
        found = find_verification(connection, verification)
    return show(request, reader, "parts/verification.html", verification=found)


@router.get("/ledger/{entry}")
def show_entry(request: Request, house: Here, reader: Reader, entry: EntryNumber) -> HTMLResponse:
    """One entry, and that it is unaltered."""
    with house.database.reading() as connection:
        found = find_entry(connection, entry)
        words = words_of(connection, [found])
    proof: Proof | None = None
    wrong: TutelaError | None = None
    try:
        proof = prove(house.database, _checkpoints(house), entry)
    except TutelaError as error:
        wrong = error
    return show(
        request,
        reader,
        "entry.html",
        entry=found,
        words=words,
        names=names_in_ledger(house),
        proof=proof,
        refused=wrong,
    )


@router.get("/ledger/{entry}/proof")
def download_proof(house: Here, _reader: Reader, entry: EntryNumber) -> Response:
    """The proof as a file that anyone can check."""
    proof = prove(house.database, _checkpoints(house), entry)
    return Response(
        json.dumps(proof.as_fields(), indent=1) + "\n",
        media_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="tutela-ledger-{entry}.json"',
            "Cache-Control": "no-store",
        },
    )


def names_in_ledger(house: House) -> dict[str, str]:
    """What people call those who act in the ledger, by what it calls them."""
    with house.database.reading() as connection:
        names = {f"person:{number}": name for number, name in names_of_people(connection).items()}
        return names | key_names(connection)


def _wanted(asked: dict[str, str]) -> Wanted:
    case = asked.get("case")
    since, until = (read_day(asked.get(each, "")) for each in ("since", "until"))
    return Wanted(
        case=read_case_id(case) if case else None,
        actor=asked.get("actor"),
        act=asked.get("act"),
        since=beginning_of(since) if since else None,
        until=beginning_of(until) + _DAY if until else None,
    )


def _page(asked: dict[str, str]) -> str:
    return f"/ledger?{urlencode(asked)}"


def _checkpoints(house: House) -> Checkpoints:
    # Those of the house are for the thread that keeps them up.
    return Checkpoints(house.database, house.settings, house.clock)
