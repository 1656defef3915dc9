"""From the bytes of a picture to its pixels. Runs in a cell, since the bytes are not trusted."""

import re
from typing import BinaryIO

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, UnidentifiedImageError

from tutela.errors import InvalidInputError
from tutela.sandbox.formats import HEAD_BYTES, recognise
from tutela.sandbox.model import Limits

# Pixels are taken over in strips that fit into the processor's cache.
_STRIP_PIXELS = 1 << 17

_GREY = frozenset({"L", "1"})
_GREY_16_BITS = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_COLOUR = frozenset({"RGB", "RGBA", "RGBX", "RGBa", "LA", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV"})

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
    # ``decode`` checks sizes itself, against its own limit.
    Image.MAX_IMAGE_PIXELS = None


def decode(file: BinaryIO, limits: Limits) -> NDArray[np.uint8] | None:
    """The pixels of a picture file: of its first frame, and not turned as its EXIF data says.

    Colour modes are treated as in Meta's library when it is told to convert to RGB:
    transparency is dropped, palettes are looked up, CMYK is converted without a colour profile.
    Of 16-bit grey the upper 8 bits are taken.

    Args:
        file: Read from its beginning; must be seekable.
        limits: Its ``pixels`` are held against what the header says, before anything is decoded.

    Returns:
        height x width x 3 or, for grey pictures, height x width; ``None`` if the file does not
        begin as a picture does.

    Raises:
        InvalidInputError: It begins as a picture, but cannot be decoded. The message says why, in
            a few words, and holds nothing of the file but its format and its size in pixels.
        OSError: The file cannot be read.
    """
    file.seek(0)
    picture_format = recognise(file.read(HEAD_BYTES))
    if picture_format is None:
        return None
    if not picture_format.decoders:
        raise InvalidInputError(f"{picture_format.name} pictures cannot be decoded here")
    try:
        with Image.open(file, formats=picture_format.decoders) as image:
            _check_size(image.size, limits)
            image.load()
            _check_size(image.size, limits)
            return _pixels(image)
    except InvalidInputError:
        raise
    except OSError as error:
        # Pillow's own have no number.
        if error.errno is not None:
            raise
        raise InvalidInputError(_explain(error, picture_format.name, limits)) from None
    except Exception as error:
        raise InvalidInputError(_explain(error, picture_format.name, limits)) from None


def _check_size(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.pixels:
        raise InvalidInputError(
            f"the picture is {width:,} x {height:,} pixels; the limit is {limits.pixels:,} in all"
        )
    if width < 1 or height < 1:
        raise InvalidInputError(f"damaged picture: it is {width} x {height} pixels")


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    width, height = image.size
    if image.mode in _GREY or image.mode in _GREY_16_BITS or _is_deep_pnm(image):
        pixels = np.empty((height, width), dtype=np.uint8)
    elif image.mode in _COLOUR:
        pixels = np.empty((height, width, 3), dtype=np.uint8)
    else:
        raise InvalidInputError(f"its pixels are of a kind that is not supported ({image.mode})")
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        pixels[top:bottom] = _eight_bits(image.crop((0, top, width, bottom)), pixels.ndim)
    return pixels


def _eight_bits(strip: Image.Image, dimensions: int) -> NDArray[np.integer]:
    if dimensions == 3:
        return np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
    if strip.mode in _GREY:
        return np.asarray(strip.convert("L"))
    return np.asarray(strip) >> 8


def _is_deep_pnm(image: Image.Image) -> bool:
    """Whether this is a 16-bit grey picture that Pillow keeps in 32 bits."""
    return image.mode == "I" and image.format == "PPM"


def _explain(error: Exception, name: str, limits: Limits) -> str:
    text = str(error)
    if isinstance(error, EOFError) or _ENDS_EARLY.search(text):
        return "damaged picture: the data ends early"
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(text):
        return took_too_much_memory(limits)
    if isinstance(error, UnidentifiedImageError):
        return f"damaged picture: its {name} header cannot be read"
    return f"damaged picture: its {name} data cannot be decoded"


def took_too_much_memory(limits: Limits) -> str:
    """What is said of a picture whose decoding needs more memory than allowed."""
    return f"took more than {limits.memory_bytes >> 20:,} MiB to decode"
