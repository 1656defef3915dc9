"""Keeping small numbers back, so that no figure is about one person. Pure."""

from collections.abc import Mapping

from tutela.cases.counting import Counted, Technology
from tutela.statistics.model import FEWEST, Figure


def shown(count: int) -> Figure:
    """A count as it is shown: ``None`` for 1 to 4."""
    return None if 0 < count < FEWEST else count


def shown_cases(
    counts: Mapping[tuple[Counted, Technology], int],
) -> Mapping[Technology, Mapping[Counted, Figure]]:
    """The counts of cases as they are shown.

    Where a part of the appeals that were decided is kept back, so is the number that came in: from
    it and the other part the first one could be worked out.
    """
    return {technology: _of(technology, counts) for technology in Technology}


def _of(
    technology: Technology, counts: Mapping[tuple[Counted, Technology], int]
) -> Mapping[Counted, Figure]:
    figures = {what: shown(counts.get((what, technology), 0)) for what in Counted}
    if figures[Counted.GRANTED] is None or figures[Counted.UPHELD] is None:
        figures[Counted.APPEALED] = None
    return figures
