"""From the bytes of a picture to its pixels. Runs in a cell, since the bytes are not trusted."""

import io
import re
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pi_heif
import simplejpeg
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, UnidentifiedImageError

from tutela.fingerprints.model import Pdq, Unreadable
from tutela.fingerprints.pdq import PdqSums
from tutela.kernel.library import variant
from tutela.sandbox import jpegxl
from tutela.sandbox.formats import HEAD_BYTES, PictureFormat, recognise
from tutela.sandbox.jpegxl import JpegXlFile
from tutela.sandbox.model import Limits, UnreadableError
from tutela.sandbox.turning import TurnedSums, turn_of

# Pixels are taken over in strips that fit into the processor's cache.
_STRIP_PIXELS = 1 << 17

_GREY = frozenset({"L", "1"})
_GREY_16_BITS = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_COLOUR = frozenset({"RGB", "RGBA", "RGBX", "RGBa", "LA", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV"})
# Of these the first three of each pixel's bytes, or all, are red, green and blue.
_AS_THEY_ARE = frozenset({"RGB", "RGBA", "RGBX"})
# What JPEGs of these modes are decoded to. Inks are Pillow's to convert.
_JPEG_COLOURS = {"RGB": "RGB", "L": "GRAY"}
_MOST_KEPT_BYTES = 1 << 26

_ENDS_EARLY = re.compile(
    r"truncat|unexpected end|end of (file|data)|unexpected eof|premature|"
    r"not enough (image )?data|incomplete|no more data",
    re.IGNORECASE,
)
_OUT_OF_MEMORY = re.compile(r"memory", re.IGNORECASE)


def prepare() -> None:
    """Load the decoders, before any picture comes.

    Each decodes in one thread: cells run side by side, one for each core.
    """
    pi_heif.register_heif_opener(thumbnails=False, decode_threads=1)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.init()
    jpegxl.prepare()
    # The kernel's library, which is loaded when it is first asked for.
    variant()
    # ``decode`` checks sizes itself, against its own limit.
    Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Strip:
    """Some rows of a decoded picture.

    Attributes:
        height: Rows of the whole picture.
        width: Columns of the picture.
        first_row: Which row is the first of these.
        pixels: rows x width grey; or rows x width x 3 or 4: red, green, blue, and an opacity.
    """

    height: int
    width: int
    first_row: int
    pixels: NDArray[np.uint8]


class Room:
    """Memory for the pixels of one JPEG after the other.

    The system hands new memory out as pages of zeros, which takes a sixth as long as decoding does.
    """

    def __init__(self) -> None:
        self._kept = np.empty(0, np.uint8)

    def take(self, size: int) -> NDArray[np.uint8]:
        """So many bytes, which hold anything. What was taken before is not to be read any more."""
        if size > _MOST_KEPT_BYTES:
            return np.empty(size, np.uint8)
        if size > len(self._kept):
            self._kept = np.empty(size, np.uint8)
        return self._kept[:size]


def decode(file: BinaryIO, limits: Limits, room: Room | None = None) -> Iterator[Strip]:
    """The pixels of a picture file: of its first frame, and not turned as its EXIF data says.

    Colour modes are treated as in Meta's library when it is told to convert to RGB:
    transparency is to be ignored, palettes are looked up, CMYK is converted without a colour
    profile. Of 16-bit grey the upper 8 bits are taken.

    Args:
        file: Read from its beginning; must be seekable. JPEGs are decoded quicker if it is an
            ``io.BytesIO``.
        limits: Its ``pixels`` are held against what the header says, before anything is decoded.
        room: Where to put the pixels of a JPEG; in new memory if left out.

    Yields:
        The rows from the first to the last, in one strip or many; none if the file does not begin
        as a picture does. A strip is to be read before the next is asked for.

    Raises:
        UnreadableError: It begins as a picture, but cannot be decoded.
        OSError: The file cannot be read.
    """
    file.seek(0)
    picture_format = recognise(file.read(HEAD_BYTES))
    if picture_format is None:
        return
    with opened(file, picture_format, limits) as image:
        yield from pixels_of_first(image, file, limits, room)


@contextmanager
def opened(file: BinaryIO, picture_format: PictureFormat, limits: Limits) -> Iterator[Image.Image]:
    """A picture file, opened and not yet decoded; its size is within the limits.

    Raises:
        UnreadableError: It cannot be, or, for whatever the decoder raised meanwhile, it could not
            be decoded.
        OSError: The file cannot be read.
    """
    name = picture_format.name
    if not picture_format.decoders:
        raise UnreadableError(
            Unreadable.NOT_SUPPORTED, "{name} pictures cannot be decoded here", name=name
        )
    file.seek(0)
    try:
        if picture_format.decoders == ("BMP",):
            _check_bitmap(file)
        with open_image(file, picture_format) as image:
            check_size(image.size, limits)
            yield image
    except Exception as error:
        raise as_unreadable(error, name, limits) from None


def open_image(file: BinaryIO, picture_format: PictureFormat) -> Image.Image:
    """A picture file that stands at its beginning, opened by Pillow; raises whatever that does."""
    if picture_format.decoders == ("AVIF",):
        # By ``Image.open`` Pillow takes only those whose first brand says so. Browsers take all.
        return AvifImagePlugin.AvifImageFile(file)
    if picture_format.decoders == ("JXL",):
        return JpegXlFile(file)
    return Image.open(file, formats=picture_format.decoders)


def _check_bitmap(file: BinaryIO) -> None:
    """See that the pixels of a bitmap begin behind its palette.

    Where they do not, some browsers show other pixels than are decoded here.
    """
    header = file.read(54)
    file.seek(0)
    offset, header_size = struct.unpack_from("<10xII", header.ljust(54, b"\0"))
    palette = 0
    if header_size >= 40:
        depth, compression, used = struct.unpack_from("<28xHI12xI", header.ljust(54, b"\0"))
        if depth <= 8:
            palette = 4 * min(used or 1 << depth, 1 << depth)
        elif header_size == 40 and compression in (3, 6):
            palette = 12
    elif header_size == 12:
        (depth,) = struct.unpack_from("<24xH", header.ljust(54, b"\0"))
        palette = 3 << depth if depth <= 8 else 0
    if offset < 14 + header_size + palette:
        raise UnreadableError(
            Unreadable.DAMAGED, "damaged picture: its BMP data begins within its header"
        )


def pixels_of_first(
    image: Image.Image, file: BinaryIO, limits: Limits, room: Room | None
) -> Iterator[Strip]:
    """The pixels of an opened picture as ``decode`` gives them: of its first frame, not turned."""
    jpeg = _jpeg(image, file.getvalue(), room) if isinstance(file, io.BytesIO) else None
    if jpeg:
        yield jpeg
        return
    yield from pixels_of(image, limits)


def pixels_of(image: Image.Image, limits: Limits) -> Iterator[Strip]:
    """The pixels of the frame that an opened picture stands at."""
    image.load()
    check_size(image.size, limits)
    yield from _strips(image)


def check_size(size: tuple[int, int], limits: Limits) -> None:
    """See that a picture is neither too large nor of no size at all.

    Raises:
        UnreadableError: It is.
    """
    width, height = size
    if width * height > limits.pixels:
        raise UnreadableError(
            Unreadable.TOO_MANY_PIXELS,
            "the picture is {width:,} x {height:,} pixels; the limit is {pixels:,} in all",
            width=width,
            height=height,
            pixels=limits.pixels,
        )
    if width < 1 or height < 1:
        raise UnreadableError(
            Unreadable.DAMAGED,
            "damaged picture: it is {width} x {height} pixels",
            width=width,
            height=height,
        )


def _jpeg(image: Image.Image, content: bytes, room: Room | None) -> Strip | None:
    """The whole of a JPEG, decoded without Pillow's own copy of it.

    Args:
        image: Opened, so that Pillow has found its header well, but not loaded.
        content: The file.
        room: Where to put the pixels.

    Returns:
        Exactly what Pillow would decode. ``None`` if this is something else than a flawless JPEG:
        whether that can be decoded, and what is said of it, is left to Pillow.
    """
    colours = _JPEG_COLOURS.get(image.mode)
    if colours is None or image.format not in ("JPEG", "MPO"):
        return None
    width, height = image.size
    try:
        if simplejpeg.decode_jpeg_header(content)[:2] != (height, width):
            return None
        pixels = simplejpeg.decode_jpeg(
            content,
            colours,
            fastdct=False,
            fastupsample=False,
            strict=True,
            buffer=(room or Room()).take(height * width * len(image.getbands())),
        )
    except ValueError:
        return None
    return Strip(height, width, 0, pixels[..., 0] if colours == "GRAY" else pixels)


def _strips(image: Image.Image) -> Iterator[Strip]:
    width, height = image.size
    is_grey = image.mode in _GREY or is_deep_grey(image)
    if not is_grey and image.mode not in _COLOUR:
        raise UnreadableError(
            Unreadable.NOT_SUPPORTED,
            "its pixels are of a kind that is not supported ({mode})",
            mode=image.mode,
        )
    for top, part in cut_to_strips(image):
        yield Strip(height, width, top, _grey(part) if is_grey else _colours(part))


def _colours(part: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(part if part.mode in _AS_THEY_ARE else part.convert("RGB"))


def _grey(part: Image.Image) -> NDArray[np.uint8]:
    if part.mode in _GREY:
        return np.asarray(part.convert("L"))
    return (np.asarray(part) >> 8).astype(np.uint8)


def plain(image: Image.Image) -> Image.Image:
    """The picture of the pixels that are hashed, in red, green and blue, as it is stored."""
    if is_deep_grey(image):
        picture = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    else:
        picture = image.convert("RGB")
    picture.info = {}
    # What the EXIF data says of the way up is heeded by whoever asks.
    return picture


def is_deep_grey(image: Image.Image) -> bool:
    """Whether this is a 16-bit grey picture, of which Pillow keeps some kinds in 32 bits."""
    return image.mode in _GREY_16_BITS or (image.mode == "I" and image.format == "PPM")


def cut_to_strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """A picture in strips, each with the number of its first row."""
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


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


def as_unreadable(error: Exception, name: str, limits: Limits) -> UnreadableError:
    """What a decoder of this format raised, as what it means; the file's own faults as they are.

    Raises:
        OSError: It is one of the operating system's.
    """
    if isinstance(error, UnreadableError):
        return error
    # Pillow's own have no number.
    if isinstance(error, OSError) and error.errno is not None:
        raise error
    text = str(error)
    if isinstance(error, EOFError) or _ENDS_EARLY.search(text):
        return UnreadableError(Unreadable.ENDS_EARLY, "damaged picture: the data ends early")
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(text):
        return took_too_much_memory(limits)
    if isinstance(error, UnidentifiedImageError):
        return UnreadableError(
            Unreadable.DAMAGED, "damaged picture: its {name} header cannot be read", name=name
        )
    return UnreadableError(
        Unreadable.DAMAGED, "damaged picture: its {name} data cannot be decoded", name=name
    )


def what_failed(error: UnreadableError | OSError | MemoryError, limits: Limits) -> UnreadableError:
    """Why a file cannot be looked at, from whatever came of trying to."""
    if isinstance(error, UnreadableError):
        return error
    if isinstance(error, MemoryError):
        return took_too_much_memory(limits)
    return UnreadableError(
        Unreadable.NOT_READ, "the file cannot be read: {why}", why=error.strerror
    )


def took_too_much_memory(limits: Limits) -> UnreadableError:
    """What is said of a picture whose decoding needs more memory than allowed."""
    return UnreadableError(
        Unreadable.TOO_MUCH_MEMORY,
        "took more than {mebibytes:,} MiB to decode",
        mebibytes=limits.memory_bytes >> 20,
    )
