"""The nouns of what the public is shown: a month, and figures of which some are kept back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from tutela.cases.counting import Counted, Technology

FEWEST = 5
"""A count of fewer cases than this, but for none at all, is kept back: it might be about one
person whom somebody knows."""

Figure = int | None
"""A count; ``None`` where it is kept back."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month that has ended.

    Attributes:
        first: Its first day.
        screened: How many uploads were screened.
        matched: How many of them matched.
        unreadable: How many match nothing, and could not be looked at.
        cases: For each technology, how many of its cases had what happen to them.
        decision_wait: How long half of the cases waited for their decision, if there were enough.
        appeal_wait: The same of appeals.
    """

    first: date
    screened: Figure
    matched: Figure
    unreadable: Figure
    cases: Mapping[Technology, Mapping[Counted, Figure]]
    decision_wait: timedelta | None
    appeal_wait: timedelta | None

    @property
    def name(self) -> str:
        """The month as ISO 8601 has it, such as ``2026-01``."""
        return f"{self.first:%Y-%m}"

    def total(self, what: Counted) -> Figure:
        """How many cases had that happen to them; kept back where a part of it is."""
        parts = [figures[what] for figures in self.cases.values()]
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    def error_rate(self, technology: Technology) -> float | None:
        """What part of a technology's decided cases were not confirmed.

        ``None`` where there are none, or where a count that it is made of is kept back.
        """
        figures = self.cases[technology]
        confirmed, wrong = figures[Counted.CONFIRMED], figures[Counted.NOT_CONFIRMED]
        if confirmed is None or wrong is None or confirmed + wrong == 0:
            return None
        return wrong / (confirmed + wrong)
