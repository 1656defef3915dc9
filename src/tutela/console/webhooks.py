"""``/webhooks``: who is told what people decide, and how the telling went."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from tutela.accounts.permissions import Permission
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError
from tutela.webhooks.endpoints import (
    Added,
    add_endpoint,
    all_endpoints,
    change_endpoint,
    find_endpoint,
    remove_endpoint,
    rotate_secret,
)
from tutela.webhooks.log import deliveries, find_delivery
from tutela.webhooks.model import CHOOSABLE, DeliveryId, DeliveryState, EndpointId, EventKind
from tutela.webhooks.sending import send_again, send_test

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.WEBHOOKS_READ))]
Writer = Annotated[Visitor, Depends(visitor(Permission.WEBHOOKS_WRITE))]
# Whoever changes where messages go, or has a secret shown, has shown who they are lately.
Proved = Annotated[Visitor, Depends(visitor(Permission.WEBHOOKS_WRITE, proved=True))]
Reason = Annotated[str, Form(max_length=1000)]
Before = Annotated[int | None, Query(ge=1, le=2**63 - 1)]

_A_PAGE = 50
_ON_ITS_PAGE = 10


class Typed(BaseModel):
    """A webhook, as the page sends it."""

    name: str = ""
    url: str = ""
    events: list[EventKind] = Field(default_factory=list)


@router.get("/webhooks")
def list_webhooks(request: Request, house: Here, reader: Reader) -> Response:
    """Every webhook, and a form for one more."""
    return _list(request, house, reader)


@router.post("/webhooks")
def add_webhook(
    request: Request,
    house: Here,
    writer: Proved,
    typed: Annotated[Typed, Form()],
) -> Response:
    """Add one, and show its secret this once."""
    try:
        with house.database.writing() as connection:
            added = add_endpoint(
                connection,
                house.settings,
                writer.caller.actor,
                house.clock,
                name=typed.name,
                url=typed.url,
                events=typed.events,
            )
    except InvalidInputError as error:
        return _list(request, house, writer, wrong=error, typed=typed, status=422)
    return _page(request, house, writer, added.endpoint.id, added=added)


@router.get("/webhooks/log")
def show_log(
    request: Request,
    house: Here,
    reader: Reader,
    state: Annotated[DeliveryState | None, Query()] = None,
    webhook: Before = None,
    before: Before = None,
) -> Response:
    """What was told, the newest first."""
    with house.database.reading() as connection:
        names = {each.id: each.name for each in all_endpoints(connection, house.clock)}
        found = deliveries(
            connection,
            endpoint=EndpointId(webhook) if webhook else None,
            state=state,
            before=DeliveryId(before) if before else None,
            limit=_A_PAGE + 1,
        )
    return show(
        request,
        reader,
        "webhook_log.html",
        deliveries=found[:_A_PAGE],
        names=names,
        states=(None, *DeliveryState),
        state=state,
        webhook=webhook,
        next_page=found[_A_PAGE - 1].id if len(found) > _A_PAGE else None,
    )


@router.get("/webhooks/log/{delivery}")
def show_delivery(request: Request, house: Here, reader: Reader, delivery: Number) -> Response:
    """One delivery, with every attempt."""
    with house.database.reading() as connection:
        found = find_delivery(connection, DeliveryId(delivery))
        names = {each.id: each.name for each in all_endpoints(connection, house.clock)}
    return show(request, reader, "webhook_delivery.html", delivery=found, names=names)


@router.post("/webhooks/log/{delivery}/retry")
def retry(house: Here, writer: Writer, delivery: Number, reason: Reason = "") -> Response:
    """Have it sent again, at once and under the same id."""
    with house.database.writing() as connection:
        send_again(
            connection, DeliveryId(delivery), writer.caller.actor, house.clock, reason=reason
        )
    return go(house, f"/webhooks/log/{delivery}", "said_webhook_retried", str(delivery))


@router.get("/webhooks/{webhook}")
def show_webhook(request: Request, house: Here, reader: Reader, webhook: Number) -> Response:
    """One webhook, what was told lately, and what can be done about it."""
    return _page(request, house, reader, EndpointId(webhook))


@router.post("/webhooks/{webhook}")
def change(
    request: Request,
    house: Here,
    writer: Proved,
    webhook: Number,
    typed: Annotated[Typed, Form()],
) -> Response:
    """Change its name, its address, or what it is told of."""

    def act(connection: Connection) -> Response:
        change_endpoint(
            connection,
            house.settings,
            EndpointId(webhook),
            writer.caller.actor,
            house.clock,
            name=typed.name,
            url=typed.url,
            events=typed.events,
        )
        return go(house, f"/webhooks/{webhook}", "said_webhook_changed")

    return _do(request, house, writer, EndpointId(webhook), act)


@router.post("/webhooks/{webhook}/switch")
def switch(house: Here, writer: Writer, webhook: Number, on: Annotated[bool, Form()]) -> Response:
    """Switch it on or off."""
    with house.database.writing() as connection:
        change_endpoint(
            connection,
            house.settings,
            EndpointId(webhook),
            writer.caller.actor,
            house.clock,
            is_on=on,
        )
    return go(house, f"/webhooks/{webhook}", "said_webhook_on" if on else "said_webhook_off")


@router.post("/webhooks/{webhook}/test")
def test(house: Here, writer: Writer, webhook: Number) -> Response:
    """Send it a message that says that it is a test."""
    with house.database.writing() as connection:
        send_test(connection, EndpointId(webhook), writer.caller.actor, house.clock)
    return go(house, f"/webhooks/{webhook}#log", "said_webhook_tested")


@router.post("/webhooks/{webhook}/rotate")
def rotate(request: Request, house: Here, writer: Proved, webhook: Number) -> Response:
    """Give it another secret, which is shown this once."""
    with house.database.writing() as connection:
        rotated = rotate_secret(
            connection, house.settings, EndpointId(webhook), writer.caller.actor, house.clock
        )
    return _page(request, house, writer, EndpointId(webhook), added=rotated)


@router.post("/webhooks/{webhook}/remove")
def remove(house: Here, writer: Proved, webhook: Number, reason: Reason = "") -> Response:
    """Tell it nothing more."""
    with house.database.writing() as connection:
        found = find_endpoint(connection, EndpointId(webhook), house.clock)
        remove_endpoint(connection, found.id, writer.caller.actor, house.clock, reason=reason)
    return go(house, "/webhooks", "said_webhook_removed", found.name)


def _list(
    request: Request,
    house: House,
    person: Visitor,
    *,
    wrong: InvalidInputError | None = None,
    typed: Typed | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    with house.database.reading() as connection:
        found = all_endpoints(connection, house.clock)
    return show(
        request,
        person,
        "webhooks.html",
        status=status,
        webhooks=found,
        kinds=CHOOSABLE,
        typed=typed or Typed(url="https://", events=list(CHOOSABLE)),
        wrong=wrong,
    )


def _page(
    request: Request,
    house: House,
    person: Visitor,
    webhook: EndpointId,
    *,
    added: Added | None = None,
    wrong: InvalidInputError | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    with house.database.reading() as connection:
        found = find_endpoint(connection, webhook, house.clock)
        log = deliveries(connection, endpoint=webhook, limit=_ON_ITS_PAGE)
    return show(
        request,
        person,
        "webhook.html",
        status=status,
        webhook=found,
        kinds=CHOOSABLE,
        deliveries=log,
        names={found.id: found.name},
        secret=added.secret if added else None,
        hours=house.settings.webhooks.rotation_hours,
        wrong=wrong,
    )


def _do(
    request: Request,
    house: House,
    person: Visitor,
    webhook: EndpointId,
    act: Callable[[Connection], Response],
) -> Response:
    """Do something with a webhook in one transaction, or show its page, which says why not."""
    try:
        with house.database.writing() as connection:
            return act(connection)
    except InvalidInputError as error:
        return _page(request, house, person, webhook, wrong=error, status=422)
