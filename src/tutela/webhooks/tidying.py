"""Removing what the log of deliveries need not keep any longer."""

from datetime import timedelta

from sqlalchemy import delete, exists, select

from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.model import Job, Kind
from tutela.storage.settings import Settings
from tutela.webhooks.model import DeliveryState
from tutela.webhooks.tables import webhook_attempts, webhook_deliveries, webhook_events

TIDY = "webhook.tidy"
"""The daily job that does so."""

_AT_NIGHT = "10 4 * * *"
_AT_ONCE = 500


def tidying(settings: Settings, database: Database, clock: Clock) -> Kind:
    """The kind of job that does so."""

    def tidy(_job: Job) -> None:
        while _remove_some(settings, database, clock):
            pass

    return Kind(TIDY, tidy, schedule=_AT_NIGHT)


def _remove_some(settings: Settings, database: Database, clock: Clock) -> bool:
    before = clock() - timedelta(days=settings.webhooks.keep_days)
    waits = exists().where(
        webhook_deliveries.c.event_id == webhook_events.c.id,
        webhook_deliveries.c.state == DeliveryState.WAITING,
    )
    with database.writing() as connection:
        events = list(
            connection.execute(
                select(webhook_events.c.id)
                .where(webhook_events.c.happened_at < before, ~waits)
                .order_by(webhook_events.c.happened_at)
                .limit(_AT_ONCE)
            ).scalars()
        )
        of_them = webhook_deliveries.c.event_id.in_(events)
        deliveries = select(webhook_deliveries.c.id).where(of_them)
        connection.execute(
            delete(webhook_attempts).where(webhook_attempts.c.delivery_id.in_(deliveries))
        )
        connection.execute(delete(webhook_deliveries).where(of_them))
        connection.execute(delete(webhook_events).where(webhook_events.c.id.in_(events)))
    return bool(events)
