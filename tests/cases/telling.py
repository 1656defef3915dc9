"""What the platform would be told, without a platform."""

from ipaddress import ip_network
from typing import Any

from sqlalchemy import insert, select, update

from tests.actors import actor_called
from tutela.cases.model import CaseId
from tutela.cases.tables import case_items, cases, subjects
from tutela.cases.taking_effect import taking_effect
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.performing import perform
from tutela.storage.settings import Settings, Webhooks
from tutela.webhooks.endpoints import add_endpoint
from tutela.webhooks.model import CHOOSABLE
from tutela.webhooks.tables import webhook_events


def listening(settings: Settings, database: Database, clock: Clock) -> Settings:
    """Have somebody listen on this machine who is told of everything."""
    own = settings.model_copy(
        update={"webhooks": Webhooks(private_networks=(ip_network("127.0.0.0/8"),))}
    )
    with database.writing() as connection:
        add_endpoint(
            connection,
            own,
            actor_called("test"),
            clock,
            name="forum",
            url="http://127.0.0.1:9/",
            events=CHOOSABLE,
        )
    return own


def uploaded(database: Database, clock: Clock, case: CaseId, item: str, subject: str) -> None:
    """Have a case's item be this upload of this account."""
    with database.writing() as connection:
        known = connection.execute(
            select(subjects.c.id).where(subjects.c.key == subject)
        ).scalar_one_or_none()
        if known is None:
            known = connection.execute(
                insert(subjects).values(key=subject, first_seen_at=clock()).returning(subjects.c.id)
            ).scalar_one()
        connection.execute(update(cases).where(cases.c.id == case).values(subject_id=known))
        connection.execute(
            update(case_items).where(case_items.c.case_id == case).values(reference=item)
        )


def effects(database: Database, clock: Clock) -> None:
    """Have every decision take effect whose time has come."""
    kind = taking_effect(database, clock)
    failures: list[Exception] = []
    while jobs := claim(database, {kind.name: kind}, clock, most=100, worker="test:1"):
        for job in jobs:
            perform(database, job, kind, clock, lambda _, error: failures.append(error))
    assert failures == []


def told(database: Database) -> list[tuple[str, dict[str, Any]]]:
    """What would be told, in order."""
    with database.reading() as connection:
        rows = connection.execute(select(webhook_events).order_by(webhook_events.c.id))
        return [(row.kind, row.data) for row in rows]
