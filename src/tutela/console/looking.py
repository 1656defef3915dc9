"""Looking without a script: what was asked for stands on a page of its own, for some seconds.

It is asked for, written down and let out as with a script. No page can say here that it is still in
sight: so it counts as if it were until the page leads away by itself, unless somebody says before
that they put it away.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from tutela.accounts.permissions import Permission
from tutela.cases.model import read_case_id
from tutela.cases.resting import RestDueError
from tutela.cases.viewing import NotProvedError, Why, Wish, end
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, Number
from tutela.console.media import written_down
from tutela.console.visiting import PROVE, Visitor, visitor
from tutela.sandbox.model import Level

router = page_router()
Viewer = Annotated[Visitor, Depends(visitor(Permission.EVIDENCE_VIEW))]

SHOWN_FOR = timedelta(seconds=20)
"""After so long the page leads back to the case."""

_AT = "at:"


@dataclass(frozen=True, slots=True)
class Sent:
    """What the form of a case's page sends, or that of this one.

    Attributes:
        level: How clearly, and behind it ``colour`` where that is wanted.
        why: Why.
        part: ``whole``, or ``at:`` and a place.
        of: The viewing from which to go on, instead of a part.
        step: Which way.
    """

    level: Annotated[str, Form(pattern="^(part|whole)( colour)?$")]
    why: Annotated[Why, Form()]
    part: Annotated[str, Form(max_length=4096)] = "whole"
    of: Annotated[int | None, Form(ge=1, le=2**63 - 1)] = None
    step: Annotated[int, Form(ge=-1, le=1)] = 0


@router.post("/cases/{number}/items/{item}/look")
def look(
    request: Request,
    viewer: Viewer,
    house: Here,
    number: str,
    item: Number,
    sent: Annotated[Sent, Depends()],
) -> Response:
    """Write down who is about to see what and why, and show it."""
    case = read_case_id(number)
    level, _, colour = sent.level.partition(" ")
    place = sent.part.removeprefix(_AT) if sent.part.startswith(_AT) else None
    wish = Wish(
        case, item, Level(level), sent.why, bool(colour), place=place, of=sent.of, step=sent.step
    )
    try:
        viewing = written_down(house, viewer, wish, SHOWN_FOR)
    except NotProvedError:
        return go(house, f"{PROVE}?next=/cases/{case}")
    except RestDueError:
        return go(house, "/rest")
    return show(
        request,
        viewer,
        "looking.html",
        viewing=viewing,
        level=sent.level,
        seconds=int(SHOWN_FOR.total_seconds()),
    )


@router.post("/viewings/{viewing}/put-away")
def put_away(viewer: Viewer, house: Here, viewing: Number) -> RedirectResponse:
    """It is out of sight; back to the case."""
    with house.database.writing() as connection:
        ended = end(connection, viewing, viewer.caller, viewer.session.id, house.clock)
    return go(house, f"/cases/{ended.case}")
