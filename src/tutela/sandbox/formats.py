"""Telling pictures from other files by how they begin."""

import re
from dataclasses import dataclass

HEAD_BYTES = 64
"""How much of a file's beginning ``recognise`` looks at."""

PICTURE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".avif"),
        *(".heic", ".heif", ".hif", ".bmp", ".dib", ".tif", ".tiff", ".ico", ".qoi", ".psd"),
        *(".jp2", ".j2k", ".jpf", ".jpx", ".jxl", ".jxr", ".ppm", ".pgm", ".pbm", ".pnm"),
    }
)
"""What the names of pictures end in, in lower case."""


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """A file format for pictures.

    Attributes:
        name: As people write it.
        decoders: The Pillow decoders to try, in this order. None for a format that cannot be
            decoded here.
    """

    name: str
    decoders: tuple[str, ...]


# Where a format's mark is short, its pattern also asks for the fields that follow, so that a text
# that happens to begin with "BM" or "P1" is no damaged picture. Formats whose decoder starts
# another program (PostScript), or that have no mark at all (Targa), are left out.
_BEGINNINGS: tuple[tuple[re.Pattern[bytes], PictureFormat], ...] = tuple(
    (re.compile(pattern, re.DOTALL), PictureFormat(name, tuple(decoders.split())))
    for name, decoders, pattern in (
        ("JPEG", "JPEG", rb"\xff\xd8\xff"),
        ("PNG", "PNG", rb"\x89PNG\r\n\x1a\n"),
        ("WebP", "WEBP", rb"RIFF....WEBP"),
        ("GIF", "GIF", rb"GIF8[79]a"),
        ("AVIF", "AVIF", rb"....ftypavi[fs]"),
        ("HEIC", "HEIF", rb"....ftyp(hei[cxms]|hev[cxms])"),
        ("HEIF", "HEIF AVIF", rb"....ftypm[is]f1"),
        ("BMP", "BMP", rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00"),
        ("TIFF", "TIFF", rb"II[*+]\x00|MM\x00[*+]"),
        ("JPEG 2000", "JPEG2000", rb"\xff\x4f\xff\x51|\x00\x00\x00\x0cjP  \r\n\x87\n"),
        ("ICO", "ICO", rb"\x00\x00\x01\x00[^\x00]\x00...\x00[\x00\x01]\x00"),
        ("PNM", "PPM", rb"P[1-6]\s+(#|\d+\s)"),
        ("QOI", "QOI", rb"qoif"),
        ("PSD", "PSD", rb"8BPS\x00\x01"),
        ("JPEG XL", "", rb"\x00\x00\x00\x0cJXL \r\n\x87\n"),
        ("JPEG XR", "", rb"II\xbc\x01"),
        ("CR3", "", rb"....ftypcrx "),
    )
)


def recognise(head: bytes) -> PictureFormat | None:
    """The picture format that a file is in, by its content alone.

    Args:
        head: The file's first ``HEAD_BYTES`` bytes, or all of a shorter file.

    Returns:
        ``None`` if the file does not begin as a picture does.
    """
    for beginning, picture_format in _BEGINNINGS:
        if beginning.match(head):
            return picture_format
    return None
