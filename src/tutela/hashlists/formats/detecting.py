"""Telling from its beginning what format a list file has."""

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import BinaryIO

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.hashlists.formats.delimited import find_header, read_plain, read_table
from tutela.hashlists.formats.hashes import AMBIGUOUS, KindHint
from tutela.hashlists.formats.json_rows import read_json_array, read_json_lines
from tutela.hashlists.formats.videos import find_videos
from tutela.hashlists.model import ListRow, RejectedRow

SAMPLE = 1 << 16
"""How many bytes of the beginning are looked at."""


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is read.

    Attributes:
        name: What the format is called.
        read: Gives the rows of the opened file.
    """

    name: str
    read: Callable[[BinaryIO], Iterator[ListRow | RejectedRow]]


def detect(sample: bytes, file_name: str, kind: Kind | None) -> Format:
    """Tell the format of a file that is not compressed, or no longer.

    Args:
        sample: Its first ``SAMPLE`` bytes, or all if it is shorter.
        file_name: A name with ``pdq`` or ``sha256`` in it tells what hashes of 64 digits are.
        kind: What the caller says that hashes are which do not say it themselves.

    Raises:
        InvalidInputError: It cannot be imported; the message says why and what to do.
    """
    _refuse_others(sample)
    videos = find_videos(sample)
    if videos is not None:
        return Format("vPDQ", videos)
    header = find_header(io.BytesIO(sample))
    wide = _wide_by_name(file_name)
    if wide is None and header and header.columns.quality is not None:
        # Only PDQ has a quality.
        wide = Kind.PDQ
    hint = KindHint(every=kind, wide=wide)
    begin = sample.removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin[:1] in (b"[", b"{"):
        found = _json_format(begin, hint)
    elif header:
        found = Format("CSV", partial(read_table, header=header, hint=hint))
    else:
        found = Format("plain text", partial(read_plain, hint=hint))
    _try_out(found, sample)
    return found


_ARCHIVES = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\0": "an xz file",
    b"(\xb5/\xfd": "a zstd file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
}


def _refuse_others(sample: bytes) -> None:
    if not sample:
        raise InvalidInputError("the file is empty")
    for sign, what in _ARCHIVES.items():
        if sample.startswith(sign):
            raise InvalidInputError(
                "the file is {what}: unpack it first (gzip is understood)", what=what
            )
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff") or _many_zeros(sample):
        raise InvalidInputError(
            "the file is UTF-16 text: turn it into UTF-8 first, with: "
            "iconv -f UTF-16 -t UTF-8 FILE -o NEW-FILE"
        )


def _many_zeros(sample: bytes) -> bool:
    return max(sample[0::2].count(0), sample[1::2].count(0)) > len(sample) // 4


def _wide_by_name(file_name: str) -> Kind | None:
    plain = re.sub(r"[-_ .]", "", file_name.lower())
    plain = plain.replace(Kind.VPDQ, "")
    named = [kind for kind in (Kind.SHA256, Kind.PDQ) if str(kind) in plain]
    return named[0] if len(named) == 1 else None


def _json_format(begin: bytes, hint: KindHint) -> Format:
    if begin.startswith(b"["):
        return Format("a JSON array", partial(read_json_array, key=None, hint=hint))
    for pattern, key in ((rb"odata[^,]*#Cases", "Media"), (rb'"value"\s*:\s*\[', "value")):
        if re.search(pattern, begin):
            return Format("Project VIC JSON", partial(read_json_array, key=key, hint=hint))
    lines = begin.splitlines()
    # The vPDQ hash of a video may be longer than the sample.
    if not any(map(_is_object, lines)) and (len(lines) > 1 or len(begin) < SAMPLE // 2):
        raise InvalidInputError(
            "the file is JSON, but neither a list, nor one object a line, nor Project VIC's, "
            'which has its list under "value": see docs/lists.md'
        )
    return Format("JSON lines", partial(read_json_lines, hint=hint))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _try_out(found: Format, sample: bytes) -> None:
    if len(sample) >= SAMPLE:
        # The last line is likely cut.
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    rows = list(islice(found.read(io.BytesIO(sample)), 1000))
    for row in rows:
        if isinstance(row, RejectedRow) and row.reason == AMBIGUOUS:
            raise InvalidInputError(
                "line {number}: {ambiguous}", number=row.number, ambiguous=AMBIGUOUS
            )
    if all(isinstance(row, RejectedRow) for row in rows) and not _is_text(sample):
        raise InvalidInputError(
            "the file is not a list that can be read: see docs/lists.md for the formats"
        )


def _is_text(sample: bytes) -> bool:
    try:
        # A character may lie across the end of the sample.
        sample[:-3].decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in sample
