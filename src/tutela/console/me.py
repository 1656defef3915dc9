"""``/me``: my wellbeing: what I looked at, how I am shown things, my breaks, and who can help."""

from datetime import timedelta
from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from tutela.accounts.permissions import Permission
from tutela.cases.comfort import (
    LONGEST_PEEK,
    SHORTEST_PEEK,
    Comfort,
    Reveal,
    Size,
    choose_comfort,
    comfort_of,
    time_zones,
)
from tutela.cases.exposure import exposure_by_day
from tutela.cases.pauses import pauses_of
from tutela.cases.pausing import come_back, take_break
from tutela.cases.resting import is_much, rest_due
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House
from tutela.console.visiting import Anyone, Visitor
from tutela.errors import InvalidInputError

router = page_router()


class Wanted(BaseModel):
    """How somebody wants to be shown things, as the form has it."""

    opens: bool = True
    colour: bool = False
    size: Size = Size.SMALL
    reveal: Reveal = Reveal.HOLD
    longest_peek: int = Comfort().longest_peek
    time_zone: str = Field("UTC", max_length=60)


@router.get("/me")
def show_me(request: Request, visitor: Anyone, house: Here) -> HTMLResponse:
    """What somebody looked at, how they are shown things, their breaks, and who can help."""
    return _page(request, visitor, house)


@router.post("/me/comfort", response_model=None)
def change_comfort(
    request: Request,
    visitor: Anyone,
    house: Here,
    wanted: Annotated[Wanted, Form()],
) -> HTMLResponse | RedirectResponse:
    """Remember how somebody wants to be shown things."""
    wish = Comfort(
        veils=wanted.opens,
        grey=not wanted.colour,
        size=wanted.size,
        reveal=wanted.reveal,
        longest_peek=wanted.longest_peek,
        time_zone=wanted.time_zone,
    )
    try:
        with house.database.writing() as connection:
            choose_comfort(connection, visitor.person.id, wish)
    except InvalidInputError as error:
        return _page(request, visitor, house, wish=wish, refused=error)
    return go(house, "/me#comfort", "said_comfort")


@router.post("/me/break")
def begin_break(visitor: Anyone, house: Here) -> RedirectResponse:
    """Give back whatever somebody holds, and give them nothing until they come back."""
    with house.database.writing() as connection:
        given_back = take_break(connection, visitor.caller, house.clock)
    said = "said_break" if given_back else ""
    return go(house, "/rest", said, str(len(given_back)))


@router.post("/me/back")
def end_break(visitor: Anyone, house: Here) -> RedirectResponse:
    """They are back."""
    with house.database.writing() as connection:
        come_back(connection, visitor.caller, house.clock)
    return go(house, "/queue" if visitor.may(Permission.CASES_READ) else "/me", "said_back")


@router.get("/rest", response_model=None)
def show_rest(request: Request, visitor: Anyone, house: Here) -> HTMLResponse | RedirectResponse:
    """Say that somebody rests now, why and until when."""
    with house.database.reading() as connection:
        rest = rest_due(connection, visitor.person.id, house.clock, house.settings)
    if rest is None:
        return go(house, "/queue" if visitor.may(Permission.CASES_READ) else "/me")
    return show(request, visitor, "rest.html", rest=rest, care=house.settings.care)


def _page(
    request: Request,
    visitor: Visitor,
    house: House,
    *,
    wish: Comfort | None = None,
    refused: InvalidInputError | None = None,
) -> HTMLResponse:
    with house.database.reading() as connection:
        values = _values(connection, visitor, house)
        comfort = wish or comfort_of(connection, visitor.person.id)
    return show(
        request,
        visitor,
        "me.html",
        status=422 if refused else 200,
        comfort=comfort,
        refused=refused,
        sizes=tuple(Size),
        reveals=tuple(Reveal),
        shortest_peek=SHORTEST_PEEK,
        longest_peek=LONGEST_PEEK,
        zones=time_zones(),
        care=house.settings.care,
        **values,
    )


def _values(connection: Connection, visitor: Visitor, house: House) -> dict[str, object]:
    me = visitor.person.id
    days = exposure_by_day(connection, me, house.clock)
    lately = pauses_of(connection, [me], house.clock() - timedelta(days=7))
    return {
        "looks": visitor.may(Permission.EVIDENCE_VIEW),
        "today": days[0],
        "days": days,
        "much": is_much(days[0], house.settings.care),
        "rest": rest_due(connection, me, house.clock, house.settings),
        "pauses": lately.get(me, [])[::-1],
    }
