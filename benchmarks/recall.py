"""Whether anything is missed: planted neighbours at every distance, in every pattern."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.contenders import (
    answer_of_ours,
    answers_of_faiss,
    ask_faiss,
    ask_ours_many,
    build_flat,
    build_index,
)
from benchmarks.results import Findings, Goal, Table
from benchmarks.scale import Scale
from benchmarks.sets import MAX_DISTANCE, PATTERNS, Hashes, skewed, uniform

_SEED = 20269
_AT_ONCE = 1_000


def measure(scale: Scale) -> Findings:
    """Plants in a list that is scanned whole, in a long one, and in a skewed one.

    Raises:
        RuntimeError: A linear scan finds something else.
    """
    scanned, long, plants = scale.pick((2_000, 20_000, 640), (200_000, 10_000_000, 100_000))
    goals = []
    tables = []
    for name, make, size, scans in (
        ("uniform hashes, every answer compared with a linear scan's", uniform, scanned, True),
        ("skewed hashes, every answer compared with a linear scan's", skewed, scanned, True),
        ("uniform hashes", uniform, long, False),
    ):
        found, asked = _measure_list(make(size), plants, scans=scans)
        reached = 100 * found.sum() / asked.sum()
        goals.append(
            Goal(
                f"planted neighbours found among {size:,} {name}",
                f"{found.sum():,} of {asked.sum():,}",
                "",
                float(reached),
                100.0,
                "%",
            )
        )
        tables.append(
            Table(
                f"Planted neighbours found among {size:,} {name}",
                ("bits turned over", "planted", "found", "found at distance 31"),
                [
                    [
                        pattern,
                        int(asked[row].sum()),
                        int(found[row].sum()),
                        f"{found[row, MAX_DISTANCE]:,} of {asked[row, MAX_DISTANCE]:,}",
                    ]
                    for row, pattern in enumerate(PATTERNS)
                ],
            )
        )
    notes = [
        "As many plants at each distance from 0 to 31. Found means that the entry it was planted "
        "near is among the answers with that distance."
    ]
    return Findings(goals, tables, notes)


def _measure_list(
    values: Hashes, plants: int, *, scans: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many were found, and how many planted, by pattern and distance."""
    found = np.zeros((len(PATTERNS), MAX_DISTANCE + 1), np.int64)
    asked = np.zeros_like(found)
    faiss.omp_set_num_threads(2)
    flat = build_flat(values) if scans else None
    with (
        tempfile.TemporaryDirectory(prefix="tutela-bench-") as folder,
        build_index(Path(folder) / "index", values) as index,
    ):
        for row, (entries, distances, queries) in _planted(values, plants):
            answers = [answer_of_ours(hits) for hits in ask_ours_many(index, queries)]
            if flat is not None and answers != answers_of_faiss(ask_faiss(flat, queries)):
                raise RuntimeError("Tutela and a linear scan find different entries")
            for entry, distance, answer in zip(
                entries.tolist(), distances.tolist(), answers, strict=True
            ):
                asked[row, distance] += 1
                found[row, distance] += (distance, entry) in answer
    return found, asked


_Plants = tuple[NDArray[np.int64], NDArray[np.int64], Hashes]


def _planted(values: Hashes, plants: int) -> Iterator[tuple[int, _Plants]]:
    chance = np.random.default_rng(_SEED)
    of_each = plants // len(PATTERNS)
    for row, turn_over in enumerate(PATTERNS.values()):
        for begin in range(0, of_each, _AT_ONCE):
            count = min(_AT_ONCE, of_each - begin)
            yield row, _plant(values, begin, count, turn_over, chance)


def _plant(
    values: Hashes,
    begin: int,
    count: int,
    turn_over: Callable[[Hashes, NDArray[np.int64], np.random.Generator], Hashes],
    chance: np.random.Generator,
) -> _Plants:
    distances = np.arange(begin, begin + count) % (MAX_DISTANCE + 1)
    entries = chance.integers(0, len(values), count)
    return entries, distances, turn_over(values[entries], distances, chance)
