"""Doing one thing again and again in the background, such as asking what has changed."""

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

_STOPPING_SECONDS = 5.0


class Repeating:
    """A thread that does one thing again and again, from the ``with`` statement's begin to its end.

    A failure does not end it: it is told of once, and the thing is tried again until it works.

    Args:
        name: What it does; the thread's name.
        task: What is done.
        seconds: How long it rests in between.
        tell: Is told of a failure, when things worked the time before.
    """

    def __init__(
        self,
        name: str,
        task: Callable[[], object],
        seconds: float,
        tell: Callable[[str, Exception], None],
    ) -> None:
        self._name = name
        self._task = task
        self._seconds = seconds
        self._tell = tell
        self._failure: Exception | None = None
        self._state = threading.Condition()
        self._asked = self._done = 0
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def failure(self) -> Exception | None:
        """Why it did not work the last time, or ``None`` if it did."""
        return self._failure

    def hurry(self, patience: float) -> bool:
        """Have it done now, and wait until it has been tried once more, whole.

        Args:
            patience: How long to wait for that at most, in seconds.

        Returns:
            Whether it has been done, without a failure.
        """
        with self._state:
            self._asked += 1
            mine = self._asked
            self._state.notify_all()
            in_time = self._state.wait_for(lambda: self._ended or self._done >= mine, patience)
            return in_time and self._done >= mine and self._failure is None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._state:
            self._ended = True
            self._state.notify_all()
        # What takes longer is given up with the process: it may be a merge of half a minute.
        self._thread.join(_STOPPING_SECONDS)

    def _run(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._ended or self._asked > self._done, self._seconds)
                if self._ended:
                    return
                asked = self._asked
            failure = self._try()
            is_new = failure is not None and self._failure is None
            with self._state:
                self._failure = failure
                self._done = asked
                self._state.notify_all()
            if failure is not None and is_new:
                # Telling may fail too, such as where nobody reads the log any more.
                with suppress(Exception):
                    self._tell(self._name, failure)

    def _try(self) -> Exception | None:
        try:
            self._task()
        except Exception as error:
            return error
        return None
