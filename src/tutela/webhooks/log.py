"""The log of deliveries: what was told to whom, how often, and what came of it."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from tutela.errors import NotFoundError
from tutela.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryId,
    DeliveryState,
    EndpointId,
    EventKind,
)
from tutela.webhooks.tables import webhook_attempts, webhook_deliveries, webhook_events

_ATTEMPTS_SHOWN = 20


def deliveries(
    connection: Connection,
    *,
    endpoint: EndpointId | None = None,
    state: DeliveryState | None = None,
    before: DeliveryId | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """Deliveries, the newest first.

    Args:
        connection: A transaction.
        endpoint: Only those to this webhook.
        state: Only those that stand so.
        before: Only those with a smaller number: how the next page is asked for.
        limit: How many at most.
    """
    wanted = _SELECT.order_by(webhook_deliveries.c.id.desc()).limit(limit)
    if endpoint is not None:
        wanted = wanted.where(webhook_deliveries.c.endpoint_id == endpoint)
    if state is not None:
        wanted = wanted.where(webhook_deliveries.c.state == state)
    if before is not None:
        wanted = wanted.where(webhook_deliveries.c.id < before)
    return _read(connection, connection.execute(wanted).mappings().all())


def find_delivery(connection: Connection, delivery: DeliveryId) -> Delivery:
    """One delivery.

    Raises:
        NotFoundError: There is none of this number, or it was too old to be kept.
    """
    wanted = _SELECT.where(webhook_deliveries.c.id == delivery)
    found = _read(connection, connection.execute(wanted).mappings().all())
    if not found:
        raise NotFoundError(f'there is no delivery {delivery}: see "tutela webhook log"')
    return found[0]


_SELECT: Select[Any] = select(
    *webhook_deliveries.c,
    webhook_events.c.message,
    webhook_events.c.kind,
    webhook_events.c.case_id,
    webhook_events.c.happened_at,
).join_from(webhook_deliveries, webhook_events)


def _read(connection: Connection, rows: Iterable[RowMapping]) -> list[Delivery]:
    rows = list(rows)
    attempts: defaultdict[int, list[Attempt]] = defaultdict(list)
    found = connection.execute(
        select(webhook_attempts)
        .where(webhook_attempts.c.delivery_id.in_([row["id"] for row in rows]))
        .order_by(webhook_attempts.c.id.desc())
    )
    for row in found:
        kept = attempts[row.delivery_id]
        if len(kept) < _ATTEMPTS_SHOWN:
            kept.append(Attempt(row.at, row.milliseconds, row.status, row.failure, row.answer))
    return [
        Delivery(
            id=DeliveryId(row["id"]),
            endpoint=EndpointId(row["endpoint_id"]),
            message=row["message"],
            kind=EventKind(row["kind"]),
            case=row["case_id"],
            state=DeliveryState(row["state"]),
            happened_at=row["happened_at"],
            due_at=row["due_at"],
            ended_at=row["ended_at"],
            attempts=tuple(attempts[row["id"]]),
        )
        for row in rows
    ]
