"""libjxl, the decoder of JPEG XL, called as it is. Runs in a cell, since the bytes are not trusted.

The library is the one in the wheel of ``imagecodecs`` (the extra ``jpegxl``), of which nothing else
is loaded; or else the system's. It decodes in the thread that asks, and calls nothing back, so that
no memory is needed that can be run.
"""

import ctypes
import mmap
from collections.abc import Iterable, Iterator
from enum import IntEnum
from importlib.util import find_spec
from pathlib import Path

# The versions that declare all that is called here as it is below. The latest comes first.
_OF_THE_SYSTEM = tuple(f"libjxl.so.0.{minor}" for minor in range(12, 6, -1))
# In the wheel it does not find what it needs by itself: the Python module beside it does that.
_OF_THE_WHEEL = ("libjxl", "libbrotlicommon", "libbrotlidec", "libbrotlienc", "libjxl_cms")
# Until then, what asks for profiles took one argument more, which meant nothing.
_WITHOUT_UNUSED = 9_000

UINT8, _NATIVE_ENDIAN = 2, 0
"""The kind of numbers that fill a byte."""
_OF_DATA = 1
_RGB, _GREY = 0, 1
_D65, _SRGB_PRIMARIES, _SRGB_CURVE, _RELATIVE = 1, 1, 13, 1
BLACK = 4
"""The kind of extra channel that has the black ink."""
# Profiles of printers have some megabytes at most.
_LONGEST_PROFILE = 1 << 24
# A decoder that was interrupted begins anew, whatever is asked of it.
_NONE = 1 << 62
# What a JPEG takes more than what it was packed to, mostly.
_MORE = 4


class Status(IntEnum):
    """What the decoder says when it stops. From ``BASIC_INFO`` on only what it was asked to say."""

    SUCCESS = 0
    ERROR = 1
    NEEDS_INPUT = 2
    NEEDS_PIXELS = 5
    NEEDS_JPEG = 6
    BASIC_INFO = 0x40
    COLOURS = 0x100
    FRAME = 0x400
    IMAGE = 0x1000
    JPEG = 0x2000


class DamagedError(OSError):
    """The data makes no sense."""

    def __init__(self) -> None:
        super().__init__("the data cannot be decoded")


class TruncatedError(OSError):
    """The data ends before the picture does."""

    def __init__(self) -> None:
        super().__init__("the data is truncated")


class BasicInfo(ctypes.Structure):
    """``JxlBasicInfo`` of libjxl's ``codestream_header.h``."""

    _fields_ = (
        ("have_container", ctypes.c_int),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("bits", ctypes.c_uint32),
        ("exponent_bits", ctypes.c_uint32),
        ("intensity_target", ctypes.c_float),
        ("min_nits", ctypes.c_float),
        ("relative_to_max_display", ctypes.c_int),
        ("linear_below", ctypes.c_float),
        ("uses_original_profile", ctypes.c_int),
        ("have_preview", ctypes.c_int),
        ("have_animation", ctypes.c_int),
        ("orientation", ctypes.c_int),
        ("colour_channels", ctypes.c_uint32),
        ("extra_channels", ctypes.c_uint32),
        ("alpha_bits", ctypes.c_uint32),
        ("alpha_exponent_bits", ctypes.c_uint32),
        ("alpha_premultiplied", ctypes.c_int),
        ("rest", ctypes.c_uint32 * 8),
        ("padding", ctypes.c_uint8 * 100),
    )


class ExtraChannel(ctypes.Structure):
    """``JxlExtraChannelInfo``."""

    _fields_ = (
        ("kind", ctypes.c_int),
        ("numbers", ctypes.c_uint32 * 4),
        ("alpha_premultiplied", ctypes.c_int),
        ("spot_colour", ctypes.c_float * 4),
        ("cfa_channel", ctypes.c_uint32),
    )


class _ColourEncoding(ctypes.Structure):
    """``JxlColorEncoding`` of ``color_encoding.h``."""

    _fields_ = (
        ("space", ctypes.c_int),
        ("white_point", ctypes.c_int),
        ("white_point_xy", ctypes.c_double * 2),
        ("primaries", ctypes.c_int),
        ("primaries_xy", ctypes.c_double * 6),
        ("curve", ctypes.c_int),
        ("gamma", ctypes.c_double),
        ("intent", ctypes.c_int),
    )


def srgb(*, grey: bool) -> _ColourEncoding:
    """The colours of an ordinary screen, or its greys."""
    return _ColourEncoding(
        space=_GREY if grey else _RGB,
        white_point=_D65,
        primaries=_SRGB_PRIMARIES,
        curve=_SRGB_CURVE,
        intent=_RELATIVE,
    )


class PixelFormat(ctypes.Structure):
    """``JxlPixelFormat`` of ``types.h``."""

    _fields_ = (
        ("channels", ctypes.c_uint32),
        ("kind", ctypes.c_int),
        ("endianness", ctypes.c_int),
        ("align", ctypes.c_size_t),
    )


_Pointer, _Size = ctypes.c_void_p, ctypes.c_size_t
_FUNCTIONS: dict[str, tuple[type | None, tuple[type, ...]]] = {
    "Version": (ctypes.c_uint32, ()),
    "Create": (_Pointer, (_Pointer,)),
    "Destroy": (None, (_Pointer,)),
    "SubscribeEvents": (ctypes.c_int, (_Pointer, ctypes.c_int)),
    "SetKeepOrientation": (ctypes.c_int, (_Pointer, ctypes.c_int)),
    "SetUnpremultiplyAlpha": (ctypes.c_int, (_Pointer, ctypes.c_int)),
    "SetInput": (ctypes.c_int, (_Pointer, _Pointer, _Size)),
    "ProcessInput": (ctypes.c_int, (_Pointer,)),
    "SkipFrames": (None, (_Pointer, _Size)),
    "GetBasicInfo": (ctypes.c_int, (_Pointer, _Pointer)),
    "GetExtraChannelInfo": (ctypes.c_int, (_Pointer, _Size, _Pointer)),
    "SetPreferredColorProfile": (ctypes.c_int, (_Pointer, _Pointer)),
    "SetImageOutBuffer": (ctypes.c_int, (_Pointer, _Pointer, _Pointer, _Size)),
    "SetExtraChannelBuffer": (
        ctypes.c_int,
        (_Pointer, _Pointer, _Pointer, _Size, ctypes.c_uint32),
    ),
    "FlushImage": (ctypes.c_int, (_Pointer,)),
    "SetJPEGBuffer": (ctypes.c_int, (_Pointer, _Pointer, _Size)),
    "ReleaseJPEGBuffer": (_Size, (_Pointer,)),
}


class Library:
    """A libjxl that is loaded.

    Attributes:
        file: Its file, or its name as the system's loader knows it.
        version: Such as "0.11.2".

    Args:
        file: As above.
        needs: Libraries that it needs and would not find, in the order to load them.

    Raises:
        OSError: There is none, or something that it needs is lacking.
    """

    def __init__(self, file: str, needs: Iterable[str] = ()) -> None:
        self.file = file
        for each in needs:
            ctypes.CDLL(each)
        library = ctypes.CDLL(file)
        try:
            self._calls = {name: _function(library, name, *of) for name, of in _FUNCTIONS.items()}
            version: int = self.call("Version")
            unused = () if version >= _WITHOUT_UNUSED else (_Pointer,)
            self._unused = tuple(None for _ in unused)
            asking = (_Pointer, *unused, ctypes.c_int, _Pointer)
            self._calls |= {
                "GetICCProfileSize": _function(library, "GetICCProfileSize", ctypes.c_int, asking),
                "GetColorAsICCProfile": _function(
                    library, "GetColorAsICCProfile", ctypes.c_int, (*asking, _Size)
                ),
            }
        except AttributeError:
            raise OSError(f"{file} is no decoder of JPEG XL") from None
        self.version = f"{version // 1_000_000}.{version // 1_000 % 1_000}.{version % 1_000}"

    def call(self, name: str, *arguments: object) -> int:
        """Call one of its functions, which are all named ``JxlDecoder...``."""
        result: int = self._calls[name](*arguments)
        return result

    def profile(self, decoder: int) -> bytes | None:
        """The ICC profile of the pixels that a decoder gives; ``None`` if they have none."""
        size = _Size()
        found = self.call("GetICCProfileSize", decoder, *self._unused, _OF_DATA, ctypes.byref(size))
        if found != Status.SUCCESS or not 0 < size.value <= _LONGEST_PROFILE:
            return None
        profile = ctypes.create_string_buffer(size.value)
        found = self.call(
            "GetColorAsICCProfile", decoder, *self._unused, _OF_DATA, profile, size.value
        )
        return profile.raw if found == Status.SUCCESS else None


def _function(
    library: ctypes.CDLL, name: str, result: type | None, arguments: tuple[type, ...]
) -> "ctypes._NamedFuncPointer":
    function = library[f"JxlDecoder{name}"]
    function.restype, function.argtypes = result, arguments
    return function


def find() -> Library | None:
    """The library of this machine; ``None`` if there is none."""
    for file, needs in _candidates():
        try:
            return Library(file, needs)
        except OSError:
            continue
    return None


def version() -> str:
    """Its name and version, such as "libjxl 0.11.2"; empty if there is none."""
    library = find()
    return f"libjxl {library.version}" if library else ""


def _candidates() -> Iterator[tuple[str, list[str]]]:
    # Not imported: the package would load much else.
    package = find_spec("imagecodecs")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parents[1] / "imagecodecs.libs"
        own, *needs = ([str(each) for each in folder.glob(f"{name}-*")] for name in _OF_THE_WHEEL)
        yield from ((file, [each for found in needs for each in found]) for file in own)
    yield from ((name, []) for name in _OF_THE_SYSTEM)


class Decoder:
    """Decodes one file, from its beginning on.

    Attributes:
        info: What its header says.
        profile: The ICC profile of its pixels, where they are not of sRGB.
        black: Which of its extra channels has the black ink, if it is of inks.

    Args:
        library: The loaded library.
        content: The file.

    Raises:
        DamagedError: Its header makes no sense.
        TruncatedError: It ends within its header.
    """

    def __init__(self, library: Library, content: bytes) -> None:
        self._library = library
        self._content = content
        self._next = 0
        self._handle = 0
        self._begin()

    def _begin(self) -> None:
        self._end()
        self._next = 0
        self._handle = _handle(
            self._library,
            self._content,
            Status.BASIC_INFO | Status.COLOURS | Status.FRAME | Status.IMAGE,
        )
        self._go_to(Status.BASIC_INFO)
        self.info = BasicInfo()
        self._ask("GetBasicInfo", ctypes.byref(self.info))
        self._go_to(Status.COLOURS)
        self.black = self._black()
        if self.info.uses_original_profile:
            self.profile = self._library.profile(self._handle)
        else:
            # They are stored in a space of JPEG XL's own, whatever they were before.
            self.profile = None
            self._ask(
                "SetPreferredColorProfile", ctypes.byref(srgb(grey=self.info.colour_channels == 1))
            )

    @property
    def channels(self) -> int:
        """Numbers of a pixel but for the black ink: its colours, and an opacity."""
        colours: int = self.info.colour_channels
        return colours + bool(self.info.alpha_bits and self.black is None)

    def frame(self, number: int, *, lenient: bool = False) -> tuple[bytearray, bytearray | None]:
        """The pixels of a frame, each with its numbers side by side, and the black ink, if any.

        Args:
            number: Which one; 0 is the first. It is quickest in their order.
            lenient: Whether to give what there is of one that ends early.

        Raises:
            DamagedError: It cannot be decoded.
            MemoryError: It cannot be for want of memory, as it seems.
            TruncatedError: It ends early.
            EOFError: There is no such frame.
        """
        if number < self._next:
            self._begin()
        if number > self._next:
            self._library.call("SkipFrames", self._handle, number - self._next)
        self._next = _NONE
        self._go_to(Status.FRAME)
        self._go_to(Status.NEEDS_PIXELS)
        size = self.info.width * self.info.height
        pixels = bytearray(size * self.channels)
        form = PixelFormat(self.channels, UINT8, _NATIVE_ENDIAN, 0)
        self._ask("SetImageOutBuffer", ctypes.byref(form), _start(pixels), len(pixels))
        ink = None
        if self.black is not None:
            ink, form.channels = bytearray(size), 1
            where = (_start(ink), size, self.black)
            self._ask("SetExtraChannelBuffer", ctypes.byref(form), *where)
        try:
            self._go_to(Status.IMAGE)
        except TruncatedError:
            if not lenient:
                raise
            self._ask("FlushImage")
        except DamagedError:
            self._see_memory()
            raise
        else:
            self._next = number + 1
        return pixels, ink

    def _black(self) -> int | None:
        channel = ExtraChannel()
        for number in range(self.info.extra_channels if self.info.colour_channels == 3 else 0):
            self._ask("GetExtraChannelInfo", number, ctypes.byref(channel))
            if channel.kind == BLACK:
                return number
        return None

    def _go_to(self, wanted: Status) -> None:
        status = self._library.call("ProcessInput", self._handle)
        if status == wanted:
            return
        if status == Status.NEEDS_INPUT:
            raise TruncatedError
        if status == Status.SUCCESS:
            raise EOFError("there is no such frame")
        raise DamagedError

    def _see_memory(self) -> None:
        """See that it was not for want of memory: libjxl says so of neither.

        What it has taken so far, it still holds.
        """
        numbers = self.info.width * self.info.height * self.channels
        try:
            mmap.mmap(-1, numbers * ctypes.sizeof(ctypes.c_float)).close()
        except OSError:
            raise MemoryError from None

    def _ask(self, name: str, *arguments: object) -> None:
        if self._library.call(name, self._handle, *arguments) != Status.SUCCESS:
            raise DamagedError

    def _end(self) -> None:
        if self._handle:
            self._library.call("Destroy", self._handle)
            self._handle = 0

    def __del__(self) -> None:
        self._end()


def frames_of(library: Library, content: bytes, most: int) -> int:
    """How many frames an animation has; they are not decoded.

    If it is damaged or ends early, one more than can be reached.
    """
    handle = _handle(library, content, Status.FRAME)
    try:
        for count in range(most):
            status = library.call("ProcessInput", handle)
            if status != Status.FRAME:
                return count + (status != Status.SUCCESS)
        return most
    finally:
        library.call("Destroy", handle)


def jpeg_of(library: Library, content: bytes, most: int) -> bytes | None:
    """The JPEG that was packed as JPEG XL, to the bit; ``None`` if none was, or it is damaged.

    Args:
        library: The loaded library.
        content: The file.
        most: How many bytes it may have.

    Raises:
        MemoryError: It has more.
    """
    handle = _handle(library, content, Status.JPEG | Status.IMAGE)
    try:
        if library.call("ProcessInput", handle) != Status.JPEG:
            return None
        jpeg = bytearray()
        while True:
            room = ctypes.create_string_buffer(min(_MORE * len(content), most + 1))
            library.call("SetJPEGBuffer", handle, room, len(room))
            status = library.call("ProcessInput", handle)
            left = library.call("ReleaseJPEGBuffer", handle)
            jpeg += memoryview(room)[: len(room) - left]
            if len(jpeg) > most:
                raise MemoryError
            if status == Status.IMAGE:
                return bytes(jpeg)
            if status != Status.NEEDS_JPEG or left == len(room):
                return None
    finally:
        library.call("Destroy", handle)


def _start(room: bytearray) -> ctypes.Array[ctypes.c_char]:
    return (ctypes.c_char * len(room)).from_buffer(room)


def _handle(library: Library, content: bytes, events: int) -> int:
    """A decoder at a file's beginning. The content must outlive it."""
    handle = library.call("Create", None)
    if not handle:
        raise MemoryError
    library.call("SubscribeEvents", handle, events)
    library.call("SetKeepOrientation", handle, 1)
    library.call("SetUnpremultiplyAlpha", handle, 1)
    library.call("SetInput", handle, content, len(content))
    return handle
