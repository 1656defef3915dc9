"""Counting what happens to cases: by day, by what found them, and by how long they waited.

The public statistics and the numbers are read from here, without a walk through a million cases.
A count comes last in its transaction, behind the entry in the ledger if there is one: whoever has
the ledger's head has the counts too, so nobody waits for another in a circle.
"""

import math
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from tutela.cases.model import CaseId
from tutela.cases.tables import case_counts, case_items, case_matches, case_times
from tutela.fingerprints.model import Kind

_BANDS_A_DOUBLING = 4
_LAST_BAND = 100


class Counted(StrEnum):
    """What happened to a case. A word once used is never given another meaning."""

    OPENED = "opened"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    APPEALED = "appealed"
    GRANTED = "granted"
    UPHELD = "upheld"


class Technology(StrEnum):
    """What found it."""

    EXACT = "exact"
    """A list has the very same file, by an exact digest."""
    PDQ = "pdq"
    """A list has a picture or video like it, by PDQ or vPDQ."""
    WORDS = "words"
    """A list has its address, or the words of it."""
    NONE = "none"
    """A person reported it."""


def technology_of(kinds: Collection[Kind]) -> Technology:
    """What found a case whose matches are of these kinds: the most exact of them. Pure."""
    if not kinds:
        return Technology.NONE
    if any(kind.is_digest for kind in kinds):
        return Technology.EXACT
    return Technology.WORDS if all(kind.is_of_words for kind in kinds) else Technology.PDQ


def technology_behind(connection: Connection, case: CaseId) -> Technology:
    """What found a case, as far as its items say by now."""
    kinds = connection.execute(
        select(case_matches.c.kind)
        .distinct()
        .join_from(case_items, case_matches)
        .where(case_items.c.case_id == case)
    )
    return technology_of([Kind(kind) for kind in kinds.scalars()])


def count(
    connection: Connection,
    what: Counted,
    technology: Technology,
    day: date,
    *,
    waited: timedelta | None = None,
) -> None:
    """Count one case more. Do it last in the transaction, even behind the ledger.

    Args:
        connection: The transaction of what happens.
        what: What happens.
        technology: What found the case.
        day: When, in UTC.
        waited: How long it had waited for that, where that is counted.
    """
    _add(connection, case_counts, {"day": day, "what": what, "technology": technology})
    if waited is not None:
        _add(connection, case_times, {"day": day, "what": what, "band": band_of(waited)})


def counts_between(
    connection: Connection, first: date, last: date
) -> dict[tuple[Counted, Technology], int]:
    """What was counted from one day to another, both included."""
    rows = connection.execute(
        select(case_counts.c.what, case_counts.c.technology, func.sum(case_counts.c.cases))
        .where(case_counts.c.day.between(first, last))
        .group_by(case_counts.c.what, case_counts.c.technology)
    )
    return {(Counted(what), Technology(how)): int(cases) for what, how, cases in rows}


def median_wait(
    connection: Connection, what: Collection[Counted], first: date, last: date
) -> timedelta | None:
    """About how long half of the cases waited for what happened between two days.

    Up to a fifth more than the true median; ``None`` if nothing happened.
    """
    rows = connection.execute(
        select(case_times.c.band, func.sum(case_times.c.cases))
        .where(case_times.c.day.between(first, last), case_times.c.what.in_(what))
        .group_by(case_times.c.band)
        .order_by(case_times.c.band)
    )
    return median_of([(band, int(cases)) for band, cases in rows])


def median_of(bands: Iterable[tuple[int, int]]) -> timedelta | None:
    """The upper end of the band in which the middle one of all lies. Pure."""
    bands = sorted(bands)
    half, seen = sum(cases for _, cases in bands) / 2, 0
    for band, cases in bands:
        seen += cases
        if seen and seen >= half:
            return longest_in(band)
    return None


def band_of(waited: timedelta) -> int:
    """The band of time that a wait lies in: four for each doubling, the first up to a minute."""
    minutes = waited.total_seconds() / 60
    if minutes <= 1:
        return 0
    return min(math.ceil(_BANDS_A_DOUBLING * math.log2(minutes)), _LAST_BAND)


def longest_in(band: int) -> timedelta:
    """The longest wait that a band holds."""
    return timedelta(minutes=2 ** (band / _BANDS_A_DOUBLING))


def _add(connection: Connection, table: Table, key: dict[str, object]) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(**key, cases=1)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns), set_={"cases": table.c.cases + 1}
        )
    )
