"""The index of known fingerprints."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tutela.errors import StorageError
from tutela.matching.building import read_batches
from tutela.matching.compacting import DEFAULT_MEMORY_BYTES, choose, compact
from tutela.matching.durable import DamagedIndexError, damaged, exclusive
from tutela.matching.hits import Hits
from tutela.matching.merging import largest_merge
from tutela.matching.model import IndexEntry, Query
from tutela.matching.searching import search
from tutela.matching.segment import check_segment
from tutela.matching.snapshot import Snapshot, is_newest, load_snapshot
from tutela.matching.writing import (
    MERGED_AT_ONCE,
    Writer,
    ensure_folder,
    ensure_index,
    mend_index,
    mending_writer,
    remove_leftovers,
)


class Index:
    """Live list entries by fingerprint, in a folder of a local disk. Every answer is exact.

    It holds nothing that the database does not: when it is lost or damaged, it is built anew.

    Any number of processes may have the same folder open. One at a time changes it, the others
    wait for their turn; readers wait for nobody. A reader sees the index as it was when it was
    opened or last refreshed. All methods may be called from several threads at once.

    To catch up with the database, read its changes while holding the writer, so that each is read
    by one process only::

        with index.writing() as writer:
            if writer.revision < database_revision:
                writer.update(added, withdrawn, revision=database_revision)
    """

    def __init__(
        self, folder: Path, snapshot: Snapshot, merged_at_once: int = MERGED_AT_ONCE
    ) -> None:
        self._folder = folder
        self._merged_at_once = merged_at_once
        self._snapshot: Snapshot | None = snapshot
        self._changing = threading.Lock()

    @classmethod
    def open(cls, folder: Path, *, merged_at_once: int = MERGED_AT_ONCE) -> "Index":
        """Open the index in a folder, or make an empty one if the folder is absent or empty.

        Args:
            folder: The index's folder.
            merged_at_once: Rows up to which changes merge segments themselves; see ``compact``.

        Raises:
            StorageError: The index is damaged (see ``mend``), the folder holds other files, or it
                cannot be read.
        """
        ensure_index(folder)
        return cls(folder, load_snapshot(folder), merged_at_once)

    @classmethod
    def mend(cls, folder: Path) -> "Index":
        """Open the index in a folder, after putting an empty one in place of a damaged one.

        An index whose every file is as it was written is left as it is: of several processes that
        find it damaged, the first replaces it. Afterwards ``revision`` is 0 if it is to be built
        anew.

        Raises:
            StorageError: The folder holds other files, or cannot be written.
        """
        mend_index(folder)
        return cls(folder, load_snapshot(folder))

    @classmethod
    def open_sound(cls, folder: Path) -> "Index":
        """Read the index whole, and open those of its segments that are as they were written.

        Where any is not, ``is_whole`` is false, and a writer has to be one that mends.

        Raises:
            StorageError: The index cannot be read, or not even its manifest is sound.
        """
        ensure_index(folder)
        return cls(folder, load_snapshot(folder, sound_only=True))

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out for being damaged."""
        return not self._current.left_out

    @property
    def folder(self) -> Path:
        """Where the index is."""
        return self._folder

    @property
    def revision(self) -> int:
        """The database revision up to which the index is complete; 0 if nothing was added yet."""
        return self._current.manifest.revision

    def __len__(self) -> int:
        """How many entries are live."""
        return len(self._current)

    def look_up(self, query: Query, max_distance: int) -> Hits:
        """Find the entries that match one file.

        Args:
            query: The file's fingerprints.
            max_distance: How many of the 256 bits of a PDQ hash may differ, 0 to 256. Digests
                match exactly. The PDQ quality is the caller's concern.

        Returns:
            The hits, nearest first, and by list and entry number where equally near.

        Raises:
            InvalidInputError: The distance is out of range or a value has a wrong length.
        """
        return self.look_up_many([query], max_distance)[0]

    def look_up_many(self, queries: Sequence[Query], max_distance: int) -> list[Hits]:
        """Find the entries that match each of many files: as ``look_up`` of each, but faster.

        Raises:
            InvalidInputError: The distance is out of range or a value has a wrong length.
        """
        return search(self._current.prepared, queries, max_distance)

    def refresh(self) -> bool:
        """Pick up what other processes have changed. Takes microseconds if nothing has.

        While another process builds a lost or damaged index anew, what was open stays so.

        Returns:
            Whether anything has changed.

        Raises:
            DamagedIndexError: The index is damaged or gone; what was open stays so.
            StorageError: The folder cannot be read; what was open stays so.
        """
        return self._refresh(begun_too=False)

    @contextmanager
    def writing(self, *, mending: bool = False) -> Iterator[Writer]:
        """Wait until no other process or thread changes the index, then be the one that may.

        Within the block change the index by the writer's methods only: the index's own would wait
        for the block to end. After it the index is refreshed.

        Args:
            mending: First read the index whole. If it is gone or damaged, the writer begins at
                revision 0 with nothing in it, and has to ``replace`` it all: until that is done,
                readers keep what they have, in this process and in others.

        Raises:
            DamagedIndexError: The index is gone or damaged; if mending, it was not replaced.
            StorageError: The folder cannot be written; or, if mending, holds other files.
        """
        if mending:
            ensure_folder(self._folder)
        with exclusive(self._folder):
            if mending:
                writer = mending_writer(self._folder)
            else:
                # What there is in truth, which is not for readers before it is complete.
                there = load_snapshot(self._folder, self._current)
                there.file.close()
                if there.left_out:
                    raise damaged(self._folder, "some of its files are not as they were written")
                # What a killed writer left may be what fills the disk.
                remove_leftovers(self._folder, there.manifest.file_names)
                writer = Writer(
                    self._folder,
                    there.manifest,
                    there.segments,
                    self._merged_at_once,
                )
            try:
                yield writer
            except BaseException:
                # What went wrong first is what the caller needs to know.
                with suppress(StorageError):
                    self._tidy(begun_too=False)
                raise
            self._tidy(begun_too=True)

    def update(
        self, added: Iterable[IndexEntry], withdrawn: Iterable[int], *, revision: int
    ) -> None:
        """Bring the index to a revision of the database, as a whole: see ``Writer.update``."""
        with self.writing() as writer:
            writer.update(read_batches(added), withdrawn, revision=revision)

    def add(self, entries: Iterable[IndexEntry], *, revision: int) -> None:
        """Update that only adds. A revision's withdrawals belong into the same ``update``."""
        self.update(entries, (), revision=revision)

    def withdraw(self, entries: Iterable[int], *, revision: int) -> None:
        """Update that only withdraws. A revision's additions belong into the same ``update``."""
        self.update((), entries, revision=revision)

    def clear(self) -> None:
        """Empty the index and go back to revision 0, in one step: see ``Writer.clear``."""
        with self.writing() as writer:
            writer.clear()

    def compact(self, memory_bytes: int = DEFAULT_MEMORY_BYTES) -> int:
        """Merge segments while others read and change the index: see ``compacting.compact``."""
        if not choose(self._current.segments, largest_merge(memory_bytes)):
            return 0
        try:
            merges = compact(self._folder, memory_bytes)
        except DamagedIndexError:
            # From now on what is sound answers, and whoever follows the database builds it anew.
            with self._changing:
                self._snapshot = load_snapshot(self._folder, sound_only=True)
            raise
        self.refresh()
        return merges

    def verify(self) -> None:
        """Read the index whole and compare its checksums; opening it checks the lengths only.

        Raises:
            StorageError: A file is not as it was written.
        """
        for segment in self._current.segments:
            check_segment(self._folder, segment)

    def close(self) -> None:
        """Let go of the files. Look-ups under way in other threads still end well."""
        with self._changing:
            if self._snapshot is not None:
                self._snapshot.file.close()
                self._snapshot = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _current(self) -> Snapshot:
        snapshot = self._snapshot
        if snapshot is None:
            raise StorageError("the index was closed: open it again")
        return snapshot

    def _refresh(self, *, begun_too: bool) -> bool:
        with self._changing:
            current = self._current
            if is_newest(self._folder, current):
                return False
            newest = load_snapshot(self._folder, current)
            if _is_only_begun(newest, current) and not begun_too:
                newest.file.close()
                return False
            self._snapshot = newest
            current.file.close()
            return True

    def _tidy(self, *, begun_too: bool) -> None:
        self._refresh(begun_too=begun_too)
        there = load_snapshot(self._folder, self._current)
        there.file.close()
        remove_leftovers(self._folder, there.manifest.file_names)


def _is_only_begun(newest: Snapshot, current: Snapshot) -> bool:
    """Whether another index was put in this one's place that is still to be filled."""
    return (
        newest.manifest.revision == 0
        and current.manifest.revision > 0
        and newest.manifest.identity != current.manifest.identity
    )
