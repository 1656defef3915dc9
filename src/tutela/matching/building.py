"""Turning a stream of entries into segments, a bounded number of rows at a time."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.matching.manifest import SegmentRecord
from tutela.matching.model import IndexEntry
from tutela.matching.segment import Columns, Numbers, write_segment

ROWS_IN_A_BATCH = 1 << 20
"""Bounds the memory that adding takes: about 50 bytes a row, and as much again to sort."""

KINDS = tuple(Kind)
"""A kind's position here is its number in a batch."""

_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_WIDEST = max(kind.width for kind in Kind)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some entries as columns, each entry number once.

    Attributes:
        kinds: Positions in ``KINDS``.
        values: One value a row, filled up to 32 bytes.
        entries: Entry numbers, ascending.
        hash_lists: List numbers.
    """

    kinds: npt.NDArray[np.int8]
    values: npt.NDArray[np.uint8]
    entries: Numbers
    hash_lists: Numbers


def read_batches(entries: Iterable[IndexEntry], rows: int = ROWS_IN_A_BATCH) -> Iterator[Batch]:
    """Collect a stream into batches.

    Args:
        entries: The stream. Of an entry number given twice within a batch the last counts.
        rows: How many entries to take for a batch.

    Raises:
        InvalidInputError: A value does not have its kind's length.
    """
    stream = iter(entries)
    for first in stream:
        yield _read_batch(chain([first], islice(stream, rows - 1)))


def write_batch(batch: Batch, path: Path, number: int) -> SegmentRecord:
    """Write a batch as a segment.

    Raises:
        StorageError: The disk is full, or the file cannot be written for another reason.
    """
    columns = {}
    for position, kind in enumerate(KINDS):
        rows = np.flatnonzero(batch.kinds == position)
        if len(rows) == len(batch.kinds) and kind.width == _WIDEST:
            columns[kind] = Columns(batch.values, batch.entries, batch.hash_lists)
        elif len(rows):
            columns[kind] = Columns(
                batch.values[rows, : kind.width], batch.entries[rows], batch.hash_lists[rows]
            )
    return write_segment(path, number, columns)


def _read_batch(stream: Iterable[IndexEntry]) -> Batch:
    kinds, values, entries, hash_lists = array("b"), bytearray(), array("q"), array("q")
    for entry in stream:
        if len(entry.value) != entry.kind.width:
            raise InvalidInputError(
                f"a {entry.kind} fingerprint is {entry.kind.width} bytes, not {len(entry.value)}"
            )
        kinds.append(_NUMBERS[entry.kind])
        values += entry.value.ljust(_WIDEST, b"\0")
        entries.append(entry.entry)
        hash_lists.append(entry.hash_list)
    batch = Batch(
        np.frombuffer(kinds, np.int8),
        np.frombuffer(values, np.uint8).reshape(-1, _WIDEST),
        np.frombuffer(entries, np.int64),
        np.frombuffer(hash_lists, np.int64),
    )
    return _in_order(batch)


def _in_order(batch: Batch) -> Batch:
    if (np.diff(batch.entries) > 0).all():
        return batch
    order = np.argsort(batch.entries, kind="stable")
    last = np.append(np.diff(batch.entries[order]) != 0, True)
    order = order[last]
    return Batch(
        batch.kinds[order], batch.values[order], batch.entries[order], batch.hash_lists[order]
    )
