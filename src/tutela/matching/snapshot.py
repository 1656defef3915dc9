"""What the index was at one moment: all that a look-up reads, and never changes."""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tutela.matching.durable import DamagedIndexError, damaged, storage_errors
from tutela.matching.manifest import MANIFEST, Manifest, SegmentRecord, parse_manifest
from tutela.matching.probing import Prepared
from tutela.matching.segment import Segment, check_segment, map_segment, read_withdrawn


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The index at one moment.

    Attributes:
        manifest: What it consisted of.
        prepared: Its segments, mapped and made ready to be searched.
        left_out: Numbers of those segments that are damaged, and are not among the prepared ones.
        file: The manifest's file, kept open: while it is, no newer manifest can be given the same
            inode, so that comparing inodes tells for certain whether there is a newer one.
    """

    manifest: Manifest
    prepared: Prepared
    left_out: frozenset[int]
    file: io.FileIO

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Its segments."""
        return self.prepared.segments

    def __len__(self) -> int:
        return sum(segment.live for segment in self.segments)


def load_snapshot(
    folder: Path, previous: Snapshot | None = None, *, sound_only: bool = False
) -> Snapshot:
    """Read the manifest and map what it names.

    Args:
        folder: The index's folder.
        previous: A snapshot whose maps are used again where they still serve; what it left out
            stays out.
        sound_only: Read every segment whole, and leave those out that are damaged.

    Raises:
        StorageError: The index is damaged or cannot be read.
    """
    while True:
        with storage_errors(folder, "read"):
            file = io.FileIO(folder / MANIFEST)
        try:
            manifest = parse_manifest(file.readall(), folder)
            with storage_errors(folder, "read"):
                try:
                    segments = tuple(_map_segments(folder, manifest, previous, sound_only))
                except FileNotFoundError as missing:
                    if _is_newest(folder, file):
                        raise damaged(folder, f"{Path(missing.filename).name} is missing") from None
                    # A writer has merged that file away since the manifest was read.
                    file.close()
                    continue
            numbers = {record.number for record in manifest.segments}
            left_out = numbers - {segment.record.number for segment in segments}
            if left_out and sound_only and not _is_newest(folder, file):
                # They may only have been replaced since the manifest was read.
                file.close()
                continue
            return Snapshot(manifest, Prepared.of(segments), frozenset(left_out), file)
        except BaseException:
            file.close()
            raise


def is_newest(folder: Path, snapshot: Snapshot) -> bool:
    """Whether no process has changed the index since the snapshot.

    Raises:
        StorageError: The folder is gone or cannot be read.
    """
    with storage_errors(folder, "read"):
        return _is_newest(folder, snapshot.file)


def _is_newest(folder: Path, file: io.FileIO) -> bool:
    return os.path.samestat(os.stat(folder / MANIFEST), os.fstat(file.fileno()))  # noqa: PTH116


def _map_segments(
    folder: Path, manifest: Manifest, previous: Snapshot | None, sound_only: bool
) -> Iterator[Segment]:
    mapped: dict[int, Segment] = {}
    left_out: frozenset[int] = frozenset()
    if previous is not None and previous.manifest.identity == manifest.identity:
        mapped = {segment.record.number: segment for segment in previous.segments}
        left_out = previous.left_out
    for record in manifest.segments:
        if record.number in left_out:
            continue
        known = mapped.get(record.number)
        if known is not None:
            yield _again(folder, record, known)
        elif not sound_only:
            yield map_segment(folder, record)
        elif (sound := _map_sound(folder, record)) is not None:
            yield sound


def _map_sound(folder: Path, record: SegmentRecord) -> Segment | None:
    try:
        segment = map_segment(folder, record)
        check_segment(folder, segment)
    except (DamagedIndexError, FileNotFoundError):
        return None
    return segment


def _again(folder: Path, record: SegmentRecord, known: Segment) -> Segment:
    if record == known.record:
        return known
    return Segment(record, known.mapping, known.blocks, read_withdrawn(folder, record))
