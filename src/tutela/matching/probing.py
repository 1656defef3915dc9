"""Finding the entries near a query by the kernel: see ``kernel/search.c`` and ``digests.c``."""

import ctypes
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from tutela.fingerprints.model import Kind
from tutela.kernel.library import function
from tutela.matching.hits import Found
from tutela.matching.scanning import contains, scan
from tutela.matching.segment import Block, Segment

_KINDS = tuple(Kind)
_USUAL_CAPACITY = 1 << 12
_FOUR_BYTES = 4
_HIT = np.dtype([("query", "u4"), ("block", "u4"), ("row", "u4"), ("distance", "u4")])

_pointer, _u32, _u64, _i64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int64
_ARGUMENTS = [_pointer, _u64, ctypes.c_char_p, _u64, _u32, _pointer, _u64]


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
class _Side:
    """What is searched for values of one kind, and how.

    Attributes:
        blocks: The blocks.
        call: The kernel's function.
        address: Where the blocks are, as the kernel sees them.
        number: What the function asks for beside the values: the number of the digests' kind, or
            ``None`` for the greatest distance of a PDQ hash.
        array: Keeps what is at the address.
    """

    blocks: tuple[Block, ...]
    call: Callable[..., int]
    address: int
    number: int | None
    array: ctypes.Array[Any]

    @classmethod
    def of(
        cls,
        blocks: Sequence[tuple[Block, Any]],
        structure: type[Any],
        call: Callable[..., int],
        number: int | None = None,
    ) -> "_Side":
        """A side of some blocks, each with the kernel's view of it."""
        array = (structure * len(blocks))(*(seen for _, seen in blocks))
        return cls(
            tuple(block for block, _ in blocks), call, ctypes.addressof(array), number, array
        )


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Segments made ready to be searched, once for many look-ups.

    Attributes:
        segments: The segments, which keep what the kernel reads in memory.
    """

    segments: tuple[Segment, ...]
    _sides: Mapping[Kind, _Side] | None

    @classmethod
    def of(cls, segments: tuple[Segment, ...]) -> "Prepared":
        """Prepare some segments."""
        search = function("tutela_search", _ARGUMENTS, _i64)
        find_digests = function("tutela_find_digests", _ARGUMENTS, _i64)
        if search is None or find_digests is None:
            return cls(segments, None)
        pdq: list[tuple[Block, _PdqBlock]] = []
        digests: list[tuple[Block, _DigestBlock]] = []
        for segment in segments:
            for block in segment.blocks:
                if block.kind is Kind.PDQ:
                    pdq.append((block, _pdq_block(segment, block)))
                else:
                    digests.append((block, _digest_block(segment, block)))
        sides = {
            kind: _Side.of(digests, _DigestBlock, find_digests, number)
            for number, kind in enumerate(_KINDS)
        }
        sides[Kind.PDQ] = _Side.of(pdq, _PdqBlock, search)
        return cls(segments, sides)

    def find(self, kind: Kind, values: Sequence[bytes], max_distance: int) -> Iterable[Found]:
        """Find all live rows that match each of some values.

        Args:
            kind: What the values are.
            values: One or more, ``kind.width`` bytes each.
            max_distance: How many bits of a PDQ hash may differ, 0 to 256. Digests match exactly.

        Raises:
            MemoryError: There is no memory for as many answers.
        """
        joined = b"".join(values)
        if self._sides is None:
            rows = np.frombuffer(joined, np.uint8).reshape(len(values), -1)
            return scan(self.segments, kind, rows, max_distance)
        side = self._sides[kind]
        number = max_distance if side.number is None else side.number
        room: _Room | _LocalRoom = _room
        while True:
            count = side.call(
                side.address,
                len(side.blocks),
                joined,
                len(values),
                number,
                room.address,
                room.capacity,
            )
            if count == 0:
                return ()
            if count < 0:
                raise MemoryError
            if count <= room.capacity:
                return _found(side.blocks, room.hits[:count])
            # Seldom so many, and not to be kept for the next time.
            room = _Room(count)


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


class _Room:
    """Where hits go."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.hits = np.empty(capacity, _HIT)
        self.address: int = self.hits.ctypes.data


class _LocalRoom(threading.local, _Room):
    """Where each thread's usual hits go."""

    def __init__(self) -> None:
        _Room.__init__(self, _USUAL_CAPACITY)


_room = _LocalRoom()


def _found(blocks: tuple[Block, ...], hits: npt.NDArray[np.void]) -> Iterator[Found]:
    if len(hits) == 1:
        ((query, block, row, distance),) = hits.tolist()
        yield query, blocks[block], (row,), (distance,)
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
