"""Segments: immutable files of columns, one block for each kind.

A file is the blocks one after the other in the order of the manifest's ``rows``, a block is its
columns one after the other, and each column starts at a multiple of 64 bytes. All numbers are
little-endian. A block's columns are the value's, then the entries' numbers, counted from the
segment's lowest, and the lists', both in as many bytes as the manifest says. Rows are sorted by
value. A PDQ block's values are one column, 32 bytes wide, and after the lists' numbers come its 16
tables, if it has any (see ``tables``). A digest block's are two: the first 8 bytes as a number that
sorts as the bytes do, and the other bytes.
"""

import ctypes
import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from tutela.fingerprints.model import Kind
from tutela.matching.durable import damaged, write_whole
from tutela.matching.manifest import SegmentRecord, WithdrawnRecord
from tutela.matching.tables import (
    CHUNKS,
    Layout,
    are_worthwhile,
    in_order,
    layout_for,
    make_tables,
    sorted_order,
)

_type_bytes = np.dtype("u1")
_type_word = np.dtype("<u8")
_type_row = np.dtype("<u4")

_MADV_POPULATE_READ = 22
"""Linux 5.14, <linux/mman.h>; Python's own name for it comes with 3.12."""

_libc = ctypes.CDLL(None)
_ALIGNMENT = 64
_LEAST_ENTRY_WIDTH = 4

Column = npt.NDArray[Any]
Numbers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint32]
"""Sorted row numbers, counted from a segment's first row through all its blocks."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Entries of one kind, in any order, as they are given to be written.

    Attributes:
        values: One value a row, ``kind.width`` bytes wide.
        entries: Entry numbers.
        hash_lists: List numbers, of any whole type.
    """

    values: npt.NDArray[np.uint8]
    entries: Numbers
    hash_lists: Column


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A segment's rows of one kind, sorted by value.

    Attributes:
        kind: What its values are.
        first_row: The number of its first row within the segment.
        values: For PDQ one column, for digests two: see ``value_columns``.
        entries: Entry numbers, counted from ``lowest``.
        lowest: The segment's lowest entry number.
        hash_lists: List numbers.
        tables: 16 rows of ``layout.size`` bytes, if there are tables.
        layout: How they are laid out.
    """

    kind: Kind
    first_row: int
    values: tuple[Column, ...]
    entries: Column
    lowest: int
    hash_lists: Column
    tables: npt.NDArray[np.uint8] | None
    layout: Layout | None

    def entries_of(self, rows: Column | slice) -> Numbers:
        """The entry numbers of some rows."""
        return self.entries[rows].astype(np.int64) + self.lowest

    def whole_values(self, rows: Column | slice) -> npt.NDArray[np.uint8]:
        """The values of some rows, ``kind.width`` bytes wide."""
        first: npt.NDArray[np.uint8] = self.values[0][rows]
        if self.kind is Kind.PDQ:
            return first
        prefixes = first.astype(">u8").view(np.uint8).reshape(-1, 8)
        return np.concatenate([prefixes, self.values[1][rows]], axis=1)

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A mapped segment with the rows that no longer count.

    Attributes:
        record: What the manifest says of it.
        mapping: The file's bytes. They stay valid after the file is deleted.
        blocks: One block for each kind that it holds.
        withdrawn: Rows that no longer count.
    """

    record: SegmentRecord
    mapping: mmap.mmap
    blocks: tuple[Block, ...]
    withdrawn: Rows

    def __len__(self) -> int:
        return sum(len(block) for block in self.blocks)

    @property
    def live(self) -> int:
        """How many rows count."""
        return len(self) - len(self.withdrawn)


def value_columns(kind: Kind, values: npt.NDArray[np.uint8]) -> tuple[Column, ...]:
    """Split values into the columns that they are searched by.

    Args:
        kind: What they are.
        values: One value a row, ``kind.width`` bytes wide.

    Returns:
        For PDQ the values as they are. For digests the first 8 bytes as a word that sorts as the
        bytes do, and a column of the other bytes.
    """
    if kind is Kind.PDQ:
        return (np.ascontiguousarray(values),)
    prefixes = np.ascontiguousarray(values[:, :8]).view(">u8")[:, 0].astype(_type_word)
    return prefixes, np.ascontiguousarray(values[:, 8:])


def write_segment(path: Path, number: int, kinds: Mapping[Kind, Columns]) -> SegmentRecord:
    """Write a segment's file.

    Takes, beside what it is given, about 40 bytes a PDQ row of memory.

    Args:
        path: Where to.
        number: The file's number.
        kinds: What it shall hold, of each kind at least one row and at most ``MOST_ROWS``.

    Raises:
        StorageError: The disk is full, or the file cannot be written for another reason.
    """
    lowest = min(int(columns.entries.min()) for columns in kinds.values())
    highest = max(int(columns.entries.max()) for columns in kinds.values())
    longest_list = max(int(columns.hash_lists.max()) for columns in kinds.values())
    entry_width = max(_width_of(highest - lowest), _LEAST_ENTRY_WIDTH)
    list_width = _width_of(longest_list)
    layout: Layout | None = None

    def pieces() -> Iterator[Column]:
        nonlocal layout
        for kind, columns in kinds.items():
            if kind is Kind.PDQ:
                order: Column = sorted_order(columns.values)
                values: tuple[Column, ...] = (in_order(columns.values, order),)
            else:
                unsorted = value_columns(kind, columns.values)
                order = np.argsort(unsorted[0], kind="stable")
                values = tuple(column[order] for column in unsorted)
            yield from values
            yield (columns.entries[order] - lowest).astype(f"<u{entry_width}")
            yield columns.hash_lists[order].astype(f"<u{list_width}")
            if kind is Kind.PDQ and (layout := layout_for(values[0])):
                yield from make_tables(values[0], layout)

    size, checksum = write_whole(path, _aligned(pieces()))
    return SegmentRecord(
        number=number,
        rows={kind: len(columns.entries) for kind, columns in kinds.items()},
        lowest=lowest,
        highest=highest,
        size=size,
        checksum=checksum,
        entry_width=entry_width,
        list_width=list_width,
        table_rows=layout.rows if layout else 0,
        table_bits=layout.bits if layout else 0,
    )


def lacks_tables(segment: Segment) -> bool:
    """Whether a segment would have tables if it were written now, and has none."""
    if segment.record.table_bits or not len(segment):
        return False
    pdq = segment.record.rows.get(Kind.PDQ, 0) - len(segment.withdrawn)
    return are_worthwhile(pdq)


def write_withdrawn(path: Path, number: int, rows: Rows) -> WithdrawnRecord:
    """Write the file of rows that no longer count.

    Raises:
        StorageError: The disk is full, or the file cannot be written for another reason.
    """
    _, checksum = write_whole(path, [rows.astype(_type_row)])
    return WithdrawnRecord(number, len(rows), checksum)


def map_segment(folder: Path, record: SegmentRecord) -> Segment:
    """Map a segment's file and read its withdrawn rows.

    Raises:
        FileNotFoundError: A file is missing.
        StorageError: A file is not as long as it was written, or the withdrawals do not have their
            checksum. The segment's own checksum takes reading it whole: ``check_segment``.
    """
    with (folder / record.file_name).open("rb") as file:
        if file.seek(0, 2) != record.size:
            raise damaged(folder, f"{record.file_name} does not have its length")
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    # Look-ups go to and fro in it. With pages of 2 MiB the processor finds its way at once, and
    # with all pages mapped now none has to be when it is first read. A system that knows either
    # advice not does without.
    _advise(mapping, mmap.MADV_HUGEPAGE)
    _advise(mapping, _MADV_POPULATE_READ)
    blocks = tuple(_blocks(mapping, record))
    return Segment(record, mapping, blocks, read_withdrawn(folder, record))


def _advise(mapping: mmap.mmap, advice: int) -> None:
    # Python's own call holds Python's lock, for as long as reading the file takes.
    address = np.frombuffer(mapping, np.uint8).ctypes.data
    _libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(len(mapping)), advice)


def read_withdrawn(folder: Path, record: SegmentRecord) -> Rows:
    """Read the rows of a segment that no longer count.

    Raises:
        FileNotFoundError: The file is missing.
        StorageError: The file is damaged.
    """
    if record.withdrawn is None:
        return np.empty(0, np.uint32)
    content = (folder / record.withdrawn.file_name).read_bytes()
    if xxhash.xxh3_64_intdigest(content) != record.withdrawn.checksum:
        raise damaged(folder, f"{record.withdrawn.file_name} is not as it was written")
    return np.frombuffer(content, _type_row)


def check_segment(folder: Path, segment: Segment) -> None:
    """Read a segment whole and compare its checksum.

    Raises:
        DamagedIndexError: It is not as it was written.
    """
    # Reading past the end of a file that was cut since would kill the process.
    if segment.mapping.size() != segment.record.size:
        raise damaged(folder, f"{segment.record.file_name} does not have its length")
    with memoryview(segment.mapping) as content:
        checksum = xxhash.xxh3_64_intdigest(content)
    if checksum != segment.record.checksum:
        raise damaged(folder, f"{segment.record.file_name} is not as it was written")


def _aligned(columns: Iterable[Column]) -> Iterator[Column | bytes]:
    for column in columns:
        yield column
        yield bytes(-column.nbytes % _ALIGNMENT)


def _blocks(mapping: mmap.mmap, record: SegmentRecord) -> Iterator[Block]:
    offset = first_row = 0

    def take(dtype: np.dtype[Any] | str, *shape: int) -> Column:
        nonlocal offset
        column: Column = np.ndarray(shape, dtype, mapping, offset)
        offset += column.nbytes + -column.nbytes % _ALIGNMENT
        return column

    for kind, count in record.rows.items():
        if kind is Kind.PDQ:
            values: tuple[Column, ...] = (take(_type_bytes, count, kind.width),)
        else:
            values = (take(_type_word, count), take(_type_bytes, count, kind.width - 8))
        entries = take(f"<u{record.entry_width}", count)
        hash_lists = take(f"<u{record.list_width}", count)
        tables = layout = None
        if kind is Kind.PDQ and record.table_bits:
            layout = Layout(record.table_rows, record.table_bits)
            tables = take(_type_bytes, CHUNKS, layout.size).view(np.uint8)
        yield Block(kind, first_row, values, entries, record.lowest, hash_lists, tables, layout)
        first_row += count


def _width_of(number: int) -> int:
    """Bytes of the smallest of NumPy's unsigned types that holds a number."""
    return int(np.min_scalar_type(number).itemsize)
