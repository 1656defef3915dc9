"""From a file's bytes to what a person is shown of it. Runs in a cell, since they are not trusted.

What comes out is made of pixels alone: a new JPEG without anything of the file's own data.
"""

import io
import math
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from tutela.errors import InvalidInputError
from tutela.sandbox import faces, video
from tutela.sandbox.decoding import (
    as_unreadable,
    check_size,
    is_deep_grey,
    open_image,
    took_too_much_memory,
)
from tutela.sandbox.formats import HEAD_BYTES, VideoFormat, recognise_visible
from tutela.sandbox.marking import marked
from tutela.sandbox.model import MOST_SHOWN_BYTES, Level, Limits, Look, Rendering, Shown
from tutela.sandbox.moments import Moments, moments_of_animation, moments_of_video

VEIL_SIDE = 160
MOST_SIDE = 1600

# So few pixels are left of the longer side when something is blurred.
_VEIL_PIXELS = 12
_BLURRED_PIXELS = 36
_FRAMES = {Level.VEIL: 4, Level.PART: 9, Level.WHOLE: 16}
_ORIENTATION = 0x0112
_QUALITIES = (82, 65, 45, 25)
# Of these all frames or pages are for people to see. What others have is previews and layers.
_MOVING = frozenset({"GIF", "WEBP", "PNG", "AVIF", "TIFF", "HEIF"})


def rehearse() -> None:
    """Load everything that showing takes, while files can still be opened: fonts, detectors."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    for level in Level:
        render(picture, Look(level, colour=False, mark="-"), Limits())
    video.prepare()


def render(file: BinaryIO, look: Look, limits: Limits) -> Rendering:
    """What a person is shown of a file. Never raises for what the file holds.

    Args:
        file: Read from its beginning; must be seekable.
        look: How it is to be shown.
        limits: What it may cost.
    """
    try:
        return _render(file, look, limits)
    except InvalidInputError as error:
        return Rendering(Shown.NOTHING, reason=error.message)
    except MemoryError:
        return Rendering(Shown.NOTHING, reason=took_too_much_memory(limits).message)
    except OSError as error:
        return Rendering(Shown.NOTHING, reason=f"the file cannot be read: {error.strerror}")


def _render(file: BinaryIO, look: Look, limits: Limits) -> Rendering:
    file.seek(0)
    file_format = recognise_visible(file.read(HEAD_BYTES))
    side = VEIL_SIDE if look.level is Level.VEIL else min(look.side, MOST_SIDE)
    most = _FRAMES[look.level]
    if file_format is None:
        raise InvalidInputError("it is neither a picture nor a video")
    if isinstance(file_format, VideoFormat):
        moments = moments_of_video(file, file_format, most, side // math.isqrt(most), limits)
        return _sheet(moments, look, side)
    if not file_format.decoders:
        raise InvalidInputError("{name} pictures cannot be shown here", name=file_format.name)
    file.seek(0)
    try:
        with open_image(file, file_format) as image:
            check_size(image.size, limits)
            if image.format in _MOVING and getattr(image, "n_frames", 1) > 1:
                moments = moments_of_animation(image, most, side // math.isqrt(most), limits)
                return _sheet(moments, look, side)
            # Lets a JPEG be decoded at half its size or less, if that is enough.
            image.draft(None, (side * 2, side * 2))
            image.load()
            check_size(image.size, limits)
            upright = ImageOps.exif_transpose(_plain(image))
    except Exception as error:
        raise as_unreadable(error, file_format.name, limits) from None
    upright.thumbnail((side, side), reducing_gap=2.0)
    shown, hidden = _softened(upright, look)
    return _finished(shown, look, Shown.PICTURE, faces_hidden=hidden)


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


def _plain(image: Image.Image) -> Image.Image:
    """Red, green and blue alone, keeping what the EXIF data says of the way up."""
    orientation = image.getexif().get(_ORIENTATION)
    if is_deep_grey(image):
        plain = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    else:
        plain = image.convert("RGB")
    plain.info = {}
    if orientation is not None:
        plain.getexif()[_ORIENTATION] = orientation
    return plain


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
