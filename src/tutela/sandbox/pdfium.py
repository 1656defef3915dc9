"""PDF documents as PDFium has them, which Chromium shows them with. In a cell alone.

It is spoken to by its own functions: what it calls back has to be made before the cell is sealed,
since that takes memory that can be run.
"""

import codecs
import ctypes
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tutela.fingerprints.model import Unreadable
from tutela.sandbox.model import UnreadableError

_pdfium: Any
try:
    _pdfium = import_module("pypdfium2.raw")
except ImportError:
    _pdfium = None

Pixels = NDArray[np.uint8]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, as fractions of a page as it is shown."""
_Matrix = tuple[float, float, float, float, float, float]

_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_AS_IT_IS: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
# So finely a place on a page is told; no side of a page is drawn longer.
_FINE = 1 << 20
_MOST_FORMS = 40
_LEAST_POINTS, _MOST_POINTS = 1e-3, 1e6
# Of the filters of a stream: those that what is left by the others is a whole file for.
_OF_WHOLE_FILES = frozenset({"DCTDecode", "DCT", "JPXDecode"})
_SIMPLE = frozenset(
    {
        *("ASCIIHexDecode", "ASCII85Decode", "LZWDecode", "FlateDecode", "RunLengthDecode"),
        *("AHx", "A85", "LZW", "Fl", "RL"),
    }
)

# In a sealed cell it could not be loaded any more.
codecs.lookup("utf-16-le")

_files: dict[int, BinaryIO] = {}
_draws_until = 0.0


def _get_block(key: int | None, position: int, into: Any, size: int) -> int:
    try:
        file = _files[key or 0]
        file.seek(position)
        piece = file.read(size)
        ctypes.memmove(into, piece, len(piece))
        return len(piece) == size
    except Exception:
        return 0


def _need_to_pause_now(_: Any) -> int:
    return time.monotonic() > _draws_until


def can_open() -> bool:
    """Whether PDFium is installed."""
    return _pdfium is not None


if can_open():
    _fields = {
        name: kind
        for structure in (_pdfium.FPDF_FILEACCESS, _pdfium.IFSDK_PAUSE)
        for name, kind in structure._fields_
    }
    _get_block_back = _fields["m_GetBlock"](_get_block)
    _pause = _pdfium.IFSDK_PAUSE(1, _fields["NeedToPauseNow"](_need_to_pause_now), None)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture that is drawn on a page.

    Attributes:
        width: In pixels.
        height: In pixels.
        box: Where on the page it is shown, whole or in part.
    """

    width: int
    height: int
    box: Box
    handle: Any

    def file(self, most: int) -> bytes | None:
        """The JPEG or JPEG 2000 file that it is, if it is one.

        Raises:
            UnreadableError: It has more bytes than so many.
        """
        filters = self._filters()
        if (
            not filters
            or filters[-1] not in _OF_WHOLE_FILES
            or not _SIMPLE.issuperset(filters[:-1])
        ):
            return None
        return _bytes_by(_pdfium.FPDFImageObj_GetImageDataDecoded, self.handle, most)

    @property
    def stored(self) -> bytes:
        """Its bytes as they are in the document, which may be packed."""
        return _bytes_by(_pdfium.FPDFImageObj_GetImageDataRaw, self.handle, sys.maxsize)

    def pixels(self) -> Pixels | None:
        """Its pixels, as they are stored, in red, green and blue; ``None`` if it has none."""
        bitmap = _pdfium.FPDFImageObj_GetBitmap(self.handle)
        if not bitmap:
            return None
        try:
            return _pixels_of(bitmap, is_rgb=False)
        finally:
            _pdfium.FPDFBitmap_Destroy(bitmap)

    def _filters(self) -> list[str]:
        name = ctypes.create_string_buffer(64)
        found = []
        for number in range(_pdfium.FPDFImageObj_GetImageFilterCount(self.handle)):
            size = _pdfium.FPDFImageObj_GetImageFilter(self.handle, number, name, len(name))
            found.append(name.value.decode("ascii", "replace") if size <= len(name) else "?")
        return found


class Page:
    """A page of a document; only as long as no other one is asked for.

    Attributes:
        files: What is attached to it, with names.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        # However it is made, it must be possible to reckon with it.
        self._width, self._height = (
            min(max(float(each), _LEAST_POINTS), _MOST_POINTS)
            for each in (_pdfium.FPDF_GetPageWidthF(handle), _pdfium.FPDF_GetPageHeightF(handle))
        )
        self.files: list[Attached] = []
        self._notes: list[Any] = []

    def side(self, box: Box) -> float:
        """The longer side of a piece of it, in points."""
        left, top, right, bottom = box
        return max((right - left) * self._width, (bottom - top) * self._height)

    def pictures(self) -> Iterator[Drawn]:
        """All pictures that are drawn on it, also by its notes and fields."""
        count = _pdfium.FPDFPage_CountObjects(self._handle)
        for number in range(count):
            thing = _pdfium.FPDFPage_GetObject(self._handle, number)
            yield from self._pictures_of(thing, _AS_IT_IS, 0)
        for number in range(_pdfium.FPDFPage_GetAnnotCount(self._handle)):
            note = _pdfium.FPDFPage_GetAnnot(self._handle, number)
            if not note:
                continue
            self._notes.append(note)
            if attached := _pdfium.FPDFAnnot_GetFileAttachment(note):
                self.files.append(Attached(attached))
            place = _pdfium.FS_RECTF()
            if not _pdfium.FPDFAnnot_GetRect(note, place):
                continue
            box = self._box([(place.left, place.top), (place.right, place.bottom)])
            for inner in range(max(_pdfium.FPDFAnnot_GetObjectCount(note), 0)):
                thing = _pdfium.FPDFAnnot_GetObject(note, inner)
                yield from self._pictures_of(thing, _AS_IT_IS, 0, box)

    def drawn(self, side: int, until: float, box: Box = _WHOLE) -> Pixels | None:
        """What is shown of it on white, in red, green and blue; ``None`` if it takes too long.

        Args:
            side: The longer side, in pixels.
            until: When to stop, by ``time.monotonic``.
            box: Which piece of it.
        """
        global _draws_until  # noqa: PLW0603 - what PDFium asks has no other place
        _draws_until = until
        left, top, right, bottom = box
        scale = side / self.side(box)
        whole = [min(max(round(each * scale), 1), _FINE) for each in (self._width, self._height)]
        width = min(max(round((right - left) * whole[0]), 1), side)
        height = min(max(round((bottom - top) * whole[1]), 1), side)
        start = -round(left * whole[0]), -round(top * whole[1])
        bitmap = _pdfium.FPDFBitmap_CreateEx(width, height, _pdfium.FPDFBitmap_BGRx, None, 0)
        if not bitmap:
            raise MemoryError
        try:
            _pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
            flags = _pdfium.FPDF_ANNOT | _pdfium.FPDF_REVERSE_BYTE_ORDER
            state = _pdfium.FPDF_RenderPageBitmap_Start(
                bitmap, self._handle, *start, *whole, 0, flags, _pause
            )
            while state == _pdfium.FPDF_RENDER_TOBECONTINUED and time.monotonic() <= until:
                state = _pdfium.FPDF_RenderPage_Continue(self._handle, _pause)
            _pdfium.FPDF_RenderPage_Close(self._handle)
            if state == _pdfium.FPDF_RENDER_TOBECONTINUED:
                return None
            if state == _pdfium.FPDF_RENDER_FAILED:
                raise UnreadableError(Unreadable.DAMAGED, Unreadable.DAMAGED.words)
            return _pixels_of(bitmap, is_rgb=True)
        finally:
            _pdfium.FPDFBitmap_Destroy(bitmap)

    def close(self) -> None:
        """Give it back."""
        for note in self._notes:
            _pdfium.FPDFPage_CloseAnnot(note)
        _pdfium.FPDF_ClosePage(self._handle)

    def _pictures_of(
        self, thing: Any, matrix: _Matrix, depth: int, box: Box | None = None
    ) -> Iterator[Drawn]:
        kind = _pdfium.FPDFPageObj_GetType(thing)
        if kind == _pdfium.FPDF_PAGEOBJ_IMAGE:
            width, height = ctypes.c_uint(), ctypes.c_uint()
            _pdfium.FPDFImageObj_GetImagePixelSize(thing, width, height)
            corners = [ctypes.c_float() for _ in range(4)]
            _pdfium.FPDFPageObj_GetBounds(thing, *corners)
            left, bottom, right, top = (each.value for each in corners)
            if box is None:
                ends = [(x, y) for x in (left, right) for y in (bottom, top)]
                box = self._box([_moved(each, matrix) for each in ends])
            yield Drawn(width.value, height.value, box, thing)
        elif kind == _pdfium.FPDF_PAGEOBJ_FORM and depth < _MOST_FORMS:
            own = _pdfium.FS_MATRIX(*_AS_IT_IS)
            _pdfium.FPDFPageObj_GetMatrix(thing, own)
            within = _one_after_the_other((own.a, own.b, own.c, own.d, own.e, own.f), matrix)
            for number in range(max(_pdfium.FPDFFormObj_CountObjects(thing), 0)):
                inner = _pdfium.FPDFFormObj_GetObject(thing, number)
                yield from self._pictures_of(inner, within, depth + 1, box)

    def _box(self, points: list[tuple[float, float]]) -> Box:
        """Where these points are shown, as far as that is on the page."""
        x, y = ctypes.c_int(), ctypes.c_int()
        shown = []
        for point in points:
            _pdfium.FPDF_PageToDevice(self._handle, 0, 0, _FINE, _FINE, 0, *point, x, y)
            shown.append((x.value / _FINE, y.value / _FINE))
        across, down = (
            [min(max(each, 0.0), 1.0) for each in axis] for axis in zip(*shown, strict=True)
        )
        return min(across), min(down), max(across), max(down)


class Document:
    """A document, opened by ``opened``.

    Attributes:
        pages: How many it says that it has.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.pages = int(_pdfium.FPDF_GetPageCount(handle))

    @contextmanager
    def page(self, number: int) -> Iterator[Page]:
        """One of its pages, from 0.

        Raises:
            UnreadableError: It cannot be found.
        """
        handle = _pdfium.FPDF_LoadPage(self._handle, number)
        if not handle:
            raise UnreadableError(Unreadable.DAMAGED, Unreadable.DAMAGED.words)
        page = Page(handle)
        try:
            yield page
        finally:
            page.close()

    def files(self) -> Iterator["Attached"]:
        """The files that are attached to it."""
        for number in range(_pdfium.FPDFDoc_GetAttachmentCount(self._handle)):
            if handle := _pdfium.FPDFDoc_GetAttachment(self._handle, number):
                yield Attached(handle)


class Attached:
    """A file that is attached to a document, or to a page."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    @property
    def name(self) -> str:
        """What it is called."""
        size = _pdfium.FPDFAttachment_GetName(self._handle, None, 0)
        name = (ctypes.c_ushort * (size // 2 + 1))()
        _pdfium.FPDFAttachment_GetName(self._handle, name, size)
        return bytes(name)[: max(size - 2, 0)].decode("utf-16-le", "replace")

    def content(self, most: int) -> bytes | None:
        """Its bytes; ``None`` if they cannot be had.

        Raises:
            UnreadableError: They are more than so many.
        """
        size = ctypes.c_ulong()
        if not _pdfium.FPDFAttachment_GetFile(self._handle, None, 0, size):
            return None
        _see_size(size.value, most)
        content = ctypes.create_string_buffer(size.value)
        if not _pdfium.FPDFAttachment_GetFile(self._handle, content, size.value, size):
            return None
        return content.raw


@contextmanager
def opened(file: bytes | BinaryIO) -> Iterator[Document]:
    """A document, opened.

    Args:
        file: Its bytes, or itself; it must be seekable then.

    Raises:
        UnreadableError: It cannot be.
    """
    key = max(_files, default=0) + 1
    if isinstance(file, bytes):
        handle = _pdfium.FPDF_LoadMemDocument64(file, len(file), None)
    else:
        _files[key] = file
        access = _pdfium.FPDF_FILEACCESS(file.seek(0, 2), _get_block_back, key)
        handle = _pdfium.FPDF_LoadCustomDocument(access, None)
    try:
        if not handle:
            error = _pdfium.FPDF_GetLastError()
            locked = error in (_pdfium.FPDF_ERR_PASSWORD, _pdfium.FPDF_ERR_SECURITY)
            reason = Unreadable.ENCRYPTED if locked else Unreadable.DAMAGED
            raise UnreadableError(reason, reason.words)
        try:
            yield Document(handle)
        finally:
            _pdfium.FPDF_CloseDocument(handle)
    finally:
        _files.pop(key, None)


def _see_size(size: int, most: int) -> None:
    if size > most:
        raise UnreadableError(Unreadable.TOO_LARGE, Unreadable.TOO_LARGE.words)


def _bytes_by(function: Any, handle: Any, most: int) -> bytes:
    size = function(handle, None, 0)
    _see_size(size, most)
    content = ctypes.create_string_buffer(size)
    function(handle, content, size)
    return content.raw


def _pixels_of(bitmap: Any, *, is_rgb: bool) -> Pixels:
    """A bitmap's pixels, in memory of their own."""
    width, height = _pdfium.FPDFBitmap_GetWidth(bitmap), _pdfium.FPDFBitmap_GetHeight(bitmap)
    stride = _pdfium.FPDFBitmap_GetStride(bitmap)
    kind = _pdfium.FPDFBitmap_GetFormat(bitmap)
    size = {_pdfium.FPDFBitmap_Gray: 1, _pdfium.FPDFBitmap_BGR: 3}.get(kind, 4)
    content = ctypes.string_at(_pdfium.FPDFBitmap_GetBuffer(bitmap), stride * height)
    rows = np.frombuffer(content, np.uint8).reshape(height, stride)[:, : width * size]
    pixels = rows.reshape(height, width, size)
    if size == 1:
        return np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels[..., :3] if is_rgb else pixels[..., 2::-1])


def _moved(point: tuple[float, float], matrix: _Matrix) -> tuple[float, float]:
    x, y = point
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def _one_after_the_other(first: _Matrix, then: _Matrix) -> _Matrix:
    a, b, c, d, e, f = first
    x, y = _moved((e, f), then)
    return (
        a * then[0] + b * then[2],
        a * then[1] + b * then[3],
        c * then[0] + d * then[2],
        c * then[1] + d * then[3],
        x,
        y,
    )
