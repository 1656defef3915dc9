"""From a file's bytes to what a person is shown of it. Runs in a cell, since they are not trusted.

What comes out is made of pixels alone: a new JPEG without anything of the file's own data.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from PIL import Image, ImageFilter, ImageOps

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Part
from tutela.sandbox import faces, video
from tutela.sandbox.decoding import (
    Room,
    as_unreadable,
    check_size,
    open_image,
    plain,
    what_failed,
)
from tutela.sandbox.everything import at_hand, everything_in
from tutela.sandbox.formats import HEAD_BYTES, PictureFormat, VideoFormat, recognise_visible
from tutela.sandbox.marking import marked
from tutela.sandbox.model import MOST_SHOWN_BYTES, Level, Limits, Look, Rendering, Shown
from tutela.sandbox.moments import Moments, moments_of_animation, moments_of_video
from tutela.sandbox.packets import as_told
from tutela.sandbox.sights import Sight, Wanted
from tutela.sandbox.turning import turn_of, turned

VEIL_SIDE = 160
MOST_SIDE = 1600

# So few pixels are left of the longer side when something is blurred.
_VEIL_PIXELS = 12
_BLURRED_PIXELS = 36
_FRAMES = {Level.VEIL: 4, Level.PART: 9, Level.WHOLE: 16}
# A video is not searched on for an instant that is so many seconds past.
_PAST = 2.0
_QUALITIES = (82, 65, 45, 25)
# Of these all frames or pages are for people to see. What others have is previews and layers.
_MOVING = frozenset({"GIF", "WEBP", "PNG", "AVIF", "JXL", "TIFF", "HEIF"})


def rehearse() -> None:
    """Load everything that showing takes, while files can still be opened: fonts, detectors."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    for level in Level:
        Showing(picture, Look(level, colour=False, mark="-"), Limits()).show()
    video.prepare()


class Showing:
    """Making what a person is shown of one file. Never raises for what the file holds.

    Args:
        file: Read from its beginning; must be seekable.
        look: How it is to be shown, and which part of it.
        limits: What it may cost.
    """

    def __init__(self, file: BinaryIO, look: Look, limits: Limits) -> None:
        self._file = file
        self._look = look
        self._limits = limits
        self._side = VEIL_SIDE if look.level is Level.VEIL else min(look.side, MOST_SIDE)
        self._most = _FRAMES[look.level]
        self._parts: Iterator[Part] = iter(())
        self._is_whole = False
        self._before: str | None = None

    def show(self) -> Rendering:
        """What is shown; it says already which part comes before it."""
        try:
            rendering = self._shown()
        except InvalidInputError as error:
            rendering = Rendering(Shown.NOTHING, reason=error.message)
        except (OSError, MemoryError) as error:
            reason = what_failed(error, self._limits).message
            rendering = Rendering(Shown.NOTHING, reason=reason)
        return replace(rendering, before=self._before)

    def what_follows(self) -> str | None:
        """The place of the part after the one that was shown, if there is one."""
        places = (place for part in self._parts if (place := _place_of(part)) is not None)
        try:
            first = next(places, None)
            # The first of a file that has no other is what was shown already.
            return None if self._is_whole and first == "" and next(places, None) is None else first
        except (InvalidInputError, OSError, MemoryError):
            return None

    def _shown(self) -> Rendering:
        self._file.seek(0)
        file = at_hand(self._file, self._limits)
        file_format = recognise_visible(file.read(HEAD_BYTES))
        wanted = Wanted(self._look.place or "")
        self._parts = self._parts_of(file, file_format, wanted)
        if file_format is not None and self._look.place is None:
            self._is_whole = True
            rendering = self._whole(file, file_format)
            # What was decoded just now is not decoded again to know what follows.
            self._parts = self._parts_of(file, file_format, wanted, hashed=False)
            return rendering
        instant = wanted.seconds_in("")
        latest = math.inf if instant is None else instant + _PAST
        for part in self._parts:
            if isinstance(part, Sight) and _is(part, wanted):
                is_all = part.place == "" and not self._is_of_several(file, file_format)
                shown = Shown.PICTURE if is_all else Shown.ONE
                rendering = self._picture(part.picture(), shown)
                return replace(rendering, place=as_told(part.place))
            if part.unreadable is not None and wanted.is_at(part):
                raise InvalidInputError(part.unreadable.words)
            if part.seconds is not None and part.seconds > latest:
                break
            if (place := _place_of(part)) is not None:
                self._before = place
        raise InvalidInputError(
            "there is no picture at this place"
            if wanted.place
            else "it is neither a picture nor a video"
        )

    def _parts_of(
        self,
        file: io.BytesIO | io.BufferedReader,
        file_format: PictureFormat | VideoFormat | None,
        wanted: Wanted,
        *,
        hashed: bool = True,
    ) -> Iterator[Part]:
        everything = everything_in(
            file, file_format, self._limits, Room(), wanted=wanted, hashed=hashed
        )
        return (found for found in everything if isinstance(found, Part))

    def _whole(
        self, file: io.BytesIO | io.BufferedReader, file_format: PictureFormat | VideoFormat
    ) -> Rendering:
        tile = self._side // math.isqrt(self._most)
        if isinstance(file_format, VideoFormat):
            file_format = video.behind_tags(file, file_format)
            moments = moments_of_video(file, file_format, self._most, tile, self._limits)
            return _sheet(moments, self._look, self._side)
        if not file_format.decoders:
            raise InvalidInputError("{name} pictures cannot be shown here", name=file_format.name)
        file.seek(0)
        try:
            with open_image(file, file_format) as image:
                check_size(image.size, self._limits)
                if _is_moving(image):
                    moments = moments_of_animation(image, self._most, tile, self._limits)
                    return _sheet(moments, self._look, self._side)
                # Lets a JPEG be decoded at half its size or less, if that is enough.
                image.draft(None, (self._side * 2, self._side * 2))
                image.load()
                check_size(image.size, self._limits)
                upright = turned(plain(image), turn_of(image))
        except Exception as error:
            raise as_unreadable(error, file_format.name, self._limits) from None
        return self._picture(upright, Shown.PICTURE)

    def _picture(self, picture: Image.Image, shown: Shown) -> Rendering:
        picture.thumbnail((self._side, self._side), reducing_gap=2.0)
        softened, hidden = _softened(picture, self._look)
        return _finished(softened, self._look, shown, faces_hidden=hidden)

    def _is_of_several(
        self,
        file: io.BytesIO | io.BufferedReader,
        file_format: PictureFormat | VideoFormat | None,
    ) -> bool:
        """Whether the file's first picture is one of those that people are to see."""
        if not isinstance(file_format, PictureFormat):
            return True
        at = file.tell()
        file.seek(0)
        try:
            with open_image(file, file_format) as image:
                return _is_moving(image)
        finally:
            file.seek(at)


def _is_moving(image: Image.Image) -> bool:
    return image.format in _MOVING and getattr(image, "n_frames", 1) > 1


def _is(sight: Sight, wanted: Wanted) -> bool:
    """Whether this is what is wanted, or the first thing to be seen in it."""
    if not wanted.place or wanted.is_at(sight):
        return True
    return bool(sight.place) and Wanted(as_told(sight.place)).is_in(wanted.place)


def _place_of(part: Part) -> str | None:
    """The place of a part that can be shown, or of a file that may have something to show."""
    is_passed_by = part.digests is None and part.pdq is None and part.unreadable is None
    return as_told(part.place) if isinstance(part, Sight) or is_passed_by else None


def _sheet(moments: Moments, look: Look, side: int) -> Rendering:
    hidden: int | None = None
    tiles = []
    for frame in moments.frames:
        tile, found = _softened(frame, look)
        tiles.append(tile)
        if found is not None:
            hidden = (hidden or 0) + found
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    width, height = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    gap = max(2, side // 160)
    size = (columns * (width + gap) - gap, rows * (height + gap) - gap)
    sheet = Image.new(tiles[0].mode, size, 128 if tiles[0].mode == "L" else (128, 128, 128))
    for place, tile in enumerate(tiles):
        sheet.paste(tile, (place % columns * (width + gap), place // columns * (height + gap)))
    return _finished(
        sheet,
        look,
        Shown.SHEET,
        faces_hidden=hidden,
        frames=len(tiles),
        seconds=moments.seconds,
    )


def _softened(image: Image.Image, look: Look) -> tuple[Image.Image, int | None]:
    """A picture as clear as it may be, and how many faces are hidden on it, if any were sought."""
    match look.level:
        case Level.VEIL:
            return _blurred(ImageOps.grayscale(image), _VEIL_PIXELS), None
        case Level.PART if look.colour:
            return _blurred(image, _BLURRED_PIXELS), None
        case Level.PART if not faces.can_find():
            return _blurred(ImageOps.grayscale(image), _BLURRED_PIXELS), None
        case Level.PART:
            found = faces.faces_in(image)
            grey = ImageOps.grayscale(image)
            faces.hide(grey, found)
            return grey, len(found)
        case Level.WHOLE:
            return image if look.colour else ImageOps.grayscale(image), None


def _blurred(image: Image.Image, pixels: int) -> Image.Image:
    size = image.size
    few = image.copy()
    # Not only smeared: what is not there cannot be sharpened again.
    few.thumbnail((pixels, pixels), Image.Resampling.BOX, reducing_gap=None)
    radius = max(size) / pixels / 2
    return few.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(radius))


def _finished(
    image: Image.Image,
    look: Look,
    shown: Shown,
    *,
    faces_hidden: int | None,
    frames: int = 1,
    seconds: float | None = None,
) -> Rendering:
    clean = Image.frombytes(image.mode, image.size, image.tobytes())
    final = marked(clean, look.mark)
    jpeg = b""
    for quality in _QUALITIES:
        file = io.BytesIO()
        final.save(file, "JPEG", quality=quality)
        jpeg = file.getvalue()
        if len(jpeg) <= MOST_SHOWN_BYTES:
            break
    return Rendering(
        shown,
        jpeg,
        width=final.width,
        height=final.height,
        frames=frames,
        seconds=seconds,
        faces=faces_hidden,
    )
