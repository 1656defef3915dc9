"""The house's side of the cells that show files: lending them out, replacing those that break."""

import json
import signal
import socket
import sys
import time
from dataclasses import replace
from queue import LifoQueue
from threading import BoundedSemaphore, Event
from types import TracebackType
from typing import Any, BinaryIO, Self

from tutela.errors import OverCapacityError, TutelaError
from tutela.fingerprints.model import Unreadable
from tutela.sandbox.model import (
    MOST_SHOWN_BYTES,
    PACKET_BYTES,
    Keeping,
    Limits,
    Look,
    Rendering,
    Shown,
)
from tutela.sandbox.packets import as_told, lies_in
from tutela.sandbox.starting import CellProcess, reopened

# The cell ends a process that is late; if it does not, the cell itself is ended.
_GRACE_SECONDS = 5
# For each cell. Whoever comes when all are taken is told so at once, instead of keeping a thread.
_WAITING = 4


class RenderingPool:
    """Cells in which untrusted files are made fit to be looked at, each one file at a time.

    Each file is opened in a process of its own, which ends with it: a file that breaks out of its
    decoder costs itself alone, and cannot change what is shown of another one. Cells are started
    when they are first needed, and end with the pool, or with the process that holds it.

    Args:
        cells: How many files may be opened at once.
        limits: What one file may cost.
        keeping: How they are kept; each file has a process of its own anyway.
    """

    def __init__(
        self, cells: int, limits: Limits | None = None, keeping: Keeping | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._keeping = keeping or Keeping()
        self._closed = Event()
        self._cells: set[_Cell] = set()
        self._places = BoundedSemaphore(cells * _WAITING)
        self._free: LifoQueue[_Cell | None] = LifoQueue()
        for _ in range(cells):
            self._free.put(None)

    def render(self, file: int | BinaryIO, look: Look) -> Rendering:
        """Make what a person is shown of a file. Waits for a free cell; safe in many threads.

        Args:
            file: An open file that can be sought in, as a descriptor or as a file object. It is
                read from its beginning; its own position stays where it is.
            look: How it is to be shown.

        Raises:
            OverCapacityError: Too many wait already, or the pool is closed.
            TutelaError: A cell cannot be started.
        """
        if not self._places.acquire(blocking=False):
            raise OverCapacityError("many people look at something just now: try again in a moment")
        try:
            with reopened(file) as descriptor:
                return self._render(descriptor, look)
        finally:
            self._places.release()

    def close(self) -> None:
        """End all cells, also in the middle of a file."""
        self._closed.set()
        for cell in list(self._cells):
            self._drop(cell)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _render(self, descriptor: int, look: Look) -> Rendering:
        cell = self._free.get()
        try:
            cell = self._started(cell)
            rendering = cell.render(descriptor, look)
            if rendering is None:
                # It had ended while it was idle, for want of memory on the machine.
                self._drop(cell)
                cell = self._started(None)
                rendering = cell.render(descriptor, look)
        except BaseException:
            # Interrupted half-way, it would give this answer to the next caller.
            if cell is not None:
                self._drop(cell)
                cell = None
            raise
        finally:
            if cell is not None and not cell.is_well:
                self._drop(cell)
                cell = None
            self._free.put(cell)
        return rendering or _nothing("the process that shows files ended twice")

    def _started(self, cell: "_Cell | None") -> "_Cell":
        if self._closed.is_set():
            raise OverCapacityError("this program is stopping; try again later")
        if cell is None:
            cell = _Cell(self._limits, self._keeping)
            self._cells.add(cell)
            if cell.first_answer() is None:
                self._drop(cell)
                raise TutelaError(
                    "a process that shows files cannot be started; to see why, run: "
                    f"{sys.executable} -c 'import tutela.sandbox.rendering_cell'"
                )
        return cell

    def _drop(self, cell: "_Cell") -> None:
        self._cells.discard(cell)
        cell.end()


class _Cell(CellProcess):
    """A running cell that shows files."""

    def __init__(self, limits: Limits, keeping: Keeping) -> None:
        super().__init__("tutela.sandbox.rendering_cell", limits, keeping)
        self.is_well = True
        self._limits = limits

    def render(self, descriptor: int, look: Look) -> Rendering | None:
        """What is shown of a file; ``None`` if the cell has ended already."""
        answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {
            "level": look.level,
            "colour": look.colour,
            "mark": look.mark,
            "side": look.side,
            "place": look.place,
        }
        deadline = time.monotonic() + self._limits.seconds + _GRACE_SECONDS
        with answer:
            with theirs:
                try:
                    socket.send_fds(
                        self._line, [json.dumps(request).encode()], [descriptor, theirs.fileno()]
                    )
                except OSError:
                    self.is_well = False
                    return None
            rendering = _heard(answer, deadline, look)
        ended = self._ended(deadline)
        if ended is None:
            return _nothing("the process that shows files broke")
        if rendering is not None:
            return rendering
        return _nothing(self._why(ended["ended"], late=ended["late"]))

    def _why(self, ended_by: int, *, late: bool) -> str:
        """Why there is nothing, from how the file's own process ended."""
        if late or ended_by == -signal.SIGXCPU:
            return f"it took more than {self._limits.seconds:g} seconds"
        if ended_by == -signal.SIGSYS:
            return Unreadable.ATTACK.words
        if ended_by == -signal.SIGKILL:
            return "it was stopped by the system, likely for want of memory"
        return "it is damaged: it crashed the decoder"

    def _ended(self, deadline: float) -> dict[str, Any] | None:
        """How the file's own process ended; ``None`` if the cell did not say so in time."""
        try:
            said = self.hear(max(0.1, deadline - time.monotonic()))
        except OSError:
            said = None
        if said is None:
            self.is_well = False
        return said

    def end(self) -> int | None:
        """As ``CellProcess.end``; the file's own process ends with it."""
        self.is_well = False
        return super().end()


def _heard(line: socket.socket, deadline: float, look: Look) -> Rendering | None:
    """The whole answer; ``None`` if it ends early, comes late, or makes no sense."""
    try:
        line.settimeout(max(0.1, deadline - time.monotonic()))
        fields = json.loads(line.recv(PACKET_BYTES) or b"null")
        size = int(fields["jpeg"])
        jpeg = bytearray()
        while len(jpeg) < size <= MOST_SHOWN_BYTES:
            line.settimeout(max(0.1, deadline - time.monotonic()))
            packet = line.recv(PACKET_BYTES)
            if not packet:
                return None
            jpeg += packet
        if len(jpeg) != size:
            return None
        rendering = _read(fields, bytes(jpeg))
    except (OSError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None
    place, before, after = (_place_heard(line, deadline) for _ in range(3))
    if rendering.shown is not Shown.NOTHING and not _is_asked_for(place, look.place):
        # It shows something else than what somebody wrote down that they look at.
        return None
    return replace(rendering, place=place, before=before, after=after)


def _is_asked_for(place: str | None, asked: str | None) -> bool:
    """Whether a place is the one that was asked for, or the first thing to be seen in it."""
    if not asked:
        # The first thing to be seen in a file may lie anywhere in it.
        return asked is None or place is not None
    return place is not None and lies_in(place, asked)


def _place_heard(line: socket.socket, deadline: float) -> str | None:
    """The next of its places, as far as the answer says.

    What was made is shown, whatever came of looking for what is after it.
    """
    try:
        line.settimeout(max(0.1, deadline - time.monotonic()))
        place = json.loads(line.recv(PACKET_BYTES) or b"null")
    except (OSError, ValueError, RecursionError):
        return None
    return as_told(place) if isinstance(place, str) else None


def _read(fields: dict[str, Any], jpeg: bytes) -> Rendering:
    """The answer, which is not trusted more than the file that may have written it."""
    shown = Shown(fields["shown"])
    if shown is not Shown.NOTHING and not jpeg.startswith(b"\xff\xd8\xff"):
        raise ValueError
    seconds, faces = fields["seconds"], fields["faces"]
    return Rendering(
        shown,
        jpeg,
        reason=str(fields["reason"])[:200],
        width=int(fields["width"]),
        height=int(fields["height"]),
        frames=int(fields["frames"]),
        seconds=None if seconds is None else float(seconds),
        faces=None if faces is None else int(faces),
    )


def _nothing(reason: str) -> Rendering:
    return Rendering(Shown.NOTHING, reason=reason)
