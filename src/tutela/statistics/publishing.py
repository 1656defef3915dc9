"""What the public is shown: the last twelve months that have ended.

The month that runs is never shown. A number that moves with an upload would tell whoever sent it
whether it was known (``docs/decisions/0011``).
"""

from datetime import date, datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, func, select

from tutela.cases.counting import Counted, counts_between, median_wait
from tutela.screening.counts import FILES
from tutela.screening.model import Verdict
from tutela.screening.tables import screening_counts
from tutela.statistics.keeping_back import shown, shown_cases
from tutela.statistics.model import FEWEST, Month
from tutela.storage.clock import Clock
from tutela.storage.database import Database

MONTHS = 12

# Anybody may ask, as often as they like; the answer changes once a month.
_KEPT_FOR = timedelta(minutes=10)
_kept: WeakKeyDictionary[Database, tuple[datetime, tuple[Month, ...]]] = WeakKeyDictionary()


def published_months(database: Database, clock: Clock) -> tuple[Month, ...]:
    """The months that have ended, the newest first; those before the first upload are left out.

    Raises:
        StorageError: The database cannot be read.
    """
    now = clock()
    kept = _kept.get(database)
    if kept is None or not kept[0] <= now < kept[0] + _KEPT_FOR:
        with database.reading() as connection:
            kept = now, tuple(_months(connection, now.date()))
        _kept[database] = kept
    return kept[1]


def _months(connection: Connection, today: date) -> list[Month]:
    months = []
    first = today.replace(day=1)
    for _ in range(MONTHS):
        last = first - timedelta(days=1)
        first = last.replace(day=1)
        months.append(_month(connection, first, last))
    while (
        months
        and not months[-1].screened
        and not any(months[-1].total(what) != 0 for what in Counted)
    ):
        months.pop()
    return months


def _month(connection: Connection, first: date, last: date) -> Month:
    files = _files(connection, first, last)
    counts = counts_between(connection, first, last)
    decided = (Counted.CONFIRMED, Counted.NOT_CONFIRMED)
    settled = (Counted.GRANTED, Counted.UPHELD)
    enough = {
        each: sum(cases for (what, _), cases in counts.items() if what in each) >= FEWEST
        for each in (decided, settled)
    }
    return Month(
        first,
        screened=shown(sum(files.values())),
        matched=shown(files.get(Verdict.MATCH, 0)),
        unreadable=shown(files.get(Verdict.UNREADABLE, 0)),
        cases=shown_cases(counts),
        decision_wait=median_wait(connection, decided, first, last) if enough[decided] else None,
        appeal_wait=median_wait(connection, settled, first, last) if enough[settled] else None,
    )


def _files(connection: Connection, first: date, last: date) -> dict[str, int]:
    rows = connection.execute(
        select(screening_counts.c.verdict, func.sum(screening_counts.c.files))
        .where(screening_counts.c.day.between(first, last), screening_counts.c.list_id == FILES)
        .group_by(screening_counts.c.verdict)
    )
    return {verdict: int(files) for verdict, files in rows}
