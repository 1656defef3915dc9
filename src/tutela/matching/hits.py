"""What a look-up found: seldom anything, often one entry, and now and then a hundred thousand."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from tutela.fingerprints.model import Kind
from tutela.matching.model import FRAMES_FROM, Hit
from tutela.matching.segment import Block

_KINDS = tuple(Kind)
_MADE_AT_ONCE = 256

_FEW = 16

Column = npt.NDArray[Any]

Found = tuple[int, Block, Sequence[int] | Column, Sequence[int] | Column]
"""For one query, by its position: rows of a block, and in how many bits each differs."""


class Hits(Sequence[Hit]):
    """Hits, nearest first, and by list and entry number where equally near.

    Where there are many, each ``Hit`` is made when it is asked for: flat pictures match very many
    entries, of which nobody wants but the nearest few.
    """

    def __init__(self, few: Sequence[Hit] = (), columns: Sequence[Column] | None = None) -> None:
        self._few = few
        self._columns = columns

    @classmethod
    def of(cls, found: Sequence[Found]) -> "Hits":
        """Put what was found for one query in order."""
        if sum(len(rows) for _, _, rows, _ in found) <= _FEW:
            # In plain Python, which is quicker for so few.
            few = [
                Hit(
                    int(distance),
                    int(block.hash_lists[row]),
                    (entry := int(block.entries[row]) + block.lowest),
                    block.kind if entry < FRAMES_FROM else Kind.VPDQ,
                )
                for _, block, rows, distances in found
                for row, distance in zip(rows, distances, strict=True)
            ]
            few.sort(key=_order)
            return cls(few)
        distances = np.concatenate([np.asarray(each) for _, _, _, each in found])
        hash_lists = np.concatenate(
            [block.hash_lists[np.asarray(rows)] for _, block, rows, _ in found]
        )
        entries = np.concatenate(
            [block.entries_of(np.asarray(rows)) for _, block, rows, _ in found]
        )
        kinds = np.repeat(
            [_KINDS.index(block.kind) for _, block, _, _ in found],
            [len(rows) for _, _, rows, _ in found],
        )
        kinds[entries >= FRAMES_FROM] = _KINDS.index(Kind.VPDQ)
        order = np.lexsort((entries, hash_lists, distances))
        return cls(columns=[each[order] for each in (distances, hash_lists, entries, kinds)])

    def pairs(self) -> set[tuple[int, Kind]]:
        """The lists that any hit is of, each with the kinds of fingerprint that matched there."""
        if self._columns is None:
            return {(hit.hash_list, hit.kind) for hit in self._few}
        _, hash_lists, _, kinds = self._columns
        _, places = np.unique(hash_lists.astype(np.int64) * len(_KINDS) + kinds, return_index=True)
        return {(int(hash_lists[place]), _KINDS[kinds[place]]) for place in places}

    def __len__(self) -> int:
        return len(self._few) if self._columns is None else len(self._columns[0])

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
        if self._columns is None:
            return list(self._few[which])
        distances, hash_lists, entries, kinds = (column[which].tolist() for column in self._columns)
        made = map(Hit, distances, hash_lists, entries, (_KINDS[kind] for kind in kinds))
        return list(made)


def _order(hit: Hit) -> tuple[int, int, int]:
    return hit.distance, hit.hash_list, hit.entry


NO_HITS = Hits()
