"""JPEG XL pictures, opened as Pillow opens others. Runs in a cell: the bytes are not trusted."""

import io
from typing import IO, Any, ClassVar

from PIL import Image, ImageChops, ImageFile

from tutela.fingerprints.model import Unreadable
from tutela.sandbox import libjxl
from tutela.sandbox.model import UnreadableError

_ORIENTATION = 0x0112
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
# By the numbers of a pixel.
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_MOST_FRAMES = 1 << 16


class Loaded:
    """What decodes here, once it is loaded."""

    library: ClassVar[libjxl.Library | None] = None


def prepare() -> None:
    """Load the decoder, if there is one, before any picture comes."""
    Loaded.library = Loaded.library or libjxl.find()


def may_be_packed_jpeg(content: bytes) -> bool:
    """Whether a file was made of a JPEG, and has what it takes to make that of it again."""
    return content.startswith(_CONTAINER) and b"jbrd" in content


def packed_jpeg(content: bytes, most: int) -> bytes | None:
    """The JPEG that a file was made of, to the bit; ``None`` if it was not, or is damaged.

    Args:
        content: The file.
        most: How many bytes the JPEG may have.

    Raises:
        MemoryError: It has more.
    """
    return None if Loaded.library is None else libjxl.jpeg_of(Loaded.library, content, most)


class JpegXlFile(ImageFile.ImageFile):
    """A JPEG XL picture.

    Its pixels are in eight bits, whatever they are stored in, and as sRGB if they are stored in the
    format's own colours. Otherwise they are as stored, with a profile. They are not turned; which
    way up they are is told as if by EXIF data. Pictures of inks have the inks of Pillow.

    Raises:
        UnreadableError: There is no decoder here.
        libjxl.DamagedError: Its header makes no sense.
        libjxl.TruncatedError: It ends within its header.
    """

    format = "JXL"
    format_description = "JPEG XL"

    def _open(self) -> None:
        if Loaded.library is None:
            raise UnreadableError(
                Unreadable.NOT_SUPPORTED,
                'JPEG XL pictures cannot be decoded here: install the extra "jpegxl"',
            )
        self._content = _all_of(self.fp)
        self._decoder = libjxl.Decoder(Loaded.library, self._content)
        info = self._decoder.info
        self._size = info.width, info.height
        is_of_inks = self._decoder.black is not None
        self._mode = "CMYK" if is_of_inks else _MODES[self._decoder.channels]
        self.is_animated = bool(info.have_animation)
        if self._decoder.profile is not None:
            self.info["icc_profile"] = self._decoder.profile
        if info.orientation != 1:
            exif = Image.Exif()
            exif[_ORIENTATION] = info.orientation
            self.info["exif"] = exif.tobytes()
        self._frame = 0
        self._frame_at_hand: int | None = None
        self._count: int | None = None

    @property
    def n_frames(self) -> int:
        """How many frames there are; the last of them may be one that cannot be decoded."""
        if self._count is None:
            self._count = 1
            if self.is_animated and Loaded.library is not None:
                self._count = max(1, libjxl.frames_of(Loaded.library, self._content, _MOST_FRAMES))
        return self._count

    def seek(self, frame: int) -> None:
        """Go to a frame."""
        if frame < 0 or (frame > 0 and not self.is_animated):
            raise EOFError("there is no such frame")
        self._frame = frame

    def tell(self) -> int:
        """The number of the frame."""
        return self._frame

    def load(self) -> Any:
        """Decode the frame; otherwise as Pillow has it."""
        if self._frame_at_hand != self._frame:
            lenient = ImageFile.LOAD_TRUNCATED_IMAGES
            pixels, ink = self._decoder.frame(self._frame, lenient=lenient)
            mode = _MODES[self._decoder.channels]
            picture = Image.frombuffer(mode, self.size, pixels, "raw", mode, 0, 1)
            if ink is not None:
                # Here full is no ink.
                black = Image.frombuffer("L", self.size, ink, "raw", "L", 0, 1)
                bands = (ImageChops.invert(band) for band in (*picture.split(), black))
                picture = Image.merge("CMYK", [*bands])
            self.im = picture.im
            self._frame_at_hand = self._frame
        return Image.Image.load(self)


def _all_of(file: IO[bytes] | None) -> bytes:
    if isinstance(file, io.BytesIO):
        return file.getvalue()
    return b"" if file is None else file.read()
