"""A check that costs something, done once for all who ask at about the same time."""

import math
import threading
import time
from collections.abc import Callable

from tutela.errors import StorageError, TutelaError

# What is amiss is looked at again sooner: it may have been mended.
_WORKS_SECONDS = 10.0
_FAILS_SECONDS = 1.0
_OVERDUE_SECONDS = 10.0
# Longer than what works takes. Those who ask hold a thread meanwhile.
_PATIENCE_SECONDS = 1.0


class SharedCheck:
    """A check that runs in a thread of its own, one at a time. Safe to share between threads.

    Anyone may ask for it as often as they like: it is done every ten seconds at most while it
    succeeds, and every second while it fails. One that takes long keeps nobody waiting.

    Args:
        check: Gives a few words for people, or raises ``TutelaError``.
    """

    def __init__(self, check: Callable[[], str]) -> None:
        self._check = check
        self._state = threading.Condition()
        self._outcome: str | TutelaError = ""
        self._good_until = -math.inf
        self._under_way_since: float | None = None

    def ask(self) -> str:
        """What the check says.

        Raises:
            TutelaError: What it raised, or that it has not ended yet.
        """
        with self._state:
            now = time.monotonic()
            if now >= self._good_until:
                if self._under_way_since is None:
                    self._under_way_since = now
                    threading.Thread(target=self._run, name="check", daemon=True).start()
                # Counted from its begin, so that of many who ask later none waits.
                left = self._under_way_since + _PATIENCE_SECONDS - now
                self._state.wait_for(lambda: self._under_way_since is None, max(0.0, left))
                # Where one takes a little longer, what worked a moment ago is not called broken.
                is_old = time.monotonic() >= self._good_until + _OVERDUE_SECONDS
                if self._under_way_since is not None and (is_old or self._failed):
                    raise StorageError("no answer yet; it is still being asked")
            if isinstance(self._outcome, TutelaError):
                raise self._outcome
            return self._outcome

    @property
    def _failed(self) -> bool:
        return isinstance(self._outcome, TutelaError)

    def _run(self) -> None:
        outcome: str | TutelaError
        try:
            outcome = self._check()
        except TutelaError as error:
            outcome = error
        except Exception as error:
            outcome = StorageError(f"the check itself failed: {type(error).__name__}")
        with self._state:
            good = _FAILS_SECONDS if isinstance(outcome, TutelaError) else _WORKS_SECONDS
            self._outcome = outcome
            self._good_until = time.monotonic() + good
            self._under_way_since = None
            self._state.notify_all()
