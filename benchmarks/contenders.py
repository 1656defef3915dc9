"""The indexes that are compared, each asked for the entries within distance 31 of one hash."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from usearch.index import Index as UsearchIndex

from benchmarks.sets import MAX_DISTANCE, Hashes
from tutela.fingerprints.model import Kind
from tutela.matching.building import KINDS, ROWS_IN_A_BATCH, Batch
from tutela.matching.index import Index
from tutela.matching.model import Hit, Query

Answer = list[tuple[int, int]]
"""Distance and row of every entry found, sorted."""

OURS, FLAT, MULTI, USEARCH = "Tutela", "faiss flat", "faiss multi-hash", "usearch"

MULTI_HASHES, MULTI_BITS, MULTI_FLIPS = 16, 16, 1
"""How Meta's python-threatexchange sets up ``IndexBinaryMultiHash`` for distance 31."""

_BITS = 256
_NEAREST = 10


def build_index(folder: Path, values: Hashes) -> Index:
    """Tutela's index of a list, merged as the service's is: entry numbers are rows."""
    index = Index.open(folder)
    with index.writing() as writer:
        writer.replace(_batches(values), revision=1)
    index.compact()
    return index


def _batches(values: Hashes) -> Iterator[Batch]:
    for begin in range(0, len(values), ROWS_IN_A_BATCH):
        part = values[begin : begin + ROWS_IN_A_BATCH]
        yield Batch(
            kinds=np.full(len(part), KINDS.index(Kind.PDQ), np.int8),
            values=part,
            entries=np.arange(begin, begin + len(part)),
            hash_lists=np.ones(len(part), np.int64),
        )


def build_flat(values: Hashes) -> faiss.IndexBinaryFlat:
    """Faiss's linear scan."""
    index = faiss.IndexBinaryFlat(_BITS)
    index.add(values)
    return index


def build_multi(values: Hashes) -> faiss.IndexBinaryMultiHash:
    """Faiss's multi-index hashing as Meta uses it, without the map of entry numbers around it."""
    index = faiss.IndexBinaryMultiHash(_BITS, MULTI_HASHES, MULTI_BITS)
    index.nflip = MULTI_FLIPS
    index.add(values)
    return index


def build_usearch(values: Hashes) -> UsearchIndex:
    """A graph over bits over bits, with its own defaults. Its answers are approximate."""
    index = UsearchIndex(ndim=_BITS, metric="hamming", dtype="b1")
    index.add(np.arange(len(values), dtype=np.uint64), values)
    return index


def run_in(index: Index, asked: Hashes) -> None:
    """Have an index answer for a while, so that the system has mapped its files' pages."""
    ask_ours_many(index, asked)


def ask_ours(index: Index, query: NDArray[np.uint8]) -> list[Hit]:
    """One query."""
    return index.look_up(Query(pdq=query.tobytes()), MAX_DISTANCE)


def ask_ours_many(index: Index, asked: Hashes) -> list[list[Hit]]:
    """Many queries in one call."""
    return index.look_up_many([Query(pdq=query.tobytes()) for query in asked], MAX_DISTANCE)


def ask_faiss(
    index: faiss.IndexBinary, asked: NDArray[np.uint8]
) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int64]]:
    """One query or many; gives faiss's own form: limits, distances, rows."""
    # faiss gives what is nearer than the radius.
    limits, distances, rows = index.range_search(asked.reshape(-1, 32), MAX_DISTANCE + 1)
    return limits, distances, rows


def ask_usearch(index: UsearchIndex, query: NDArray[np.uint8]) -> Any:
    """One query: the nearest few, since it has no search by radius."""
    return index.search(query, _NEAREST)


def answer_of_ours(hits: Sequence[Hit]) -> Answer:
    """Our hits in the form in which answers are compared."""
    return [(hit.distance, hit.entry) for hit in hits]


def answers_of_faiss(
    found: tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int64]],
) -> list[Answer]:
    """What faiss found, likewise, for each query."""
    limits, distances, rows = found
    pairs = list(zip(distances.astype(int).tolist(), rows.tolist(), strict=True))
    edges = limits.tolist()
    return [sorted(pairs[begin:end]) for begin, end in pairwise(edges)]


def answer_of_usearch(found: Any) -> Answer:
    """What usearch found within the distance, likewise."""
    pairs = zip(found.distances.astype(int).tolist(), found.keys.astype(int).tolist(), strict=True)
    return sorted(pair for pair in pairs if pair[0] <= MAX_DISTANCE)


def folder_bytes(folder: Path) -> int:
    """What the files of a folder take."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
