"""Timing contenders side by side, each call finding the processor's caches cold.

COLD is what a server sees that does other work between two calls: everything that all contenders
are asked is put in one random order, so that each call finds in the caches what the others left
there, and seldom anything of its own. HOT is one contender alone in a tight loop, each call finding
warm what the one before it used; it flatters.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.results import Table

Asked = TypeVar("Asked")

_EVICTING_BYTES = 1 << 26
_SEED = 20263


@dataclass(frozen=True, slots=True)
class Times:
    """How long one contender's calls took, in seconds.

    Attributes:
        cold: Every call, in the order of what was asked, caches cold.
        hot: Every call in a tight loop; empty if that was not measured.
    """

    cold: Sequence[float]
    hot: Sequence[float] = ()

    @property
    def p50(self) -> float:
        """Median of the cold calls."""
        return median(self.cold)


class Arena(Generic[Asked]):
    """Contenders that are asked the same, in one thread.

    Args:
        contenders: What answers, by name.
        evicting: Also write 64 MiB of other memory before each cold call: where the contenders
            read so little, or all the same, that they leave each other's caches warm.
    """

    def __init__(
        self, contenders: Mapping[str, Callable[[Asked], object]], *, evicting: bool = False
    ) -> None:
        self._contenders = dict(contenders)
        self._evicting = np.zeros(_EVICTING_BYTES if evicting else 0, np.uint8)

    def compare(
        self,
        asked: Sequence[Asked],
        *,
        rounds: int = 1,
        hot: Sequence[Asked] = (),
        check: Callable[[Asked, dict[str, object]], None] | None = None,
    ) -> dict[str, Times]:
        """Time every contender on everything asked.

        Args:
            asked: What each is asked.
            rounds: How often; of the rounds' times for one question the median is taken.
            hot: What is asked in a tight loop besides, as often as rounds; the last time counts.
                Look-ups should be others than those asked cold, which are in the caches then.
            check: Is given a question and all answers; raises if they must not differ.
        """
        jobs = [
            (place, name)
            for place in range(len(asked))
            for name in self._contenders
            for _ in range(rounds)
        ]
        random.Random(_SEED).shuffle(jobs)
        taken: dict[str, list[list[float]]] = {
            name: [[] for _ in asked] for name in self._contenders
        }
        answers: list[dict[str, object]] = [{} for _ in asked]
        with threadpool_limits(1):
            for place, name in jobs:
                self._evicting += 1
                begin = time.perf_counter()
                answer = self._contenders[name](asked[place])
                taken[name][place].append(time.perf_counter() - begin)
                answers[place][name] = answer
            if check:
                for question, given in zip(asked, answers, strict=True):
                    check(question, given)
            loops = {
                name: self._loop(name, hot, rounds) if hot else [] for name in self._contenders
            }
        return {
            name: Times([median(seconds) for seconds in taken[name]], loops[name])
            for name in self._contenders
        }

    def _loop(self, name: str, asked: Sequence[Asked], passes: int) -> list[float]:
        contender = self._contenders[name]
        seconds: list[float] = []
        for _ in range(passes):
            seconds.clear()
            for question in asked:
                begin = time.perf_counter()
                contender(question)
                seconds.append(time.perf_counter() - begin)
        return seconds


def table_of(caption: str, times: Mapping[str, Times]) -> Table:
    """Contenders' times in milliseconds."""
    return Table(
        f"{caption}, in milliseconds",
        ("", "n", "COLD p50", "COLD p99", "HOT p50"),
        [
            [
                name,
                len(taken.cold),
                1e3 * taken.p50,
                1e3 * percentile(taken.cold, 99),
                1e3 * median(taken.hot) if taken.hot else None,
            ]
            for name, taken in times.items()
        ],
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed."""
    return float(np.percentile(np.asarray(values), percent, method="inverted_cdf"))
