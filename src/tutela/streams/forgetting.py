"""Removing streams that were over a month ago. Their cases stay."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.model import Job, Kind
from tutela.streams.tables import stream_matches, streams

FORGET = "stream.forget"
"""The hourly job that does so."""

_EACH_HOUR = "50 * * * *"
_KEPT = timedelta(days=30)
_AT_ONCE = 500


def forgetting(database: Database, clock: Clock) -> Kind:
    """The kind of job that does so."""

    def forget(_job: Job) -> None:
        # Piece by piece: others write meanwhile.
        while True:
            with database.writing() as connection:
                if _forget_some(connection, clock()) < _AT_ONCE:
                    return

    return Kind(FORGET, forget, schedule=_EACH_HOUR)


def _forget_some(connection: Connection, now: datetime) -> int:
    old = list(
        connection.execute(
            select(streams.c.id).where(streams.c.ended_at < now - _KEPT).limit(_AT_ONCE)
        ).scalars()
    )
    if old:
        connection.execute(delete(stream_matches).where(stream_matches.c.stream_id.in_(old)))
        connection.execute(delete(streams).where(streams.c.id.in_(old)))
    return len(old)
