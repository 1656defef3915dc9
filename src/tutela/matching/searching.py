"""Finding the entries near a query, by looking at all that could be near. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.matching.model import Hit, Query
from tutela.matching.segment import Block, Column, Numbers, Segment, value_columns

LARGEST_DISTANCE = 256
"""Bits of a PDQ hash: within this distance of a query lies every entry."""

_ROWS_AT_ONCE = 1 << 15
"""Two columns of so many rows and the scratch space beside them stay in a core's cache."""

_Mask = npt.NDArray[np.bool_]
_Positions = npt.NDArray[np.intp]
_Distances = npt.NDArray[np.uint16]
_Match = tuple[int, _Positions, _Distances]
_Found = tuple[Kind, _Distances, Numbers, Numbers]


def search(
    segments: Sequence[Segment], queries: Sequence[Query], max_distance: int
) -> list[list[Hit]]:
    """Find all live entries that match.

    Args:
        segments: What to search.
        queries: What is looked up.
        max_distance: How many bits of a PDQ hash may differ, 0 to 256. Digests match exactly.

    Returns:
        For each query its hits, nearest first, and by list and entry number where equally near.

    Raises:
        InvalidInputError: The distance is out of range or a query's value has a wrong length.
    """
    if not 0 <= max_distance <= LARGEST_DISTANCE:
        raise InvalidInputError(
            f"a distance is a number from 0 to {LARGEST_DISTANCE}, not {max_distance}"
        )
    wanted = {kind: _values(kind, queries) for kind in Kind}
    found: list[list[_Found]] = [[] for _ in queries]
    for segment in segments:
        for block in segment.blocks:
            if wanted[block.kind]:
                _search_block(segment, block, wanted[block.kind], max_distance, found)
    return [_hits(parts) for parts in found]


def contains(sorted_values: npt.NDArray[np.generic], values: npt.NDArray[np.generic]) -> _Mask:
    """For each value whether it is among the sorted ones."""
    if not len(sorted_values):
        return np.zeros(len(values), np.bool_)
    places = np.searchsorted(sorted_values, values)
    mask: _Mask = sorted_values.take(places, mode="clip") == values
    return mask


def _values(kind: Kind, queries: Sequence[Query]) -> list[tuple[int, bytes]]:
    values: list[tuple[int, bytes]] = []
    for number, query in enumerate(queries):
        value: bytes | None = getattr(query, kind.value)
        if value is None:
            continue
        if len(value) != kind.width:
            raise InvalidInputError(f"a {kind} fingerprint is {kind.width} bytes, not {len(value)}")
        values.append((number, value))
    return values


def _search_block(
    segment: Segment,
    block: Block,
    wanted: list[tuple[int, bytes]],
    max_distance: int,
    found: list[list[_Found]],
) -> None:
    values = np.frombuffer(b"".join(value for _, value in wanted), np.uint8)
    columns = value_columns(block.kind, values.reshape(len(wanted), block.kind.width))
    if block.kind is Kind.PDQ:
        matches = _near(block, np.stack(columns, axis=1), max_distance)
    else:
        matches = _equal(block, columns)
    for place, positions, distances in matches:
        withdrawn = contains(segment.withdrawn, (positions + block.first_row).astype(np.uint32))
        rows = positions[~withdrawn]
        if len(rows):
            number, _ = wanted[place]
            found[number].append(
                (block.kind, distances[~withdrawn], block.hash_lists[rows], block.entries[rows])
            )


def _equal(block: Block, wanted: tuple[Column, ...]) -> Iterator[_Match]:
    prefixes, rests = block.values
    wanted_prefixes, wanted_rests = wanted
    firsts = np.searchsorted(prefixes, wanted_prefixes, side="left")
    lasts = np.searchsorted(prefixes, wanted_prefixes, side="right")
    for place in np.flatnonzero(firsts < lasts):
        first, last = firsts[place], lasts[place]
        same = (rests[first:last] == wanted_rests[place]).all(axis=1)
        positions = np.flatnonzero(same) + first
        yield int(place), positions, np.zeros(len(positions), np.uint16)


def _near(block: Block, wanted: npt.NDArray[Any], max_distance: int) -> Iterator[_Match]:
    columns = block.values
    difference = np.empty(_ROWS_AT_ONCE, np.uint64)
    half = np.empty(_ROWS_AT_ONCE, np.uint8)
    quarter = np.empty(_ROWS_AT_ONCE, np.uint8)
    for start in range(0, len(block), _ROWS_AT_ONCE):
        first, second, third, fourth = (c[start : start + _ROWS_AT_ONCE] for c in columns)
        rows = len(first)
        # Two words that differ in more bits than allowed settle it without reading the others:
        # of unrelated hashes, next to none get further.
        for place, query in enumerate(wanted):
            np.bitwise_xor(first, query[0], out=difference[:rows])
            np.bitwise_count(difference[:rows], out=half[:rows])
            np.bitwise_xor(second, query[1], out=difference[:rows])
            np.bitwise_count(difference[:rows], out=quarter[:rows])
            np.add(half[:rows], quarter[:rows], out=half[:rows])
            if half[:rows].min() > max_distance:
                continue
            left = np.flatnonzero(half[:rows] <= max_distance)
            distances = half[left].astype(np.uint16)
            distances += np.bitwise_count(third[left] ^ query[2])
            distances += np.bitwise_count(fourth[left] ^ query[3])
            near = distances <= max_distance
            yield place, left[near] + start, distances[near]


def _hits(found: list[_Found]) -> list[Hit]:
    if not found:
        return []
    counts = [len(distances) for _, distances, _, _ in found]
    parts = np.repeat(np.arange(len(found)), counts)
    distances = np.concatenate([distances for _, distances, _, _ in found])
    hash_lists = np.concatenate([hash_lists for _, _, hash_lists, _ in found])
    entries = np.concatenate([entries for _, _, _, entries in found])
    order = np.lexsort((entries, hash_lists, distances))
    return [
        Hit(distance, hash_list, entry, found[part][0])
        for distance, hash_list, entry, part in zip(
            distances[order].tolist(),
            hash_lists[order].tolist(),
            entries[order].tolist(),
            parts[order].tolist(),
            strict=True,
        )
    ]
