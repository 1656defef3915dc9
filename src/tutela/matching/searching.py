"""Looking queries up in segments."""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter

import numpy as np

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.matching.hits import NO_HITS, HitColumns, Hits
from tutela.matching.model import Query
from tutela.matching.probing import Prepared, is_possible
from tutela.matching.scanning import Found, scan

LARGEST_DISTANCE = 256
"""Bits of a PDQ hash: within this distance of a query lies every entry."""


def search(prepared: Prepared, queries: Sequence[Query], max_distance: int) -> list[Hits]:
    """Find all live entries that match.

    Args:
        prepared: What to search.
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
    found: dict[int, list[HitColumns]] = {}
    for kind in Kind:
        places, values = _values(kind, queries)
        if places:
            for place, block, rows, distances in _find(prepared, kind, values, max_distance):
                columns = HitColumns(
                    kind, distances, block.hash_lists[rows], block.entries_of(rows)
                )
                found.setdefault(places[place], []).append(columns)
    return [Hits.of(found[place]) if place in found else NO_HITS for place in range(len(queries))]


def _find(prepared: Prepared, kind: Kind, values: bytes, max_distance: int) -> Iterator[Found]:
    if is_possible():
        return prepared.probe(kind, values, max_distance)
    rows = np.frombuffer(values, np.uint8).reshape(-1, kind.width)
    return scan(prepared.segments, kind, rows, max_distance)


def _values(kind: Kind, queries: Sequence[Query]) -> tuple[list[int], bytes]:
    value_of, width = _VALUES[kind], kind.width
    places: list[int] = []
    values: list[bytes] = []
    for place, query in enumerate(queries):
        value = value_of(query)
        if value is None:
            continue
        if len(value) != width:
            raise InvalidInputError(f"a {kind} fingerprint is {width} bytes, not {len(value)}")
        places.append(place)
        values.append(value)
    return places, b"".join(values)


_VALUES: dict[Kind, Callable[[Query], bytes | None]] = {
    kind: attrgetter(kind.value) for kind in Kind
}
