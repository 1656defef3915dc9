"""Looking through the ledger: what was done on a case, by somebody, of a kind, in a time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select

from tutela.errors import InvalidInputError
from tutela.ledger.encoding import microseconds
from tutela.ledger.model import Act, Entry
from tutela.ledger.reading import entries_counted, entry_of
from tutela.ledger.tables import ledger_entries

LOOKED_THROUGH = 20_000
"""How many entries of one person are looked through at once for those of one kind."""

_ID = re.compile(r"[!-~]{1,100}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. What is left out is not asked about.

    Attributes:
        case: The case's number.
        actor: Who did it: ``person:3``, ``key:5``, ``os:1000``, ``tutela``.
        act: What was done, as one of the words of ``Act``.
        since: Not earlier than this.
        until: Earlier than this.
    """

    case: str | None = None
    actor: str | None = None
    act: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what no entry can hold.

        Raises:
            InvalidInputError: It cannot be looked for; the message says why.
        """
        if self.actor is not None and not _ID.fullmatch(self.actor):
            raise InvalidInputError(
                "write who did it as the ledger does: person:3, key:5, os:1000 or tutela"
            )
        if self.act is not None and self.act not in set(Act):
            raise InvalidInputError(
                '"{act}" is no act of the ledger: choose one, such as {case_moved}',
                act=self.act,
                case_moved=Act.CASE_MOVED,
            )
        for moment in (self.since, self.until):
            if moment is not None and moment.tzinfo is None:
                raise InvalidInputError("a moment needs a time zone: 2026-11-28T12:00:00Z")


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, the newest first.

    Attributes:
        entries: The entries.
        before: Where the next page begins: entries with a smaller number; ``None`` at the end.
    """

    entries: Sequence[Entry]
    before: int | None


def search(
    connection: Connection, wanted: Wanted, *, limit: int, before: int | None = None
) -> Found:
    """The newest entries that are looked for.

    However long the ledger is, an index leads to them: the page costs what it shows. Where a
    person's entries of one kind are rare, a page may be short, or empty, and have a next one.

    Times are found by halving, as entries follow one another in time. Where a clock was set back,
    entries around that moment may be left out; ask without a time to see all.

    Args:
        connection: Where to read.
        wanted: What is looked for.
        limit: How many at most.
        before: Only entries with a smaller number.
    """
    first, end = _span(connection, wanted, before)
    if wanted.actor is not None and wanted.act is not None and wanted.case is None:
        first, more = _bounded(connection, wanted.actor, first, end)
    else:
        more = False
    number = ledger_entries.c.number
    statement = (
        select(ledger_entries)
        .where(number >= first, number < end, *_conditions(wanted))
        .order_by(number.desc())
        .limit(limit + 1)
    )
    entries = [entry_of(row) for row in connection.execute(statement)]
    if len(entries) > limit:
        return Found(entries[:limit], entries[limit - 1].number)
    return Found(entries, first if more else None)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = ledger_entries.c
    conditions = [
        column == value
        for column, value in (
            (columns.case_id, wanted.case),
            (columns.actor, wanted.actor),
            (columns.act, wanted.act),
        )
        if value is not None
    ]
    if wanted.since is not None:
        conditions.append(columns.at >= microseconds(wanted.since))
    if wanted.until is not None:
        conditions.append(columns.at < microseconds(wanted.until))
    return conditions


def _span(connection: Connection, wanted: Wanted, before: int | None) -> tuple[int, int]:
    """Between which numbers it is looked for."""
    size = entries_counted(connection)
    first = 0 if wanted.since is None else _first_at(connection, wanted.since, size)
    end = size if wanted.until is None else _first_at(connection, wanted.until, size)
    return first, end if before is None else min(end, before)


def _first_at(connection: Connection, moment: datetime, size: int) -> int:
    """The number of the first entry that is not earlier than a moment, by halving."""
    at = microseconds(moment)
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(
            select(ledger_entries.c.at).where(ledger_entries.c.number == middle)
        ).scalar_one_or_none()
        if found is None or found < at:
            low = middle + 1
        else:
            high = middle
    return low


def _bounded(connection: Connection, actor: str, first: int, end: int) -> tuple[int, bool]:
    """Where looking ends for this page, and whether there is more of this actor's before it."""
    number = ledger_entries.c.number
    furthest = connection.execute(
        select(number)
        .where(ledger_entries.c.actor == actor, number >= first, number < end)
        .order_by(number.desc())
        .limit(1)
        .offset(LOOKED_THROUGH)
    ).scalar_one_or_none()
    return (first, False) if furthest is None else (int(furthest), True)
