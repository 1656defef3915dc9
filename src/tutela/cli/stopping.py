"""Commands that go on until somebody stops them, and then end in order."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def asked_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` at the first SIGTERM or Ctrl-C. The second one ends the process as always."""
    asked = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in asked}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(_number: int, _frame: object) -> None:
        stop()
        restore()

    for number in asked:
        signal.signal(number, ask)
    try:
        yield
    finally:
        restore()
