"""What an index costs: time to build and to open it, its files, and memory."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import faiss

from benchmarks.contenders import (
    FLAT,
    MULTI,
    OURS,
    ask_faiss,
    ask_ours,
    build_flat,
    build_index,
    build_multi,
    folder_bytes,
)
from benchmarks.results import Findings, Goal, Table
from benchmarks.scale import Scale
from benchmarks.sets import QUERY_SEED, Hashes, uniform
from tutela.matching.index import Index

_BUILD_SECONDS = 15.0
_OPEN_SECONDS = 0.2
_ENTRY_BYTES = 260.0
_ROOT = Path(__file__).parent.parent


def measure(scale: Scale) -> Findings:
    """Build, open, answer; each contender's memory in a process of its own."""
    size, answers = scale.pick((20_000, 100), (10_000_000, 10_000))
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as name:
        folder = Path(name) / "index"
        values = uniform(size)
        begin = time.perf_counter()
        build_index(folder, values).close()
        build_seconds = time.perf_counter() - begin
        del values
        files = folder_bytes(folder)
        opened = [_in_own_process(OURS, size, answers, folder) for _ in range(scale.pick(1, 5))]
        ours = opened[-1]
        peers = {each: _in_own_process(each, size, answers // 50, folder) for each in (FLAT, MULTI)}
    open_seconds = median(each[0] for each in opened)
    first_seconds = median(each[1] for each in opened)
    # Every page of the files may come to be in memory.
    all_told = files + ours[3]
    goals = [
        Goal(
            f"memory at {size:,}, all told: the files whole and what the process takes besides, "
            f"against {MULTI}",
            f"{all_told / size:.0f} B an entry",
            f"{peers[MULTI][2] / size:.0f} B an entry",
            all_told / size,
            _ENTRY_BYTES,
            "B an entry",
            at_most=True,
        ),
        Goal(
            f"build of {size:,} on two cores",
            f"{build_seconds:.1f} s",
            f"{peers[MULTI][0]:.1f} s",
            build_seconds,
            _BUILD_SECONDS,
            "s",
            at_most=True,
        ),
        Goal(
            f"opening an index of {size:,} in a new process",
            f"{1e3 * open_seconds:.1f} ms",
            "",
            open_seconds,
            _OPEN_SECONDS,
            "s",
            at_most=True,
        ),
    ]
    table = Table(
        f"What an index of {size:,} hashes takes",
        (
            "",
            "files, B an entry",
            "resident after answers, B an entry",
            "of it no file's",
            "build s",
        ),
        [
            [OURS, files / size, ours[2] / size, ours[3] / size, build_seconds],
            *(
                [each, None, took[2] / size, took[3] / size, took[0]]
                for each, took in peers.items()
            ),
        ],
    )
    notes = [
        f"Resident is by how much the process grew (Rss) by opening the index and giving "
        f"{answers:,} answers; faiss's indexes are built in the process that is measured. Opening "
        f"is the median of {len(opened)}, the files in the page cache; the first answer came "
        f"{1e3 * first_seconds:.1f} ms later.",
    ]
    return Findings(goals, [table], notes)


def _in_own_process(name: str, size: int, answers: int, folder: Path) -> list[float]:
    """Seconds to have the index, seconds to the first answer, bytes grown, bytes of no file."""
    command = [sys.executable, "-m", "benchmarks.footprint", name, str(size), str(answers)]
    done = subprocess.run(
        [*command, str(folder)], cwd=_ROOT, check=True, capture_output=True, text=True
    )
    return [float(word) for word in done.stdout.split()]


def _main(name: str, size: int, answers: int, folder: Path) -> None:
    faiss.omp_set_num_threads(2)
    asked = uniform(answers, QUERY_SEED)
    values = uniform(0 if name == OURS else size)
    before = _resident()
    begin = time.perf_counter()
    ask: Callable[[Hashes], object]
    if name == OURS:
        ask = partial(ask_ours, Index.open(folder))
    else:
        ask = partial(ask_faiss, build_flat(values) if name == FLAT else build_multi(values))
    there = time.perf_counter()
    ask(asked[0])
    answered = time.perf_counter()
    for query in asked[1:]:
        ask(query)
    after = _resident()
    grown = [later - earlier for earlier, later in zip(before, after, strict=True)]
    sys.stdout.write(" ".join(map(str, [there - begin, answered - there, *grown])))


def _resident() -> tuple[int, int]:
    """Bytes of this process in memory: all, and those that are no file's pages."""
    found = {}
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]:
        key, value, *_ = line.split()
        found[key] = int(value) << 10
    return found["Rss:"], found["Anonymous:"]


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
