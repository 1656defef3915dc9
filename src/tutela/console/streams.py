"""``/streams``: the live streams that are watched, and how each stands."""

from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from tutela.accounts.permissions import Permission
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError, OutOfTurnError
from tutela.streams.beginning import begin_stream, stop_stream
from tutela.streams.listing import all_streams
from tutela.streams.model import StreamId

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.STREAMS_READ))]
Writer = Annotated[Visitor, Depends(visitor(Permission.STREAMS_WRITE))]
Reason = Annotated[str, Form(max_length=1000)]
Before = Annotated[int | None, Query(ge=1, le=2**63 - 1)]

_A_PAGE = 100


class Typed(BaseModel):
    """A stream, as the page sends it."""

    source: str = ""
    subject: str = ""
    reference: str = ""


@router.get("/streams")
def list_streams(request: Request, house: Here, reader: Reader, before: Before = None) -> Response:
    """The streams, the newest first, and a form for one more."""
    return _list(request, house, reader, before=before)


@router.post("/streams")
def begin(
    request: Request, house: Here, writer: Writer, typed: Annotated[Typed, Form()]
) -> Response:
    """Have one watched."""
    try:
        with house.database.writing() as connection:
            begun = begin_stream(
                connection,
                house.settings,
                writer.caller.actor,
                house.clock,
                source=typed.source,
                subject=typed.subject or None,
                reference=typed.reference or None,
            )
    except (InvalidInputError, OutOfTurnError) as error:
        return _list(request, house, writer, wrong=error, typed=typed, status=422)
    return go(house, "/streams", "said_stream_begun", str(begun.id))


@router.post("/streams/{stream}/stop")
def stop(house: Here, writer: Writer, stream: Number, reason: Reason = "") -> Response:
    """Have one watched no more."""
    with house.database.writing() as connection:
        stop_stream(connection, StreamId(stream), writer.caller.actor, house.clock, reason=reason)
    return go(house, "/streams", "said_stream_stopped", str(stream))


def _list(
    request: Request,
    house: House,
    reader: Visitor,
    *,
    before: int | None = None,
    wrong: InvalidInputError | OutOfTurnError | None = None,
    typed: Typed | None = None,
    status: int = 200,
) -> Response:
    with house.database.reading() as connection:
        found = all_streams(
            connection, before=StreamId(before) if before else None, limit=_A_PAGE + 1
        )
    return show(
        request,
        reader,
        "streams.html",
        streams=found[:_A_PAGE],
        next_page=found[_A_PAGE - 1].id if len(found) > _A_PAGE else None,
        sources=house.settings.streams.sources,
        wrong=wrong,
        typed=typed or Typed(),
        status=status,
    )
