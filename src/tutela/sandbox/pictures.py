"""Every look of a picture file, as hashes. Runs in a cell, since the bytes are not trusted."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from PIL import Image

from tutela.fingerprints.model import Part, Pdq, Picture, PictureState, Unreadable
from tutela.fingerprints.pdq import PdqSums
from tutela.sandbox.decoding import (
    Room,
    Strip,
    opened,
    pixels_of_first,
    took_too_much_memory,
)
from tutela.sandbox.formats import PictureFormat
from tutela.sandbox.model import Limits, UnreadableError
from tutela.sandbox.turning import TurnedSums, turn_of

AS_SHOWN = "as shown"
"""The place of a picture as its own data says that it is to be shown."""


def look(
    file: BinaryIO,
    picture_format: PictureFormat,
    limits: Limits,
    room: Room,
    *,
    dihedrals: bool = False,
) -> Iterator[Part | Picture]:
    """Look at everything that can be seen in a picture file.

    Args:
        file: Must be seekable; as in ``decode``.
        picture_format: What it begins as.
        limits: What it may cost.
        room: Where to put pixels.
        dihedrals: Whether the hashes of the turned and mirrored pictures are wanted too.

    Yields:
        What came of the file's own picture, last. Before it, everything else, each hash once; and
        before that, if there is anything else, the file's own hash as the part ``""``: it is known
        then, even if one of the others breaks the decoder.
    """
    hashes: tuple[Pdq, ...] = ()
    try:
        with opened(file, picture_format, limits) as image:
            strips = pixels_of_first(image, file, limits, room)
            hashes, shown = hashes_of(image, strips, dihedrals=dihedrals)
            others = [] if shown is None else [Part(AS_SHOWN, pdq=shown)]
            yield from _distinct(hashes[0], others)
    except UnreadableError as error:
        yield _not_decoded(error, hashes)
    except OSError as error:
        not_read = "the file cannot be read: {why}"
        yield _not_decoded(
            UnreadableError(Unreadable.NOT_READ, not_read, why=error.strerror), hashes
        )
    except MemoryError:
        yield _not_decoded(took_too_much_memory(limits), hashes)
    else:
        yield Picture(PictureState.DECODED, pdq=hashes[0], dihedrals=hashes if dihedrals else ())


def _distinct(own: Pdq, parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, each hash once, and the picture's own before them if there are any."""
    seen = {own.value}
    begun = False
    for part in parts:
        if part.pdq is not None:
            if part.pdq.value in seen:
                continue
            seen.add(part.pdq.value)
        if not begun:
            yield Part("", pdq=own)
            begun = True
        yield part


def hashes_of(
    image: Image.Image, strips: Iterable[Strip], *, dihedrals: bool = False
) -> tuple[tuple[Pdq, ...], Pdq | None]:
    """The hashes of a picture as it is stored, and the one as it is shown, if it is to be turned.

    Args:
        image: The picture, or the frame that it stands at.
        strips: All of its pixels.
        dihedrals: Whether all ``DIHEDRALS`` are wanted, or only the first.

    Raises:
        UnreadableError: There are no pixels.
    """
    stored: PdqSums | None = None
    shown: TurnedSums | None = None
    for strip in strips:
        if stored is None:
            stored = PdqSums(strip.height, strip.width)
            turn = turn_of(image)
            shown = TurnedSums(strip.height, strip.width, turn) if turn else None
        stored.add(strip.first_row, strip.pixels)
        if shown is not None:
            shown.add(strip.first_row, strip.pixels)
    if stored is None:
        raise UnreadableError(Unreadable.DAMAGED, "damaged picture: it has no pixels")
    hashes = stored.dihedrals() if dihedrals else (stored.pdq(),)
    return hashes, shown.pdq() if shown is not None else None


def _not_decoded(error: UnreadableError, hashes: tuple[Pdq, ...]) -> Picture:
    return Picture(
        PictureState.UNREADABLE,
        pdq=hashes[0] if hashes else None,
        reason=error.message,
        unreadable=error.unreadable,
    )
