"""What it costs to open a picture in a sealed cell instead of in one's own process."""

import io
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from benchmarks.photos import fitting_jpegs
from benchmarks.results import Findings, Goal, Table
from benchmarks.scale import Scale
from benchmarks.timing import Arena, table_of
from tutela.fingerprints.digests import Digests, digests_of
from tutela.fingerprints.model import Part, Pdq, Picture
from tutela.sandbox.decoding import Room, prepare
from tutela.sandbox.everything import everything_in
from tutela.sandbox.formats import HEAD_BYTES, recognise
from tutela.sandbox.model import Keeping, Limits
from tutela.sandbox.pool import CellPool
from tutela.sandbox.probing import probe

_CELL, _HERE = "in a warm cell", "in the same process"
_SIDES = (1920, 512)
_MOST_RATIO = 1.1

Found = tuple[Digests, Pdq | None]


def measure(scale: Scale) -> Findings:
    """Digests and hashes of the same JPEGs, in a cell and without one; and starting a cell.

    Raises:
        RuntimeError: The two differ, or cells cannot be sealed whole here.
    """
    seal = probe(Limits())
    if not seal.is_whole:
        raise RuntimeError(f"cells cannot be sealed whole here: {seal.words}")
    most, rounds, starts = scale.pick((2, 1, 1), (60, 9, 7))
    prepare()
    room = Room()
    goals, tables = [], []
    # Nothing is recycled in the middle of it: what that costs is told by itself.
    with CellPool(1, keeping=Keeping(strict=True, jobs=1_000_000)) as cells:
        arena = Arena(
            {_CELL: lambda file: _in_cell(cells, file), _HERE: lambda file: _here(file, room)}
        )
        for side in _SIDES:
            with _opened(fitting_jpegs((side, side), most)) as files:
                # Warm: both have opened all of them before.
                for each in (*files, *files):
                    _in_cell(cells, each)
                    _here(each, room)
                times = arena.compare(files, rounds=rounds, hot=files, check=_check)
            cell, here = times[_CELL], times[_HERE]
            tables.append(table_of(f"JPEGs of {side} px, from file to digests and PDQ", times))
            if side == _SIDES[0]:
                ratio = median(a / b for a, b in zip(cell.cold, here.cold, strict=True))
                goals.append(
                    Goal(
                        f"a JPEG of {side} px opened in a sealed cell (n = {len(files)}), against "
                        "the same without a cell",
                        f"{1e3 * cell.p50:.2f} ms",
                        f"{1e3 * here.p50:.2f} ms",
                        ratio,
                        _MOST_RATIO,
                        at_most=True,
                    )
                )
    started = median(_start() for _ in range(starts))
    jobs = Keeping().jobs
    tables.append(
        Table(
            "starting a cell, in milliseconds",
            ("", "until its first answer", f"for each of {jobs:,} files"),
            [["a cell", 1e3 * started, 1e3 * started / jobs]],
        )
    )
    return Findings(goals, tables, [_NOTE.format(rounds=rounds)])


_NOTE = (
    "Both read the file, take its three digests and hash all that is in it, in one thread. A "
    "picture's time is the median of {rounds}; the ratio is the median of the pictures' own. Every "
    "layer of the seal is on. After so many files by default a new cell is started, while the old "
    "one works."
)


def _in_cell(cells: CellPool, file: int) -> Found:
    found = cells.fingerprint(file)
    return found.digests, found.picture.pdq


def _here(file: int, room: Room) -> Found:
    content = os.pread(file, os.fstat(file).st_size, 0)
    digests = digests_of(io.BytesIO(content))
    picture_format = recognise(content[:HEAD_BYTES])
    if picture_format is None:
        raise RuntimeError("a JPEG is not recognised")
    found: list[Part | Picture] = list(
        everything_in(io.BytesIO(content), picture_format, Limits(), room)
    )
    pictures = [each for each in found if isinstance(each, Picture)]
    return digests, pictures[-1].pdq


def _check(_: int, answers: dict[str, object]) -> None:
    if answers[_CELL] != answers[_HERE]:
        raise RuntimeError("a cell finds something else than the same process")


def _start() -> float:
    nothing = os.memfd_create("nothing")
    try:
        begin = time.perf_counter()
        with CellPool(1) as cells:
            cells.fingerprint(nothing)
            return time.perf_counter() - begin
    finally:
        os.close(nothing)


@contextmanager
def _opened(contents: Sequence[bytes]) -> Iterator[list[int]]:
    files = []
    try:
        for content in contents:
            files.append(os.memfd_create("photograph"))
            os.write(files[-1], content)
        yield files
    finally:
        for file in files:
            os.close(file)
