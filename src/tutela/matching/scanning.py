"""Finding the entries near a query by looking at all of them, in NumPy: the reference."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tutela.fingerprints.model import Kind
from tutela.matching.hits import Found
from tutela.matching.segment import Block, Segment, value_columns

_ROWS_AT_ONCE = 1 << 14
"""So many rows and the scratch space beside them stay in a core's cache."""

_WORD = np.dtype("<u8")


def scan(
    segments: Sequence[Segment], kind: Kind, values: npt.NDArray[np.uint8], max_distance: int
) -> Iterator[Found]:
    """Find all live rows that match each of some values.

    Args:
        segments: What to search.
        kind: What the values are.
        values: One a row, ``kind.width`` bytes wide.
        max_distance: How many bits of a PDQ hash may differ, 0 to 256. Digests match exactly.
    """
    columns = value_columns(kind, values)
    for segment in segments:
        for block in segment.blocks:
            if block.kind is not kind:
                continue
            matches = (
                _near(block, columns[0], max_distance)
                if kind is Kind.PDQ
                else _equal(block, columns)
            )
            for query, rows, distances in matches:
                live = ~contains(segment.withdrawn, (rows + block.first_row).astype(np.uint32))
                if live.any():
                    yield query, block, rows[live], distances[live]


def contains(
    sorted_values: npt.NDArray[np.generic], values: npt.NDArray[np.generic]
) -> npt.NDArray[np.bool_]:
    """For each value whether it is among the sorted ones."""
    if not len(sorted_values):
        return np.zeros(len(values), np.bool_)
    places = np.searchsorted(sorted_values, values)
    mask: npt.NDArray[np.bool_] = sorted_values.take(places, mode="clip") == values
    return mask


_Match = tuple[int, npt.NDArray[np.intp], npt.NDArray[np.uint16]]


def _equal(block: Block, wanted: tuple[npt.NDArray[np.generic], ...]) -> Iterator[_Match]:
    prefixes, rests = block.values
    wanted_prefixes, wanted_rests = wanted
    firsts = np.searchsorted(prefixes, wanted_prefixes, side="left")
    lasts = np.searchsorted(prefixes, wanted_prefixes, side="right")
    for query in np.flatnonzero(firsts < lasts):
        first, last = firsts[query], lasts[query]
        same = (rests[first:last] == wanted_rests[query]).all(axis=1)
        rows = np.flatnonzero(same) + first
        yield int(query), rows, np.zeros(len(rows), np.uint16)


def _near(block: Block, wanted: npt.NDArray[np.generic], max_distance: int) -> Iterator[_Match]:
    hashes, queries = block.values[0].view(_WORD), wanted.view(_WORD)
    for start in range(0, len(block), _ROWS_AT_ONCE):
        some = hashes[start : start + _ROWS_AT_ONCE]
        for query, words in enumerate(queries):
            distances = np.bitwise_count(some ^ words).sum(axis=1, dtype=np.uint16)
            rows = np.flatnonzero(distances <= max_distance)
            if len(rows):
                yield query, rows + start, distances[rows]
