"""Finding the compiled kernel, and the variant of it that this processor runs best.

The kernel is a plain C library without dependencies, called through ctypes, which gives Python's
lock up during each call. It holds every function once for each kind of processor. ``TUTELA_KERNEL``
forces one: ``avx512``, ``avx2`` or ``portable``, or ``numpy`` to do without the kernel.
"""

import ctypes
import os
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from tutela.errors import InvalidInputError

VARIABLE = "TUTELA_KERNEL"
"""The environment variable that forces a variant."""

_LIBRARY = Path(__file__).with_name("kernel.so")


class Variant(StrEnum):
    """What computes fingerprints and look-ups, the best first."""

    AVX512 = "avx512"
    AVX2 = "avx2"
    PORTABLE = "portable"
    NUMPY = "numpy"
    """No kernel: the reference in NumPy."""


@lru_cache(maxsize=1)
def variant() -> Variant:
    """The variant in use in this process.

    Raises:
        InvalidInputError: ``TUTELA_KERNEL`` names one that is unknown, or does not run here.
    """
    here = variants()
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return here[0]
    if wanted not in list(here):
        raise InvalidInputError(
            f"{VARIABLE} is {wanted!r}, which does not run here: set it to one of "
            f"{', '.join(here)}, or leave it out"
        )
    return Variant(wanted)


@lru_cache(maxsize=1)
def variants() -> tuple[Variant, ...]:
    """The variants that run on this machine, the best first; ``NUMPY`` always does."""
    library = _library()
    if library is None:
        return (Variant.NUMPY,)
    compiled = (each for each in Variant if each is not Variant.NUMPY)
    return (*(each for each in compiled if _runs_here(library, each)), Variant.NUMPY)


def function(
    name: str, arguments: Sequence[Any], result: Any = None, *, of: Variant | None = None
) -> Callable[..., Any] | None:
    """One of the kernel's functions, ``None`` where NumPy is to be used.

    Args:
        name: Its name in C, without the variant.
        arguments: The ctypes of its arguments.
        result: The ctype of what it returns.
        of: Of which variant; the one in use if left out.
    """
    chosen = of or variant()
    library = _library()
    if library is None or chosen is Variant.NUMPY:
        return None
    # A function object of its own, since each carries its argument types.
    found = library[f"{name}_{chosen}"]
    found.argtypes = list(arguments)
    found.restype = result
    return found


def _runs_here(library: ctypes.CDLL, each: Variant) -> bool:
    name = f"tutela_runs_here_{each}"
    return hasattr(library, name) and bool(library[name]())


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    # Absent where there was no C compiler when Tutela was installed.
    return ctypes.CDLL(str(_LIBRARY)) if _LIBRARY.exists() else None
