"""Every look of a picture file, as hashes. Runs in a cell, since the bytes are not trusted."""

import io
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from PIL import Image, ImageFile

from tutela.fingerprints.model import Part, Pdq, Picture, PictureState, Unreadable
from tutela.sandbox.appearance import looks_at, looks_unhashed
from tutela.sandbox.decoding import (
    Room,
    hashes_of,
    opened,
    pixels_of,
    pixels_of_first,
    plain,
    what_failed,
)
from tutela.sandbox.embedded import pictures_within
from tutela.sandbox.formats import PictureFormat
from tutela.sandbox.frames import other_pictures
from tutela.sandbox.model import SHARE_OF_TIME, Limits, UnreadableError
from tutela.sandbox.sights import Sight
from tutela.sandbox.turning import AS_SHOWN

AS_FAR_AS_IT_GOES = "as far as it can be decoded"
"""The place of what can be shown of a picture that ends early or is damaged further down."""

# Whatever is brighter in the dark than by this shows what the lower of 16 bits hold.
_MOST_GAMMA = 1.5


def look(
    file: BinaryIO,
    picture_format: PictureFormat,
    limits: Limits,
    room: Room,
    *,
    dihedrals: bool = False,
    hashed: bool = True,
) -> Iterator[Part | Picture]:
    """Look at everything that can be seen in a picture file.

    Args:
        file: Must be seekable; as in ``decode``.
        picture_format: What it begins as.
        limits: What it may cost.
        room: Where to put pixels.
        dihedrals: Whether the hashes of the turned and mirrored pictures are wanted too.
        hashed: Whether the hash of the file's own picture is wanted, as it is stored and turned.
            Without it that is not decoded.

    Yields:
        What came of the file's own picture, last. First, the file's own hash as the part ``""``:
        it is known then, even if something else breaks the decoder. Between the two everything
        else, each hash once.
    """
    deadline = time.monotonic() + limits.seconds * SHARE_OF_TIME
    told = _Told()
    hashes: tuple[Pdq, ...] = ()
    failure: UnreadableError | None = None
    try:
        with opened(file, picture_format, limits) as image:
            if hashed:
                strips = pixels_of_first(image, file, limits, room)
                hashes, shown = hashes_of(image, strips, dihedrals=dihedrals)
                yield from told.new(looks_at(image, "", hashes[0], shown))
            else:
                yield from told.new(looks_unhashed(image))
            if picture_format.name == "PNG" and _is_too_deep(file, image):
                yield from told.new([Part(AS_SHOWN, unreadable=Unreadable.NOT_SUPPORTED)])
            yield from told.new(other_pictures(image, limits, deadline))
    except (UnreadableError, OSError, MemoryError) as error:
        failure = what_failed(error, limits)
    if failure is not None and hashed and not hashes:
        yield from told.new(_as_far_as_it_goes(file, picture_format, limits))
    if isinstance(file, io.BytesIO):
        yield from told.new(pictures_within(file.getvalue(), limits, room, deadline))
    if failure is None:
        own = hashes[0] if hashes else None
        yield Picture(PictureState.DECODED, own, dihedrals=hashes if dihedrals else ())
        return
    yield Picture(
        PictureState.UNREADABLE,
        hashes[0] if hashes else None,
        failure.message,
        unreadable=failure.unreadable,
    )


def _is_too_deep(file: BinaryIO, image: Image.Image) -> bool:
    """Whether a PNG's colours of 16 bits are shown by what is lost of them here."""
    file.seek(24)
    depth_and_kind = file.read(2)
    if depth_and_kind not in (b"\x10\x02", b"\x10\x06"):
        return False
    gamma = image.info.get("gamma")
    return "transparency" in image.info or (
        isinstance(gamma, float) and "srgb" not in image.info and gamma > _MOST_GAMMA
    )


class _Told:
    """What has been told of a file: each hash once."""

    def __init__(self) -> None:
        self._hashes: set[bytes] = set()

    def new(self, parts: Iterable[Part]) -> Iterator[Part]:
        """Those of the parts that say something new."""
        for part in parts:
            if part.pdq is not None:
                if part.pdq.value in self._hashes:
                    continue
                self._hashes.add(part.pdq.value)
            yield part


def _as_far_as_it_goes(
    file: BinaryIO, picture_format: PictureFormat, limits: Limits
) -> Iterator[Part]:
    try:
        with _lenient(), opened(file, picture_format, limits) as image:
            (pdq,), _ = hashes_of(image, pixels_of(image, limits))
            picture = plain(image)
    except Exception:
        # Nothing of it can be shown.
        return
    yield Sight(AS_FAR_AS_IT_GOES, pdq=pdq, picture=lambda: picture)


@contextmanager
def _lenient() -> Iterator[None]:
    """Let decoders give what they have of a picture that ends early."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
