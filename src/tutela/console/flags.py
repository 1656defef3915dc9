"""``/lists/flags``: entries of lists that a case has put in doubt."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import Response

from tutela.accounts.permissions import Permission
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError
from tutela.hashlists.flagging import FlagId, FlagOutcome, open_flags, settle_flag

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.LISTS_READ))]
Writer = Annotated[Visitor, Depends(visitor(Permission.LISTS_WRITE, proved=True))]

_A_PAGE = 25


@router.get("/lists/flags")
def list_flags(
    request: Request,
    house: Here,
    reader: Reader,
    after: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """Those that nobody has settled, the oldest first."""
    return _page(request, house, reader, after)


@router.post("/lists/flags/{flag}")
def settle(
    request: Request,
    house: Here,
    writer: Writer,
    flag: Number,
    outcome: Annotated[FlagOutcome, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Withdraw an entry in doubt, or keep it."""
    try:
        with house.database.writing() as connection:
            settle_flag(
                connection,
                FlagId(flag),
                outcome,
                writer.caller.actor,
                house.clock,
                reason=reason,
            )
    except InvalidInputError as error:
        return _page(request, house, writer, None, wrong=error, status=422)
    return go(house, "/lists/flags", f"said_flag_{outcome}", str(flag))


def _page(
    request: Request,
    house: House,
    person: Visitor,
    after: int | None,
    *,
    wrong: InvalidInputError | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    with house.database.reading() as connection:
        found = open_flags(connection, after=FlagId(after) if after else None, limit=_A_PAGE + 1)
    return show(
        request,
        person,
        "flags.html",
        status=status,
        flags=found[:_A_PAGE],
        next_page=found[_A_PAGE - 1].id if len(found) > _A_PAGE else None,
        wrong=wrong,
    )
