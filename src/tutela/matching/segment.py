"""Segments: immutable files of columns, one block for each kind.

A file is the blocks one after the other in the order of the manifest's ``rows``, a block is its
columns one after the other, and each column starts at a multiple of 64 bytes. All numbers are
little-endian. A block's columns are the value's (see ``value_columns``), then ``entries`` and
``hash_lists``, both signed 64-bit. A digest block is sorted by its first column.
"""

import mmap
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tutela.fingerprints.model import Kind
from tutela.matching.durable import damaged, write_whole
from tutela.matching.manifest import SegmentRecord, WithdrawnRecord

type_bytes = np.dtype("u1")
type_word = np.dtype("<u8")
type_number = np.dtype("<i8")
type_row = np.dtype("<u4")

_ALIGNMENT = 64
_CHECKED_AT_ONCE = 1 << 24

Column = npt.NDArray[np.generic]
Numbers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint32]
"""Sorted row numbers, counted from a segment's first row through all its blocks."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A segment's rows of one kind.

    Attributes:
        kind: What its values are.
        first_row: The number of its first row within the segment.
        values: The columns of ``value_columns``, each with one row a value.
        entries: Entry numbers.
        hash_lists: List numbers.
    """

    kind: Kind
    first_row: int
    values: tuple[Column, ...]
    entries: Numbers
    hash_lists: Numbers

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, in the file's order."""
        return (*self.values, self.entries, self.hash_lists)

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
        For PDQ four columns of 64-bit words. For digests the first 8 bytes as a word that sorts as
        the bytes do, and a column of the other bytes.
    """
    if kind is Kind.PDQ:
        words = np.ascontiguousarray(values).view(type_word)
        return tuple(np.ascontiguousarray(words[:, i]) for i in range(4))
    prefixes = np.ascontiguousarray(values[:, :8]).view(">u8")[:, 0].astype(type_word)
    return prefixes, np.ascontiguousarray(values[:, 8:])


def write_segment(
    path: Path,
    number: int,
    rows: Mapping[Kind, int],
    entry_range: tuple[int, int],
    columns: Iterable[Column],
) -> SegmentRecord:
    """Write a segment's file, one column at a time.

    Args:
        path: Where to.
        number: The file's number.
        rows: Rows of each kind, at least one each, in the order of the columns.
        entry_range: The lowest and the highest entry number.
        columns: The columns of all blocks in the file's order.

    Raises:
        StorageError: The disk is full, or the file cannot be written for another reason.
    """
    size, crc32 = write_whole(path, _aligned(columns))
    lowest, highest = entry_range
    return SegmentRecord(number, dict(rows), lowest, highest, size, crc32)


def write_withdrawn(path: Path, number: int, rows: Rows) -> WithdrawnRecord:
    """Write the file of rows that no longer count.

    Raises:
        StorageError: The disk is full, or the file cannot be written for another reason.
    """
    _, crc32 = write_whole(path, [rows.astype(type_row)])
    return WithdrawnRecord(number, len(rows), crc32)


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
    blocks = tuple(_blocks(mapping, record))
    return Segment(record, mapping, blocks, read_withdrawn(folder, record))


def read_withdrawn(folder: Path, record: SegmentRecord) -> Rows:
    """Read the rows of a segment that no longer count.

    Raises:
        FileNotFoundError: The file is missing.
        StorageError: The file is damaged.
    """
    if record.withdrawn is None:
        return np.empty(0, np.uint32)
    content = (folder / record.withdrawn.file_name).read_bytes()
    if zlib.crc32(content) != record.withdrawn.crc32:
        raise damaged(folder, f"{record.withdrawn.file_name} is not as it was written")
    return np.frombuffer(content, type_row)


def check_segment(folder: Path, segment: Segment) -> None:
    """Read a segment whole and compare its checksum.

    Raises:
        DamagedIndexError: It is not as it was written.
    """
    # Reading past the end of a file that was cut since would kill the process.
    if segment.mapping.size() != segment.record.size:
        raise damaged(folder, f"{segment.record.file_name} does not have its length")
    checksum = 0
    with memoryview(segment.mapping) as content:
        for start in range(0, len(content), _CHECKED_AT_ONCE):
            checksum = zlib.crc32(content[start : start + _CHECKED_AT_ONCE], checksum)
    if checksum != segment.record.crc32:
        raise damaged(folder, f"{segment.record.file_name} is not as it was written")


def _aligned(columns: Iterable[Column]) -> Iterator[Column | bytes]:
    for column in columns:
        yield column
        yield bytes(-column.nbytes % _ALIGNMENT)


def _blocks(mapping: mmap.mmap, record: SegmentRecord) -> Iterator[Block]:
    offset = first_row = 0
    for kind, count in record.rows.items():
        columns: list[Column] = []
        for dtype, width in _column_types(kind):
            shape = (count,) if width == 1 else (count, width)
            column: Column = np.ndarray(shape, dtype, mapping, offset)
            columns.append(column)
            offset += column.nbytes + -column.nbytes % _ALIGNMENT
        *values, entries, hash_lists = columns
        yield Block(
            kind, first_row, tuple(values), entries.view(np.int64), hash_lists.view(np.int64)
        )
        first_row += count


def _column_types(kind: Kind) -> list[tuple[np.dtype[np.generic], int]]:
    rest: list[tuple[np.dtype[np.generic], int]]
    rest = [(type_word, 1)] * 3 if kind is Kind.PDQ else [(type_bytes, kind.width - 8)]
    return [(type_word, 1), *rest, (type_number, 1), (type_number, 1)]
