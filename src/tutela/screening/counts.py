"""Counting verdicts: all that remains of a file that matched nothing."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from tutela.screening.model import Failure, Verdict
from tutela.screening.samples import Sample, Samples, add_samples
from tutela.screening.tables import screening_counts, unreadable_counts
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import OnUnreadable

FILES = 0
"""Stands where a list's number would, and counts the files themselves."""


class Counts:
    """Verdicts counted in memory, until they are saved. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._waiting: Counter[tuple[date, str, int]] = Counter()
        self._unreadable: Counter[tuple[date, str, str, str]] = Counter()
        self._samples = Samples()

    def add(self, verdict: Verdict, lists: Iterable[int] = (), *, files: int = 1) -> None:
        """Count a file, or so many alike, and a match of each with each of the lists."""
        day = self._clock().date()
        with self._lock:
            for counted in (FILES, *lists):
                self._waiting[day, verdict.value, counted] += files

    def add_unreadable(
        self, failure: Failure, answer: OnUnreadable, suffix: str, size: int | None
    ) -> None:
        """Count a file that could not be looked at, beside its verdict.

        Args:
            failure: Why.
            answer: What became of the file.
            suffix: What its name ends in.
            size: Its bytes, if that is known.
        """
        now = self._clock()
        sample = Sample.of(now, failure, answer, suffix, size)
        with self._lock:
            self._unreadable[now.date(), sample.reason, sample.decoder, answer] += 1
            self._samples.append(sample)

    def save(self, database: Database) -> None:
        """Add what was counted to the database's totals.

        Once it returns, everything counted before is in the database, whoever saved it.

        Raises:
            StorageError: The database cannot be written; the counts are kept for the next time.
                Where nobody knows whether they were written, they are counted once more: rather
                that than lost.
        """
        with self._saving:
            with self._lock:
                waiting, self._waiting = self._waiting, Counter()
                unreadable, self._unreadable = self._unreadable, Counter()
                samples, self._samples = self._samples, Samples()
            # A file is counted in two steps, of which the other may come just after this.
            if not waiting and not unreadable:
                return
            try:
                with database.writing() as connection:
                    if waiting:
                        _add(connection, screening_counts, waiting)
                    if unreadable:
                        _add(connection, unreadable_counts, unreadable)
                        add_samples(connection, samples)
            except BaseException:
                with self._lock:
                    self._waiting.update(waiting)
                    self._unreadable.update(unreadable)
                    # What came meanwhile is later, and the oldest give way.
                    samples.extend(self._samples)
                    self._samples = samples
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


def _add(connection: Connection, table: Table, waiting: Mapping[Any, int]) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    keys: list[Column[object]] = list(table.primary_key.columns)
    statement = dialect.insert(table)
    statement = statement.on_conflict_do_update(
        index_elements=keys, set_={"files": table.c.files + statement.excluded.files}
    )
    rows = [
        {**dict(zip((key.name for key in keys), values, strict=True)), "files": files}
        # In one order everywhere, so that two processes never wait for each other's rows.
        for values, files in sorted(waiting.items(), key=lambda each: tuple(map(str, each[0])))
    ]
    connection.execute(statement, rows)
