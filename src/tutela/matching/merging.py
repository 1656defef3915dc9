"""Merging segments, so that their number stays small and withdrawn rows go."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tutela.fingerprints.model import Kind
from tutela.matching.manifest import SegmentRecord
from tutela.matching.segment import Block, Column, Segment, write_segment

LARGEST_MERGE = 1 << 22
"""Rows of the largest segment that merging makes: bounds how long it takes and its memory."""


_Source = tuple[Block, Column]
"""A block and the rows of it that count."""


def choose_merge(segments: Sequence[Segment], largest: int = LARGEST_MERGE) -> list[Segment]:
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
    return next(([s] for s in segments if s.live < len(s.withdrawn)), [])


def write_merged(segments: Sequence[Segment], path: Path, number: int) -> SegmentRecord:
    """Write the live rows of some segments as one.

    One column at a time is in memory.

    Args:
        segments: One or more, with at least one live row.
        path: Where to.
        number: The file's number.

    Raises:
        StorageError: The disk is full, or the file cannot be written for another reason.
    """
    sources: dict[Kind, list[_Source]] = {}
    for segment in segments:
        for block in segment.blocks:
            live = _live_rows(segment, block)
            if len(live):
                sources.setdefault(block.kind, []).append((block, live))
    rows = {kind: sum(len(live) for _, live in parts) for kind, parts in sources.items()}
    lowest = min(segment.record.lowest for segment in segments)
    highest = max(segment.record.highest for segment in segments)
    return write_segment(path, number, rows, (lowest, highest), _columns(sources))


def _columns(sources: dict[Kind, list[_Source]]) -> Iterator[Column]:
    for kind, parts in sources.items():
        order: slice | Column = slice(None)
        for number in range(len(parts[0][0].columns)):
            merged = np.concatenate([block.columns[number][live] for block, live in parts])
            if number == 0 and kind is not Kind.PDQ:
                order = np.argsort(merged, kind="stable")
            yield merged[order]


def _live_rows(segment: Segment, block: Block) -> Column:
    edges = np.searchsorted(segment.withdrawn, [block.first_row, block.first_row + len(block)])
    withdrawn = segment.withdrawn[edges[0] : edges[1]]
    live = np.ones(len(block), np.bool_)
    live[withdrawn - np.uint32(block.first_row)] = False
    return np.flatnonzero(live)
