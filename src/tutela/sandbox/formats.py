"""Telling pictures and videos from other files by how they begin."""

import re
import struct
from dataclasses import dataclass

HEAD_BYTES = 1028
"""How much of a file's beginning tells its format. A PDF's may come after a kibibyte of others."""

PICTURE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".avif"),
        *(".heic", ".heif", ".hif", ".bmp", ".dib", ".tif", ".tiff", ".ico", ".qoi", ".psd"),
        *(".jp2", ".j2k", ".jpf", ".jpx", ".jxl", ".jxr", ".wdp", ".hdp", ".cur"),
        *(".ppm", ".pgm", ".pbm", ".pnm"),
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


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """A file format that can hold a video. There may be sound alone in it.

    Attributes:
        name: As people write it.
        reader: FFmpeg's name for what reads it. A reader that opens other files or addresses
            (playlists) is not among them.
        is_sound: Whether nothing can move in it.
    """

    name: str
    reader: str
    is_sound: bool = False


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
        ("BMP", "BMP", rb"BM.{12}[\x0c\x10-\x40\x6c\x7c]\x00\x00\x00"),
        ("TIFF", "TIFF", rb"II[*+]\x00|MM\x00[*+]"),
        ("JPEG 2000", "JPEG2000", rb"\xff\x4f\xff\x51|\x00\x00\x00\x0cjP  \r\n\x87\n"),
        ("PNM", "PPM", rb"P[1-6]\s+(#|\d+\s)"),
        ("QOI", "QOI", rb"qoif"),
        ("PSD", "PSD", rb"8BPS\x00\x01"),
        ("JPEG XL", "JXL", rb"\x00\x00\x00\x0cJXL \r\n\x87\n|\xff\x0a"),
        ("JPEG XR", "", rb"II\xbc[\x00\x01]"),
    )
)
# Formats that share one container, by the brands that it names. The first that it names decides,
# and of those that it names besides, the first one of this order: browsers look at all of them.
_FILE_TYPE = re.compile(rb"(....)ftyp(....)....", re.DOTALL)
_BRANDS: tuple[tuple[re.Pattern[bytes], PictureFormat], ...] = tuple(
    (re.compile(pattern), PictureFormat(name, tuple(decoders.split())))
    for name, decoders, pattern in (
        ("AVIF", "AVIF", rb"avi[fs]"),
        ("HEIC", "HEIF", rb"hei[cxms]|hev[cxms]"),
        ("HEIF", "HEIF AVIF", rb"m[is]f1"),
        ("CR3", "", rb"crx "),
    )
)
_ICO, _CUR = PictureFormat("ICO", ("ICO",)), PictureFormat("CUR", ("CUR",))
_ICON_HEADER, _ICON_ENTRY = struct.Struct("<HHH"), struct.Struct("<12xI")
_MOST_ICONS = 256


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
    return _by_brands(head) or _icon(head)


def _by_brands(head: bytes) -> PictureFormat | None:
    file_type = _FILE_TYPE.match(head)
    if file_type is None:
        return None
    end = int.from_bytes(file_type[1])
    others = [head[at : at + 4] for at in range(16, min(end, len(head)), 4)]
    for brands in ([file_type[2]], others):
        for brand, picture_format in _BRANDS:
            if any(brand.fullmatch(each) for each in brands):
                return picture_format
    return None


def _icon(head: bytes) -> PictureFormat | None:
    """An icon or a cursor. They have no mark, so that their first entry has to make sense."""
    if len(head) < _ICON_HEADER.size + _ICON_ENTRY.size:
        return None
    reserved, kind, count = _ICON_HEADER.unpack_from(head)
    # Browsers pay no heed to how long an entry says that its picture is.
    (offset,) = _ICON_ENTRY.unpack_from(head, _ICON_HEADER.size)
    entries_end = _ICON_HEADER.size + count * _ICON_ENTRY.size
    if reserved or kind not in (1, 2) or not 1 <= count <= _MOST_ICONS:
        return None
    if not entries_end <= offset < 1 << 24:
        return None
    return _ICO if kind == 1 else _CUR


# A transport stream has no mark but a letter at the same place of every packet, and may have been
# cut out of a broadcast anywhere.
_PACKETS = rb".{0,187}?(\x47.{187}){4}|.{0,191}?(\x47.{191}){3}\x47"
_VIDEO_BEGINNINGS: tuple[tuple[re.Pattern[bytes], VideoFormat], ...] = tuple(
    (re.compile(pattern, re.DOTALL), VideoFormat(name, reader))
    for name, reader, pattern in (
        ("QuickTime", "mov", rb"....ftypqt  "),
        ("3GP", "mov", rb"....ftyp3g[pegrs2]"),
        ("MP4", "mov", rb"....ftyp"),
        # From before there was such a mark. A length that large is a text's.
        ("QuickTime", "mov", rb"(\x00...(moov|wide|free|skip|pnot|uuid|udta|styp|junk)|....mdat)"),
        ("WebM", "matroska", rb"\x1a\x45\xdf\xa3.{0,64}webm"),
        ("Matroska", "matroska", rb"\x1a\x45\xdf\xa3"),
        ("AVI", "avi", rb"RIFF....AVI[ X\x19]"),
        ("Ogg", "ogg", rb"OggS\x00"),
        ("FLV", "flv", rb"FLV[\x00-\x04][\x00-\x05]\x00\x00\x00"),
        ("Windows Media", "asf", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
        ("MPEG", "mpeg", rb"\x00\x00\x01\xba"),
        ("MPEG", "mpegvideo", rb"\x00\x00\x01\xb3"),
        ("MPEG-4", "m4v", rb"\x00\x00\x01\xb0"),
        ("H.264", "h264", rb"\x00?\x00\x00\x01[\x67\x47\x27\x07\x09]"),
        ("HEVC", "hevc", rb"\x00?\x00\x00\x01[\x40\x42\x46]\x01"),
        ("IVF", "ivf", rb"DKIF\x00\x00"),
        ("MXF", "mxf", rb"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02"),
        ("DV", "dv", rb"\x1f\x07\x00[\x3f\xbf]"),
        ("RealMedia", "rm", rb"\.RMF\x00"),
        ("NUT", "nut", rb"nut/multimedia container\x00"),
        ("YUV4MPEG", "yuv4mpegpipe", rb"YUV4MPEG2 "),
        ("WTV", "wtv", rb"\xb7\xd8\x00\x20\x37\x49\xda\x11\xa6\x4e\x00\x07\xe9\x5e\xad\x8d"),
        ("MPEG-TS", "mpegts", _PACKETS),
    )
)
# Tags that may stand before anything that a player opens: version, flags, and their length in
# sevens of bits. https://id3.org/id3v2.3.0
_TAGS = re.compile(rb"ID3[\x02-\x04]..([\x00-\x7f]{4})", re.DOTALL)
# Files of sound, for the covers in them. What begins with tags may be sound of any kind.
_SOUND_BEGINNINGS: tuple[tuple[re.Pattern[bytes], VideoFormat], ...] = tuple(
    (re.compile(pattern, re.DOTALL), VideoFormat(name, reader, is_sound=True))
    for name, reader, pattern in (
        ("MP3", "mp3", rb"ID3[\x02-\x04][^\xff]|\xff[\xfa\xfb\xf2\xf3][\x10-\xeb]"),
        ("FLAC", "flac", rb"fLaC"),
        ("WAV", "wav", rb"(RIFF|RF64|BW64)....WAVE"),
        ("AIFF", "aiff", rb"FORM....AIF[FC]"),
        ("Monkey's Audio", "ape", rb"MAC "),
        ("WavPack", "wv", rb"wvpk"),
        ("Musepack", "mpc8", rb"MPCK"),
        ("Musepack", "mpc", rb"MP\+[\x07\x17\x27]"),
        ("TTA", "tta", rb"TTA1"),
        ("DSF", "dsf", rb"DSD \x1c\x00{7}"),
    )
)


ZIP, TAR, PDF = "ZIP", "TAR", "PDF"

ISO, RAR, RAR_VOLUME = "ISO 9660", "RAR", "RAR volume"
COMPOUND, EMF, WMF = "Office before 2007", "EMF", "WMF"
MAIL, RTF = "e-mail", "RTF"

# What a mail, or one in a mailbox, begins with. Whatever else begins so has no files in it.
_MAIL_BEGINNING = (
    rb"(From [^\r\n]+\r?\n)?(?i:(Return-Path|Received|Delivered-To|Envelope-To|From|To|Cc|Subject|"
    rb"Date|Message-ID|MIME-Version|Content-(Type|Transfer-Encoding)|Reply-To|Sender|Authentication-Results|"
    rb"DKIM-Signature|ARC-[a-z-]+|X-[a-z0-9-]+|Snapshot-Content-Location)[ \t]*:)"
)

ARCHIVE_BEGINNINGS = {
    name: re.compile(pattern, re.DOTALL)
    for name, pattern in {
        "gzip": rb"\x1f\x8b\x08",
        "bzip2": rb"BZh[1-9](1AY&SY|\x17rE8P\x90)",
        "xz": rb"\xfd7zXZ\x00",
        "LZMA": rb"\x5d\x00\x00..(\xff{8}|.{5}\x00{3})",
        "7z": rb"7z\xbc\xaf\x27\x1c",
        RAR: rb"Rar!\x1a\x07",
        "Zstandard": rb"\x28\xb5\x2f\xfd",
        "CAB": rb"MSCF\x00{4}",
        "LZ4": rb"\x04\x22\x4d\x18",
        "lzip": rb"LZIP\x01",
        "LHA": rb"..-l(h[0-7d]|z[4s5])-.{13}[\x00-\x03]",
        "XAR": rb"xar!\x00\x1c",
        "cpio": rb"07070[127][0-9A-Fa-f]{6}",
        "ar": rb"!<arch>\n",
        "RPM": rb"\xed\xab\xee\xdb",
        "compress": rb"\x1f\x9d[\x89-\x90]",
        COMPOUND: rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        EMF: rb"\x01\x00\x00\x00.{36} EMF",
        MAIL: _MAIL_BEGINNING,
        RTF: rb"\{\\rt",
        WMF: rb"\xd7\xcd\xc6\x9a\x00\x00|\x01\x00\x09\x00\x00[\x01\x03]",
    }.items()
}
"""How each other kind of archive, as people write it, begins."""

KNOWN_FORMATS = frozenset(
    {
        *(each.name for _, each in (*_BEGINNINGS, *_BRANDS)),
        *(each.name for each in (_ICO, _CUR)),
        *(each.name for _, each in (*_VIDEO_BEGINNINGS, *_SOUND_BEGINNINGS)),
        ZIP,
        TAR,
        PDF,
        ISO,
        RAR_VOLUME,
        *ARCHIVE_BEGINNINGS,
    }
)
"""Every format that is told by its content. What counters go by is one of these."""


def tags_before(head: bytes) -> int:
    """How many bytes of tags a file begins with."""
    found = _TAGS.match(head)
    if found is None:
        return 0
    length: bytes = found[1]
    return len(found[0]) + sum(byte << 7 * (3 - at) for at, byte in enumerate(length))


def recognise_visible(head: bytes) -> PictureFormat | VideoFormat | None:
    """The picture or video format that a file is in, by its content alone.

    Args:
        head: The file's first ``HEAD_BYTES`` bytes, or all of a shorter file.

    Returns:
        ``None`` if the file begins as neither does. Pictures whose names mark them as one of a
        family with videos (HEIC, AVIF) are pictures. Files of sound are among the videos, for
        the covers in them.
    """
    picture_format = recognise(head)
    if picture_format is not None:
        return picture_format
    for beginning, video_format in (*_VIDEO_BEGINNINGS, *_SOUND_BEGINNINGS):
        if beginning.match(head):
            return video_format
    return None
