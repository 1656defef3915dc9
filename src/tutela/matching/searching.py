"""Looking queries up in segments."""

from collections.abc import Callable, Sequence
from operator import attrgetter

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.matching.hits import NO_HITS, Found, Hits
from tutela.matching.model import Query
from tutela.matching.probing import Prepared

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
    found: dict[int, list[Found]] = {}
    for kind, value_of, width in _KINDS:
        asked = [
            (place, value)
            for place, value in enumerate(map(value_of, queries))
            if value is not None
        ]
        if not asked:
            continue
        places, values = zip(*asked, strict=True)
        for value in values:
            if len(value) != width:
                raise InvalidInputError(f"a {kind} fingerprint is {width} bytes, not {len(value)}")
        for each in prepared.find(kind, values, max_distance):
            found.setdefault(places[each[0]], []).append(each)
    return [Hits.of(found[place]) if place in found else NO_HITS for place in range(len(queries))]


_KINDS: tuple[tuple[Kind, Callable[[Query], bytes | None], int], ...] = tuple(
    # The frames of videos are found among the PDQ hashes.
    (kind, attrgetter(kind.value), kind.width)
    for kind in Kind
    if kind is not Kind.VPDQ
)
