"""The time by which the machines that share a database agree on leases."""

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from tutela.errors import StorageError
from tutela.storage.clock import Clock, system_clock
from tutela.storage.database import Database

_MEASURED_AGAIN_SECONDS = 60.0


def agreed_clock(database: Database, clock: Clock) -> Clock:
    """The clock that jobs go by.

    On PostgreSQL it is the server's, so that a machine whose clock is wrong neither takes another
    one's jobs away nor keeps its own too long. SQLite is one machine's, whose clock it is.

    Args:
        database: The database.
        clock: The time here. One that tests turn has nothing to do with the database's and is
            given back as it is.
    """
    if database.is_sqlite or clock is not system_clock:
        return clock
    return DatabaseClock(database, clock)


class DatabaseClock:
    """A PostgreSQL server's time: the time here, set right by the difference measured last.

    Args:
        database: The database.
        clock: The time here.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._difference = timedelta()
        self._measured_at: float | None = None

    def __call__(self) -> datetime:
        """The moment, in UTC. Asks the database once a minute."""
        now = time.monotonic()
        if self._measured_at is None or now - self._measured_at > _MEASURED_AGAIN_SECONDS:
            self._measured_at = now
            self._measure()
        return self._clock() + self._difference

    def _measure(self) -> None:
        try:
            with self._database.reading() as connection:
                # Connecting takes its time, which must not count.
                connection.execute(text("SELECT 1"))
                before = self._clock()
                there: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
                after = self._clock()
        except StorageError:
            # Whatever is done next with the database will tell; the last difference holds.
            return
        self._difference = there.astimezone(UTC) - (before + (after - before) / 2)
