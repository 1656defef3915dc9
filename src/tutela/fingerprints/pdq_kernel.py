"""PDQ by the compiled kernel: the same as ``pdq_reference``, many times faster."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutela.fingerprints.model import Kind, Pdq
from tutela.fingerprints.pdq_reference import COSINES
from tutela.kernel.library import Variant, function

_HASH_BYTES = Kind.PDQ.width
_ADDRESS, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


@dataclass(frozen=True, slots=True)
class PdqKernel:
    """The functions of one variant of the kernel.

    Its sums are whole numbers, the same in every variant and whatever the strips. They are divided
    at the end.
    """

    _add_rows: Callable[..., Any]
    _hashes: Callable[..., Any]
    _whole: Callable[..., Any]

    @classmethod
    def load(cls, variant: Variant) -> "PdqKernel | None":
        """The functions of a variant; ``None`` where NumPy is to be used."""
        sums, pixels = [_ADDRESS], [_ADDRESS, ctypes.c_ssize_t]
        result = [_ADDRESS, _INT, _ADDRESS]
        functions = [
            function(name, arguments, _INT, of=variant)
            for name, arguments in (
                ("tutela_pdq_add_rows", [*sums, *pixels, _SIZE, _SIZE, _SIZE, _SIZE, _SIZE]),
                ("tutela_pdq_hashes", [*sums, _SIZE, _SIZE, *result]),
                ("tutela_pdq", [*pixels, _SIZE, _SIZE, _SIZE, *result]),
            )
        ]
        found = [each for each in functions if each is not None]
        return cls(*found) if found else None

    def add_rows(
        self, sums: NDArray[np.float64], strip: NDArray[np.uint8], first_row: int, height: int
    ) -> None:
        """As ``pdq_reference.add_rows``, but the pixels of each row must be contiguous.

        Raises:
            MemoryError: There is none for a few kilobytes of weights.
        """
        rows, width, channels = (*strip.shape, 1)[:3]
        stride = strip.strides[0]
        if self._add_rows(
            _address(sums), _address(strip), stride, first_row, rows, height, width, channels
        ):
            raise MemoryError

    def hashes_of(
        self, sums: NDArray[np.float64], height: int, width: int, count: int
    ) -> tuple[Pdq, ...]:
        """As ``pdq_reference.hashes_of``."""
        hashes = (ctypes.c_char * (count * _HASH_BYTES))()
        quality = self._hashes(_address(sums), height, width, _COSINES, count, hashes)
        return _as_pdqs(hashes.raw, quality)

    def hashes_of_whole(self, pixels: NDArray[np.uint8], count: int) -> tuple[Pdq, ...]:
        """The same as ``add_rows`` of a whole picture and ``hashes_of``, in one call.

        Raises:
            MemoryError: As ``add_rows``.
        """
        height, width, channels = (*pixels.shape, 1)[:3]
        hashes = (ctypes.c_char * (count * _HASH_BYTES))()
        quality = self._whole(
            _address(pixels), pixels.strides[0], height, width, channels, _COSINES, count, hashes
        )
        if quality < 0:
            raise MemoryError
        return _as_pdqs(hashes.raw, quality)


def _as_pdqs(values: bytes, quality: int) -> tuple[Pdq, ...]:
    if len(values) == _HASH_BYTES:
        return (Pdq(values, quality),)
    starts = range(0, len(values), _HASH_BYTES)
    return tuple([Pdq(values[start : start + _HASH_BYTES], quality) for start in starts])


def _address(array: NDArray[Any]) -> int:
    # Quicker than the attribute ctypes, which makes an object first.
    address: int = array.__array_interface__["data"][0]
    return address


_COSINES = _address(COSINES)
