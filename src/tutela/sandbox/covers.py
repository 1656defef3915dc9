"""Pictures that lie beside what moves or sounds in a file: covers, which every player shows.

In MP4 and M4A (``covr``), Matroska and WebM (attached files), MP3 and whatever else has ID3 tags
(``APIC``), FLAC, Ogg, Windows Media, and files with APE tags. Runs in a cell, since the bytes are
not trusted.
"""

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import Part, PictureState, Unreadable
from tutela.sandbox import video
from tutela.sandbox.decoding import Room
from tutela.sandbox.embedded import pictures_within
from tutela.sandbox.formats import HEAD_BYTES, VideoFormat, recognise, tags_before
from tutela.sandbox.model import SHARE_OF_TIME, Limits, UnreadableError
from tutela.sandbox.pictures import look

COVER = "cover"
"""The place of the first of them; the next one is "cover 2"."""

MOST_COVERS = 16
"""So many of one file are looked at."""

# To open some of the others takes long, and there is no place for covers in them.
_READERS_WITH_COVERS = frozenset({"mov", "matroska", "ogg", "asf", "wtv"})
# Covers come before all that moves. This many packets more are read for one that does not.
_PACKETS_MORE = 64


def covers_of(
    file: BinaryIO, video_format: VideoFormat, limits: Limits, room: Room
) -> Iterator[Part]:
    """The covers of a video or of sound, each with its digests and every look of it.

    Args:
        file: Must be seekable.
        video_format: What it begins as.
        limits: What each may cost.
        room: Where to put pixels.
    """
    if not video_format.is_sound and video_format.reader not in _READERS_WITH_COVERS:
        return
    told: set[bytes] = set()
    for part in _parts(file, video_format, limits, room):
        if part.pdq is not None:
            told.add(part.pdq.value)
        yield part
    if video_format.is_sound and isinstance(file, io.BytesIO):
        # Players know of more kinds of tags than this reader does.
        for part in _searched(file.getvalue(), limits, room):
            if part.pdq is None or part.pdq.value not in told:
                yield part


def _parts(file: BinaryIO, video_format: VideoFormat, limits: Limits, room: Room) -> Iterator[Part]:
    try:
        covers = _covers(file, video_format)
    except (UnreadableError, OSError, MemoryError):
        # Of a video it has been said already.
        return
    for number, cover in enumerate(covers, 1):
        place = COVER if number == 1 else f"{COVER} {number}"
        if number > MOST_COVERS:
            yield Part(place, unreadable=Unreadable.TOO_MANY)
            return
        yield from _looks_at(cover, place, limits, room)


def _covers(file: BinaryIO, video_format: VideoFormat) -> list[bytes]:
    """The bytes of all covers, and of one more than are looked at."""
    if video.av is None:
        raise UnreadableError(
            Unreadable.NOT_SUPPORTED,
            '{name} files cannot be looked into here: install the extra "video"',
            name=video_format.name,
        )
    with video.opened_container(file, video_format) as container:
        attached = [each.data for each in container.streams if each.type == "attachment"]
        found = [each for each in attached if recognise(each[:HEAD_BYTES]) is not None]
        return [*_pictures_beside(container), *found][: MOST_COVERS + 1]


def _pictures_beside(container: Any) -> Iterator[bytes]:
    left = {each.index for each in container.streams.video if video.is_cover(each)}
    if not left:
        return
    for packet in islice(container.demux(), len(left) + _PACKETS_MORE):
        if packet.stream_index in left and packet.size:
            left.discard(packet.stream_index)
            yield bytes(packet)
            if not left:
                return


def _looks_at(cover: bytes, place: str, limits: Limits, room: Room) -> Iterator[Part]:
    picture_format = recognise(cover[:HEAD_BYTES])
    digests = digests_of(cover)
    if picture_format is None:
        yield Part(place, digests=digests, unreadable=Unreadable.NOT_SUPPORTED)
        return
    yield Part(place, digests=digests)
    for found in look(io.BytesIO(cover), picture_format, limits, room):
        if isinstance(found, Part):
            where = f"{place} {found.place}".strip()
            decoder = found.decoder
            if found.unreadable is not None and decoder is None:
                decoder = picture_format.name
            yield replace(found, place=where, decoder=decoder)
        elif found.state is PictureState.UNREADABLE:
            yield Part(place, unreadable=found.unreadable, decoder=picture_format.name)


def _searched(sound: bytes, limits: Limits, room: Room) -> Iterator[Part]:
    """Pictures anywhere in a file of sound, found by how they begin."""
    deadline = time.monotonic() + limits.seconds * SHARE_OF_TIME
    yield from pictures_within(sound, limits, room, deadline)
    end = tags_before(sound[:HEAD_BYTES])
    if end:
        # Zeros may stand in them where players would take a picture's bytes for the sound's.
        without = sound[:end].replace(b"\xff\0", b"\xff")
        for part in pictures_within(without, limits, room, deadline):
            yield replace(part, place=part.place.replace("picture", COVER, 1))
