"""Asking the kernel by way of the C library, where Python has no function for it."""

import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)


def granted(answer: int) -> int:
    """What the kernel answered, if it did not refuse.

    Raises:
        OSError: It did.
    """
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
