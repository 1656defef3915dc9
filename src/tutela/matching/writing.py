"""Changing the index: one process at a time, each change whole or not at all.

Files are never changed. A change writes new ones and then replaces the manifest, so a process
killed at any instant leaves the old state or the new one, and perhaps files that no manifest
names, which the next writer removes.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from tutela.errors import StorageError
from tutela.matching.building import Batch, write_batch
from tutela.matching.durable import (
    DamagedIndexError,
    damaged,
    exclusive,
    put_in_place,
    storage_errors,
)
from tutela.matching.manifest import (
    MANIFEST,
    UNFINISHED_SEGMENT,
    Manifest,
    SegmentRecord,
    file_name,
    is_ours,
    is_segment_file,
    refuse_foreign_folder,
    write_manifest,
)
from tutela.matching.merging import choose_merge, write_merged
from tutela.matching.probing import find_members
from tutela.matching.segment import (
    Numbers,
    Segment,
    check_segment,
    map_segment,
    write_withdrawn,
)
from tutela.matching.snapshot import Snapshot, load_snapshot

MERGED_AT_ONCE = 1 << 16
"""Rows up to which segments are merged by the change that made them too many, which takes a few
hundredths of a second. More are left to ``compacting``."""


class Writer:
    """The right to change the index, held by one process at a time (see ``Index.writing``)."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        segments: Sequence[Segment],
        merged_at_once: int = MERGED_AT_ONCE,
    ) -> None:
        self._folder = folder
        self._merged_at_once = merged_at_once
        self._manifest = manifest
        self._segments = segments

    @property
    def revision(self) -> int:
        """The revision on disk, which nobody else can change as long as the writer is held."""
        return self._manifest.revision

    def update(self, added: Iterable[Batch], withdrawn: Iterable[int], *, revision: int) -> None:
        """Bring the index to a revision of the database; readers see all of it or nothing.

        Does nothing if the index is at this revision or a later one already, so that two processes
        that catch up at the same time do no harm.

        Args:
            added: Entries to add, a stream of any length, in batches of at most ``MOST_ROWS``. One
                whose number is in the index, live or withdrawn, replaces that one.
            withdrawn: Numbers of entries that are never found again, until added anew. Unknown
                numbers do no harm. A number in both streams ends withdrawn.
            revision: The revision that the index is complete up to afterwards.

        Raises:
            InvalidInputError: A value does not have its kind's length; nothing is changed.
            DamagedIndexError: What was there already is not as it was written, and is left so:
                the index has to be built anew.
            StorageError: The disk is full or cannot be written; nothing is changed.
        """
        if revision <= self.revision:
            return
        self._commit(self._changed(self._segments, added, withdrawn), revision)
        self._merge_if_possible()

    def replace(self, entries: Iterable[Batch], *, revision: int) -> None:
        """Exchange all that the index holds; until the end readers see what it held before.

        Args:
            entries: All entries that shall be live, as in ``update``.
            revision: The revision that they stand for, whatever it was before.

        Raises:
            InvalidInputError: A value does not have its kind's length; nothing is changed.
            StorageError: The disk is full or cannot be written; nothing is changed.
        """
        self._commit(self._changed((), entries, ()), revision)
        self._merge_if_possible()

    def exchange(self, merged: Sequence[Segment], record: SegmentRecord) -> bool:
        """Put one segment in the place of those that were merged into it meanwhile.

        Args:
            merged: The segments as they were when merging began.
            record: The segment that they were merged into, in the file ``UNFINISHED_SEGMENT``.

        Returns:
            Whether it was of any use: not if all that was merged has been replaced meanwhile.

        Raises:
            StorageError: The disk cannot be written; nothing is changed.
        """
        now = {segment.record.number: segment for segment in self._segments}
        if not any(segment.record.number in now for segment in merged):
            return False
        # What has left its segment since is withdrawn, or lives in another one.
        gone = [_left_since(segment, now.get(segment.record.number)) for segment in merged]
        path, number = self._new_file("segment")
        put_in_place(self._folder / UNFINISHED_SEGMENT, path)
        segment = self._map(replace(record, number=number))
        numbers = {segment.record.number for segment in merged}
        others = [each for each in self._segments if each.record.number not in numbers]
        self._commit([*others, _without(segment, np.unique(np.concatenate(gone)))], self.revision)
        return True

    def clear(self) -> None:
        """Empty the index and go back to revision 0.

        Raises:
            StorageError: The disk cannot be written; nothing is changed.
        """
        self._commit((), 0)

    def _changed(
        self, segments: Sequence[Segment], added: Iterable[Batch], withdrawn: Iterable[int]
    ) -> Sequence[Segment]:
        for batch in added:
            path, number = self._new_file("segment")
            record = write_batch(batch, path, number)
            segments = [_without(segment, batch.entries) for segment in segments]
            segments.append(self._map(record))
        gone = np.unique(np.fromiter(withdrawn, np.int64))
        return [_without(segment, gone) for segment in segments]

    def _merge_if_possible(self) -> None:
        try:
            self._merge()
        except DamagedIndexError:
            raise
        except StorageError:
            # The change stands already. Whether there is room is the next writer's concern.
            return

    def _merge(self) -> None:
        while chosen := choose_merge(self._segments, self._merged_at_once):
            for segment in chosen:
                # What is copied gets a checksum of its own, so that no later check finds damage.
                check_segment(self._folder, segment)
            path, number = self._new_file("segment")
            merged = self._map(write_merged(chosen, path, number))
            others = [segment for segment in self._segments if segment not in chosen]
            self._commit([*others, merged], self.revision)

    def _commit(self, segments: Sequence[Segment], revision: int) -> None:
        kept = [self._with_withdrawals_written(segment) for segment in segments if segment.live]
        manifest = replace(
            self._manifest, revision=revision, segments=tuple(segment.record for segment in kept)
        )
        write_manifest(manifest, self._folder)
        self._manifest, self._segments = manifest, kept

    def _with_withdrawals_written(self, segment: Segment) -> Segment:
        if not len(segment.withdrawn) or segment.record.withdrawn:
            return segment
        path, number = self._new_file("withdrawn")
        record = write_withdrawn(path, number, segment.withdrawn)
        return replace(segment, record=replace(segment.record, withdrawn=record))

    def _new_file(self, suffix: str) -> tuple[Path, int]:
        number = self._manifest.next_number
        self._manifest = replace(self._manifest, next_number=number + 1)
        return self._folder / file_name(number, suffix), number

    def _map(self, record: SegmentRecord) -> Segment:
        with storage_errors(self._folder, "read"):
            return map_segment(self._folder, record)


def ensure_index(folder: Path) -> None:
    """Make an empty index if the folder is absent or empty.

    Raises:
        StorageError: The folder holds other files or a damaged index, or cannot be written.
    """
    with storage_errors(folder, "create"):
        if (folder / MANIFEST).exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        refuse_foreign_folder(folder)
    with exclusive(folder):
        if (folder / MANIFEST).exists():
            return
        if any(is_segment_file(path.name) for path in folder.iterdir()):
            raise damaged(folder, "its manifest is missing")
        write_manifest(Manifest.empty(), folder)


def mend_index(folder: Path) -> None:
    """Replace a damaged index by an empty one, unless it is sound, or another process just did.

    Raises:
        StorageError: The folder holds other files, or cannot be written.
    """
    ensure_folder(folder)
    with exclusive(folder):
        try:
            _load_sound(folder)
        except StorageError:
            write_manifest(Manifest.empty(), folder)
            remove_leftovers(folder, set())


def ensure_folder(folder: Path) -> None:
    """Make the folder where it is missing; the index in it may be missing or damaged.

    Raises:
        StorageError: The folder holds other files, or cannot be made.
    """
    with storage_errors(folder, "create"):
        folder.mkdir(parents=True, exist_ok=True)
        refuse_foreign_folder(folder)


def mending_writer(folder: Path) -> Writer:
    """A writer of the index if it is sound, else of a new one; only for the lock's holder.

    Raises:
        StorageError: The folder cannot be read.
    """
    try:
        snapshot = _load_sound(folder)
    except DamagedIndexError:
        # The new files get the old one's names. Readers keep the old files that they have mapped.
        remove_leftovers(folder, set())
        return Writer(folder, Manifest.empty(), ())
    return Writer(folder, snapshot.manifest, snapshot.segments)


def _load_sound(folder: Path) -> Snapshot:
    snapshot = load_snapshot(folder)
    snapshot.file.close()
    for segment in snapshot.segments:
        check_segment(folder, segment)
    return snapshot


def remove_leftovers(folder: Path, in_use: set[str]) -> None:
    """Delete an index's files that the manifest does not name; only for the lock's holder.

    What cannot be deleted stays for the next writer to try.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            # A segment that is being merged belongs to whoever holds the lock for that.
            if is_ours(path.name) and path.name not in {*in_use, UNFINISHED_SEGMENT}:
                path.unlink()


def _left_since(before: Segment, now: Segment | None) -> Numbers:
    """The entries that were live in a segment before and are not now, all if it is gone."""
    if now is None:
        rows = np.setdiff1d(np.arange(len(before), dtype=np.uint32), before.withdrawn)
    else:
        rows = np.setdiff1d(now.withdrawn, before.withdrawn)
    left = [np.empty(0, np.int64)]
    for block in before.blocks:
        edges = np.searchsorted(rows, [block.first_row, block.first_row + len(block)])
        left.append(block.entries_of(rows[edges[0] : edges[1]] - np.uint32(block.first_row)))
    return np.concatenate(left)


def _without(segment: Segment, entries: Numbers) -> Segment:
    """Withdraw all rows of some entries, given in ascending order."""
    first = np.searchsorted(entries, segment.record.lowest, side="left")
    last = np.searchsorted(entries, segment.record.highest, side="right")
    entries = entries[first:last]
    if not len(entries):
        return segment
    gone = [segment.withdrawn]
    for block in segment.blocks:
        wanted = (entries - block.lowest).astype(block.entries.dtype)
        gone.append(find_members(block.entries, wanted) + np.uint32(block.first_row))
    withdrawn = np.unique(np.concatenate(gone))
    if len(withdrawn) == len(segment.withdrawn):
        return segment
    return replace(segment, record=replace(segment.record, withdrawn=None), withdrawn=withdrawn)
