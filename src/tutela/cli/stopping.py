"""Commands that go on until somebody stops them, and then end in order."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue


@contextmanager
def asked_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` at the first SIGTERM or Ctrl-C. The second one ends the process as always."""
    # What stops may take a lock that the interrupted thread holds: a thread of its own calls it.
    told: SimpleQueue[bool] = SimpleQueue()

    def stop_when_told() -> None:
        if told.get():
            stop()

    threading.Thread(target=stop_when_told, daemon=True).start()
    asked = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in asked}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(_number: int, _frame: object) -> None:
        told.put(True)
        restore()

    for number in asked:
        signal.signal(number, ask)
    try:
        yield
    finally:
        restore()
        told.put(False)
