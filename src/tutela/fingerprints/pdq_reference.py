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

from tutela.fingerprints.model import DIHEDRALS, Pdq

SIDE = 64
"""Rows and columns of the sums."""

COSINES = np.ascontiguousarray(
    np.sqrt(2 / SIDE)
    * np.cos(np.pi / 2 / SIDE * np.outer(2 * np.arange(SIDE) + 1, np.arange(1, 17)))
)
"""64 x 16, the cosines of frequencies 1 to 16: the matrix D of above, transposed."""

_LUMINANCE = np.array([0.299, 0.587, 0.114, 0], dtype=np.float32)
# A tile as 32-bit floats takes 1 MiB, which stays in a core's cache while it is multiplied.
_TILE_VALUES = 1 << 18
_TILE_COLUMNS = 4096
# Filters of longer axes than this are not worth the memory to keep.
_LONGEST_KEPT = 1 << 15


def add_rows(
    sums: NDArray[np.float64], strip: NDArray[np.uint8], first_row: int, height: int
) -> None:
    """Add some rows of a picture to its sums.

    Args:
        sums: 64 x 64; zero before the first rows come, and the picture shrunk to luminances after
            the last.
        strip: rows x width grey, or rows x width x 3 or 4: red, green, blue, and what is ignored.
        first_row: Which row of the picture is the first of these.
        height: How many rows the picture has.
    """
    rows, width = strip.shape[:2]
    pixels = strip.reshape(rows, width, 1) if strip.ndim == 2 else strip
    channels = pixels.shape[2]
    tile_columns = min(width, _TILE_COLUMNS)
    tile_rows = min(rows, max(8, _TILE_VALUES // (tile_columns * channels)))
    tile = np.empty(tile_rows * tile_columns * channels, dtype=np.float32)
    for across in _bands(width, tile_columns, 0, width):
        columns = across.inputs.stop - across.inputs.start
        narrow = np.zeros((SIDE, columns * channels), dtype=np.float32)
        for down in _bands(height, tile_rows, first_row, first_row + rows):
            start, stop = down.inputs.start - first_row, down.inputs.stop - first_row
            part = tile[: (stop - start) * columns * channels].reshape(-1, columns, channels)
            np.copyto(part, pixels[start:stop, across.inputs])
            narrow[down.outputs] += down.weights @ part.reshape(-1, columns * channels)
        if channels > 1:
            narrow = narrow.reshape(SIDE, columns, channels) @ _LUMINANCE[:channels]
        sums[:, across.outputs] += narrow @ across.weights.T


def hashes_of(
    sums: NDArray[np.float64],
    height: int,  # noqa: ARG001 - the kernel's sums are not yet divided
    width: int,  # noqa: ARG001
    count: int,
) -> tuple[Pdq, ...]:
    """The hashes of a picture whose rows have all been added.

    Args:
        sums: As left by ``add_rows``.
        height: Rows of the picture.
        width: Columns of the picture.
        count: 1, or 8 for the turned and mirrored pictures too, in the order of ``DIHEDRALS``.
    """
    frequencies = COSINES.T @ sums @ COSINES
    quality = _quality(sums)
    turned = _turn(frequencies) if count == len(DIHEDRALS) else [frequencies]
    return tuple(Pdq(_bits(each), quality) for each in turned)


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


def _bands(length: int, run: int, start: int, stop: int) -> Iterable[_Band]:
    make = _kept_bands if length <= _LONGEST_KEPT else _make_bands
    return make(length, run, start, stop)


@lru_cache(maxsize=64)
def _kept_bands(length: int, run: int, start: int, stop: int) -> tuple[_Band, ...]:
    return tuple(_make_bands(length, run, start, stop))


def _make_bands(length: int, run: int, start: int, stop: int) -> Iterator[_Band]:
    """The filter of a part of an axis, from ``start`` to before ``stop``, cut into runs.

    A pass of the box filter with window ``w`` averages, for each ``i``, the inputs from
    ``i - (w - half)`` to ``i + half - 1``, where ``half`` is ``(w + 2) // 2``, or those of them
    that exist. An output averages averages: the weight of an input in it is the sum of
    1 / count over those windows that hold the input, by the count of the output's own window.
    """
    window = -(-length // (2 * SIDE))
    after = (window + 2) // 2
    before = window - after
    places = np.arange(length)
    counts = np.minimum(places + after, length) - np.maximum(places - before, 0)
    sums = np.concatenate([[0.0], np.cumsum(1 / counts)])
    centres = ((np.arange(SIDE) + 0.5) * length / SIDE).astype(np.int64)
    first = np.maximum(centres - before, 0)
    last = np.minimum(centres + after, length)
    starts = np.maximum(first - before, 0)
    stops = np.minimum(last - 1 + after, length)
    for begin in range(start, stop, run):
        end = min(begin + run, stop)
        outputs = slice(
            int(np.searchsorted(stops, begin, side="right")),
            int(np.searchsorted(starts, end, side="left")),
        )
        inputs = places[begin:end]
        low = np.maximum(inputs - after + 1, first[outputs, np.newaxis])
        high = np.minimum(inputs + before + 1, last[outputs, np.newaxis])
        weights = np.where(high > low, sums[np.maximum(high, 0)] - sums[np.minimum(low, length)], 0)
        weights /= (last - first)[outputs, np.newaxis]
        yield _Band(slice(begin, end), outputs, weights.astype(np.float32))
