"""``/queue``: the cases that wait, and the next one."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from tutela.accounts.permissions import Permission
from tutela.console.frame import page_router, show
from tutela.console.visiting import Visitor, visitor

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.CASES_READ))]


@router.get("/queue")
def show_queue(request: Request, reader: Reader) -> HTMLResponse:
    """The cases that wait."""
    return show(request, reader, "queue.html")
