"""The tables that PDQ hashes are searched by, made by the kernel: see ``kernel/tables.h``."""

import ctypes
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tutela.kernel.library import Variant, function, variant

CHUNKS = 16
"""A hash is 16 chunks of 16 bits, and there is a table for each."""

MOST_ROWS = 1 << 24
"""Rows are numbered with three bytes in the tables."""

_LEAST_ROWS = 1 << 12
# Each takes five bytes a row of memory.
_MOST_AT_ONCE = 4
_CHUNK_BITS = 16
_HASHES_IN_A_BUCKET = 16
_ALIGNMENT = 64
_PDQ_BYTES = 32

_pointer, _u32, _u64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64

Values = npt.NDArray[np.uint8]
"""PDQ hashes: rows x 32."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are in a table.

    Attributes:
        rows: How many hashes a table holds, each different from the others.
        bits: Bits of a chunk that name a bucket, 1 to 16.
    """

    rows: int
    bits: int

    @property
    def filters_at(self) -> int:
        """Where the values of the next chunks begin."""
        return _aligned(4 * ((1 << self.bits) + 1))

    @property
    def ids_at(self) -> int:
        """Where the row numbers begin."""
        return self.filters_at + _aligned(2 * self.rows)

    @property
    def size(self) -> int:
        """Bytes of a table."""
        return self.ids_at + _aligned(3 * self.rows)


def are_worthwhile(rows: int) -> bool:
    """Whether so many hashes are searched quicker by tables, and there is a kernel to do it."""
    return rows >= _LEAST_ROWS and variant() is not Variant.NUMPY


def layout_for(values: Values) -> Layout | None:
    """How to lay out the tables of some hashes.

    Args:
        values: Sorted.

    Returns:
        ``None`` if they are so few that reading them all is quicker, or if there is no kernel.
    """
    if not are_worthwhile(len(values)):
        return None
    different = int(
        _kernel("tutela_count_different", [_pointer, _u64], _u64)(_at(values), len(values))
    )
    bits = (different // _HASHES_IN_A_BUCKET).bit_length()
    return Layout(different, min(max(bits, 1), _CHUNK_BITS))


def make_tables(values: Values, layout: Layout) -> Iterator[npt.NDArray[np.uint8]]:
    """Make the 16 tables, a few at once; no more are held in memory.

    Args:
        values: Sorted, as given to ``layout_for``.
        layout: What that gave.
    """
    make = _kernel("tutela_make_table", [_pointer, _u64, _u32, _u32, _u64, _u64, _pointer])

    def table(chunk: int) -> npt.NDArray[np.uint8]:
        made = np.zeros(layout.size, np.uint8)
        make(
            _at(values),
            len(values),
            chunk,
            layout.bits,
            layout.filters_at,
            layout.ids_at,
            _at(made),
        )
        return made

    together = min(len(os.sched_getaffinity(0)), _MOST_AT_ONCE)
    with ThreadPoolExecutor(together) as threads:
        for first in range(0, CHUNKS, together):
            yield from threads.map(table, range(first, min(first + together, CHUNKS)))


def sorted_order(values: Values) -> npt.NDArray[np.uint32]:
    """The order in which hashes are sorted by their bytes, equal ones as they come."""
    order = np.empty(len(values), np.uint32)
    if variant() is Variant.NUMPY:
        words = values.view(">u8")
        order[:] = np.lexsort([words[:, word] for word in reversed(range(words.shape[1]))])
        return order
    if _kernel("tutela_sort", [_pointer, _u64, _pointer], ctypes.c_int)(
        _at(values), len(values), _at(order)
    ):
        raise MemoryError
    return order


def in_order(values: Values, order: npt.NDArray[np.uint32]) -> Values:
    """The hashes in an order."""
    if variant() is Variant.NUMPY:
        return values[order]
    placed = np.empty((len(order), _PDQ_BYTES), np.uint8)
    _kernel("tutela_gather", [_pointer, _pointer, _u64, _pointer])(
        _at(values), _at(order), len(order), _at(placed)
    )
    return placed


def _kernel(name: str, arguments: list[Any], result: Any = None) -> Callable[..., Any]:
    found = function(name, arguments, result)
    if found is None:
        raise AssertionError("without a kernel there are no tables")
    return found


def _at(array: npt.NDArray[np.generic]) -> int:
    return array.ctypes.data


def _aligned(size: int) -> int:
    return size + -size % _ALIGNMENT
