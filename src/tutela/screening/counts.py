"""Counting verdicts: all that remains of a file that matched nothing."""

import threading
from collections import Counter
from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from tutela.screening.model import Verdict
from tutela.screening.tables import screening_counts
from tutela.storage.clock import Clock
from tutela.storage.database import Database

FILES = 0
"""Stands where a list's number would, and counts the files themselves."""


class Counts:
    """Verdicts counted in memory, until they are saved. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._waiting: Counter[tuple[date, str, int]] = Counter()

    def add(self, verdict: Verdict, lists: Iterable[int] = (), *, files: int = 1) -> None:
        """Count a file, or so many alike, and a match of each with each of the lists."""
        day = self._clock().date()
        with self._lock:
            for counted in (FILES, *lists):
                self._waiting[day, verdict.value, counted] += files

    def save(self, database: Database) -> None:
        """Add what was counted to the database's totals.

        Once it returns, everything counted before is in the database, whoever saved it.

        Raises:
            StorageError: The database cannot be written; the counts are kept for the next time.
        """
        with self._saving:
            with self._lock:
                waiting, self._waiting = self._waiting, Counter()
            if not waiting:
                return
            try:
                with database.writing() as connection:
                    _add(connection, waiting)
            except BaseException:
                with self._lock:
                    self._waiting.update(waiting)
                raise


def totals(connection: Connection) -> dict[tuple[str, int], int]:
    """All that was ever counted, by verdict and list number (``FILES`` for the files)."""
    rows = connection.execute(
        select(
            screening_counts.c.verdict,
            screening_counts.c.list_id,
            func.sum(screening_counts.c.files),
        ).group_by(screening_counts.c.verdict, screening_counts.c.list_id)
    )
    return {(verdict, list_id): int(files) for verdict, list_id, files in rows}


def _add(connection: Connection, waiting: Counter[tuple[date, str, int]]) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(screening_counts)
    statement = statement.on_conflict_do_update(
        index_elements=list(screening_counts.primary_key.columns),
        set_={"files": screening_counts.c.files + statement.excluded.files},
    )
    rows = [
        {"day": day, "verdict": verdict, "list_id": list_id, "files": files}
        # In one order everywhere, so that two processes never wait for each other's rows.
        for (day, verdict, list_id), files in sorted(waiting.items())
    ]
    connection.execute(statement, rows)
