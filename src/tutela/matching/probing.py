"""Finding the entries near a query by the kernel: see ``kernel/search.c`` and ``digests.c``."""

import ctypes
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from tutela.fingerprints.model import Kind
from tutela.kernel.library import Variant, function, variant
from tutela.matching.scanning import Found, contains
from tutela.matching.segment import Block, Segment

_KINDS = tuple(Kind)
_FIRST_CAPACITY = 1 << 12
_FOUR_BYTES = 4
_HIT = np.dtype([("query", "u4"), ("block", "u4"), ("row", "u4"), ("distance", "u4")])

_pointer, _u32, _u64, _i64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int64


class _PdqBlock(ctypes.Structure):
    _fields_ = (
        ("values", _pointer),
        ("tables", _pointer),
        ("withdrawn", _pointer),
        ("withdrawn_count", _u64),
        ("table_size", _u64),
        ("filters_at", _u64),
        ("ids_at", _u64),
        ("rows", _u32),
        ("first_row", _u32),
        ("bits", _u32),
    )


class _DigestBlock(ctypes.Structure):
    _fields_ = (
        ("prefixes", _pointer),
        ("rests", _pointer),
        ("withdrawn", _pointer),
        ("withdrawn_count", _u64),
        ("rows", _u32),
        ("first_row", _u32),
        ("rest_width", _u32),
        ("kind", _u32),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Segments as the kernel sees them, made once for many look-ups.

    Attributes:
        segments: The segments, which keep what the kernel reads in memory.
        pdq: Their PDQ blocks.
        digests: Their digest blocks.
    """

    segments: tuple[Segment, ...]
    pdq: tuple[Block, ...]
    digests: tuple[Block, ...]
    _pdq: ctypes.Array[_PdqBlock]
    _digests: ctypes.Array[_DigestBlock]

    @classmethod
    def of(cls, segments: tuple[Segment, ...]) -> "Prepared":
        """Prepare some segments."""
        pdq: list[tuple[Block, _PdqBlock]] = []
        digests: list[tuple[Block, _DigestBlock]] = []
        for segment in segments:
            for block in segment.blocks:
                if block.kind is Kind.PDQ:
                    pdq.append((block, _pdq_block(segment, block)))
                else:
                    digests.append((block, _digest_block(segment, block)))
        return cls(
            segments,
            tuple(block for block, _ in pdq),
            tuple(block for block, _ in digests),
            (_PdqBlock * len(pdq))(*(made for _, made in pdq)),
            (_DigestBlock * len(digests))(*(made for _, made in digests)),
        )

    def probe(self, kind: Kind, values: bytes, max_distance: int) -> Iterator[Found]:
        """Find all live rows that match each of some values, without looking at all rows.

        Args:
            kind: What the values are.
            values: One after the other.
            max_distance: How many bits of a PDQ hash may differ, 0 to 256. Digests match exactly.

        Raises:
            MemoryError: There is no memory for as many answers.
        """
        count = len(values) // kind.width
        if kind is Kind.PDQ:
            blocks = self.pdq
            hits = _hits(_search(), self._pdq, len(blocks), values, count, max_distance)
        else:
            blocks = self.digests
            number = _KINDS.index(kind)
            hits = _hits(_find_digests(), self._digests, len(blocks), number, values, count)
        return _found(blocks, hits)


def is_possible() -> bool:
    """Whether there is a kernel to probe with."""
    return variant() is not Variant.NUMPY


def find_members(
    numbers: npt.NDArray[np.unsignedinteger], wanted: npt.NDArray[np.unsignedinteger]
) -> npt.NDArray[np.uint32]:
    """Where those of some numbers stand that are among the wanted ones, which are sorted."""
    find = function("tutela_find_members", [_pointer, _u64, _pointer, _u64, _pointer], _u64)
    if find is None or numbers.itemsize != _FOUR_BYTES:
        return np.flatnonzero(contains(wanted, numbers)).astype(np.uint32)
    places = np.empty(len(numbers), np.uint32)
    count = find(
        numbers.ctypes.data, len(numbers), wanted.ctypes.data, len(wanted), places.ctypes.data
    )
    return places[:count].copy()


class _Room(threading.local):
    """Where a thread's hits go; grows with the greatest number that it ever had."""

    def __init__(self) -> None:
        self.grow(_FIRST_CAPACITY)

    def grow(self, capacity: int) -> None:
        self.hits = np.empty(capacity, _HIT)
        self.address = self.hits.ctypes.data


_room = _Room()


def _hits(call: Callable[..., int], *arguments: object) -> npt.NDArray[np.void]:
    while True:
        count = call(*arguments, _room.address, len(_room.hits))
        if count < 0:
            raise MemoryError
        if count <= len(_room.hits):
            return _room.hits[:count]
        _room.grow(count)


def _found(blocks: tuple[Block, ...], hits: npt.NDArray[np.void]) -> Iterator[Found]:
    if not len(hits):
        return
    # The hits of one query in one block stand together.
    pairs = hits["query"].astype(np.int64) * len(blocks) + hits["block"]
    edges = [0, *(np.flatnonzero(np.diff(pairs)) + 1).tolist(), len(hits)]
    for first, last in pairwise(edges):
        part = hits[first:last]
        yield (
            int(part["query"][0]),
            blocks[part["block"][0]],
            part["row"].astype(np.intp),
            part["distance"].astype(np.uint16),
        )


@lru_cache(maxsize=1)
def _search() -> Callable[..., int]:
    return _needed("tutela_search", [_pointer, _u64, ctypes.c_char_p, _u64, _u32, _pointer, _u64])


@lru_cache(maxsize=1)
def _find_digests() -> Callable[..., int]:
    return _needed(
        "tutela_find_digests", [_pointer, _u64, _u32, ctypes.c_char_p, _u64, _pointer, _u64]
    )


def _needed(name: str, arguments: list[Any]) -> Callable[..., int]:
    found = function(name, arguments, _i64)
    if found is None:
        raise AssertionError("nothing can be probed without a kernel")
    return found


def _pdq_block(segment: Segment, block: Block) -> _PdqBlock:
    layout = block.layout
    return _PdqBlock(
        values=block.values[0].ctypes.data,
        tables=None if block.tables is None else block.tables.ctypes.data,
        withdrawn=segment.withdrawn.ctypes.data,
        withdrawn_count=len(segment.withdrawn),
        table_size=layout.size if layout else 0,
        filters_at=layout.filters_at if layout else 0,
        ids_at=layout.ids_at if layout else 0,
        rows=len(block),
        first_row=block.first_row,
        bits=layout.bits if layout else 0,
    )


def _digest_block(segment: Segment, block: Block) -> _DigestBlock:
    prefixes, rests = block.values
    return _DigestBlock(
        prefixes=prefixes.ctypes.data,
        rests=rests.ctypes.data,
        withdrawn=segment.withdrawn.ctypes.data,
        withdrawn_count=len(segment.withdrawn),
        rows=len(block),
        first_row=block.first_row,
        rest_width=rests.shape[1],
        kind=_KINDS.index(block.kind),
    )
