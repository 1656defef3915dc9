"""Merging segments, so that their number stays small and withdrawn rows go."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tutela.fingerprints.model import Kind
from tutela.matching.manifest import SegmentRecord
from tutela.matching.segment import Block, Column, Columns, Segment, write_segment
from tutela.matching.tables import MOST_ROWS

_BYTES_A_ROW = 110
"""Memory that merging takes, measured with PDQ rows, of which it takes the most."""


def largest_merge(memory_bytes: int) -> int:
    """Rows of the largest segment that can be made within some memory."""
    return min(memory_bytes // _BYTES_A_ROW, MOST_ROWS)


def choose_merge(segments: Sequence[Segment], largest: int = MOST_ROWS) -> list[Segment]:
    """Pick what to merge next.

    As many of the smallest segments as can be, up to the last that is at most twice as large as
    all before it together. When nothing is left to do, each segment below ``largest / 2`` rows is
    more than twice as large as all smaller ones, so that their number is logarithmic.

    Args:
        segments: All segments.
        largest: Rows that the merged segment may have.

    Returns:
        Two or more segments to merge, or a single one of which most rows are withdrawn and which
        is to be written anew, or none.
    """
    ascending = sorted(segments, key=lambda segment: segment.live)
    total = chosen = 0
    for count, segment in enumerate(ascending, start=1):
        if total + segment.live > largest:
            break
        if segment.live <= 2 * total:
            chosen = count
        total += segment.live
    if chosen:
        return ascending[:chosen]
    return next(([s] for s in segments if s.live < len(s.withdrawn) and s.live <= largest), [])


def write_merged(segments: Sequence[Segment], path: Path, number: int) -> SegmentRecord:
    """Write the live rows of some segments as one.

    Args:
        segments: One or more, with at least one live row.
        path: Where to.
        number: The file's number.

    Raises:
        StorageError: The disk is full, or the file cannot be written for another reason.
    """
    parts: dict[Kind, list[_Part]] = {}
    for segment in segments:
        for block in segment.blocks:
            part = _live_part(segment, block)
            if part.count:
                parts.setdefault(block.kind, []).append(part)
    return write_segment(path, number, {kind: _joined(kind, each) for kind, each in parts.items()})


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some rows of a block, and how many they are."""

    block: Block
    rows: Column | slice
    count: int


def _joined(kind: Kind, parts: list[_Part]) -> Columns:
    """The parts one after the other, each copied once: they may be millions of rows."""
    count = sum(part.count for part in parts)
    values = np.empty((count, kind.width), np.uint8)
    entries = np.empty(count, np.int64)
    hash_lists = np.empty(count, np.result_type(*(part.block.hash_lists for part in parts)))
    start = 0
    for part in parts:
        stop = start + part.count
        values[start:stop] = part.block.whole_values(part.rows)
        entries[start:stop] = part.block.entries_of(part.rows)
        hash_lists[start:stop] = part.block.hash_lists[part.rows]
        start = stop
    return Columns(values, entries, hash_lists)


def _live_part(segment: Segment, block: Block) -> _Part:
    edges = np.searchsorted(segment.withdrawn, [block.first_row, block.first_row + len(block)])
    withdrawn = segment.withdrawn[edges[0] : edges[1]]
    if not len(withdrawn):
        return _Part(block, slice(None), len(block))
    live = np.ones(len(block), np.bool_)
    live[withdrawn - np.uint32(block.first_row)] = False
    return _Part(block, live, len(block) - len(withdrawn))
