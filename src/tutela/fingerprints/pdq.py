"""PDQ in NumPy: the reference that every faster way to compute it is tested against.

All of PDQ up to its median is linear in the luminance image ``Y``: two passes of a box filter
along each axis and the decimation to 64 x 64 are one matrix for each axis, and the cosine
transform is another:

    S = L Y Rt        L: 64 x height, R: 64 x width
    C = D S Dt        D: 16 x 64, the cosines of frequencies 1 to 16
    bit(i, j) = C(i, j) > median of C

``L`` and ``R`` are bands: each of their 64 rows reads about a 32nd of the picture. So the picture
is read once, in tiles that fit a processor's cache, and each tile is multiplied with the few rows
that read it; luminance is taken last, when little is left to be weighted. Rounding differs from
the original in the last digits only, which shows where a coefficient is as good as equal to the
median: in flat pictures, and in pictures that are their own mirror image.

Source: Meta, ThreatExchange, ``pdq/cpp`` (hashing/pdqhashing.cpp, downscaling/downscaling.cpp),
at full resolution as its Python library does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Pdq

_SIDE = 64
_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)
# Below this many rows or columns the original gives no hash but zeros.
_SMALLEST = 5
# A tile as 32-bit floats takes 1 MiB, which stays in a core's cache while it is multiplied.
_TILE_VALUES = 1 << 18
_TILE_COLUMNS = 4096
# Filters of longer axes than this are not worth the memory to keep.
_LONGEST_KEPT = 1 << 15

_DCT = np.sqrt(2 / _SIDE) * np.cos(
    np.pi / 2 / _SIDE * np.outer(np.arange(1, 17), 2 * np.arange(_SIDE) + 1)
)


def pdq_of(pixels: NDArray[np.uint8]) -> Pdq:
    """The PDQ hash of a picture.

    Args:
        pixels: height x width x 3 red, green and blue, or height x width grey.

    Returns:
        The hash and its quality. A picture of fewer than five rows or columns has the hash
        zero and the quality zero, as in the original.

    Raises:
        InvalidInputError: The array has another shape or type.
    """
    frequencies, quality = _analyse(pixels)
    return Pdq(_bits(frequencies), quality)


def dihedrals_of(pixels: NDArray[np.uint8]) -> tuple[Pdq, ...]:
    """The PDQ hashes of a picture turned and mirrored in all eight ways.

    Args:
        pixels: As in ``pdq_of``.

    Returns:
        Eight hashes in the order of ``model.DIHEDRALS``, all with the picture's own quality.

    Raises:
        InvalidInputError: The array has another shape or type.
    """
    frequencies, quality = _analyse(pixels)
    return tuple(Pdq(_bits(turned), quality) for turned in _turn(frequencies))


def _analyse(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], int]:
    """The 16 x 16 frequencies, and the quality."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise InvalidInputError(
            f"a picture is height x width (x 3) bytes, not {pixels.dtype} {pixels.shape}"
        )
    if min(pixels.shape[:2]) < _SMALLEST:
        return np.zeros((16, 16)), 0
    small = _shrink(pixels)
    return _DCT @ small @ _DCT.T, _quality(small)


def _bits(frequencies: NDArray[np.float64]) -> bytes:
    values = frequencies.ravel()
    median = np.partition(values, 127)[127]
    return np.packbits((values > median)[::-1]).tobytes()


def _turn(frequencies: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Turning and mirroring change the signs of cosines of odd frequencies, and swap the axes."""
    sign = np.where(np.arange(16) % 2, 1, -1)
    down, across = sign[:, np.newaxis], sign
    swapped = frequencies.T
    yield frequencies
    yield swapped * down
    yield frequencies * down * across
    yield swapped * across
    yield frequencies * down
    yield frequencies * across
    yield swapped
    yield swapped * down * across


def _quality(small: NDArray[np.float64]) -> int:
    """How much goes on in the picture: its steps in percent of full contrast, summed.

    Steps are cut to whole percents in single precision, as in the original.
    """
    single = small.astype(np.float32)
    steps = 0
    for axis in (0, 1):
        percent = np.diff(single, axis=axis) * np.float32(100) / np.float32(255)
        steps += int(np.abs(np.trunc(percent)).sum())
    return min(steps // 90, 100)


def _shrink(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Filter and decimate to 64 x 64 luminances, tile by tile."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    channels = rows.shape[1] // width
    small = np.zeros((_SIDE, _SIDE), dtype=np.float64)
    tile_columns = min(width, _TILE_COLUMNS)
    tile_rows = min(height, max(8, _TILE_VALUES // (tile_columns * channels)))
    tile = np.empty((tile_rows, tile_columns * channels), dtype=np.float32)
    for across in _bands(width, tile_columns):
        columns = slice(across.inputs.start * channels, across.inputs.stop * channels)
        values = columns.stop - columns.start
        narrow = np.zeros((_SIDE, values), dtype=np.float32)
        for down in _bands(height, tile_rows):
            part = tile[: down.inputs.stop - down.inputs.start, :values]
            np.copyto(part, rows[down.inputs, columns])
            narrow[down.outputs] += down.weights @ part
        if channels == 3:
            narrow = narrow.reshape(_SIDE, -1, 3) @ _LUMINANCE
        small[:, across.outputs] += narrow @ across.weights.T
    return small


@dataclass(frozen=True, slots=True)
class _Band:
    """The part of an axis's filter that reads a run of the axis.

    Attributes:
        inputs: The run.
        outputs: Those of the 64 outputs that read any of it.
        weights: outputs x inputs.
    """

    inputs: slice
    outputs: slice
    weights: NDArray[np.float32]


def _bands(length: int, run: int) -> Iterable[_Band]:
    return _kept_bands(length, run) if length <= _LONGEST_KEPT else _make_bands(length, run)


@lru_cache(maxsize=32)
def _kept_bands(length: int, run: int) -> tuple[_Band, ...]:
    return tuple(_make_bands(length, run))


def _make_bands(length: int, run: int) -> Iterator[_Band]:
    """The filter of an axis, cut into runs.

    A pass of the box filter with window ``w`` averages, for each ``i``, the inputs from
    ``i - (w - half)`` to ``i + half - 1``, where ``half`` is ``(w + 2) // 2``, or those of them
    that exist. An output averages averages: the weight of an input in it is the sum of
    1 / count over those windows that hold the input, by the count of the output's own window.
    """
    window = -(-length // (2 * _SIDE))
    after = (window + 2) // 2
    before = window - after
    places = np.arange(length)
    counts = np.minimum(places + after, length) - np.maximum(places - before, 0)
    sums = np.concatenate([[0.0], np.cumsum(1 / counts)])
    centres = ((np.arange(_SIDE) + 0.5) * length / _SIDE).astype(np.int64)
    first = np.maximum(centres - before, 0)
    last = np.minimum(centres + after, length)
    starts = np.maximum(first - before, 0)
    stops = np.minimum(last - 1 + after, length)
    for start in range(0, length, run):
        stop = min(start + run, length)
        outputs = slice(
            int(np.searchsorted(stops, start, side="right")),
            int(np.searchsorted(starts, stop, side="left")),
        )
        inputs = places[start:stop]
        low = np.maximum(inputs - after + 1, first[outputs, np.newaxis])
        high = np.minimum(inputs + before + 1, last[outputs, np.newaxis])
        weights = np.where(high > low, sums[np.maximum(high, 0)] - sums[np.minimum(low, length)], 0)
        weights /= (last - first)[outputs, np.newaxis]
        yield _Band(slice(start, stop), outputs, weights.astype(np.float32))
