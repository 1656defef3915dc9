"""The index's twin in plain Python, and small makers of what goes into one."""

import random
from collections.abc import Iterable

from tutela.fingerprints.model import Kind
from tutela.matching.model import Hit, IndexEntry, Query

HELD = tuple(kind for kind in Kind if kind is not Kind.VPDQ)
"""What an index holds values of: the frames of videos are PDQ hashes in it."""


def entry(number: int, kind: Kind, value: bytes, hash_list: int = 1) -> IndexEntry:
    return IndexEntry(entry=number, hash_list=hash_list, kind=kind, value=value)


def some_entries(count: int, seed: int = 0, first: int = 0) -> list[IndexEntry]:
    """Entries of all kinds in turn, numbered from ``first``, each number with its own value."""
    return [_some_entry(number, seed) for number in range(first, first + count)]


def asking(*entries: IndexEntry) -> Query:
    """The query for the given entries' values, at most one of each kind."""
    return Query(**{each.kind.value: each.value for each in entries})


def flipped(value: bytes, bits: Iterable[int]) -> bytes:
    """The value with some of its bits turned over."""
    number = int.from_bytes(value)
    for bit in bits:
        number ^= 1 << bit
    return number.to_bytes(len(value))


def flipped_at_random(value: bytes, count: int, chance: random.Random) -> bytes:
    return flipped(value, chance.sample(range(8 * len(value)), count))


def _some_entry(number: int, seed: int) -> IndexEntry:
    kind = HELD[number % len(HELD)]
    value = random.Random(f"{seed} {number}").randbytes(kind.width)
    return entry(number, kind, value, hash_list=number % 3)


class BruteForce:
    """Says what an index must answer."""

    def __init__(self, live: Iterable[IndexEntry] = ()) -> None:
        self.live = {each.entry: each for each in live}

    def update(self, added: Iterable[IndexEntry], withdrawn: Iterable[int]) -> None:
        self.live |= {each.entry: each for each in added}
        for number in withdrawn:
            self.live.pop(number, None)

    def look_up(self, query: Query, max_distance: int) -> list[Hit]:
        hits = []
        for each in self.live.values():
            value = getattr(query, each.kind.value)
            if value is None:
                continue
            distance = (int.from_bytes(value) ^ int.from_bytes(each.value)).bit_count()
            if distance <= (max_distance if each.kind is Kind.PDQ else 0):
                hits.append(Hit(distance, each.hash_list, each.entry, each.kind))
        return sorted(hits)
