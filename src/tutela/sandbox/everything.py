"""Everything that a file holds, in one order: for its fingerprints, and for what people are shown.

Runs in a cell, since the bytes are not trusted.
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, cast

from tutela.fingerprints.model import Part, Pdq, Picture, PictureState, Unreadable
from tutela.sandbox.archives import look_at, members_of
from tutela.sandbox.decoding import Room
from tutela.sandbox.enough import Enough
from tutela.sandbox.formats import PictureFormat, VideoFormat
from tutela.sandbox.model import Limits
from tutela.sandbox.sights import Wanted

# Longer files are read piece by piece: for the digests, and by the decoder.
_MOST_WHOLE_BYTES = 1 << 26


def everything_in(
    file: io.BytesIO | io.BufferedReader,
    file_format: PictureFormat | VideoFormat | None,
    limits: Limits,
    room: Room,
    *,
    dihedrals: bool = False,
    wanted: Wanted | None = None,
    enough: Enough | None = None,
    hashed: bool = True,
) -> Iterator[Part | Picture]:
    """Everything that a file holds, and last what came of its own picture.

    Args:
        file: Must be seekable.
        file_format: What it begins as.
        limits: What it may cost. Past the limit of its parts it ends there, as unreadable.
        room: Where to put pixels.
        dihedrals: Whether the hashes of the turned and mirrored pictures are wanted too.
        wanted: If only one place is asked for, whatever cannot be it may be left out or passed by:
            the rest has the same places all the same.
        enough: Of which of its videos no more is wanted.
        hashed: Whether the hash of the file's own picture is wanted, as it is stored and turned. To
            know that it is there it need not be decoded.
    """
    own: Pdq | None = None
    parts = 0
    enough = enough or Enough()
    for found in _found_in(
        file, file_format, limits, room, enough, dihedrals=dihedrals, wanted=wanted, hashed=hashed
    ):
        if isinstance(found, Part):
            own = own if found.place else found.pdq
            # Frames of videos have a limit of their own.
            parts += bool(found.place) and found.seconds is None
            if parts > limits.parts:
                yield Picture(
                    PictureState.UNREADABLE,
                    own,
                    f"it has more than {limits.parts:,} parts",
                    unreadable=Unreadable.TOO_MANY,
                )
                return
        yield found


def _found_in(
    file: io.BytesIO | io.BufferedReader,
    file_format: PictureFormat | VideoFormat | None,
    limits: Limits,
    room: Room,
    enough: Enough,
    *,
    dihedrals: bool,
    wanted: Wanted | None,
    hashed: bool,
) -> Iterator[Part | Picture]:
    picture = Picture(PictureState.NONE)
    for found in look_at(
        file, file_format, limits, room, enough, dihedrals=dihedrals, wanted=wanted, hashed=hashed
    ):
        if isinstance(found, Picture):
            picture = found
        else:
            yield found
    failure: Unreadable | None = None
    for part in members_of(file, limits, room, wanted, enough):
        if part.place:
            yield part
        else:
            failure = failure or part.unreadable
    if failure is not None and picture.state is not PictureState.UNREADABLE:
        picture = replace(
            picture, state=PictureState.UNREADABLE, reason=failure.words, unreadable=failure
        )
    yield picture


def at_hand(file: BinaryIO, limits: Limits) -> io.BytesIO | io.BufferedReader:
    """A file as everything in it is looked for: in memory, unless it is too long for that."""
    content = _whole(file, limits)
    return cast("io.BufferedReader", file) if content is None else io.BytesIO(content)


def _whole(file: BinaryIO, limits: Limits) -> bytes | None:
    """A file's bytes, read once for all that is done with them; ``None`` if they are too many."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > min(_MOST_WHOLE_BYTES, limits.memory_bytes // 8):
        return None
    try:
        # One more, since the file may have grown.
        content = file.read(size + 1)
        if len(content) <= size:
            return content
    except MemoryError:
        pass
    file.seek(0)
    return None
