"""Looking many hashes up in one call."""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import faiss
from threadpoolctl import threadpool_limits

from benchmarks.contenders import (
    FLAT,
    MULTI,
    OURS,
    answer_of_ours,
    answers_of_faiss,
    ask_faiss,
    ask_ours_many,
)
from benchmarks.results import Goal, Table
from benchmarks.scale import Scale
from benchmarks.sets import Hashes, queries, uniform
from tutela.matching.index import Index

_ASKED = 250
_SEED = 20267
_ROUNDS = 3


def measure_batches(
    values: Hashes, index: Index, peers: Mapping[str, faiss.IndexBinary], scale: Scale
) -> tuple[list[Goal], list[Table]]:
    """Hashes a second, in batches of distinct hashes.

    Args:
        values: The list.
        index: Tutela's index of it.
        peers: Faiss's, by name.
        scale: How much is measured.

    Raises:
        RuntimeError: The answers differ.
    """
    # Larger ones for Tutela, so that each takes about as long as faiss's.
    counts = {OURS: scale.pick(40, 4_000), FLAT: scale.pick(20, 128), MULTI: scale.pick(20, 128)}
    ask: dict[str, Callable[[Hashes], Any]] = {
        OURS: partial(ask_ours_many, index),
        **{name: partial(ask_faiss, peer) for name, peer in peers.items()},
    }
    _check(values, ask)
    seeds = iter(range(_SEED, _SEED + 1_000))
    alone = {name: _rates() for name in ask}
    paired = {name: _rates() for name in ask}
    chance = random.Random(_SEED)
    for _ in range(scale.pick(1, _ROUNDS)):
        for name in chance.sample(list(ask), len(ask)):
            count = counts[name]
            asked = queries(values, uniform(count, next(seeds)), next(seeds))
            with _on_one_core(), threadpool_limits(1):
                alone[name].append(count / _seconds(ask[name], asked))
            asked = queries(values, uniform(2 * count, next(seeds)), next(seeds))
            paired[name].append(2 * count / _seconds(partial(_on_two, name, ask[name]), asked))
    faiss.omp_set_num_threads(1)
    rates = {name: median(found) for name, found in alone.items()}
    best = max(peers, key=lambda name: rates[name])
    goal = Goal(
        f"look-ups in batches among {len(values):,}, one thread, against the best faiss batch "
        f"({best})",
        f"{rates[OURS]:,.0f}/s",
        f"{rates[best]:,.0f}/s",
        rates[OURS] / rates[best],
        _ASKED,
    )
    table = Table(
        f"Look-ups a second in batches among {len(values):,}",
        ("", "hashes a batch", "one thread", "two threads"),
        [[name, counts[name], rates[name], median(paired[name])] for name in ask],
    )
    return [goal], [table]


def _rates() -> list[float]:
    return []


def _seconds(function: Callable[[Hashes], object], asked: Hashes) -> float:
    begin = time.perf_counter()
    function(asked)
    return time.perf_counter() - begin


def _on_two(name: str, function: Callable[[Hashes], object], asked: Hashes) -> None:
    if name != OURS:
        faiss.omp_set_num_threads(2)
        function(asked)
        faiss.omp_set_num_threads(1)
        return
    half = len(asked) // 2
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(function, (asked[:half], asked[half:])))


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Keep every thread of this process to one core, so that none has a second one in secret."""
    before = os.sched_getaffinity(0)
    faiss.omp_set_num_threads(1)
    _keep_threads_to({min(before)})
    try:
        yield
    finally:
        _keep_threads_to(before)


def _keep_threads_to(cores: set[int]) -> None:
    for thread in Path("/proc/self/task").iterdir():
        # It may have ended since it was listed.
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)


def _check(values: Hashes, ask: Mapping[str, Callable[[Hashes], Any]]) -> None:
    asked = queries(values, uniform(32, _SEED - 1), _SEED - 1)
    read = {
        name: [answer_of_ours(hits) for hits in function(asked)]
        if name == OURS
        else answers_of_faiss(function(asked))
        for name, function in ask.items()
    }
    if any(answers != read[OURS] for answers in read.values()):
        raise RuntimeError("the answers to a batch differ")
