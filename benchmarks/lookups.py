"""Looking one hash up, and many, in lists of growing length: Tutela's index against faiss's."""

import gc
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import faiss

from benchmarks.batches import measure_batches
from benchmarks.contenders import (
    FLAT,
    MULTI,
    OURS,
    USEARCH,
    Answer,
    answer_of_ours,
    answer_of_usearch,
    answers_of_faiss,
    ask_faiss,
    ask_ours,
    ask_usearch,
    build_flat,
    build_index,
    build_multi,
    build_usearch,
    folder_bytes,
    run_in,
)
from benchmarks.machine import available_bytes, bandwidth
from benchmarks.results import Curve, Findings, Goal, Table
from benchmarks.scale import Scale
from benchmarks.sets import QUERY_SEED, RUN_IN, RUN_IN_SEED, Hashes, queries, uniform
from benchmarks.timing import Arena, Times, table_of

_SMALLER = {Scale.QUICK: (500,), Scale.FULL: (10_000, 100_000), Scale.LARGE: (10_000, 100_000)}
_LARGER = {Scale.QUICK: (), Scale.FULL: (), Scale.LARGE: (50_000_000,)}

# What each takes of memory while it is built, in bytes an entry, generously.
_NEEDS = {FLAT: 70, MULTI: 350, USEARCH: 250}
_ASKED_AT_MILLION = 35
_ASKED_BY_SIZE = ((130, 80), (260, 130))
_ASKED_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class _Asker:
    """A contender: what it is asked by, and how its answer is read."""

    index: Any
    ask: Callable[[Hashes], object]
    read: Callable[[Any], Answer]


@dataclass(frozen=True, slots=True)
class _Measured:
    """What was found for one length of list."""

    size: int
    times: Mapping[str, Times]
    entry_bytes: float
    recall: float | None


def measure(scale: Scale) -> Findings:
    """Single look-ups at every length, and batches at ten million.

    Raises:
        RuntimeError: The answers differ.
    """
    million, ten_millions = scale.pick((5_000, 20_000), (1_000_000, 10_000_000))
    sizes = (*_SMALLER[scale], million, ten_millions, *_LARGER[scale])
    usearch_up_to = scale.pick(5_000, 1_000_000, 10_000_000)
    goals: list[Goal] = []
    tables: list[Table] = []
    measured: list[_Measured] = []
    speed = bandwidth()
    faiss.omp_set_num_threads(1)
    for size in sizes:
        values = uniform(size)
        with _contenders(values, with_usearch=size <= usearch_up_to) as (askers, entry_bytes):
            run_in(askers[OURS].index, uniform(scale.pick(100, RUN_IN), RUN_IN_SEED))
            found = _compare(values, askers, entry_bytes, scale.pick(20, 300))
            measured.append(found)
            tables.append(table_of(f"Look-up of one hash among {size:,}", found.times))
            if size == million:
                goals.append(_goal(found, _ASKED_AT_MILLION))
            if size == ten_millions:
                goals.append(_goal(found, _asked(entry_bytes)))
                batch_goals, batch_tables = measure_batches(
                    values,
                    askers[OURS].index,
                    {name: askers[name].index for name in (FLAT, MULTI) if name in askers},
                    scale,
                )
                goals += batch_goals
                tables += batch_tables
        del values
        gc.collect()
    return Findings(goals, tables, _notes(measured, usearch_up_to), _plots(measured, speed))


@contextmanager
def _contenders(values: Hashes, *, with_usearch: bool) -> Iterator[tuple[dict[str, _Asker], float]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tutela-bench-")))
        index = stack.enter_context(build_index(folder / "index", values))
        askers = {OURS: _Asker(index, partial(ask_ours, index), answer_of_ours)}
        for name, build in ((FLAT, build_flat), (MULTI, build_multi)):
            if available_bytes() > _NEEDS[name] * len(values):
                peer = build(values)
                askers[name] = _Asker(peer, partial(ask_faiss, peer), _first_answer)
        if with_usearch and available_bytes() > _NEEDS[USEARCH] * len(values):
            graph = build_usearch(values)
            askers[USEARCH] = _Asker(graph, partial(ask_usearch, graph), answer_of_usearch)
        yield askers, folder_bytes(folder) / len(values)


def _first_answer(found: Any) -> Answer:
    return answers_of_faiss(found)[0]


def _compare(
    values: Hashes, askers: Mapping[str, _Asker], entry_bytes: float, count: int
) -> _Measured:
    asked, others = (
        list(queries(values, uniform(count, seed), seed)) for seed in (QUERY_SEED, QUERY_SEED + 1)
    )
    found_by_usearch = 0
    there = 0

    def check(question: Hashes, answers: dict[str, object]) -> None:
        nonlocal found_by_usearch, there
        read = {name: askers[name].read(answer) for name, answer in answers.items()}
        true = read[OURS]
        there += len(true)
        found_by_usearch += len(set(true) & set(read.pop(USEARCH, ())))
        if any(answer != true for answer in read.values()):
            raise RuntimeError(f"the answers to {question.tobytes().hex()} differ: {read}")

    arena = Arena({name: asker.ask for name, asker in askers.items()})
    times = arena.compare(asked, hot=others, check=check)
    recall = found_by_usearch / there if USEARCH in askers else None
    return _Measured(len(values), times, entry_bytes, recall)


def _asked(entry_bytes: float) -> float:
    """What is asked at ten million depends on the room that the index takes."""
    return next((asked for most, asked in _ASKED_BY_SIZE if entry_bytes <= most), _ASKED_AT_MOST)


def _goal(found: _Measured, asked: float) -> Goal:
    ours, theirs = found.times[OURS].p50, found.times[MULTI].p50
    return Goal(
        f"look-up of one hash among {found.size:,}, COLD p50, against {MULTI} "
        f"({found.entry_bytes:.0f} bytes an entry)",
        f"{1e3 * ours:.3f} ms",
        f"{1e3 * theirs:.3f} ms",
        theirs / ours,
        asked,
    )


def _notes(measured: list[_Measured], usearch_up_to: int) -> list[str]:
    recalls = ", ".join(
        f"{found.recall:.1%} at {found.size:,}" for found in measured if found.recall is not None
    )
    left_out = [
        f"{name} at {found.size:,}"
        for found in measured
        for name in (FLAT, MULTI)
        if name not in found.times
    ]
    return [
        "Every query is asked once, and those in the tight loop are others than those asked cold; "
        "every second one has a planted neighbour at distance 0 to 31. Tutela and both faiss "
        "indexes gave the same entries and distances for all of them. Tutela's index had answered "
        "other queries before, so that its files' pages were mapped, as after a while of service; "
        "faiss touched its memory when it was built.",
        f"At ten million {_ASKED_BY_SIZE[0][1]} x is asked of an index of up to "
        f"{_ASKED_BY_SIZE[0][0]} bytes an entry, {_ASKED_BY_SIZE[1][1]} x of one of up to "
        f"{_ASKED_BY_SIZE[1][0]}; {_ASKED_AT_MOST} x is what we aim at.",
        f"usearch is approximate: of the entries within distance 31 it found {recalls}. It takes "
        f"minutes to build, so it was measured up to {usearch_up_to:,} only; `--large` goes "
        "to 10,000,000.",
        *([f"Left out for want of memory: {', '.join(left_out)}."] if left_out else []),
    ]


def _plots(measured: list[_Measured], speed: float) -> dict[str, list[Curve]]:
    names = {name: name for name in (OURS, FLAT, MULTI)}
    if slow := [found for found in measured if found.recall is not None]:
        largest = slow[-1]
        names[USEARCH] = (
            f"usearch (approximate:\nfound {largest.recall:.1%} at\n{largest.size:,};"
            "\nslow to build)"
        )
    lines = [
        Curve(
            shown,
            [
                (found.size, 1e3 * found.times[name].p50)
                for found in measured
                if name in found.times
            ],
        )
        for name, shown in names.items()
    ]
    memory = [(found.size, 1e3 * 32 * found.size / speed) for found in measured]
    return {"lookups": [*lines, Curve("reading the list once", memory, reference=True)]}
