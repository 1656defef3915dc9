"""The house's side of the cells that watch streams."""

import json
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from threading import Lock
from types import TracebackType
from typing import Self

from tutela.errors import OverCapacityError, SettingsError, TutelaError
from tutela.sandbox.model import (
    MOST_STILL_BYTES,
    MOST_WAITING,
    PACKET_BYTES,
    PIECE,
    Ended,
    Keeping,
    Limits,
    Sampled,
)
from tutela.sandbox.packets import read_watched
from tutela.sandbox.starting import CellProcess

_PICTURE_SECONDS = 20.0
_MOST_UNHEARD = 4 * MOST_WAITING


class WatcherLostError(Exception):
    """The process that watched a stream has ended, or made no sense."""


class WatchingPool:
    """Splits off a sealed process for each stream. Safe to share between threads.

    Args:
        limits: What a frame may cost.
        keeping: Whether nothing is opened where a process cannot be sealed whole.
    """

    def __init__(self, limits: Limits | None = None, keeping: Keeping | None = None) -> None:
        self._limits = limits or Limits()
        self._keeping = keeping or Keeping()
        self._lock = Lock()
        self._cell: _Cell | None = None
        self._closed = False

    def watcher(self) -> "Watcher":
        """A process for one stream.

        Raises:
            OverCapacityError: The pool is closed.
            TutelaError: It cannot be started.
        """
        with self._lock:
            # Twice, since the cell may have ended for want of memory on the machine.
            for _ in range(2):
                if self._closed:
                    raise OverCapacityError("this program is stopping; try again later")
                self._cell = self._cell or self._started()
                line = self._cell.split()
                if line is not None:
                    return Watcher(line)
                self._cell.end()
                self._cell = None
        raise _not_started()

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            self._closed = True
            if self._cell is not None:
                self._cell.end()
                self._cell = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _started(self) -> "_Cell":
        cell = _Cell("tutela.sandbox.watching_cell", self._limits, self._keeping)
        if cell.first_answer() is None:
            cell.end()
            raise _not_started()
        return cell


class _Cell(CellProcess):
    def split(self) -> socket.socket | None:
        """The line to a new process; ``None`` if the cell has ended."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                socket.send_fds(self._line, [b"{}"], [theirs.fileno()])
            except OSError:
                ours.close()
                return None
        return ours


class Watcher:
    """A process that watches one stream. Frames are heard by one thread, bytes given by another.

    Every frame that is heard has to be ``seen``, or no more come.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._unheard: deque[Sampled | Ended] = deque()

    def begin(
        self, run: int, source: int, *, every: float, is_live: bool, burst: float = 0.0
    ) -> None:
        """Have it look at one run, after those that were begun before.

        Args:
            run: Its number.
            source: Where its bytes come from: a file, or one end of a socket.
            every: Of so many seconds of the stream at most one key frame is looked at, and one
                frame between key frames.
            is_live: Whether frames are dropped when it gets late, instead of waiting.
            burst: So many seconds of it come at a time.

        Raises:
            WatcherLostError: It has ended.
        """
        told = {"run": run, "every": every, "live": is_live, "burst": burst}
        try:
            socket.send_fds(self._line, [json.dumps(told).encode()], [source])
        except OSError:
            raise WatcherLostError from None

    def look_whole(self, whole: bool) -> None:
        """Have every frame decoded from the next key frame or run on, or key frames alone.

        Until this is said, it is key frames alone.

        Raises:
            WatcherLostError: It has ended.
        """
        self._say({"whole": whole})

    def hear(self, seconds: float) -> Sampled | Ended | None:
        """The next frame, or the end of a run; ``None`` if there is none in time.

        Raises:
            SettingsError: It cannot be sealed here, and is to be.
            WatcherLostError: It has ended, or makes no sense.
        """
        if self._unheard:
            return self._unheard.popleft()
        packet = self._receive(seconds)
        return None if packet is None else _understood(packet)

    def seen(self, frame: Sampled) -> None:
        """A frame has been judged."""
        self._say({"seen": frame.number})

    def picture(self, frame: Sampled) -> bytes:
        """A frame that has not been ``seen``, as a PNG; empty if it cannot be made.

        Raises:
            WatcherLostError: It has ended, or makes no sense.
        """
        self._say({"picture": frame.number})
        deadline = time.monotonic() + _PICTURE_SECONDS
        picture = bytearray()
        size: int | None = None
        while size is None or len(picture) < size:
            packet = self._receive(deadline - time.monotonic())
            if packet is None:
                raise WatcherLostError
            if packet.startswith(PIECE):
                picture += packet[len(PIECE) :]
            elif b'"picture"' in packet[:16]:
                size = _size(packet, frame)
            elif len(self._unheard) < _MOST_UNHEARD:
                self._unheard.append(_understood(packet))
            else:
                raise WatcherLostError
        return bytes(picture)

    def end(self) -> None:
        """End the process, whatever it is doing, and wake whoever hears it."""
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it, and let go of the line."""
        self.end()
        self._line.close()

    def _say(self, told: dict[str, object]) -> None:
        try:
            self._line.send(json.dumps(told).encode())
        except OSError:
            raise WatcherLostError from None

    def _receive(self, seconds: float) -> bytes | None:
        try:
            self._line.settimeout(max(seconds, 1e-6))
            packet = self._line.recv(PACKET_BYTES)
        except TimeoutError:
            return None
        except OSError:
            raise WatcherLostError from None
        if not packet:
            raise WatcherLostError
        return packet


def _understood(packet: bytes) -> Sampled | Ended:
    try:
        fields = json.loads(packet)
        if fields.get("unsafe") is True:
            raise SettingsError(
                "sandbox.strict is set, but cells cannot be sealed here: run tutela doctor"
            )
        return read_watched(fields)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise WatcherLostError from None


def _size(packet: bytes, frame: Sampled) -> int:
    try:
        fields = json.loads(packet)
        size = int(fields["bytes"])
        if fields["picture"] == frame.number and 0 <= size <= MOST_STILL_BYTES:
            return size
    except (KeyError, TypeError, ValueError, RecursionError):
        pass
    raise WatcherLostError


def _not_started() -> TutelaError:
    return TutelaError(
        "a process that watches streams cannot be started; to see why, run: "
        f"{sys.executable} -c 'import tutela.sandbox.watching_cell'"
    )
