"""Videos that lie within the bytes of a picture: what phones take together with a photograph.

Google's lie behind a JPEG or in a box of a HEIC, Samsung's behind it with a trailer of its own;
what says so differs by maker and year, and can be left out. So they are found by how they begin.
HEIC and AVIF files share their container with videos: one of these may hold both.

Runs in a cell, since the bytes are not trusted.
"""

import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast

from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import Part, PictureState, Unreadable
from tutela.sandbox.enough import Enough
from tutela.sandbox.formats import HEAD_BYTES, VideoFormat, recognise_visible
from tutela.sandbox.model import Limits
from tutela.sandbox.sights import Wanted
from tutela.sandbox.video import look_at_video

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOTION_VIDEO = "motion video"
"""The place of the first of them; the next one is "motion video 2"."""

MOST_VIDEOS = 8
"""So many of one picture are looked at."""

_TYPE = b"ftyp"
_BEGINNING = re.compile(_TYPE)
_PIECE = 1 << 20
# Whoever makes a file of nothing but tiny boxes keeps a cell busy. Photographs have a few.
_MOST_BOXES = 100_000
_BUFFER_BYTES = 1 << 16
# A box: its length with this header, and its name. ISO/IEC 14496-12.
_BOX_HEADER = 8
_LONG_BOX_HEADER = 16
_BOX_NAME = re.compile(rb"[ -~\xa9][ -~]{3}")
# What it begins with names a few brands.
_LONGEST_BEGINNING = 1 << 12
# What all there is to see in such a file is told in.
_MOVIE = b"moov"
# The box of a HEIC that a motion photo's video lies in.
_AROUND = b"mpvd"


def videos_within(
    file: BinaryIO, limits: Limits, enough: Enough, wanted: Wanted | None = None
) -> Iterator[Part]:
    """The videos in a picture file, with all of their frames.

    Args:
        file: Must be seekable.
        limits: What each may cost.
        enough: Of which of them no more is wanted.
        wanted: If only one place is asked for, as ``look_at_video`` has it.

    Yields:
        Of each a part with its digests, and then what ``look_at_video`` finds in it.
    """
    search = _Search(file)
    number = 0
    for number, (start, end) in enumerate(search.videos(), 1):
        place = _place(number)
        if number > MOST_VIDEOS:
            yield Part(place, unreadable=Unreadable.TOO_MANY)
            return
        with io.BufferedReader(_Window(file, start, end), _BUFFER_BYTES) as within:
            yield from _video(cast("BinaryIO", within), place, limits, enough, wanted)
    if search.boxes_left <= 0:
        yield Part(_place(number + 1), unreadable=Unreadable.TOO_MANY)


def _place(number: int) -> str:
    return MOTION_VIDEO if number == 1 else f"{MOTION_VIDEO} {number}"


def _video(
    file: BinaryIO, place: str, limits: Limits, enough: Enough, wanted: Wanted | None
) -> Iterator[Part]:
    video_format = recognise_visible(file.read(HEAD_BYTES))
    if not isinstance(video_format, VideoFormat):
        # The file itself, which is a picture and a video.
        video_format = VideoFormat("MP4", "mov")
    file.seek(0)
    yield Part(place, digests=digests_of(file))
    here = wanted.within(place) if wanted else None
    for found in look_at_video(file, video_format, limits, enough, here):
        if isinstance(found, Part):
            yield replace(found, place=f"{place} {found.place}")
        elif found.state is PictureState.UNREADABLE:
            yield Part(place, unreadable=found.unreadable, decoder=video_format.name)


class _Search:
    """The search for videos in one file.

    Attributes:
        boxes_left: So many more are followed.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.boxes_left = _MOST_BOXES
        self._file = file

    def videos(self) -> Iterator[tuple[int, int]]:
        """Where each begins and ends."""
        size = self._file.seek(0, io.SEEK_END)
        passed = 0
        for mark in _marks(self._file):
            start = mark - 4
            if self.boxes_left <= 0:
                return
            if start < passed:
                continue
            end = self._end_of(start, self._around(start, size))
            if end is not None:
                yield start, end
                # What it holds may have the mark in it, by chance or on purpose.
                passed = end if start else _BOX_HEADER

    def _around(self, start: int, size: int) -> int:
        """Where what lies around it ends."""
        if start < _BOX_HEADER or _read(self._file, start - 4, 4) != _AROUND:
            return size
        length = int.from_bytes(_read(self._file, start - _BOX_HEADER, 4))
        return size if length <= _BOX_HEADER else min(size, start - _BOX_HEADER + length)

    def _end_of(self, start: int, most: int) -> int | None:
        """Where what begins here ends, as far as its boxes can be followed; ``None`` if it is none.

        Without the box that says of what it is made nothing can be shown of it.
        """
        at = start
        has_movie = False
        while at + _BOX_HEADER <= most and self.boxes_left > 0:
            self.boxes_left -= 1
            header = _read(self._file, at, _LONG_BOX_HEADER)
            length, name = int.from_bytes(header[:4]), header[4:8]
            least = _BOX_HEADER
            if length == 1:
                length, least = int.from_bytes(header[8:]), _LONG_BOX_HEADER
            elif length == 0:
                # Up to the end.
                length = most - at
            if at == start and not _BOX_HEADER < length <= _LONGEST_BEGINNING:
                return None
            if length < least or not _BOX_NAME.fullmatch(name) or (name == _TYPE and at != start):
                break
            has_movie |= name == _MOVIE
            if at + length > most:
                # It ends early, and may show something all the same.
                at = most
                break
            at += length
        return at if has_movie else None


def _marks(file: BinaryIO) -> Iterator[int]:
    at = 0
    while True:
        file.seek(at)
        piece = file.read(_PIECE)
        for found in _BEGINNING.finditer(piece):
            if at + found.start() >= 4:
                yield at + found.start()
        if len(piece) < _PIECE:
            return
        # It may lie across the two.
        at += len(piece) - 3


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


class _Window(io.RawIOBase):
    """A stretch of a file, as a file."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file = file
        self._start, self._size = start, end - start
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer, or as much of it as there is, from here on."""
        view = memoryview(buffer)
        most = max(0, min(len(view), self._size - self._position))
        self._file.seek(self._start + self._position)
        piece = self._file.read(most)
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if begin + offset < 0:
            raise ValueError("before the beginning of the file")
        self._position = begin + offset
        return self._position
