"""``/load``: how much each person has to carry today, for whoever looks after them."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from tutela.accounts.people import all_people
from tutela.accounts.permissions import Permission
from tutela.cases.load import load_of
from tutela.console.frame import page_router, show
from tutela.console.house import Here
from tutela.console.visiting import Visitor, visitor

router = page_router()
Leader = Annotated[Visitor, Depends(visitor(Permission.LOAD_READ))]


@router.get("/load")
def show_load(request: Request, leader: Leader, house: Here) -> HTMLResponse:
    """How much each person looked at today, and who rests."""
    with house.database.reading() as connection:
        loads = load_of(connection, all_people(connection), house.clock, house.settings)
    return show(request, leader, "load.html", loads=loads, care=house.settings.care)
