"""What could not be looked at, as operators are told of it: counts, and a few samples."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Connection, func, select

from tutela.fingerprints.model import Unreadable
from tutela.screening.samples import Sample, latest_samples
from tutela.screening.tables import unreadable_counts
from tutela.storage.clock import Clock
from tutela.storage.settings import OnUnreadable


@dataclass(frozen=True, slots=True)
class ByReason:
    """How many files could not be looked at for one reason.

    Attributes:
        reason: The reason.
        answers: How many there were of each thing that became of them.
        decoders: How many of each format, the most first; ``""`` is one that is not known.
    """

    reason: Unreadable
    answers: Counter[OnUnreadable] = field(default_factory=Counter)
    decoders: Counter[str] = field(default_factory=Counter)

    @property
    def files(self) -> int:
        """How many in all."""
        return self.answers.total()


@dataclass(frozen=True, slots=True)
class NotLookedAt:
    """What could not be looked at in some days.

    Attributes:
        reasons: For each reason that there was, the one of most files first.
        days: How many on each day, the latest first, also those without any.
        samples: A few of the latest, whenever that was.
    """

    reasons: tuple[ByReason, ...]
    days: tuple[tuple[date, int], ...]
    samples: tuple[Sample, ...]

    @property
    def files(self) -> int:
        """How many in all."""
        return sum(each.files for each in self.reasons)


def not_looked_at(connection: Connection, days: int, clock: Clock) -> NotLookedAt:
    """What could not be looked at since some days, of which today is the last."""
    today = clock().date()
    first = today - timedelta(days=days - 1)
    rows = connection.execute(select(unreadable_counts).where(unreadable_counts.c.day >= first))
    found: dict[Unreadable, ByReason] = {}
    by_day: Counter[date] = Counter()
    for row in rows:
        reason = Unreadable(row.reason)
        entry = found.setdefault(reason, ByReason(reason))
        entry.answers[OnUnreadable(row.answer)] += row.files
        entry.decoders[row.decoder] += row.files
        by_day[row.day] += row.files
    reasons = sorted(found.values(), key=lambda each: (-each.files, each.reason))
    every_day = [today - timedelta(days=back) for back in range(days)]
    return NotLookedAt(
        tuple(reasons),
        tuple((day, by_day[day]) for day in every_day),
        tuple(latest_samples(connection)),
    )


def totals_unreadable(connection: Connection) -> dict[tuple[str, str, str], int]:
    """All that was ever counted, by reason, decoder and what became of it."""
    columns = unreadable_counts.c
    keys = (columns.reason, columns.decoder, columns.answer)
    rows = connection.execute(select(*keys, func.sum(columns.files)).group_by(*keys))
    return {(reason, decoder, answer): int(files) for reason, decoder, answer, files in rows}
