"""Which streams are decoded whole just now, where there is no room for all of them.

To decode every frame takes many times what key frames take, and whoever encodes a stream chooses
its key frames. So as many streams as the machine has room for are decoded whole at a time, in
turns that nobody outside can foresee, and of the others key frames are. However busy it is, one in
fifty is: of a hundred that takes a sixth of a processor.
"""

import os
import secrets
import time
from collections.abc import Callable, Collection
from pathlib import Path

from tutela.streams.model import StreamId

TURN_SECONDS = 20.0
"""So long a stream is decoded whole while others wait for their turn: longer than the longest time
without a key frame, at which a turn begins."""

_ALWAYS_ONE_IN = 50
# Below this part of the processors' time without work there is less room, and above that more.
_BUSY, _FREE = 0.12, 0.25
_FEWER = 0.85
_MORE = 0.1
_CHANCE = secrets.SystemRandom()


class Turns:
    """Gives streams their turns.

    Args:
        idle: Which part of the processors' time was without work since it was asked last, from 0
            to 1; ``None`` if nobody knows.
        now: Seconds that never go back.
    """

    def __init__(
        self,
        idle: Callable[[], float | None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._idle = idle or Processors().idle
        self._now = now
        self._room = float(os.cpu_count() or 1)
        self._begun: dict[StreamId, float] = {}
        self._ended: dict[StreamId, float] = {}
        self._rests: dict[StreamId, float] = {}

    def choose(
        self, wanting: Collection[StreamId], overburdened: Collection[StreamId] = ()
    ) -> Collection[StreamId]:
        """Which of them are decoded whole from now on. To be asked every second or so.

        Args:
            wanting: Those that want to be.
            overburdened: Those of which frames had to be dropped since this was asked last. They
                rest for the length of a turn.
        """
        now = self._now()
        self._measure(len(wanting), is_too_much=any(each in self._begun for each in overburdened))
        for stream in list(self._begun):
            if stream not in wanting or stream in overburdened:
                self._end(stream, now)
        self._rests |= dict.fromkeys(overburdened, now + TURN_SECONDS)
        for kept in (self._ended, self._rests):
            for each in kept.keys() - set(wanting):
                del kept[each]
        room = int(self._room)
        oldest = sorted(self._begun, key=self._begun.__getitem__)
        if len(wanting) > room:
            over = len(oldest) - room
            for place, stream in enumerate(oldest):
                if place < over or now - self._begun[stream] >= TURN_SECONDS:
                    self._end(stream, now)
        waiting = [
            each
            for each in wanting
            if each not in self._begun and self._rests.get(each, now) <= now
        ]
        _CHANCE.shuffle(waiting)
        waiting.sort(key=lambda each: self._ended.get(each, float("-inf")))
        for stream in waiting[: max(0, room - len(self._begun))]:
            self._begun[stream] = now
        return frozenset(self._begun)

    def _measure(self, wanting: int, *, is_too_much: bool) -> None:
        idle = self._idle()
        if is_too_much or (idle is not None and idle < _BUSY):
            self._room *= _FEWER
        elif (idle is None or idle > _FREE) and len(self._begun) >= int(self._room):
            # No more than it has shown that there is room for, and some.
            self._room += 1 + _MORE * self._room
        least = -(-wanting // _ALWAYS_ONE_IN)
        self._room = min(max(self._room, least), max(wanting, 1))

    def _end(self, stream: StreamId, now: float) -> None:
        del self._begun[stream]
        self._ended[stream] = now


class Processors:
    """The processors of this machine, as Linux counts their time (proc(5), ``/proc/stat``)."""

    def __init__(self, path: Path = Path("/proc/stat")) -> None:
        self._path = path
        self._before: tuple[int, int] | None = None

    def idle(self) -> float | None:
        """Which part of their time was without work since this was asked last."""
        try:
            numbers = [int(each) for each in self._path.read_text().split("\n", 1)[0].split()[1:9]]
        except (OSError, ValueError):
            return None
        if len(numbers) < 5:
            return None
        before, self._before = self._before, (numbers[3] + numbers[4], sum(numbers))
        if before is None or self._before[1] <= before[1]:
            return None
        return (self._before[0] - before[0]) / (self._before[1] - before[1])
