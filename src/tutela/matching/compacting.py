"""Merging large segments in the background, while others read the index and change it."""

from contextlib import suppress
from pathlib import Path

from tutela.matching.durable import COMPACTING_LOCK, exclusive, storage_errors
from tutela.matching.manifest import UNFINISHED_SEGMENT
from tutela.matching.merging import LARGEST_MERGE, choose_merge, write_merged
from tutela.matching.segment import check_segment
from tutela.matching.snapshot import Snapshot, load_snapshot
from tutela.matching.writing import Writer, remove_leftovers


def is_worthwhile(snapshot: Snapshot) -> bool:
    """Whether there is anything to merge."""
    return bool(choose_merge(snapshot.segments))


def compact(folder: Path, largest: int = LARGEST_MERGE) -> int:
    """Merge segments until none is worth merging; waits for any other that does so.

    The writer's lock is held for the moments in which a merged segment takes the place of those
    that it was made from. What is changed meanwhile counts in the merged segment too.

    Args:
        folder: The index's folder.
        largest: Rows that a merged segment may have.

    Returns:
        How many merges there were.

    Raises:
        DamagedIndexError: What was to be merged is not as it was written; it is left so.
        StorageError: The disk is full, or cannot be written; the index is as it was.
    """
    with exclusive(folder, COMPACTING_LOCK):
        try:
            merges = 0
            while _merge_once(folder, largest):
                merges += 1
            return merges
        finally:
            with suppress(OSError):
                (folder / UNFINISHED_SEGMENT).unlink(missing_ok=True)


def _merge_once(folder: Path, largest: int) -> bool:
    before = load_snapshot(folder)
    before.file.close()
    chosen = choose_merge(before.segments, largest)
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
        with storage_errors(folder, "read"):
            newest = load_snapshot(folder, now)
        newest.file.close()
        remove_leftovers(folder, newest.manifest.file_names)
    return True
