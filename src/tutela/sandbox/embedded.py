"""Pictures that lie within the bytes of another one, found by how they begin.

Small previews in the data of a photograph, the other pictures that a camera writes behind the
first, and whatever somebody appended: few viewers show any of them, and all can be taken out.
Runs in a cell, since the bytes are not trusted.
"""

import io
import time
from collections.abc import Iterator

import numpy as np

from tutela.fingerprints.model import Part
from tutela.sandbox.appearance import looks_at
from tutela.sandbox.decoding import Room, hashes_of, opened, pixels_of_first
from tutela.sandbox.formats import HEAD_BYTES, PictureFormat, recognise
from tutela.sandbox.model import Limits

MOST_EMBEDDED = 16
"""So many beginnings are looked at, of each format."""

_JPEG = b"\xff\xd8\xff"
# Compressed data of a JPEG never holds the first; the others are too long to be there by chance.
_BEGINNINGS = (_JPEG, b"\x89PNG\r\n\x1a\n", b"GIF89a", b"GIF87a")
_SHORT = 1 << 16
# So much is searched at a time that it stays in the processor's cache.
_PIECE = 1 << 18


def pictures_within(content: bytes, limits: Limits, room: Room, deadline: float) -> Iterator[Part]:
    """The pictures that lie within a file's bytes, behind its own beginning.

    One that cannot be decoded is passed over: it may be none, and nobody is shown it.

    Args:
        content: The file.
        limits: What each may cost.
        room: Where to put pixels.
        deadline: When to stop, by ``time.monotonic``.
    """
    starts = sorted(_starts(content))
    if not starts:
        return
    headers = _headers_of_jpeg(content) if content.startswith(_JPEG) else 0
    number = 1
    for start in starts:
        if time.monotonic() > deadline:
            return
        # A preview does not need all that comes behind it.
        is_preview = start < headers
        within = content[start : headers if is_preview else None]
        picture_format = recognise(within[:HEAD_BYTES])
        if picture_format is None:
            continue
        place = "thumbnail" if is_preview else f"picture {number + 1}"
        try:
            looks = looks_within(io.BytesIO(within), picture_format, place, limits, room)
            yield next(looks)
            number += 0 if is_preview else 1
            yield from looks
        except Exception:  # noqa: S112
            continue


def looks_within(
    file: io.BytesIO, picture_format: PictureFormat, place: str, limits: Limits, room: Room
) -> Iterator[Part]:
    """The first picture of a file within a file, and how it is shown.

    Raises:
        UnreadableError: It cannot be decoded.
    """
    with opened(file, picture_format, limits) as image:
        hashes, shown = hashes_of(image, pixels_of_first(image, file, limits, room))
        yield from looks_at(image, place, hashes[0], shown)


def _starts(content: bytes) -> Iterator[int]:
    if len(content) > _SHORT:
        yield from _starts_in_long(content)
        return
    for beginning in _BEGINNINGS:
        at = len(content)
        for _ in range(MOST_EMBEDDED):
            # Backwards, which is twice as quick.
            at = content.rfind(beginning, 1, at)
            if at < 0:
                break
            yield at


def _starts_in_long(content: bytes) -> Iterator[int]:
    # By pairs of bytes at even and at odd places: several times quicker than ``bytes.find``.
    marks = {int.from_bytes(beginning[:2], "little") for beginning in _BEGINNINGS}
    left = dict.fromkeys(marks, MOST_EMBEDDED)
    for piece in range(0, len(content), _PIECE):
        for start in (piece, piece + 1):
            count = max(0, min(_PIECE, len(content) - start)) // 2
            pairs = np.frombuffer(content, "<u2", count, start if count else 0)
            for mark in marks:
                if left[mark]:
                    for place in np.flatnonzero(pairs == mark).tolist():
                        at = start + 2 * place
                        if at and left[mark] and content.startswith(_BEGINNINGS, at):
                            left[mark] -= 1
                            yield at


def _headers_of_jpeg(jpeg: bytes) -> int:
    """Where the compressed data of a JPEG begins, as far as its headers can be followed."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return at
