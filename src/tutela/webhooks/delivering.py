"""Telling one receiver of one event: at least once, and for days if need be.

A worker that is killed between sending and noting sends once more, with the same ``webhook-id``. A
receiver that does not answer is left alone for a while that doubles, whatever waits for it, so that
it holds up no other receiver; when it answers again, all that waits is sent.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from tutela.errors import TutelaError
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.finishing import finish
from tutela.storage.jobs.model import JSON, Job, Kind, Later, Never
from tutela.storage.settings import Settings
from tutela.webhooks.alerting import ALERT
from tutela.webhooks.endpoints import valid_secrets
from tutela.webhooks.model import DeliveryId, DeliveryState, EndpointId, EventKind
from tutela.webhooks.posting import Answer, post
from tutela.webhooks.sending import DELIVER
from tutela.webhooks.signing import body_of, signed_headers
from tutela.webhooks.tables import (
    webhook_attempts,
    webhook_deliveries,
    webhook_endpoints,
    webhook_events,
)

_AT_ONCE = 4
# What a receiver answers to a test is shown to whoever tries it.
_KEPT_BYTES = 200
_FIRST_WAIT = 5.0
_LONGEST_WAIT = 3600.0
_WHILE_OFF = timedelta(minutes=10)
# Those that wait for one receiver do not all begin in the same second.
_SPREAD_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be sent, as far as the database says."""

    delivery: DeliveryId
    endpoint: EndpointId
    url: str
    is_on: bool
    rest_until: datetime | None
    failures: int
    number: int
    message: str
    kind: EventKind
    case: str | None
    happened_at: datetime
    due_at: datetime
    data: Mapping[str, JSON]

    @property
    def is_test(self) -> bool:
        return self.kind is EventKind.TEST

    def body(self) -> bytes:
        told: dict[str, JSON] = {"number": self.number}
        if self.case is not None:
            told["case"] = self.case
        return body_of(self.kind, self.happened_at, told | dict(self.data))


def delivering(settings: Settings, database: Database, clock: Clock) -> Kind:
    """The kind of job that tells one receiver of one event."""

    def deliver(job: Job) -> None:
        delivery = DeliveryId(int(str(job.payload["delivery"])))
        with database.reading() as connection:
            order = _find(connection, delivery)
            if order is None:
                return  # It was taken, undone, or there is nobody to tell any more.
            now = clock()
            _put_off(order, now)
            headers = _headers(connection, settings, order, now)
        answer = post(
            order.url,
            order.body(),
            headers,
            private=settings.webhooks.private_networks,
            seconds=settings.webhooks.timeout_seconds,
            keeping=_KEPT_BYTES if order.is_test else 0,
        )
        with database.writing() as connection:
            _note_attempt(connection, order, answer, now)
            if answer.failure is None:
                _note_delivered(connection, order, clock)
                finish(connection, job, clock)
                return
            if order.is_test:
                _end(connection, order, DeliveryState.FAILED, clock)
                finish(connection, job, clock)
                return
            verdict = _note_failed(connection, settings, order, answer.failure, clock)
        raise verdict

    # How long to wait, and when to give up, is said by the handler: it depends on the receiver.
    return Kind(DELIVER, deliver, at_once=_AT_ONCE, attempts=None, longest_wait=_LONGEST_WAIT)


def _find(connection: Connection, delivery: DeliveryId) -> _Order | None:
    row = connection.execute(
        select(
            webhook_deliveries.c.endpoint_id,
            webhook_deliveries.c.state,
            webhook_deliveries.c.due_at,
            webhook_endpoints.c.url,
            webhook_endpoints.c.is_on,
            webhook_endpoints.c.removed_at,
            webhook_endpoints.c.rest_until,
            webhook_endpoints.c.failures,
            *webhook_events.c,
        )
        .join_from(webhook_deliveries, webhook_endpoints)
        .join(webhook_events, webhook_events.c.id == webhook_deliveries.c.event_id)
        .where(webhook_deliveries.c.id == delivery)
    ).one_or_none()
    # One that failed and whose job runs was begun again by a person who looks after jobs.
    open_states = (DeliveryState.WAITING, DeliveryState.FAILED)
    if row is None or row.removed_at is not None or row.state not in open_states:
        return None
    return _Order(
        delivery=delivery,
        endpoint=EndpointId(row.endpoint_id),
        url=row.url,
        is_on=row.is_on,
        rest_until=row.rest_until,
        failures=row.failures,
        number=row.id,
        message=row.message,
        kind=EventKind(row.kind),
        case=row.case_id,
        happened_at=row.happened_at,
        due_at=row.due_at,
        data=row.data,
    )


def _put_off(order: _Order, now: datetime) -> None:
    if order.is_test:
        return
    if not order.is_on:
        raise Later(now + _WHILE_OFF, "the webhook is off")
    if order.rest_until is not None and order.rest_until > now:
        raise Later(_spread(order.rest_until), "its receiver does not answer: it waits with others")


def _headers(
    connection: Connection, settings: Settings, order: _Order, now: datetime
) -> dict[str, str]:
    try:
        signing = valid_secrets(connection, settings, order.endpoint, now)
    except TutelaError as error:
        raise Later(now + _WHILE_OFF, error.message) from None
    return signed_headers(order.message, order.body(), signing, now)


def _note_attempt(connection: Connection, order: _Order, answer: Answer, at: datetime) -> None:
    beginning = answer.beginning.decode("utf-8", "replace") if order.is_test else ""
    shown = "".join(letter if letter.isprintable() else " " for letter in beginning).strip()
    connection.execute(
        insert(webhook_attempts).values(
            delivery_id=order.delivery,
            at=at,
            milliseconds=answer.milliseconds,
            status=answer.status,
            failure=answer.failure,
            answer=shown[:200] or None,
        )
    )


def _note_delivered(connection: Connection, order: _Order, clock: Clock) -> None:
    _end(connection, order, DeliveryState.DELIVERED, clock)
    connection.execute(
        update(webhook_endpoints)
        .where(webhook_endpoints.c.id == order.endpoint, webhook_endpoints.c.failures > 0)
        .values(failures=0, failing_since=None, rest_until=None, alerted_at=None)
    )


def _note_failed(
    connection: Connection, settings: Settings, order: _Order, failure: str, clock: Clock
) -> Later | Never:
    now = clock()
    gives_up = now >= order.due_at + timedelta(hours=settings.webhooks.give_up_hours)
    if gives_up:
        _end(connection, order, DeliveryState.FAILED, clock)
    row = connection.execute(
        select(webhook_endpoints).where(webhook_endpoints.c.id == order.endpoint).with_for_update()
    ).one()
    rest_until = row.rest_until
    values: dict[str, object] = {"failing_since": row.failing_since or now}
    if rest_until is None or rest_until <= now:
        # Another attempt that failed meanwhile has said so already.
        rest_until = now + timedelta(seconds=_wait_after(row.failures + 1))
        values |= {"failures": row.failures + 1, "rest_until": rest_until}
    if gives_up and row.alerted_at is None:
        values["alerted_at"] = now
        enqueue(connection, ALERT, {"webhook": order.endpoint}, clock)
    connection.execute(
        update(webhook_endpoints).where(webhook_endpoints.c.id == order.endpoint).values(values)
    )
    if gives_up:
        return Never(f"webhook {order.endpoint} has not taken it for days ({failure})")
    return Later(_spread(rest_until), failure)


def _end(connection: Connection, order: _Order, state: DeliveryState, clock: Clock) -> None:
    connection.execute(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.id == order.delivery)
        .values(state=state, ended_at=clock())
    )


def _wait_after(failures: int) -> float:
    most: float = min(_FIRST_WAIT * 2.0 ** min(failures - 1, 64), _LONGEST_WAIT)
    # Half of it for certain: many workers then do not knock at a sick receiver all the time.
    return most / 2 + most / 2 * random.random()  # noqa: S311 - it only spreads the attempts


def _spread(at: datetime) -> datetime:
    return at + timedelta(seconds=_SPREAD_SECONDS * random.random())  # noqa: S311 - as above
