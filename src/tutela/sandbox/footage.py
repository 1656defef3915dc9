"""How a frame of a video looks: as it is stored, and as it is shown. Runs in a cell.

Videos need PyAV (the extra ``video``).
"""

import struct
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tutela.fingerprints.pdq import pdq_of
from tutela.sandbox.appearance import OVER_BLACK, OVER_WHITE
from tutela.sandbox.sights import Sight
from tutela.sandbox.turning import AS_SHOWN

av: Any
try:
    import av
except ImportError:
    av = None

WITHOUT_MARGINS = "without its margins"

# Margins count from a share of so much on: in narrower ones a hash stays what it is.
_LEAST_MARGIN = 25
# On average of a line: what codecs spill over from the picture is a few points.
_MARGIN_TOLERANCE = 10
_MARGIN_STEP = 4

_Number = TypeVar("_Number", np.uint8, np.uint16)

# Of the nine numbers that say how a frame is to be shown, the four that turn it; see FFmpeg's
# ``libavutil/display.h``.
_MATRIX = struct.Struct("=ii4xii16x")


def looks_of(frame: Any, seconds: float, place: str, *, is_due: bool = True) -> Iterator[Sight]:
    """All looks of a frame: as it is stored, and however else it is shown.

    Args:
        frame: The frame.
        seconds: Its instant.
        place: Where it is, as it is stored.
        is_due: Whether it is one of the fingerprint of its video.
    """
    pixels = pixels_of(frame)
    yield Sight(
        place,
        pdq=pdq_of(pixels),
        seconds=seconds,
        is_between=not is_due,
        picture=lambda: Image.fromarray(pixels),
    )
    for called, shown in _shown(frame, pixels):
        yield Sight(
            f"{place} {called}",
            pdq=pdq_of(shown),
            seconds=seconds,
            is_turned=True,
            is_between=not is_due,
            picture=partial(Image.fromarray, shown),
        )


def _shown(frame: Any, pixels: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """What is shown of a frame, where that is not what is stored."""
    shown = _as_shown(frame, pixels)
    if shown is not None:
        yield AS_SHOWN, shown
    within = _without_margins(pixels if shown is None else shown)
    if within is not None:
        yield WITHOUT_MARGINS, within
    opacity = _opacity_of(frame)
    if opacity is None:
        return
    turned = _turned(frame, opacity)
    opacity = opacity if turned is None else turned
    on_black = (pixels if shown is None else shown) * opacity // 255
    yield OVER_WHITE, (on_black + (255 - opacity)).astype(np.uint8)
    yield OVER_BLACK, on_black.astype(np.uint8)


def _without_margins(pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """What is between two margins of one colour, above and below or at both sides, or all around.

    ``None`` if there are none worth it.
    """
    height, width, _ = pixels.shape
    rows, columns = height // _LEAST_MARGIN, width // _LEAST_MARGIN
    corner = pixels[0, 0].astype(np.int16)
    # Most have none, which is seen from four lines.
    if not (
        _is_flat(pixels[[rows, -1 - rows], ::_MARGIN_STEP], corner).all()
        or _is_flat(pixels[::_MARGIN_STEP, [columns, -1 - columns]], corner, axis=0).all()
    ):
        return None
    filled = np.flatnonzero(~_is_flat(pixels[:, ::_MARGIN_STEP], corner))
    if not filled.size:
        return None
    top, bottom = int(filled[0]), int(filled[-1]) + 1
    filled = np.flatnonzero(~_is_flat(pixels[top:bottom:_MARGIN_STEP], corner, axis=0))
    if not filled.size:
        return None
    left, right = int(filled[0]), int(filled[-1]) + 1
    above_and_below = min(top, height - bottom) > rows
    at_both_sides = min(left, width - right) > columns
    if not above_and_below and not at_both_sides:
        return None
    return np.ascontiguousarray(pixels[top:bottom, left:right])


def _is_flat(
    lines: NDArray[np.uint8], colour: NDArray[np.int16], *, axis: int = 1
) -> NDArray[np.bool_]:
    """Which lines are of a colour, but for what a codec makes of them: rows, or columns."""
    differing = np.abs(lines - colour).max(axis=2).mean(axis=axis)
    flat: NDArray[np.bool_] = differing <= _MARGIN_TOLERANCE
    return flat


def _opacity_of(frame: Any) -> NDArray[np.uint16] | None:
    """How much of the page is hidden by each pixel, of 255; ``None`` if all of it."""
    if not may_be_see_through(frame):
        return None
    opacity = frame.to_ndarray(format="rgba", interpolation="AREA")[..., 3:].astype(np.uint16)
    return None if opacity.min() == 255 else opacity


def may_be_see_through(frame: Any) -> bool:
    """Whether its pixels are of a kind that has opacity."""
    return _has_opacity(frame.format.name)


@lru_cache(64)
def _has_opacity(pixels: str) -> bool:
    kind = av.VideoFormat(pixels)
    return kind.has_palette or any(each.is_alpha for each in kind.components)


def _as_shown(frame: Any, pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """A frame turned, mirrored and lit as it says; ``None`` if it is shown as it is stored."""
    light = _LIGHT.get(frame.color_trc)
    turned = _turned(frame, pixels)
    if light is None:
        return turned
    return light[pixels if turned is None else turned]


def _turned(frame: Any, pixels: NDArray[_Number]) -> NDArray[_Number] | None:
    # Not the frame's own, which would keep it, and with it threads, until somebody clears up.
    matrix = av.sidedata.sidedata.SideDataContainer(frame).get("DISPLAYMATRIX")
    if matrix is None or len(bytes(matrix)) < _MATRIX.size:
        return None
    # Where a point to the right of the first one is shown, and one below it.
    right_x, right_y, below_x, below_y = _MATRIX.unpack_from(bytes(matrix))
    if abs(right_x) + abs(below_y) >= abs(right_y) + abs(below_x):
        across, down = right_x < 0, below_y < 0
        if not across and not down:
            return None
    else:
        pixels = pixels.transpose(1, 0, 2)
        across, down = below_x < 0, right_y < 0
    return np.ascontiguousarray(pixels[:: -1 if down else 1, :: -1 if across else 1])


def pixels_of(frame: Any) -> NDArray[np.uint8]:
    """The pixels of a frame: red, green, blue."""
    # As the reference does, whatever the video says of its colours: with its own way of scaling
    # colours up, and the matrix of standard definition. With others, hashes differ by 20 bits.
    pixels: NDArray[np.uint8] = frame.to_ndarray(
        format="rgb24", interpolation="AREA", src_colorspace="ITU601", dst_colorspace="ITU601"
    )
    return pixels


def _as_ordinary(light: NDArray[np.float64]) -> NDArray[np.uint8]:
    """What an ordinary screen shows: 1 is white, and what is brighter is white too."""
    light = light.clip(0, 1)
    shown = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return (shown * 255).round().astype(np.uint8)


def _by_pq(signal: NDArray[np.float64]) -> NDArray[np.uint8]:
    """SMPTE ST 2084, with white at 203 candelas a square metre (ITU-R BT.2408)."""
    root = signal ** (1 / 78.84375)
    light = ((root - 0.8359375).clip(0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
    return _as_ordinary(light * 10_000 / 203)


def _by_hlg(signal: NDArray[np.float64]) -> NDArray[np.uint8]:
    """ITU-R BT.2100's hybrid log-gamma, with white at three quarters of the signal."""
    above = (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return _as_ordinary(np.where(signal <= 0.5, signal**2 / 3, above) / 0.2650)


_SIGNAL = np.arange(256) / 255
# By FFmpeg's number of how light is stored: what is shown of each value.
_LIGHT = {16: _by_pq(_SIGNAL), 18: _by_hlg(_SIGNAL)}
