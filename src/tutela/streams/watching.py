"""Watching one stream: receiving it, hearing what its frames are, and judging them.

Two threads are at it. One receives bytes and hands them to the cell; the other hears the hashes of
the frames and judges them. Where one of them is slow, frames are dropped in the cell: never the
stream.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from tutela.errors import StorageError, TutelaError
from tutela.sandbox.model import Ended, Sampled, Sampling
from tutela.sandbox.watching_pool import Watcher, WatcherLostError, WatchingPool
from tutela.screening.model import Verdict
from tutela.storage.clock import Clock
from tutela.streams.allowing import Allowed, Calls
from tutela.streams.judging import Judge, Judged
from tutela.streams.model import Source, SourceError, Standing, State, StoppedError
from tutela.streams.receiving import receive

_HEARD_SECONDS = 0.5
_SHORTEST_WAIT, _LONGEST_WAIT = 1.0, 30.0
# A decoder that takes no more bytes for so long hangs; that of a file may wait for the judge.
_STUCK_SECONDS, _STUCK_WITH_FILE_SECONDS = 30.0, 600.0
_MOST_RUNS = 4
_LEFT_BEHIND_SECONDS = 5.0
# Of what is received for so long without one frame, nobody knows what it shows: its decoder hangs,
# or its server sends just enough to be waited for. The segments of HLS may be a minute long.
_BLIND_SECONDS, _BLIND_WITH_FILE_SECONDS = 300.0, 600.0
_LATE_SECONDS: Final = 5.0
"""What comes so late lags."""
_TOO_LATE_SECONDS: Final = 20.0
"""What comes so late is left out: the stream is begun anew where it is now."""
# For so long after frames were dropped a stream is said to lag.
_REMEMBERED_SECONDS = 10.0
# The clock of whoever sends a stream may go wrong by so much.
_DRIFT = 0.001


@dataclass(frozen=True, slots=True)
class Plan:
    """How a stream is watched.

    Attributes:
        sampling: Which frames are looked at.
        every: Of so many seconds at most one key frame is looked at, and one between key frames.
        give_up_seconds: For how long a source that is lost is tried again.
    """

    sampling: Sampling = Sampling.SECONDS
    every: float = 1.0
    give_up_seconds: float = 600.0


class Watching:
    """Watches one stream until it is over.

    Args:
        source: Where it comes from.
        allowed: Where it may come from.
        cells: Where it is decoded.
        judge: Judges its frames.
        plan: How it is watched.
        clock: The time.
        tell: Is told of each match.
        begin: How it stands at the beginning, where it was watched before.
    """

    def __init__(
        self,
        source: Source,
        allowed: Allowed,
        cells: WatchingPool,
        judge: Judge,
        plan: Plan,
        clock: Clock,
        *,
        tell: Callable[[Judged], None] = lambda _: None,
        begin: Standing | None = None,
    ) -> None:
        self._source = source
        self._allowed = allowed
        self._cells = cells
        self._judge = judge
        self._plan = plan
        self._clock = clock
        self._tell = tell
        self.standing = replace(begin or Standing(), state=State.STARTING, reason=None)
        self._stopped = threading.Event()
        self._calls: Calls | None = None
        self._watcher: Watcher | None = None
        self._turning = threading.Lock()
        self._has_turn = True
        self._seen_seconds = 0.0
        self._dropped_at = -_REMEMBERED_SECONDS

    @property
    def wants_turns(self) -> bool:
        """Whether every frame is to be decoded if there is room for that."""
        now = self.standing
        return (
            self._plan.sampling is Sampling.SECONDS
            and not now.every_frame
            and now.state in (State.STARTING, State.WATCHED, State.LAGGING)
        )

    def turn(self, *, whole: bool) -> None:
        """From its next key frame on, have every frame decoded, or key frames alone.

        Until this is said every frame is; it changes nothing where key frames were asked for, or
        where there are none.
        """
        with self._turning:
            if whole == self._has_turn:
                return
            self._has_turn = whole
            if self._watcher is not None:
                # One that is lost is followed by one that is told.
                with suppress(WatcherLostError):
                    self._watcher.look_whole(self._is_whole)

    @property
    def _is_whole(self) -> bool:
        asked = self._plan.sampling is Sampling.SECONDS and self._has_turn
        return asked or self.standing.every_frame

    def stop(self) -> None:
        """Have it end soon."""
        self._stopped.set()
        calls = self._calls
        if calls is not None:
            calls.cut()

    def run(self) -> Standing:
        """Watch it, until it is over or ``stop`` is called.

        Returns:
            How it stands then: ended, or as it stood when it was stopped.
        """
        wait = _SHORTEST_WAIT
        last_good = time.monotonic()
        while not self._stopped.is_set():
            frames, detail = self.standing.frames, ""
            try:
                self._attempt()
            except _BlindError:
                # It has no key frames: then all frames are decoded, from its beginning on.
                self._note(every_frame=True)
                continue
            except SourceError as error:
                reason, detail = error.reason, error.detail
            except WatcherLostError:
                reason = "it broke its decoder"
            except TutelaError as error:
                reason = error.message
            except StoppedError:
                break
            except Exception as error:
                # Never is a stream said to be watched that nobody watches.
                reason = f"it could not be watched ({type(error).__name__})"
            else:
                if self._stopped.is_set():
                    # It goes on: another process takes it up.
                    break
                self._note(state=State.ENDED, reason=None)
                return self.standing
            now = time.monotonic()
            if self.standing.frames > frames:
                last_good, wait = now, _SHORTEST_WAIT
            if now - last_good >= self._plan.give_up_seconds:
                self._note(state=State.ENDED, reason=reason, detail=detail)
                return self.standing
            self._note(state=State.LOST, reason=reason, detail=detail)
            self._stopped.wait(min(wait, last_good + self._plan.give_up_seconds - now))
            wait = min(2 * wait, _LONGEST_WAIT)
        return self.standing

    def _attempt(self) -> None:
        """Receive it once, to its end."""
        calls = Calls(self._allowed)
        watcher = self._cells.watcher()
        with self._turning:
            self._watcher = watcher
            watcher.look_whole(self._is_whole)
        self._seen_seconds = 0.0
        sink = _Sink(watcher, self._plan.every, self._skip, lambda: not self._is_whole)
        receiving = _Receiving(self._source, calls, sink)
        self._calls = calls
        if self._stopped.is_set():
            calls.cut()
        try:
            receiving.start()
            self._hear(watcher, sink, receiving)
        finally:
            calls.cut()
            sink.give_up()
            watcher.end()
            # It may hang in looking a name up: then it is left behind, and ends by itself.
            receiving.join(_LEFT_BEHIND_SECONDS)
            with self._turning:
                self._watcher = None
                watcher.close()

    def _hear(self, watcher: Watcher, sink: "_Sink", receiving: "_Receiving") -> None:
        lag = _Lag()
        before = self.standing.dropped
        seen = time.monotonic()
        while not self._stopped.is_set():
            told = watcher.hear(_HEARD_SECONDS)
            if isinstance(told, Sampled):
                self._see(watcher, told, sink, lag, before)
                seen = time.monotonic()
            elif time.monotonic() - seen > self._blind_seconds(sink):
                raise receiving.failure or SourceError("nothing can be seen of it any more")
            elif isinstance(told, Ended):
                sink.ended()
                self._judge.begin()
                lag = _Lag()
                self._seen_seconds = 0.0
                if told.blind and not self.standing.every_frame:
                    raise _BlindError
                if told.reason is not None:
                    # Where nothing more came, that is why.
                    raise receiving.failure or SourceError(told.reason)
            if not receiving.is_alive() and sink.is_drained:
                if receiving.failure is not None:
                    raise receiving.failure
                return

    def _blind_seconds(self, sink: "_Sink") -> float:
        least = _BLIND_SECONDS if sink.is_live else _BLIND_WITH_FILE_SECONDS
        return least + 3 * self._plan.every

    def _see(
        self, watcher: Watcher, frame: Sampled, sink: "_Sink", lag: "_Lag", before: int
    ) -> None:
        judged = self._judged(watcher, frame)
        now = time.monotonic()
        late = max(lag.of(frame) - sink.burst, now - frame.arrived) if sink.is_live else 0.0
        dropped = before + frame.dropped
        if dropped > self.standing.dropped:
            self._dropped_at = now
        lags = late > _LATE_SECONDS or now - self._dropped_at < _REMEMBERED_SECONDS
        self._note(
            state=State.LAGGING if lags else State.WATCHED,
            reason=None,
            detail="",
            frames=self.standing.frames + 1,
            dropped=dropped,
            # What a list lets pass has a case for people, and is no match for anybody else.
            matches=self.standing.matches
            + (judged is not None and judged.verdict is Verdict.MATCH),
            lag=late,
            seen_at=self._clock(),
            by_key_frames=self.standing.by_key_frames + self._by_key_frames(frame),
        )
        if judged is not None:
            self._tell(judged)
        watcher.seen(frame)
        if late > _TOO_LATE_SECONDS and sink.is_live:
            self._skip(late)
            raise SourceError("it is too far behind: it is begun anew where it is now")

    def _by_key_frames(self, frame: Sampled) -> float:
        """Of how many seconds up to this frame only key frames were looked at in want of more."""
        if frame.track != 0:
            # The time of the first is that of the stream.
            return 0.0
        passed, self._seen_seconds = frame.seconds - self._seen_seconds, frame.seconds
        is_less = self._plan.sampling is Sampling.SECONDS and not frame.whole
        return max(0.0, passed) if is_less else 0.0

    def _judged(self, watcher: Watcher, frame: Sampled) -> Judged | None:
        while True:
            try:
                return self._judge.judge(frame, partial(self._picture, watcher))
            except StorageError as error:
                # Meanwhile frames are dropped; this one waits until it can be kept.
                self._note(state=State.LAGGING, reason=error.message)
                if self._stopped.wait(1.0):
                    raise StoppedError from None

    def _picture(self, watcher: Watcher, frame: Sampled) -> bytes:
        try:
            return watcher.picture(frame)
        except WatcherLostError:
            if self._stopped.is_set():
                raise StoppedError from None
            # A frame that matches, and breaks what is to make its picture, has a case all the same.
            return b""

    def _skip(self, seconds: float) -> None:
        self._dropped_at = time.monotonic()
        self._note(skipped=self.standing.skipped + seconds)

    def _note(self, **changed: object) -> None:
        self.standing = replace(self.standing, **changed)  # type: ignore[arg-type]


class _BlindError(Exception):
    """The stream has no key frames."""


class _Lag:
    """How late frames come, against the one of a run that came soonest."""

    def __init__(self) -> None:
        self._soonest: float | None = None
        self._since = 0.0

    def of(self, frame: Sampled) -> float:
        """How many seconds later than that this one came."""
        offset = frame.arrived - frame.seconds
        if self._soonest is None or offset < self._soonest:
            self._soonest = offset
        else:
            self._soonest += _DRIFT * max(0.0, frame.arrived - self._since)
        self._since = frame.arrived
        return max(0.0, offset - self._soonest)


class _Receiving(threading.Thread):
    """Receives a stream, in a thread of its own."""

    def __init__(self, source: Source, calls: Calls, sink: "_Sink") -> None:
        super().__init__(name="receiving", daemon=True)
        self._source = source
        self._calls = calls
        self._sink = sink
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            receive(self._source, self._calls, self._sink)
        except (SourceError, StoppedError, WatcherLostError) as error:
            self.failure = error
        except Exception as error:
            # What comes from outside is never to leave a stream that nobody watches or tells of.
            self.failure = SourceError(f"it could not be received ({type(error).__name__})")
        finally:
            self._sink.finish()


class _Sink:
    """Hands the bytes of a stream to the cell that watches it, run by run."""

    def __init__(
        self,
        watcher: Watcher,
        every: float,
        skip: Callable[[float], None],
        keys_alone: Callable[[], bool],
    ) -> None:
        self.is_live = False
        self.burst = 0.0
        self._watcher = watcher
        self._every = every
        self._skip = skip
        self._keys_alone = keys_alone
        self._number = 0
        self._line: socket.socket | None = None
        self._state = threading.Condition()
        self._running = 0
        self._given_up = False

    @property
    def keys_alone(self) -> bool:
        """Whether only the frames that others are made from are wanted, just now."""
        return self._keys_alone()

    @property
    def is_drained(self) -> bool:
        """Whether the cell has come to the end of every run."""
        return self._running == 0

    def begin(self, *, is_live: bool, burst: float = 0.0) -> None:
        self.finish()
        self._wait_for_room()
        ours, theirs = socket.socketpair()
        with theirs:
            # The size of what may wait on its way: less than a second of most streams.
            ours.settimeout(_STUCK_SECONDS if is_live else _STUCK_WITH_FILE_SECONDS)
            self._line = ours
            self._hand_over(theirs.fileno(), is_live=is_live, burst=burst)

    def begin_file(self, descriptor: int) -> None:
        self.finish()
        try:
            self._wait_for_room()
            self._hand_over(descriptor, is_live=False)
        finally:
            with suppress(OSError):
                os.close(descriptor)

    def write(self, piece: bytes) -> None:
        line = self._line
        if self._given_up or line is None:
            raise StoppedError
        try:
            line.sendall(piece)
        except TimeoutError:
            raise SourceError("it takes too long to decode") from None
        except OSError:
            # The cell has ended the run, and says why.
            raise StoppedError from None

    def skipped(self, seconds: float) -> None:
        self._skip(seconds)

    def finish(self) -> None:
        """There is no more of the run."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def ended(self) -> None:
        """The cell has come to the end of a run."""
        with self._state:
            if not self._running:
                # A cell that tells of more ends than there were runs is no cell of ours any more.
                raise WatcherLostError
            self._running -= 1
            self._state.notify_all()

    def give_up(self) -> None:
        """Nobody wants more."""
        with self._state:
            self._given_up = True
            self._state.notify_all()
        line = self._line
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _wait_for_room(self) -> None:
        with self._state:
            self._state.wait_for(lambda: self._given_up or self._running < _MOST_RUNS)
            if self._given_up:
                raise StoppedError
            self._running += 1

    def _hand_over(self, descriptor: int, *, is_live: bool, burst: float = 0.0) -> None:
        self._number += 1
        self.is_live, self.burst = is_live, burst
        self._watcher.begin(
            self._number, descriptor, every=self._every, is_live=is_live, burst=burst
        )
