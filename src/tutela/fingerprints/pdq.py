"""PDQ, the perceptual hash: by the compiled kernel where there is one, else by NumPy."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tutela.errors import InvalidInputError
from tutela.fingerprints import pdq_reference
from tutela.fingerprints.model import DIHEDRALS, Kind, Pdq
from tutela.fingerprints.pdq_kernel import PdqKernel
from tutela.kernel.library import Variant, variant

# Below this many rows or columns the original gives no hash but zeros.
_SMALLEST = 5
# How much of a picture that is scattered in memory is copied at a time.
_STRIP_BYTES = 1 << 18
_BYTES = np.dtype(np.uint8)


def pdq_of(pixels: NDArray[np.uint8]) -> Pdq:
    """The PDQ hash of a picture.

    Args:
        pixels: height x width grey, or height x width x 3 or 4: red, green, blue, and an opacity
            that is ignored. Of any strides; quickest where the pixels of a row are contiguous.

    Returns:
        The hash and its quality. A picture of fewer than five rows or columns has the hash
        zero and the quality zero, as in the original.

    Raises:
        InvalidInputError: The array has another shape or type.
    """
    return _hashes_of(pixels, 1)[0]


def dihedrals_of(pixels: NDArray[np.uint8]) -> tuple[Pdq, ...]:
    """The PDQ hashes of a picture turned and mirrored in all eight ways.

    Args:
        pixels: As in ``pdq_of``.

    Returns:
        Eight hashes in the order of ``model.DIHEDRALS``, all with the picture's own quality.

    Raises:
        InvalidInputError: The array has another shape or type.
    """
    return _hashes_of(pixels, len(DIHEDRALS))


class PdqSums:
    """A picture on its way to its PDQ hash: its rows come in strips, in any order, each once.

    Nothing is kept of a strip but what it adds to 64 x 64 sums.

    Args:
        height: Rows of the picture.
        width: Columns of the picture.
        of: The variant of the kernel that computes it; the one in use if left out.
    """

    def __init__(self, height: int, width: int, *, of: Variant | None = None) -> None:
        self._height = height
        self._width = width
        self._to_come = height
        self._arithmetic: _Arithmetic = _kernel(of or variant()) or pdq_reference
        self._sums = np.zeros((pdq_reference.SIDE, pdq_reference.SIDE))

    def add(self, first_row: int, strip: NDArray[np.uint8]) -> None:
        """Add some rows.

        Args:
            first_row: Which row of the picture is the first of these.
            strip: rows x width grey, or rows x width x 3 or 4, as in ``pdq_of``.

        Raises:
            InvalidInputError: The array has another shape or type, or is not within the picture.
        """
        _check(strip)
        rows, width = strip.shape[:2]
        if width != self._width or first_row < 0 or first_row + rows > self._height:
            raise InvalidInputError(
                f"rows {first_row} to {first_row + rows} of {width} columns are not within a "
                f"picture of {self._height} x {self._width}"
            )
        self._to_come -= rows
        if rows == 0 or min(self._height, self._width) < _SMALLEST:
            return
        for top, part in _contiguous_strips(strip):
            self._arithmetic.add_rows(self._sums, part, first_row + top, self._height)

    def pdq(self) -> Pdq:
        """The hash, when all rows have been added.

        Raises:
            InvalidInputError: Rows are missing.
        """
        return self.hashes(1)[0]

    def dihedrals(self) -> tuple[Pdq, ...]:
        """The hashes of the picture turned and mirrored, as ``dihedrals_of``.

        Raises:
            InvalidInputError: Rows are missing.
        """
        return self.hashes(len(DIHEDRALS))

    def hashes(self, count: int) -> tuple[Pdq, ...]:
        """As many hashes as ``count`` says: 1 as ``pdq``, or 8 as ``dihedrals``."""
        if self._to_come:
            raise InvalidInputError(f"{self._to_come} rows of the picture have not been added")
        if min(self._height, self._width) < _SMALLEST:
            return (Pdq(bytes(Kind.PDQ.width), 0),) * count
        return self._arithmetic.hashes_of(self._sums, self._height, self._width, count)


class _Arithmetic(Protocol):
    """What ``pdq_reference`` and ``PdqKernel`` both do, told there."""

    def add_rows(
        self, sums: NDArray[np.float64], strip: NDArray[np.uint8], first_row: int, height: int
    ) -> None: ...

    def hashes_of(
        self, sums: NDArray[np.float64], height: int, width: int, count: int
    ) -> tuple[Pdq, ...]: ...


@lru_cache
def _kernel_in_use() -> PdqKernel | None:
    return _kernel(variant())


@lru_cache
def _kernel(of: Variant) -> PdqKernel | None:
    return PdqKernel.load(of)


def _hashes_of(pixels: NDArray[np.uint8], count: int) -> tuple[Pdq, ...]:
    _check(pixels)
    height, width = pixels.shape[:2]
    kernel = _kernel_in_use()
    if kernel and min(height, width) >= _SMALLEST and _has_contiguous_rows(pixels):
        return kernel.hashes_of_whole(pixels, count)
    sums = PdqSums(height, width)
    sums.add(0, pixels)
    return sums.hashes(count)


def _check(pixels: NDArray[np.uint8]) -> None:
    if pixels.dtype != _BYTES or pixels.ndim < 2 or pixels.shape[2:] not in ((), (3,), (4,)):
        raise InvalidInputError(
            f"a picture is height x width (x 3 or 4) bytes, not {pixels.dtype} {pixels.shape}"
        )


def _has_contiguous_rows(pixels: NDArray[np.uint8]) -> bool:
    return pixels.strides[1:] == (*pixels.shape[2:], 1)


def _contiguous_strips(pixels: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The pixels whole if those of each row are contiguous, or else copied, strip by strip."""
    if _has_contiguous_rows(pixels):
        yield 0, pixels
        return
    rows = max(1, _STRIP_BYTES // pixels[:1].size)
    for top in range(0, len(pixels), rows):
        yield top, np.ascontiguousarray(pixels[top : top + rows])
