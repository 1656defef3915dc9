"""The manifest: the one file that says which segments make up the index, replaced as a whole.

The first line is ``tutela-index 2 <XXH3 of the rest, 16 hexadecimal digits>``, the rest is JSON.
"""

import json
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xxhash

from tutela.errors import StorageError
from tutela.fingerprints.model import Kind
from tutela.matching.durable import COMPACTING_LOCK, LOCK, damaged, put_in_place, write_whole

MANIFEST = "manifest"
UNFINISHED_MANIFEST = "manifest.new"
UNFINISHED_SEGMENT = "segment.new"
_FIRST_WORDS = "tutela-index 2"


@dataclass(frozen=True, slots=True)
class WithdrawnRecord:
    """The file that names a segment's rows that no longer count.

    Attributes:
        number: The file's number.
        rows: How many rows it names.
        checksum: Checksum of the file.
    """

    number: int
    rows: int
    checksum: int

    @property
    def file_name(self) -> str:
        """Name within the index's folder."""
        return file_name(self.number, "withdrawn")


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """A segment's file.

    Attributes:
        number: The file's number.
        rows: Rows of each kind that the segment holds, withdrawn ones included.
        lowest: The lowest entry number in it.
        highest: The highest entry number in it.
        size: Length of the file in bytes.
        checksum: Checksum of the file.
        entry_width: Bytes of an entry number in it, which is counted from the lowest.
        list_width: Bytes of a list number in it.
        table_rows: Rows in each table of the PDQ block: those that differ from the row before.
        table_bits: Bits by which the tables are divided into buckets, 0 if there are no tables.
        withdrawn: The rows that no longer count, ``None`` if all do.
    """

    number: int
    rows: dict[Kind, int]
    lowest: int
    highest: int
    size: int
    checksum: int
    entry_width: int
    list_width: int
    table_rows: int = 0
    table_bits: int = 0
    withdrawn: WithdrawnRecord | None = None

    @property
    def file_name(self) -> str:
        """Name within the index's folder."""
        return file_name(self.number, "segment")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the index consists of.

    Attributes:
        identity: Made anew with each index, so that file 7 of one is never taken for file 7 of
            another in the same folder.
        revision: The database revision up to which the index is complete.
        next_number: The number that no file of this index has had yet.
        segments: The segments, in no particular order.
    """

    identity: str
    revision: int
    next_number: int
    segments: tuple[SegmentRecord, ...]

    @classmethod
    def empty(cls) -> "Manifest":
        """The manifest of a new index."""
        return cls(identity=secrets.token_hex(16), revision=0, next_number=1, segments=())

    @property
    def file_names(self) -> set[str]:
        """Names of all files that it speaks of."""
        withdrawn = (segment.withdrawn for segment in self.segments)
        return {segment.file_name for segment in self.segments} | {
            record.file_name for record in withdrawn if record
        }


def parse_manifest(text: bytes, folder: Path) -> Manifest:
    """Read a manifest's bytes.

    Args:
        text: The whole file.
        folder: Named in the error.

    Raises:
        StorageError: It is damaged, or not a manifest of this version.
    """
    first_line, _, body = text.partition(b"\n")
    if first_line != _first_line(body):
        raise damaged(folder, "its manifest is not as it was written")
    try:
        fields = json.loads(body)
        segments = tuple(_segment(record) for record in fields.pop("segments"))
        return Manifest(segments=segments, **fields)
    except (ValueError, TypeError, KeyError) as error:
        raise damaged(folder, "its manifest cannot be understood") from error


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Replace the manifest in one step; every file it names must be durable already.

    Raises:
        StorageError: The folder cannot be written; the old manifest still stands.
    """
    body = json.dumps(asdict(manifest)).encode()
    unfinished = folder / UNFINISHED_MANIFEST
    write_whole(unfinished, [_first_line(body), b"\n", body])
    put_in_place(unfinished, folder / MANIFEST)


def file_name(number: int, suffix: str) -> str:
    """What a segment's file (``segment``) or its withdrawals' (``withdrawn``) is called."""
    return f"{number:010}.{suffix}"


def is_segment_file(name: str) -> bool:
    """Whether a file of this name holds a segment or its withdrawals."""
    return re.fullmatch(r"[0-9]{10,}\.(segment|withdrawn)", name) is not None


def is_ours(name: str) -> bool:
    """Whether a file of this name comes and goes with changes of the index."""
    return name in (UNFINISHED_MANIFEST, UNFINISHED_SEGMENT) or is_segment_file(name)


def refuse_foreign_folder(folder: Path) -> None:
    """Refuse a folder that has files of its own, so that nobody is told to delete those.

    Raises:
        StorageError: The folder holds files that no index wrote.
    """
    if any(
        path.name not in (LOCK, COMPACTING_LOCK, MANIFEST) and not is_ours(path.name)
        for path in folder.iterdir()
    ):
        raise StorageError(
            f"{folder} is not an index: it holds other files; choose an empty folder for the index"
        )


def _first_line(body: bytes) -> bytes:
    return f"{_FIRST_WORDS} {xxhash.xxh3_64_hexdigest(body)}".encode()


def _segment(fields: dict[str, Any]) -> SegmentRecord:
    rows = {Kind(kind): int(count) for kind, count in fields.pop("rows").items()}
    withdrawn = fields.pop("withdrawn")
    return SegmentRecord(
        rows=rows, withdrawn=WithdrawnRecord(**withdrawn) if withdrawn else None, **fields
    )
