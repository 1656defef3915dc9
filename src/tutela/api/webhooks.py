"""``/v1/webhooks``: who is told what people decide, and how the telling went."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, actor_of
from tutela.webhooks.endpoints import (
    add_endpoint,
    all_endpoints,
    change_endpoint,
    find_endpoint,
    remove_endpoint,
    rotate_secret,
)
from tutela.webhooks.log import deliveries, find_delivery
from tutela.webhooks.model import DeliveryId, DeliveryState, EndpointId, EventKind
from tutela.webhooks.sending import send_again, send_test

router = APIRouter(
    prefix="/v1/webhooks",
    tags=["webhooks"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.WEBHOOKS_READ))]
Writer = Annotated[ApiKey, Security(Permitted(Permission.WEBHOOKS_WRITE))]

_GREATEST = 2**63 - 1
Number = Annotated[int, Path(ge=1, le=_GREATEST, description="Its number.", examples=[1])]
_ABSENT = problems(HTTPStatus.NOT_FOUND)


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewWebhook(_Sent):
    """A receiver to be told."""

    name: str = Field(min_length=1, max_length=100, examples=["our forum"])
    url: str = Field(min_length=1, max_length=2000, examples=["https://forum.example/hooks/tutela"])
    events: list[EventKind] = Field(
        min_length=1, description="What it is told of.", examples=[["item.blocked", "item.lifted"]]
    )


class Change(_Sent):
    """What is to be different; what is left out stays."""

    name: str | None = Field(None, min_length=1, max_length=100)
    url: str | None = Field(None, min_length=1, max_length=2000)
    events: list[EventKind] | None = Field(None, min_length=1)
    on: bool | None = Field(None, description="Whether it is told of anything.")


class Why(_Sent):
    """Why something is done."""

    reason: str = Field("", max_length=1000, description="Why, for the ledger.")


class WebhookAnswer(BaseModel):
    """A receiver that is told. Its secrets are never in an answer, but for a new one."""

    id: int = Field(examples=[1])
    name: str
    url: str
    events: list[EventKind]
    on: bool
    created_at: datetime
    failing_since: datetime | None = Field(description="Since when it has not answered well.")
    next_attempt_at: datetime | None = Field(description="Until then it is left alone.")
    old_secret_until: datetime | None = Field(
        description="Until when the secret before the present one signs as well."
    )


class WebhookWithSecret(WebhookAnswer):
    """The same, this once with its secret."""

    secret: str = Field(
        description="What the receiver checks signatures with. It cannot be had again.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class WebhooksAnswer(BaseModel):
    """Webhooks, the oldest first."""

    webhooks: list[WebhookAnswer]


class AttemptAnswer(BaseModel):
    """One time that something was sent."""

    at: datetime
    milliseconds: int
    status: int | None = Field(description="The HTTP status of the answer, if there was one.")
    failure: str | None = Field(description="Why it does not count; `null` if it does.")
    answer: str | None = Field(description="Of the answer to a test, its first bytes.")


class DeliveryAnswer(BaseModel):
    """The telling of one event to one webhook."""

    id: int
    webhook: int
    webhook_id: str = Field(description="What every attempt bears as `webhook-id`.")
    event: EventKind
    case: str | None
    state: DeliveryState
    happened_at: datetime
    due_at: datetime
    ended_at: datetime | None
    attempts: list[AttemptAnswer] = Field(description="The newest first, twenty at most.")


class DeliveriesAnswer(BaseModel):
    """Deliveries, the newest first."""

    deliveries: list[DeliveryAnswer]
    before: int | None = Field(description="Ask with this for the next page; `null` at the end.")


@router.get("", summary="The webhooks")
def list_webhooks(service: Here, _key: Reader) -> WebhooksAnswer:
    """Every one that is not removed."""
    with service.database.reading() as connection:
        found = all_endpoints(connection, service.clock)
    return WebhooksAnswer.model_validate({"webhooks": [each.as_fields() for each in found]})


@router.post("", summary="Add a webhook", status_code=HTTPStatus.CREATED)
def add_webhook(service: Here, key: Writer, new: NewWebhook) -> WebhookWithSecret:
    """The answer has the secret, this once."""
    with service.database.writing() as connection:
        added = add_endpoint(
            connection,
            service.settings,
            actor_of(key),
            service.clock,
            name=new.name,
            url=new.url,
            events=new.events,
        )
    return WebhookWithSecret.model_validate(added.as_fields())


# Before the routes of one webhook, whose number this would be taken for.
@router.get("/deliveries", summary="The log of deliveries")
def list_deliveries(
    service: Here,
    _key: Reader,
    webhook: Annotated[
        int | None, Query(ge=1, le=_GREATEST, description="Only those to this webhook.")
    ] = None,
    state: Annotated[DeliveryState | None, Query(description="Only those that stand so.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
    before: Annotated[
        int | None, Query(ge=1, le=_GREATEST, description="From the page before.")
    ] = None,
) -> DeliveriesAnswer:
    """The newest first."""
    with service.database.reading() as connection:
        found = deliveries(
            connection,
            endpoint=EndpointId(webhook) if webhook else None,
            state=state,
            before=DeliveryId(before) if before else None,
            limit=limit + 1,
        )
    shown = found[:limit]
    return DeliveriesAnswer.model_validate(
        {
            "deliveries": [each.as_fields() for each in shown],
            "before": shown[-1].id if len(found) > limit else None,
        }
    )


@router.get("/deliveries/{delivery}", summary="One delivery", responses=_ABSENT)
def show_delivery(service: Here, _key: Reader, delivery: Number) -> DeliveryAnswer:
    """With its attempts."""
    with service.database.reading() as connection:
        found = find_delivery(connection, DeliveryId(delivery))
    return DeliveryAnswer.model_validate(found.as_fields())


@router.post("/deliveries/{delivery}/retry", summary="Send again", responses=_ABSENT)
def retry_delivery(service: Here, key: Writer, delivery: Number, why: Why) -> DeliveryAnswer:
    """At once, under the same `webhook-id`; also one that was taken."""
    with service.database.writing() as connection:
        send_again(
            connection, DeliveryId(delivery), actor_of(key), service.clock, reason=why.reason
        )
    with service.database.reading() as connection:
        found = find_delivery(connection, DeliveryId(delivery))
    return DeliveryAnswer.model_validate(found.as_fields())


@router.get("/{webhook}", summary="One webhook", responses=_ABSENT)
def show_webhook(service: Here, _key: Reader, webhook: Number) -> WebhookAnswer:
    """Without its secrets."""
    with service.database.reading() as connection:
        found = find_endpoint(connection, EndpointId(webhook), service.clock)
    return WebhookAnswer.model_validate(found.as_fields())


@router.patch("/{webhook}", summary="Change a webhook", responses=_ABSENT)
def change_webhook(service: Here, key: Writer, webhook: Number, change: Change) -> WebhookAnswer:
    """What happens while it is off is not sent later."""
    with service.database.writing() as connection:
        changed = change_endpoint(
            connection,
            service.settings,
            EndpointId(webhook),
            actor_of(key),
            service.clock,
            name=change.name,
            url=change.url,
            events=change.events,
            is_on=change.on,
        )
    return WebhookAnswer.model_validate(changed.as_fields())


@router.delete(
    "/{webhook}", summary="Remove a webhook", status_code=HTTPStatus.NO_CONTENT, responses=_ABSENT
)
def remove_webhook(
    service: Here,
    key: Writer,
    webhook: Number,
    reason: Annotated[str, Query(max_length=1000, description="Why, for the ledger.")] = "",
) -> Response:
    """It is told nothing more, not even what waits."""
    with service.database.writing() as connection:
        remove_endpoint(
            connection, EndpointId(webhook), actor_of(key), service.clock, reason=reason
        )
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/{webhook}/rotate", summary="Give a webhook a new secret", responses=_ABSENT)
def rotate(service: Here, key: Writer, webhook: Number) -> WebhookWithSecret:
    """The answer has it, this once. The one before it signs as well for a while."""
    with service.database.writing() as connection:
        rotated = rotate_secret(
            connection, service.settings, EndpointId(webhook), actor_of(key), service.clock
        )
    return WebhookWithSecret.model_validate(rotated.as_fields())


@router.post(
    "/{webhook}/test",
    summary="Send a test",
    status_code=HTTPStatus.ACCEPTED,
    responses=_ABSENT,
)
def test_webhook(service: Here, key: Writer, webhook: Number) -> DeliveryAnswer:
    """It is sent in the background, once: ask for the delivery to see what was answered."""
    with service.database.writing() as connection:
        delivery = send_test(connection, EndpointId(webhook), actor_of(key), service.clock)
    with service.database.reading() as connection:
        found = find_delivery(connection, delivery)
    return DeliveryAnswer.model_validate(found.as_fields())
