"""``/numbers``: what comes in, what is decided, how long it takes and what waits, as charts."""

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse

from tutela.accounts.permissions import Permission
from tutela.cases.counting_days import read_figures
from tutela.console.frame import page_router, show
from tutela.console.house import Here
from tutela.console.visiting import Visitor, visitor
from tutela.reporting.following.levels import read_levels

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.NUMBERS_READ))]

SPANS = (7, 30, 90, 365)


@router.get("/numbers")
def show_numbers(
    request: Request,
    house: Here,
    reader: Reader,
    days: Annotated[int, Query(ge=1, le=366)] = 30,
) -> HTMLResponse:
    """The figures of the last days. They tell of the work, and of no person."""
    with house.database.reading() as connection:
        figures = read_figures(connection, days, house.clock)
        levels = read_levels(connection, days, house.clock)
    return show(
        request,
        reader,
        "numbers.html",
        figures=figures,
        levels=levels,
        span=days,
        spans=SPANS,
        now=house.clock(),
    )
