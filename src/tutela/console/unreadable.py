"""``/unreadable``: what could not be looked at, why, and what became of it. Nothing of any file."""

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse

from tutela.accounts.permissions import Permission
from tutela.console.frame import page_router, show
from tutela.console.house import Here
from tutela.console.visiting import Visitor, visitor
from tutela.fingerprints.model import Unreadable
from tutela.screening.unreadable import not_looked_at

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.NUMBERS_READ))]

SPANS = (7, 30, 90)

# What decides that these are more than is looked at, so that an operator may want it to be more.
LIMITS = {
    Unreadable.TOO_LARGE: "sandbox.unpacked_mib",
    Unreadable.TOO_MANY_PIXELS: "max_pixels",
    Unreadable.TOO_SLOW: "decode_seconds, sandbox.whole_seconds",
    Unreadable.TOO_MUCH_MEMORY: "decode_memory_mib",
    Unreadable.TOO_DEEP: "sandbox.depth",
    Unreadable.TOO_MANY: "sandbox.parts, sandbox.frames, sandbox.video_frames",
}
# Where the same is to be done for several reasons, it is said under one of them.
_AS = {Unreadable.ENDS_EARLY: Unreadable.DAMAGED, Unreadable.EMPTY: Unreadable.WRONG_NAME}


@router.get("/unreadable")
def show_unreadable(
    request: Request,
    house: Here,
    reader: Reader,
    days: Annotated[int, Query(ge=1, le=366)] = 30,
) -> HTMLResponse:
    """Counts by the reason, the format and the day, and a few samples without content."""
    with house.database.reading() as connection:
        found = not_looked_at(connection, days, house.clock)
    return show(
        request,
        reader,
        "unreadable.html",
        found=found,
        span=days,
        spans=SPANS,
        policy=house.settings.unreadable,
        limits=LIMITS,
        advice=lambda reason: "limit" if reason in LIMITS else _AS.get(reason, reason),
    )
