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

_ADDRESS, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


@dataclass(frozen=True, slots=True)
class PdqKernel:
    """The functions of one variant of the kernel.

    Its sums are whole numbers, the same in every variant and whatever the strips. They are divided
    at the end.
    """

    _add_rows: Callable[..., Any]
    _hashes: Callable[..., Any]

    @classmethod
    def load(cls, variant: Variant) -> "PdqKernel | None":
        """The functions of a variant; ``None`` where NumPy is to be used."""
        add_rows = function(
            "tutela_pdq_add_rows",
            [_ADDRESS, _ADDRESS, ctypes.c_ssize_t, _SIZE, _SIZE, _SIZE, _SIZE, _SIZE],
            _INT,
            of=variant,
        )
        hashes = function(
            "tutela_pdq_hashes",
            [_ADDRESS, _SIZE, _SIZE, _ADDRESS, _INT, _ADDRESS],
            _INT,
            of=variant,
        )
        return cls(add_rows, hashes) if add_rows and hashes else None

    def add_rows(
        self, sums: NDArray[np.float64], strip: NDArray[np.uint8], first_row: int, height: int
    ) -> None:
        """As ``pdq_reference.add_rows``, but the pixels of each row must be contiguous.

        Raises:
            MemoryError: There is none for a few kilobytes of weights.
        """
        rows, width = strip.shape[:2]
        channels = strip.shape[2] if strip.ndim == 3 else 1
        stride = strip.strides[0]
        if self._add_rows(
            _address(sums), _address(strip), stride, first_row, rows, height, width, channels
        ):
            raise MemoryError

    def hashes_of(
        self, sums: NDArray[np.float64], height: int, width: int, count: int
    ) -> tuple[Pdq, ...]:
        """As ``pdq_reference.hashes_of``."""
        size = Kind.PDQ.width
        hashes = ctypes.create_string_buffer(count * size)
        quality = self._hashes(_address(sums), height, width, _COSINES, count, hashes)
        values = hashes.raw
        return tuple(Pdq(values[i * size : (i + 1) * size], quality) for i in range(count))


def _address(array: NDArray[Any]) -> int:
    # Quicker than the attribute ctypes, which makes an object first.
    address: int = array.__array_interface__["data"][0]
    return address


_COSINES = _address(COSINES)
