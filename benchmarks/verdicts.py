"""From the bytes of a JPEG to its verdict: Tutela's steps against Pillow, pdqhash and faiss."""

import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import faiss
import numpy as np
from PIL import Image

from benchmarks.contenders import (
    Answer,
    answer_of_ours,
    answers_of_faiss,
    ask_faiss,
    build_index,
    build_multi,
    run_in,
)
from benchmarks.peer import pdq_by_peer
from benchmarks.photos import fitting_jpegs, native_photographs
from benchmarks.results import Findings, Goal, Table
from benchmarks.scale import Scale
from benchmarks.sets import MAX_DISTANCE, RUN_IN, RUN_IN_SEED, Hashes, scattered, uniform
from benchmarks.timing import Arena, Times, table_of
from tutela.fingerprints.pdq import PdqSums
from tutela.matching.index import Index
from tutela.matching.model import Query
from tutela.sandbox.decoding import Room, decode, prepare
from tutela.sandbox.model import Limits
from tutela.sandbox.pool import CellPool

_OURS, _CELL, _PEER = "Tutela, in one process", "Tutela, through a cell", "Pillow, pdqhash, faiss"
_DECODING = "of that, Tutela's decoding"
_MIN_QUALITY = 50
_SEED = 20268
_LIMITS = Limits()
_CAMERA_PIXELS = 12_000_000
_CAMERA_QUALITY = 90


def measure(scale: Scale) -> Findings:
    """Small photographs, screen sizes and a camera's.

    Raises:
        RuntimeError: The verdicts differ.
    """
    most, rounds = scale.pick((2, 1), (1_000, 3))
    largest = [path.read_bytes() for path in native_photographs(_CAMERA_PIXELS)[: most // 2]]
    classes: tuple[tuple[str, list[bytes], float | None], ...] = (
        ("512 px", fitting_jpegs((512, 512), most), 20),
        ("1080p", fitting_jpegs((1920, 1080), most), 12),
        ("12 MP and more", _as_cameras_write(largest), 9),
        ("12 MP and more, as it lies on the disk", largest, None),
    )
    values = uniform(scale.pick(5_000, 10_000_000)).copy()
    _put_on_list(values, [content for _, contents, _ in classes for content in contents])
    faiss.omp_set_num_threads(1)
    prepare()
    multi = build_multi(values)
    goals: list[Goal] = []
    tables: list[Table] = []
    matches = 0

    def check(_: bytes, answers: dict[str, object]) -> None:
        nonlocal matches
        if not answers[_OURS] == answers[_CELL] == answers[_PEER]:
            raise RuntimeError(f"the verdicts on one photograph differ: {answers}")
        matches += bool(answers[_OURS])

    with (
        tempfile.TemporaryDirectory(prefix="tutela-bench-") as folder,
        build_index(Path(folder) / "index", values) as index,
        CellPool(1) as cells,
    ):
        run_in(index, uniform(scale.pick(100, RUN_IN), RUN_IN_SEED))
        arena = Arena(
            {
                _OURS: partial(_in_one_process, index, Room()),
                _CELL: lambda content: _through_a_cell(cells, index, content),
                _PEER: lambda content: _by_peer(multi, content),
                _DECODING: partial(_decode, Room()),
            }
        )
        for name, contents, asked in classes:
            if contents:
                # Starts the cell.
                _through_a_cell(cells, index, contents[0])
                times = arena.compare(contents, rounds=rounds, hot=contents, check=check)
                if asked:
                    goals.append(_goal(name, times, asked, len(values)))
                tables.append(table_of(f"JPEG of {name} to verdict", times))
    notes = [
        f"Every third photograph is on the list, by a hash that differs in up to "
        f"{MAX_DISTANCE} bits; all three gave the same hits for all, {matches} of them matches.",
        f"Of the {len(largest)} photographs of 12 MP and more, "
        f"{sum(map(_is_progressive, largest))} lie on the disk as progressive JPEGs, which take "
        "thrice as long to decode, and no camera writes. So they were also written anew at their "
        f"own size: baseline, 4:2:0, quality {_CAMERA_QUALITY}.",
        "Decoding with libjpeg-turbo, exactly, is the floor under what Tutela takes.",
        "In one process means decoding, hashing and looking up as the peer does it. Through a cell "
        "is what Tutela does in service: another process decodes, and takes MD5, SHA-1 and "
        "SHA-256 too.",
    ]
    return Findings(goals, tables, notes)


def _as_cameras_write(contents: Sequence[bytes]) -> list[bytes]:
    written = []
    for content in contents:
        file = io.BytesIO()
        with Image.open(io.BytesIO(content)) as image:
            image.convert("RGB").save(
                file, "JPEG", quality=_CAMERA_QUALITY, subsampling="4:2:0", progressive=False
            )
        written.append(file.getvalue())
    return written


def _is_progressive(content: bytes) -> bool:
    with Image.open(io.BytesIO(content)) as image:
        return bool(image.info.get("progressive"))


def _put_on_list(values: Hashes, contents: Sequence[bytes]) -> None:
    chance = np.random.default_rng(_SEED)
    hashes = [value for value, _ in map(pdq_by_peer, contents[::3])]
    known = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32)
    distances = chance.integers(0, MAX_DISTANCE + 1, len(known))
    rows = chance.choice(len(values), len(known), replace=False)
    values[rows] = scattered(known, distances, chance)


def _in_one_process(index: Index, room: Room, content: bytes) -> Answer:
    sums = None
    for strip in decode(io.BytesIO(content), _LIMITS, room):
        sums = sums or PdqSums(strip.height, strip.width)
        sums.add(strip.first_row, strip.pixels)
    assert sums is not None
    pdq = sums.pdq()
    return _look_up(index, pdq.value, pdq.quality)


def _decode(room: Room, content: bytes) -> None:
    for _ in decode(io.BytesIO(content), _LIMITS, room):
        pass


def _through_a_cell(cells: CellPool, index: Index, content: bytes) -> Answer:
    with _as_file(content) as descriptor:
        pdq = cells.fingerprint(descriptor, suffix=".jpg").picture.pdq
    assert pdq is not None
    return _look_up(index, pdq.value, pdq.quality)


def _look_up(index: Index, value: bytes, quality: int) -> Answer:
    if quality < _MIN_QUALITY:
        return []
    return answer_of_ours(index.look_up(Query(pdq=value), MAX_DISTANCE))


def _by_peer(multi: faiss.IndexBinaryMultiHash, content: bytes) -> Answer:
    value, quality = pdq_by_peer(content)
    if quality < _MIN_QUALITY:
        return []
    return answers_of_faiss(ask_faiss(multi, np.frombuffer(value, np.uint8)))[0]


@contextmanager
def _as_file(content: bytes) -> Iterator[int]:
    descriptor = os.memfd_create("photo")
    try:
        os.write(descriptor, content)
        yield descriptor
    finally:
        os.close(descriptor)


def _goal(name: str, times: dict[str, Times], asked: float, entries: int) -> Goal:
    ours, peer = times[_OURS], times[_PEER]
    return Goal(
        f"JPEG of {name} (n = {len(ours.cold)}) to verdict, {entries:,} entries, one process",
        f"{1e3 * ours.p50:.2f} ms",
        f"{1e3 * peer.p50:.2f} ms",
        median(b / a for a, b in zip(ours.cold, peer.cold, strict=True)),
        asked,
    )
