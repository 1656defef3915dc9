"""What a look-up found: seldom anything, often one entry, and now and then a hundred thousand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from tutela.fingerprints.model import Kind
from tutela.matching.model import Hit

_KINDS = tuple(Kind)
_MADE_AT_ONCE = 256

Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class HitColumns:
    """Hits of one kind, in any order.

    Attributes:
        kind: The kind of fingerprint that matched.
        distances: In how many bits each differs.
        hash_lists: The list of each.
        entries: Its number.
    """

    kind: Kind
    distances: Column
    hash_lists: Column
    entries: Column


class Hits(Sequence[Hit]):
    """Hits, nearest first, and by list and entry number where equally near.

    Each ``Hit`` is made when it is asked for: flat pictures match very many entries, of which
    nobody wants but the nearest few.
    """

    def __init__(
        self, distances: Column, hash_lists: Column, entries: Column, kinds: Column
    ) -> None:
        self._columns = (distances, hash_lists, entries, kinds)

    @classmethod
    def of(cls, parts: Sequence[HitColumns]) -> "Hits":
        """Put hits in order."""
        distances = _joined([part.distances for part in parts])
        hash_lists = _joined([part.hash_lists for part in parts])
        entries = _joined([part.entries for part in parts])
        kinds = np.repeat(
            [_KINDS.index(part.kind) for part in parts], [len(part.entries) for part in parts]
        )
        if len(entries) == 1:
            return cls(distances, hash_lists, entries, kinds)
        order = np.lexsort((entries, hash_lists, distances))
        return cls(distances[order], hash_lists[order], entries[order], kinds[order])

    def pairs(self) -> set[tuple[int, Kind]]:
        """The lists that any hit is of, each with the kinds of fingerprint that matched there."""
        _, hash_lists, _, kinds = self._columns
        _, places = np.unique(hash_lists.astype(np.int64) * len(_KINDS) + kinds, return_index=True)
        return {(int(hash_lists[place]), _KINDS[kinds[place]]) for place in places}

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, place: int) -> Hit: ...

    @overload
    def __getitem__(self, place: slice) -> list[Hit]: ...

    def __getitem__(self, place: int | slice) -> Hit | list[Hit]:
        if isinstance(place, slice):
            return self._made(place)
        return self._made(slice(place, place + 1 or None))[0]

    def __iter__(self) -> Iterator[Hit]:
        return chain.from_iterable(
            self._made(slice(start, start + _MADE_AT_ONCE))
            for start in range(0, len(self), _MADE_AT_ONCE)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Hits({list(self[:3])}{' ...' if len(self) > 3 else ''})"

    def _made(self, which: slice) -> list[Hit]:
        distances, hash_lists, entries, kinds = (column[which].tolist() for column in self._columns)
        made = map(Hit, distances, hash_lists, entries, (_KINDS[kind] for kind in kinds))
        return list(made)


def _joined(columns: list[Column]) -> Column:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


NO_HITS = Hits(*[np.empty(0, np.int64)] * 4)
