"""The parts of a scan that are Tutela's own, each against the peer's."""

import random
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import faiss
import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from benchmarks.photos import largest_photograph
from tutela.fingerprints.model import Kind
from tutela.fingerprints.pdq import pdq_of
from tutela.matching.index import Index
from tutela.matching.model import IndexEntry, Query

_SEED = 20263
_MAX_DISTANCE = 31
_PICTURES = {
    "512 px": (512, 384),
    "2 MP": (1632, 1224),
    "6 MP": (2828, 2121),
    "12 MP": (4000, 3000),
}
# More than a core's caches hold: between two look-ups a scan decodes a picture.
_EVICTING_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the work, done by both.

    Attributes:
        name: What was done.
        ours: Median milliseconds in one thread.
        theirs: The same of the peer.
    """

    name: str
    ours: float
    theirs: float


def measure_hashing(rounds: int) -> list[Part]:
    """PDQ from pixels to hash: ours against pdqhash.

    Raises:
        RuntimeError: The hashes differ.
    """
    parts = []
    with Image.open(largest_photograph()) as photograph:
        source = photograph.convert("RGB")
    for name, (width, height) in _PICTURES.items():
        # Without Debian's photographs there is none so large, and enlarged ones are none.
        if source.width < width or source.height < height:
            continue
        pixels = np.asarray(source.resize((width, height), Image.Resampling.BICUBIC))
        _check_same_hash(pixels)
        parts.append(_compare(f"PDQ of {name}", pdq_of, pdqhash.compute, [pixels] * rounds))
    return parts


def measure_looking_up(sizes: Sequence[int], queries: int) -> list[Part]:
    """One picture looked up among PDQ hashes within distance 31: ours against a flat faiss index.

    Every other query has a neighbour in the index.

    Raises:
        RuntimeError: The answers differ.
    """
    return [_measure_index(size, queries) for size in sizes]


def _measure_index(size: int, queries: int) -> Part:
    chance = random.Random(_SEED)
    values = np.frombuffer(chance.randbytes(32 * size), np.uint8).reshape(size, 32)
    theirs = faiss.IndexBinaryFlat(256)
    theirs.add(values)
    with (
        tempfile.TemporaryDirectory(prefix="tutela-bench-") as folder,
        Index.open(Path(folder) / "index") as ours,
    ):
        ours.update(
            (IndexEntry(row, 1, Kind.PDQ, value.tobytes()) for row, value in enumerate(values)),
            (),
            revision=1,
        )
        asked = [_query(values, number, chance) for number in range(queries)]
        for query in asked:
            _check_same_hits(ours, theirs, query)
        return _compare(
            f"look-up among {size:,} PDQ hashes",
            partial(_ask_ours, ours),
            partial(_ask_theirs, theirs),
            asked,
        )


def _query(values: NDArray[np.uint8], number: int, chance: random.Random) -> NDArray[np.uint8]:
    if number % 2:
        return np.frombuffer(chance.randbytes(32), np.uint8)
    bits = np.unpackbits(values[chance.randrange(len(values))])
    bits[chance.sample(range(256), chance.randint(0, _MAX_DISTANCE))] ^= 1
    return np.packbits(bits)


def _ask_ours(index: Index, query: NDArray[np.uint8]) -> list[tuple[int, int]]:
    hits = index.look_up(Query(pdq=query.tobytes()), _MAX_DISTANCE)
    return [(hit.distance, hit.entry) for hit in hits]


def _ask_theirs(index: faiss.IndexBinaryFlat, query: NDArray[np.uint8]) -> list[tuple[int, int]]:
    # faiss gives what is nearer than the radius.
    _, distances, rows = index.range_search(query.reshape(1, 32), _MAX_DISTANCE + 1)
    return sorted(zip(distances.astype(int).tolist(), rows.tolist(), strict=True))


def _check_same_hash(pixels: NDArray[np.uint8]) -> None:
    vector, quality = pdqhash.compute(pixels)
    ours = pdq_of(pixels)
    if (ours.value, ours.quality) != (np.packbits(vector.astype(np.uint8)).tobytes(), quality):
        raise RuntimeError("Tutela and pdqhash give one picture different PDQ hashes")


def _check_same_hits(ours: Index, theirs: faiss.IndexBinaryFlat, query: NDArray[np.uint8]) -> None:
    if _ask_ours(ours, query) != _ask_theirs(theirs, query):
        raise RuntimeError("Tutela and faiss find different entries for one query")


def _compare(
    name: str,
    ours: Callable[[NDArray[np.uint8]], object],
    theirs: Callable[[NDArray[np.uint8]], object],
    inputs: Iterable[NDArray[np.uint8]],
) -> Part:
    """Time both sides in turn, in changing order, each call finding the caches cold."""
    chance = random.Random(_SEED)
    evicting = np.zeros(_EVICTING_BYTES, np.uint8)
    mine: list[float] = []
    peers: list[float] = []
    with threadpool_limits(1):
        for each in inputs:
            for function, seconds in chance.sample([(ours, mine), (theirs, peers)], 2):
                evicting += 1
                begin = time.perf_counter()
                function(each)
                seconds.append(time.perf_counter() - begin)
    return Part(name, 1e3 * median(mine), 1e3 * median(peers))
