"""How much may be under way or waiting in one server process; the rest is told to come back."""

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from tutela.errors import OverCapacityError


class Memory:
    """The bytes of requests that may be held at once, all together.

    Args:
        limit: How many bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held = 0
        self._lock = threading.Lock()

    def hold(self, count: int) -> None:
        """Count bytes in.

        Raises:
            OverCapacityError: There would be too many.
        """
        with self._lock:
            if self._held + count > self.limit:
                raise OverCapacityError(
                    f"{self.limit >> 20} MiB of uploads are held here already: "
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
        self.memory = memory
        self._what = what
        self._taken = 0
        self._taken_by: Counter[int] = Counter()
        self._lock = threading.Lock()

    @property
    def in_use(self) -> bool:
        """Whether any is under way."""
        return self._taken > 0

    @contextmanager
    def place(self, key: int | None = None) -> Iterator["Place"]:
        """Hold a place for one.

        Args:
            key: Whose it is, where nobody may have more than half of them: the number of an API
                key.

        Raises:
            OverCapacityError: All places are taken, or all that one key may have.
        """
        with self._lock:
            if self._taken >= self._places:
                raise self._too_many(self._places)
            if key is not None:
                most = max(1, self._places // 2)
                if self._taken_by[key] >= most:
                    raise self._too_many(most)
                self._taken_by[key] += 1
            self._taken += 1
        place = Place(self.memory)
        try:
            yield place
        finally:
            self.memory.release(place.held)
            with self._lock:
                self._taken -= 1
                if key is not None:
                    self._taken_by[key] -= 1
                    # No key is remembered that has none.
                    self._taken_by += Counter()

    def _too_many(self, most: int) -> OverCapacityError:
        return OverCapacityError(
            f"{most} {self._what} are under way here already: try again in a second"
        )


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


class Turns:
    """The requests that wait for the event loop, in a queue whose wait is bounded.

    What is answered without ever waiting takes no place, so that places do not bound it: thousands
    of requests that are there already would wait for each other where nobody counts them. And while
    the loop works on all that are there it accepts no new connection (``docs/decisions/0017``). So
    the loop works for a moment only, then one request a turn, in the order in which they came.

    Args:
        most: So many may wait, however long it takes.
        seconds: How long the others may wait.
        moment: How long the loop may work on one request after another without looking up.
    """

    def __init__(self, most: int, seconds: float = 0.25, moment: float = 0.002) -> None:
        self._most = most
        self._seconds = seconds
        self._moment = moment
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._begin: float | None = None

    async def take(self) -> None:
        """Wait for one's turn; what follows without waiting belongs to it.

        Raises:
            OverCapacityError: Too many were there before, for too long.
        """
        now = time.monotonic()
        if self._begin is None:
            self._begin = now
            # Done after all that are there now, and before any that come later.
            asyncio.get_running_loop().call_soon(self._look_up)
        elif self._waiting or now - self._begin > self._moment:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((now, turn))
            await turn

    def _look_up(self) -> None:
        self._begin = None
        while self._waiting:
            came, turn = self._waiting.popleft()
            if turn.done():
                # Its request was given up.
                continue
            self._begin = time.monotonic()
            if len(self._waiting) >= self._most and self._begin - came > self._seconds:
                turn.set_exception(
                    OverCapacityError(
                        "more screenings wait here than can be answered soon: try again in a second"
                    )
                )
            else:
                turn.set_result(None)
            asyncio.get_running_loop().call_soon(self._look_up)
            return
