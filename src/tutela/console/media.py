"""What a case is about, let out to the eyes of whoever holds it: asked for, fetched once, ended.

Asking is what the ledger knows of: it is committed before there is an address to fetch anything
from. That address works once, within a minute, in the session that asked. Nothing of it is kept by
a browser or written to a log.
"""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from tutela.accounts.permissions import Permission
from tutela.cases.exposure import exposure_today
from tutela.cases.model import CaseId, read_case_id
from tutela.cases.resting import RestDueError, is_much
from tutela.cases.showing import read_words, show
from tutela.cases.viewing import (
    HEARD_EVERY_SECONDS,
    NotProvedError,
    Why,
    Wish,
    begin,
    end,
    hear,
)
from tutela.cases.viewings import Viewing, find_viewing
from tutela.console import headers
from tutela.console.frame import page_router
from tutela.console.house import Here, House, Number
from tutela.console.places import place_text
from tutela.console.visiting import PROVE, Visitor, visitor
from tutela.errors import NotFoundError, NotPermittedError
from tutela.sandbox.model import Level, Rendering, Shown

router = page_router()
Viewer = Annotated[Visitor, Depends(visitor(Permission.EVIDENCE_VIEW))]
_RowNumber = Annotated[int, Query(ge=1, le=2**63 - 1)]
_ITEM = "/cases/{number}/items/{item}"
_FETCHED_AS = ("empty", "image")


class Wanted(BaseModel):
    """How clearly somebody wants to see an item, and why."""

    level: Level
    why: Why
    colour: bool = False
    # Which part: by its place, or from that of a viewing on.
    place: str | None = Field(None, max_length=4096)
    of: int | None = Field(None, ge=1, le=2**63 - 1)
    step: Literal[-1, 0, 1] = 0


class InSight(BaseModel):
    """What a page still shows."""

    viewings: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] = Field(max_length=100)


@router.post(_ITEM + "/viewings")
def ask(viewer: Viewer, house: Here, number: str, item: Number, wanted: Wanted) -> JSONResponse:
    """Write down who is about to see what and why, and say where it can be fetched, once."""
    case = read_case_id(number)
    try:
        viewing = written_down(house, viewer, Wish(case, item, **wanted.model_dump()))
    except NotProvedError:
        return _answer({"lead": f"{PROVE}?next=/cases/{case}"}, HTTPStatus.FORBIDDEN)
    except RestDueError as error:
        return _answer({"rest": error.rest.kind}, HTTPStatus.CONFLICT)
    return _answer(
        {
            "viewing": viewing.id,
            "address": f"/cases/{case}/items/{item}/{viewing.level}?viewing={viewing.id}",
            "every": HEARD_EVERY_SECONDS,
        }
    )


def written_down(
    house: House, viewer: Visitor, wish: Wish, stays: timedelta = timedelta(0)
) -> Viewing:
    """Write down who is about to see what and why: committed, as ``viewing.begin`` has it."""
    with house.database.writing() as connection:
        return begin(
            connection,
            wish,
            viewer.caller,
            house.clock,
            house.settings,
            session=viewer.session.id,
            proved=viewer.session.is_proved(house.settings, house.clock),
            stays=stays,
        )


@router.get(_ITEM + "/veil")
@router.get(_ITEM + "/part")
@router.get(_ITEM + "/whole")
def fetch(
    request: Request, viewer: Viewer, house: Here, number: str, item: Number, viewing: _RowNumber
) -> Response:
    """Let out what was asked for, once."""
    _check_fetched(request)
    level = Level(request.url.path.rpartition("/")[2])
    _check_address(viewer, house, viewing, (read_case_id(number), item, level))
    rendering = show(
        house.vault,
        house.showing,
        viewing,
        viewer.caller,
        session=viewer.session.id,
        most_bytes=house.settings.care.largest_mib << 20,
    )
    facts = _places(rendering, viewer)
    if rendering.shown is Shown.NOTHING:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _answer({"reason": rendering.reason}, status, facts)
    facts |= {
        "Tutela-Shown": rendering.shown,
        "Tutela-Frames": str(rendering.frames),
        "Tutela-Seconds": "" if rendering.seconds is None else f"{rendering.seconds:.0f}",
        "Tutela-Faces": "" if rendering.faces is None else str(rendering.faces),
    }
    return Response(rendering.jpeg, media_type="image/jpeg", headers={**headers.MEDIA, **facts})


@router.get(_ITEM + "/words")
def fetch_words(
    request: Request, viewer: Viewer, house: Here, number: str, item: Number, viewing: _RowNumber
) -> JSONResponse:
    """Let out the words that were asked for, once."""
    _check_fetched(request)
    _check_address(viewer, house, viewing, (read_case_id(number), item, Level.WHOLE))
    words, more = read_words(house.vault, viewing, viewer.caller, session=viewer.session.id)
    return _answer({"words": words, "more": more})


@router.post("/viewings/heard")
def still_in_sight(viewer: Viewer, house: Here, in_sight: InSight) -> JSONResponse:
    """The page says what it still shows; the answer says what of it has to go."""
    with house.database.writing() as connection:
        over = [
            each
            for each in in_sight.viewings
            if not hear(connection, each, viewer.caller, viewer.session.id, house.clock)
        ]
    return _answer({"over": over})


@router.post("/viewings/{viewing}/end")
def out_of_sight(viewer: Viewer, house: Here, viewing: Number) -> JSONResponse:
    """It is out of sight; the answer says whether the person has seen much today."""
    with house.database.writing() as connection:
        ended = end(connection, viewing, viewer.caller, viewer.session.id, house.clock)
        today = exposure_today(connection, ended.person, house.clock)
    return _answer({"seconds": ended.seconds, "much": is_much(today, house.settings.care)})


def _places(rendering: Rendering, viewer: Visitor) -> dict[str, str]:
    """Where in the file it is, in the viewer's words, and whether there is more to go to.

    Not the places beside it themselves: names within a file can be longer than a header may be.
    """
    steps = [name for name in ("before", "after") if getattr(rendering, name) is not None]
    place = rendering.place
    words = "" if place is None else place_text(place, viewer.language.texts)
    return {"Tutela-Place": quote(words), "Tutela-Steps": " ".join(steps)}


def _check_fetched(request: Request) -> None:
    """Let only the case's own page fetch it: no tab, no frame, no other site.

    Raises:
        NotPermittedError: Something else asks.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    destination = request.headers.get("sec-fetch-dest", "empty")
    if site != "same-origin" or destination not in _FETCHED_AS:
        raise NotPermittedError("this is shown on the page of its case alone")


def _check_address(
    viewer: Visitor, house: House, viewing: int, place: tuple[CaseId, int, Level]
) -> None:
    """See that a viewing is the one that this address was given for.

    Raises:
        NotFoundError: It is not.
    """
    with house.database.reading() as connection:
        found = find_viewing(connection, viewing, viewer.person.id, viewer.session.id)
    if place != (found.case, found.item, found.level):
        raise NotFoundError("there is nothing to see here: go back to the case and ask again")


def _answer(
    values: dict[str, object], status: int = HTTPStatus.OK, facts: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(values, status, headers={**headers.MEDIA, **(facts or {})})
