"""Merging large segments in the background, while others read the index and change it."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tutela.matching.durable import compacting_alone, exclusive
from tutela.matching.manifest import UNFINISHED_SEGMENT
from tutela.matching.merging import choose_merge, largest_merge, write_merged
from tutela.matching.segment import Segment, check_segment, lacks_tables
from tutela.matching.snapshot import load_snapshot
from tutela.matching.writing import Writer, remove_leftovers

DEFAULT_MEMORY_BYTES = 2 << 30


def compact(folder: Path, memory_bytes: int = DEFAULT_MEMORY_BYTES) -> int:
    """Merge segments until none is worth merging, unless another does so already.

    The writer's lock is held for the moments in which a merged segment takes the place of those
    that it was made from. What is changed meanwhile counts in the merged segment too.

    Args:
        folder: The index's folder.
        memory_bytes: How much merging may take, which bounds how large a merged segment can be.

    Returns:
        How many merges there were.

    Raises:
        DamagedIndexError: What was to be merged is not as it was written; it is left so.
        StorageError: The disk is full, or cannot be written; the index is as it was.
    """
    with compacting_alone(folder) as alone:
        merges = 0
        if not alone:
            return merges
        try:
            while _merge_once(folder, largest_merge(memory_bytes)):
                merges += 1
            return merges
        finally:
            with suppress(OSError):
                (folder / UNFINISHED_SEGMENT).unlink(missing_ok=True)


def choose(segments: Sequence[Segment], largest: int) -> list[Segment]:
    """Pick what to merge next, or a segment to write anew because it lacks its tables.

    That is so where Tutela had no kernel when it was written, and has one now.
    """
    lacking = ([each] for each in segments if each.live <= largest and lacks_tables(each))
    return choose_merge(segments, largest) or next(lacking, [])


def _merge_once(folder: Path, largest: int) -> bool:
    before = load_snapshot(folder)
    before.file.close()
    chosen = choose(before.segments, largest)
    if not chosen:
        return False
    for segment in chosen:
        # What is copied gets a checksum of its own, so that no later check finds damage.
        check_segment(folder, segment)
    record = write_merged(chosen, folder / UNFINISHED_SEGMENT, 0)
    with exclusive(folder):
        now = load_snapshot(folder, before)
        now.file.close()
        if now.manifest.identity == before.manifest.identity:
            Writer(folder, now.manifest, now.segments).exchange(chosen, record)
        newest = load_snapshot(folder, now)
        newest.file.close()
        remove_leftovers(folder, newest.manifest.file_names)
    return True
