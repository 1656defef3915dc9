"""``/queue``: the cases that wait, and the next one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import Permission
from tutela.cases.facts import facts_told
from tutela.cases.listing import listed
from tutela.cases.model import CaseId, read_case_id
from tutela.cases.overview import decided, held, undoable
from tutela.cases.queue import (
    MOST_COUNTED,
    Place,
    Queued,
    assigned_to,
    counted,
    held_by,
    next_case,
)
from tutela.cases.resting import rest_due
from tutela.cases.states import State
from tutela.cases.waiting import why
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.CASES_READ))]
Reviewer = Annotated[Visitor, Depends(visitor(Permission.CASES_REVIEW))]

_ON_A_PAGE = 50


class Tab(StrEnum):
    """A list of cases."""

    WAITING = "waiting"
    SECOND_LOOK = "second-look"
    DISPUTED = "disputed"
    MINE = "mine"
    HELD = "held"
    DECIDED = "decided"

    @property
    def key(self) -> str:
        """What its texts are called by."""
        return self.replace("-", "_")


class Only(StrEnum):
    """Which cases of a list are shown."""

    SEVERE = "severe"
    CALM = "calm"


_STATES: Mapping[Tab, State] = {
    Tab.WAITING: State.OPEN,
    Tab.SECOND_LOOK: State.SECOND_LOOK,
    Tab.DISPUTED: State.DISPUTED,
}
_MOMENTS: Mapping[Tab, Callable[[Queued], datetime | None]] = {
    Tab.HELD: lambda row: row.held_until,
    Tab.DECIDED: lambda row: row.decided_at,
}


@dataclass(frozen=True, slots=True)
class _Wish:
    tab: Tab
    only: Only | None
    after: Place | None


@router.get("/queue")
def show_queue(
    request: Request,
    reader: Reader,
    house: Here,
    tab: Annotated[Tab, Query()] = Tab.WAITING,
    only: Annotated[Only | None, Query()] = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
) -> HTMLResponse:
    """The cases that wait, and those that somebody works on."""
    wish = _Wish(tab, only, _read_place(after))
    details = reader.may(Permission.SCREEN_DETAILS)
    with house.database.reading() as connection:
        rows = _rows(connection, wish, reader)
        more = len(rows) > _ON_A_PAGE
        rows = rows[:_ON_A_PAGE]
        return show(
            request,
            reader,
            "queue.html",
            tab=wish.tab,
            tabs=tuple(Tab),
            only=wish.only,
            counts={each: counted(connection, state) for each, state in _STATES.items()},
            most=MOST_COUNTED,
            rows=rows,
            names=names_of_people(connection),
            mine=held_by(connection, reader.person.id),
            undoable=undoable(connection, reader.person.id, house.clock, house.settings),
            now=house.clock(),
            why=lambda row: why(
                facts_told(row.facts, details=details), row.opened_at, row.due_at, house.clock()
            ),
            after=_write_place(wish.tab, rows[-1], ranked=details) if more else None,
            began=wish.after is None,
        )


@router.post("/queue/next")
def take_next(reviewer: Reviewer, house: Here) -> Response:
    """Take the case that is this person's to do next, and go to it."""
    person = reviewer.person.id
    with house.database.reading() as connection:
        rest = rest_due(connection, person, house.clock, house.settings)
    with house.database.writing() as connection:
        mine = held_by(connection, person)
        if mine:
            # One at a time: nobody is to wait for a case that lies about.
            return go(house, f"/cases/{mine[0].case}", "said_go_on", mine[0].case)
        if rest is not None:
            return go(house, "/rest")
        hold = next_case(connection, reviewer.caller, house.clock, house.settings)
    if hold is None:
        return go(house, "/queue", "said_nothing_waits")
    return go(house, f"/cases/{hold.case}")


def _rows(connection: Connection, wish: _Wish, reader: Visitor) -> list[Queued]:
    """One more than a page has, to know whether there is another page."""
    limit = _ON_A_PAGE + 1
    place = (wish.after.rank_at, wish.after.case) if wish.after else None
    match wish.tab:
        case Tab.MINE:
            mine = held_by(connection, reader.person.id)
            return mine + assigned_to(connection, reader.person.id, _ON_A_PAGE - len(mine))
        case Tab.HELD:
            return held(connection, limit=limit, after=place)
        case Tab.DECIDED:
            return decided(connection, limit=limit, after=place)
        case tab:
            severe = None if wish.only is None else wish.only is Only.SEVERE
            state = _STATES[tab]
            return listed(
                connection,
                state=state,
                limit=limit,
                after=wish.after,
                # That order tells how well a list knows a file.
                ranked=reader.may(Permission.SCREEN_DETAILS),
                severe=severe,
            )


def _write_place(tab: Tab, row: Queued, *, ranked: bool) -> str:
    by_queue = row.rank_at if ranked else row.opened_at
    moment = _MOMENTS[tab](row) if tab in _MOMENTS else by_queue
    return f"{moment.isoformat() if moment else ''}~{row.case}"


def _read_place(text: str | None) -> Place | None:
    if text is None:
        return None
    moment, _, case = text.partition("~")
    try:
        return Place(datetime.fromisoformat(moment), CaseId(read_case_id(case)))
    except (ValueError, InvalidInputError):
        return None
