"""Waiting for what happens soon, on machines that may be busy."""

import time
from collections.abc import Callable


def comes_true(what: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether something comes true in time.

    The time is no promise: what is to happen within a second may take longer where many tests
    share a processor.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.02)
    return what()
