"""Announcing what happened, in the transaction in which it happens.

One job for each receiver is written beside the fact (a transactional outbox), so that a receiver is
told exactly if the fact is there, and nothing that is killed can lose it.
"""

from sqlalchemy import Connection, insert, select, update

from tutela.errors import NotFoundError
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import JobId, State
from tutela.storage.jobs.tables import jobs
from tutela.storage.jobs.tending import retry
from tutela.webhooks.endpoints import all_endpoints, find_endpoint
from tutela.webhooks.model import (
    DeliveryId,
    DeliveryState,
    EndpointId,
    Event,
    EventKind,
    EventNumber,
)
from tutela.webhooks.signing import new_message_id
from tutela.webhooks.tables import webhook_deliveries, webhook_endpoints, webhook_events

DELIVER = "webhook.deliver"
"""The job that tells one receiver of one event."""


def announce(connection: Connection, event: Event, clock: Clock) -> None:
    """Have every receiver that wants to know told of it, if this transaction commits.

    Where nobody wants to know, nothing is kept of it.

    Args:
        connection: The transaction of what happens.
        event: What happens.
        clock: The time.
    """
    wanting = [
        endpoint.id
        for endpoint in all_endpoints(connection, clock)
        if endpoint.is_on and event.kind in endpoint.events
    ]
    if wanting:
        number = _keep(connection, event, clock)
        for endpoint in wanting:
            _deliver(connection, number, endpoint, clock)


def send_test(
    connection: Connection, endpoint: EndpointId, actor: Actor, clock: Clock
) -> DeliveryId:
    """Send a webhook a message that says that it is a test. It is tried once, at once.

    Raises:
        NotFoundError: There is no such webhook.
    """
    found = find_endpoint(connection, endpoint, clock)
    event = Event(EventKind.TEST, None, {}, f"test:{endpoint}")
    delivery = _deliver(connection, _keep(connection, event, clock), endpoint, clock)
    append(connection, actor, Act.WEBHOOK_TESTED, clock, thing=found.thing)
    return delivery


def send_again(
    connection: Connection, delivery: DeliveryId, actor: Actor, clock: Clock, *, reason: str = ""
) -> None:
    """Have a delivery tried at once: one that failed, one that waits, or even one that was taken.

    It bears the same ``webhook-id``, by which a receiver that has it already knows it.

    Raises:
        NotFoundError: There is no such delivery, or its webhook was removed.
        InvalidInputError: A worker is at it.
    """
    endpoint = connection.execute(
        select(webhook_deliveries.c.endpoint_id)
        .where(webhook_deliveries.c.id == delivery)
        .with_for_update()
    ).scalar_one_or_none()
    if endpoint is None:
        raise NotFoundError(f'there is no delivery {delivery}: see "tutela webhook log"')
    find_endpoint(connection, EndpointId(endpoint), clock)
    connection.execute(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.id == delivery)
        .values(state=DeliveryState.WAITING, ended_at=None)
    )
    # Whoever has it sent again has seen to the receiver.
    connection.execute(
        update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint).values(rest_until=None)
    )
    job = _job_of(connection, delivery)
    if job is None:
        _enqueue(connection, delivery, clock)
    else:
        retry(connection, job, clock)
    append(
        connection, actor, Act.JOB_RETRIED, clock, thing=f"webhook-delivery:{delivery}",
        reason=reason,
    )  # fmt: skip


def _keep(connection: Connection, event: Event, clock: Clock) -> EventNumber:
    return EventNumber(
        connection.execute(
            insert(webhook_events)
            .values(
                message=new_message_id(),
                kind=event.kind,
                case_id=event.case,
                cause=event.cause,
                happened_at=clock(),
                data=dict(event.data),
            )
            .returning(webhook_events.c.id)
        ).scalar_one()
    )


def _deliver(
    connection: Connection,
    event: EventNumber,
    endpoint: EndpointId,
    clock: Clock,
) -> DeliveryId:
    delivery = DeliveryId(
        connection.execute(
            insert(webhook_deliveries)
            .values(
                event_id=event,
                endpoint_id=endpoint,
                state=DeliveryState.WAITING,
                due_at=clock(),
            )
            .returning(webhook_deliveries.c.id)
        ).scalar_one()
    )
    _enqueue(connection, delivery, clock)
    return delivery


def _enqueue(connection: Connection, delivery: DeliveryId, clock: Clock) -> None:
    enqueue(connection, DELIVER, {"delivery": delivery}, clock, dedupe=_key(delivery))


def _job_of(connection: Connection, delivery: DeliveryId) -> JobId | None:
    found = connection.execute(
        select(jobs.c.id).where(jobs.c.dedupe == _key(delivery), jobs.c.state != State.LEASED)
    ).scalar_one_or_none()
    return None if found is None else JobId(found)


def _key(delivery: DeliveryId) -> str:
    return f"webhook-delivery:{delivery}"
