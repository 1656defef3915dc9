"""How much is measured."""

from enum import StrEnum
from typing import TypeVar

Chosen = TypeVar("Chosen")


class Scale(StrEnum):
    """How much is measured."""

    QUICK = "quick"
    """Small sizes, once: shows that it runs, not how fast."""

    FULL = "full"
    """What the results page reports."""

    LARGE = "large"
    """More than that, for hours."""

    def pick(self, quick: Chosen, full: Chosen, large: Chosen | None = None) -> Chosen:
        """The choice for this scale; a large run does what a full one does if nothing is said."""
        if self is Scale.QUICK:
            return quick
        return large if self is Scale.LARGE and large is not None else full
