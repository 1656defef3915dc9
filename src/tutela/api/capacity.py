"""How much may be under way or waiting in one server process; the rest is told to come back."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tutela.errors import OverCapacityError


class Memory:
    """The bytes of requests that may be held at once, all together.

    Args:
        limit: How many bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._lock = threading.Lock()

    def hold(self, count: int) -> None:
        """Count bytes in.

        Raises:
            OverCapacityError: There would be too many.
        """
        with self._lock:
            if self._held + count > self._limit:
                raise OverCapacityError(
                    f"{self._limit >> 20} MiB of uploads are held here already: "
                    "try again in a second"
                )
            self._held += count

    def release(self, count: int) -> None:
        """Count bytes out."""
        with self._lock:
            self._held -= count


class Capacity:
    """How many of one thing may be under way or waiting at once in this process.

    Args:
        places: How many.
        memory: What they hold is counted here.
        what: What they are, for those who are turned away.
    """

    def __init__(self, places: int, memory: Memory, what: str = "screenings") -> None:
        self._places = places
        self._memory = memory
        self._what = what
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def in_use(self) -> bool:
        """Whether any is under way."""
        return self._taken > 0

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """Hold a place for one.

        Raises:
            OverCapacityError: All places are taken.
        """
        with self._lock:
            if self._taken >= self._places:
                raise OverCapacityError(
                    f"{self._places} {self._what} are under way here already: try again in a second"
                )
            self._taken += 1
        place = Place(self._memory)
        try:
            yield place
        finally:
            self._memory.release(place.held)
            with self._lock:
                self._taken -= 1


class Place:
    """One place.

    Attributes:
        held: Bytes that it holds.
    """

    def __init__(self, memory: Memory) -> None:
        self.held = 0
        self._memory = memory

    def hold(self, count: int) -> None:
        """Hold more bytes, until the place is given back.

        Raises:
            OverCapacityError: All places together would hold too many.
        """
        self._memory.hold(count)
        self.held += count


class Round:
    """The requests that wait for the event loop together, and how long the last of them waits.

    What is answered without ever waiting takes no place, so that places do not bound it: thousands
    of requests that are there already wait for each other where nobody counts them. The loop begins
    all that are there one after another, in rounds.

    Args:
        most: So many are let in, however long it takes.
        seconds: How long the others may wait.
    """

    def __init__(self, most: int, seconds: float = 0.25) -> None:
        self._most = most
        self._seconds = seconds
        self._entered = 0
        self._begin = 0.0

    def enter(self) -> None:
        """Let in one request, when the loop begins it.

        Raises:
            OverCapacityError: Too many were there before it, for too long.
        """
        if self._entered == 0:
            self._begin = time.monotonic()
            # Done after all that are there now, and before any that come later.
            asyncio.get_running_loop().call_soon(self._end)
        self._entered += 1
        if self._entered > self._most and time.monotonic() - self._begin > self._seconds:
            raise OverCapacityError(
                "more screenings wait here than can be answered soon: try again in a second"
            )

    def _end(self) -> None:
        self._entered = 0
