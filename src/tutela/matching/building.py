"""Turning a stream of entries into segments, a bounded number of rows at a time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.matching.manifest import SegmentRecord
from tutela.matching.model import IndexEntry
from tutela.matching.segment import Columns, Numbers, write_segment

ROWS_IN_A_BATCH = 1 << 20
"""Bounds the memory that adding takes: some 200 bytes a row."""

KINDS = tuple(Kind)
"""A kind's position here is its number in a batch."""

_ROWS_AT_ONCE = 1 << 14
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


def batch_of(
    entries: Sequence[int],
    hash_lists: Sequence[int],
    kinds: Sequence[Kind],
    values: Sequence[bytes],
) -> Batch:
    """Some entries as a batch.

    Args:
        entries: Entry numbers. Of one given twice the last counts.
        hash_lists: The list of each.
        kinds: Which function made its value.
        values: Its fingerprint.

    Raises:
        InvalidInputError: A value does not have its kind's length.
    """
    for kind, value in zip(kinds, values, strict=True):
        if len(value) != kind.width:
            raise InvalidInputError(f"a {kind} fingerprint is {kind.width} bytes, not {len(value)}")
    filled = b"".join([value.ljust(_WIDEST, b"\0") for value in values])
    return _in_order(
        Batch(
            np.array([_NUMBERS[kind] for kind in kinds], np.int8),
            np.frombuffer(filled, np.uint8).reshape(-1, _WIDEST),
            np.array(entries, np.int64),
            np.array(hash_lists, np.int64),
        )
    )


def read_batches(entries: Iterable[IndexEntry], rows: int = ROWS_IN_A_BATCH) -> Iterator[Batch]:
    """Collect a stream into batches.

    Args:
        entries: The stream. Of an entry number given twice within a batch the last counts.
        rows: How many entries to take for a batch.

    Raises:
        InvalidInputError: A value does not have its kind's length.
    """
    stream = iter(entries)
    portions = iter(lambda: list(islice(stream, min(rows, _ROWS_AT_ONCE))), [])
    return joined(map(_read, portions), rows)


def joined(batches: Iterable[Batch], rows: int = ROWS_IN_A_BATCH) -> Iterator[Batch]:
    """Join small batches into large ones, of which fewer segments are made.

    Args:
        batches: The small ones. Of an entry number given twice the last counts.
        rows: About how many entries there shall be in a large one.
    """
    pending: list[Batch] = []
    count = 0
    for batch in batches:
        pending.append(batch)
        count += len(batch.entries)
        if count >= rows:
            yield _join(pending)
            pending, count = [], 0
    if pending:
        yield _join(pending)


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


def _read(entries: Sequence[IndexEntry]) -> Batch:
    return batch_of(
        [entry.entry for entry in entries],
        [entry.hash_list for entry in entries],
        [entry.kind for entry in entries],
        [entry.value for entry in entries],
    )


def _join(batches: Sequence[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    return _in_order(
        Batch(
            np.concatenate([batch.kinds for batch in batches]),
            np.concatenate([batch.values for batch in batches]),
            np.concatenate([batch.entries for batch in batches]),
            np.concatenate([batch.hash_lists for batch in batches]),
        )
    )


def _in_order(batch: Batch) -> Batch:
    if (np.diff(batch.entries) > 0).all():
        return batch
    order = np.argsort(batch.entries, kind="stable")
    last = np.append(np.diff(batch.entries[order]) != 0, True)
    order = order[last]
    return Batch(
        batch.kinds[order], batch.values[order], batch.entries[order], batch.hash_lists[order]
    )
