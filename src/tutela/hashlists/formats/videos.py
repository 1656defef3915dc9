"""Reading vPDQ hashes as Meta's programs write them: a file that is the hash of one video.

- a JSON array of ``"<hash>,<quality>,<seconds>"`` (``python-threatexchange``), on however many
  lines; or, as it once did, an object of frames by their numbers;
- ``<number>,<quality>,<hash>,<seconds>``, a frame a line (``vpdq-hash-video``).

Of several videos there is one such array a line.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import BinaryIO

from tutela.errors import InvalidInputError
from tutela.fingerprints import vpdq
from tutela.fingerprints.model import VideoFrame
from tutela.hashlists.formats.columns import rejected
from tutela.hashlists.formats.hashes import of_frames
from tutela.hashlists.formats.lines import read_lines
from tutela.hashlists.formats.rows import checked_row
from tutela.hashlists.model import ListRow, RejectedRow

_LINES = re.compile(rb"(\xef\xbb\xbf)?\d+,\d{1,3},[0-9a-fA-F]{64},[0-9.]+\s*(\n|$)")
_ARRAY = re.compile(rb'(\xef\xbb\xbf)?\s*\[\s*"[0-9a-fA-F]{64},\d{1,3},[0-9.]+"')
_OBJECT = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"\d+"\s*:\s*\{\s*"(quality|hash|timestamp)"')

# Five for each frame, as the older form has them when it is written over many lines.
_MOST_LINES = 6 * vpdq.MOST_FRAMES

Reader = Callable[[BinaryIO], Iterator[ListRow | RejectedRow]]


def find_videos(sample: bytes) -> Reader | None:
    """What reads a file of vPDQ hashes and nothing else; ``None`` if it does not begin as one."""
    if _LINES.match(sample):
        return _read_frame_lines
    if _ARRAY.match(sample) or _OBJECT.match(sample):
        return _read_json
    return None


def _read_json(file: BinaryIO) -> Iterator[ListRow | RejectedRow]:
    """One hash on many lines, or one on each."""
    begun: list[str] = []
    first = 0
    for line in read_lines(file):
        if isinstance(line, RejectedRow):
            yield line
            return
        number, text = line
        if not text.strip():
            continue
        first = first if begun else number
        begun.append(text)
        if _is_whole(begun):
            yield _row(first, partial(vpdq.read_text, "\n".join(begun)), begun[0])
            begun = []
        elif len(begun) > _MOST_LINES:
            yield rejected(first, "the hash has more lines than any", begun[0])
            return
    if begun:
        yield _row(first, partial(vpdq.read_text, "\n".join(begun)), begun[0])


def _is_whole(lines: Sequence[str]) -> bool:
    """Whether lines that begin with a hash are all of it: on one line, or written over many."""
    last = lines[-1].rstrip()
    # What is not at the beginning of its line closes something within.
    return last in ("]", "}") or (
        len(lines) == 1 and f"{last.lstrip()[0]}{last[-1]}" in ("[]", "{}")
    )


def _read_frame_lines(file: BinaryIO) -> Iterator[ListRow | RejectedRow]:
    lines: list[str] = []
    for line in read_lines(file):
        if isinstance(line, RejectedRow):
            yield line
            return
        lines.append(line[1])
        if len(lines) > _MOST_LINES:
            break
    yield _row(1, partial(vpdq.read_lines, lines), lines[0])


def _row(number: int, read: Callable[[], Sequence[VideoFrame]], text: str) -> ListRow | RejectedRow:
    try:
        fingerprint, frames = of_frames(read())
        return checked_row(number, fingerprint, frames=frames)
    except InvalidInputError as error:
        return rejected(number, error.message, text)
