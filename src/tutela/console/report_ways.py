"""The ways to authorities: how each is, having one go on, and saying that reports are real."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import Response

from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import Permission
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError, NotPermittedError, TutelaError
from tutela.reporting.delivery.backlog import backlog
from tutela.reporting.delivery.going_live import NCMEC, PHRASE, go_live, rehearsed, resume
from tutela.reporting.delivery.queueing import environment_of
from tutela.reporting.delivery.resting import channel_state
from tutela.reporting.model import ChannelKind

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.JOBS_READ))]
# To go on does only what was wanted before.
Writer = Annotated[Visitor, Depends(visitor(Permission.JOBS_WRITE))]
# Whoever says that reports are real has shown who they are lately.
Approver = Annotated[Visitor, Depends(visitor(Permission.REPORTS_APPROVE, proved=True))]


@router.get("/jobs/ways")
def show_ways(request: Request, house: Here, reader: Reader) -> Response:
    """How each way is, and how much waits. No case is on it."""
    now = house.clock()
    with house.database.reading() as connection:
        waits = backlog(connection, now)
        names = names_of_people(connection)
    return show(request, reader, "report_ways.html", waits=waits, names=names, now=now)


@router.post("/jobs/ways/resume")
def go_on(
    house: Here,
    writer: Writer,
    channel: Annotated[ChannelKind, Form()],
    authority: Annotated[str, Form(max_length=60)],
) -> Response:
    """Have a way go on, such as after the user and the password were put right."""
    with house.database.writing() as connection:
        resume(connection, channel, authority, writer.caller, house.clock)
    return go(house, "/jobs/ways", "said_way_resumed", authority)


@router.get("/reports/live")
def show_live(request: Request, house: Here, approver: Approver) -> Response:
    """What it means that reports are real, and the sentence that has to be typed."""
    return _live(request, house, approver)


@router.post("/reports/live")
def confirm_live(
    request: Request,
    house: Here,
    approver: Approver,
    typed: Annotated[str, Form(max_length=200)] = "",
    although_rehearsed: Annotated[bool, Form()] = False,
) -> Response:
    """Confirm, once, that reports go to the CyberTipline itself."""
    try:
        with house.database.writing() as connection:
            go_live(
                connection,
                house.settings,
                NCMEC,
                approver.caller,
                house.clock,
                typed=typed,
                although_rehearsed=although_rehearsed,
            )
    except (InvalidInputError, NotPermittedError) as error:
        return _live(request, house, approver, typed=typed, wrong=error)
    return go(house, "/reports", "said_live", NCMEC)


def _live(
    request: Request,
    house: House,
    person: Visitor,
    *,
    typed: str = "",
    wrong: TutelaError | None = None,
) -> Response:
    channel = ChannelKind.CYBERTIPLINE
    with house.database.reading() as connection:
        state = channel_state(connection, channel, NCMEC)
        only_rehearsed = rehearsed(connection, channel, NCMEC)
        names = names_of_people(connection)
    unfit = isinstance(wrong, InvalidInputError)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if unfit else HTTPStatus.CONFLICT
    return show(
        request,
        person,
        "report_live.html",
        status=status if wrong else HTTPStatus.OK,
        environment=environment_of(house.settings, channel),
        authority=NCMEC,
        state=state,
        rehearsed=only_rehearsed,
        phrase=PHRASE,
        names=names,
        typed=typed,
        wrong=wrong,
    )
