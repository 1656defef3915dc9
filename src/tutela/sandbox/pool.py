"""The house's side of the cells: lending them out, and replacing those that break."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from errno import EIO
from queue import LifoQueue
from threading import Event
from types import TracebackType
from typing import BinaryIO, Self

from tutela.errors import OverCapacityError, TutelaError
from tutela.fingerprints.model import (
    FileFingerprints,
    Part,
    Pdq,
    Picture,
    PictureState,
    Unreadable,
)
from tutela.kernel.library import VARIABLE as KERNEL_VARIABLE
from tutela.sandbox.formats import PICTURE_SUFFIXES
from tutela.sandbox.model import PACKET_BYTES, Limits
from tutela.sandbox.packets import Packet, read_digests, read_found

_START_SECONDS = 60
# Zero would mean not to wait at all, not even for what is there.
_NO_TIME = 1e-6
# What a cell is told of the house's environment: where programs and libraries are, and no more,
# since there may be passwords in it.
_ENVIRONMENT = (
    *("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH"),
    KERNEL_VARIABLE,
)
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class CellPool:
    """Processes in which untrusted files are opened up, each one file at a time.

    A file that breaks its cell costs itself alone: the cell is replaced. Cells are started when
    they are first needed, and end with the pool, or with the process that holds it.

    Args:
        cells: How many files may be opened up at once.
        limits: What one picture may cost.
    """

    def __init__(self, cells: int, limits: Limits | None = None) -> None:
        self._closed = Event()
        self._seats = tuple(_Seat(limits or Limits(), self._closed) for _ in range(cells))
        # Last in, first out: few callers keep few cells busy.
        self._free: LifoQueue[_Seat] = LifoQueue()
        for seat in reversed(self._seats):
            self._free.put(seat)

    def fingerprint(
        self, file: int | BinaryIO, *, suffix: str = "", dihedrals: bool = False
    ) -> FileFingerprints:
        """Take a file's fingerprints. Waits for a free cell; may be called from many threads.

        Args:
            file: An open file that can be sought in, as a descriptor or as a file object. It is
                read from its beginning; its own position stays where it is.
            suffix: What its name ends in, such as ``.jpg``: a file that calls itself a picture
                and is none is unreadable.
            dihedrals: Whether the hashes of the turned and mirrored pictures are wanted too.

        Raises:
            OSError: The file cannot be read.
            OverCapacityError: The pool is closed.
            TutelaError: A cell cannot be started.
        """
        with reopened(file) as descriptor:
            seat = self._free.get()
            try:
                found = seat.open_up(descriptor, dihedrals=dihedrals)
            finally:
                self._free.put(seat)
        picture = _heed_name(found.picture, suffix, found.digests.size)
        return found if picture is found.picture else replace(found, picture=picture)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The cells that have been started."""
        return tuple(cell.process.pid for seat in self._seats if (cell := seat.cell) is not None)

    def close(self) -> None:
        """End all cells, also in the middle of a file."""
        if self._closed.is_set():
            return
        self._closed.set()
        for seat in self._seats:
            if (cell := seat.cell) is not None:
                cell.process.kill()
        # Whoever was using a seat gives it back now, and whoever waits for one must get it.
        for seat in [self._free.get() for _ in self._seats]:
            seat.empty()
            self._free.put(seat)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Seat:
    """A place for one cell; used by one thread at a time."""

    def __init__(self, limits: Limits, closed: Event) -> None:
        self.cell: _Cell | None = None
        self._limits = limits
        self._closed = closed

    def open_up(self, descriptor: int, *, dihedrals: bool) -> FileFingerprints:
        try:
            cell, packet = self._ask(descriptor, dihedrals)
            digests, picture_format = read_digests(packet)
            picture, parts = self._hear_out(cell)
            return FileFingerprints(digests, picture, parts, picture_format)
        except BaseException as error:
            # Interrupted half-way, the cell would give this answer to the next caller.
            self.empty()
            if isinstance(error, KeyError | TypeError | ValueError):
                raise OSError(EIO, "the decoding process gave an answer without sense") from None
            raise

    def empty(self) -> None:
        """End the cell, if there is one."""
        if self.cell is not None:
            self.cell.end()
            self.cell = None

    def _ask(self, descriptor: int, dihedrals: bool) -> tuple["_Cell", Packet]:
        """Hand a file over and wait for its digests."""
        # Twice, since a cell may have ended while it was idle, for want of memory on the machine.
        for _ in range(2):
            cell = self._occupy()
            answer = cell.ask(descriptor, dihedrals=dihedrals)
            if answer is not None:
                if "errno" in answer:
                    raise OSError(answer["errno"], os.strerror(answer["errno"]))
                return cell, answer
            self.empty()
        raise OSError(EIO, "the decoding process ended twice while reading it")

    def _hear_out(self, cell: "_Cell") -> tuple[Picture, tuple[Part, ...]]:
        """Hear what a cell finds in a file, part by part, until it has come to the end."""
        parts: list[Part] = []
        own: Pdq | None = None
        limits = self._limits
        deadline = time.monotonic() + limits.whole_seconds
        while True:
            left = deadline - time.monotonic()
            try:
                packet = cell.hear(max(min(limits.seconds, left), _NO_TIME))
            except TimeoutError:
                self.empty()
                most = limits.seconds if limits.seconds <= left else limits.whole_seconds
                reason = f"took more than {most:g} seconds to decode"
                return _unreadable(Unreadable.TOO_SLOW, reason, own), tuple(parts)
            if packet is None:
                return self._crashed(cell, own), tuple(parts)
            found = read_found(packet)
            if isinstance(found, Picture):
                return found, tuple(parts)
            if found.place:
                parts.append(found)
            else:
                own = found.pdq
            if len(parts) > limits.parts:
                raise ValueError("more parts than any cell tells of")

    def _crashed(self, cell: "_Cell", own: Pdq | None) -> Picture:
        self._check_open()
        ended_by = cell.end()
        self.cell = None
        if ended_by == -signal.SIGKILL:
            reason = "decoding it was stopped by the system, likely for want of memory"
            return _unreadable(Unreadable.TOO_MUCH_MEMORY, reason, own)
        return _unreadable(Unreadable.CRASHED, "damaged picture: it crashed the decoder", own)

    def _occupy(self) -> "_Cell":
        self._check_open()
        if self.cell is None:
            self.cell = _Cell(self._limits)
            # The pool may have been closed while the cell was not yet there to be ended.
            self._check_open()
            if not self.cell.is_ready():
                self._check_open()
                raise TutelaError(
                    "a decoding process cannot be started; to see why, run: "
                    f"{sys.executable} -c 'import tutela.sandbox.cell'"
                )
        return self.cell

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise OverCapacityError("this program is stopping; send the file again later")


@contextmanager
def reopened(file: int | BinaryIO) -> Iterator[int]:
    """A descriptor for a cell: it cannot write there, nor move the position of the caller's."""
    given = file if isinstance(file, int) else file.fileno()
    try:
        # Without O_NONBLOCK, a named pipe would wait for somebody to write into it.
        own = os.open(f"/proc/self/fd/{given}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        # It may be a file that this user could not open again.
        yield given
        return
    try:
        yield own
    finally:
        os.close(own)


def cell_environment() -> dict[str, str]:
    """The environment that a cell is started with."""
    known = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return known | _ONE_THREAD


def start_cell(program: str, line: socket.socket, limits: Limits) -> subprocess.Popen[bytes]:
    """Start the process of a cell.

    Args:
        program: The module that it runs.
        line: The cell's end of the line to the house; the caller closes its own copy.
        limits: What one file may cost.
    """
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-P", "-W", "ignore", "-m", program, str(line.fileno()), limits.text],
        env=cell_environment(),
        pass_fds=[line.fileno()],
        stdin=subprocess.DEVNULL,
        # Codecs write warnings there, which may hold names from within a file.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C in a terminal is for the house, which then ends its cells.
        start_new_session=True,
    )


class _Cell:
    """A running cell, and the line to it."""

    def __init__(self, limits: Limits) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = start_cell("tutela.sandbox.cell", theirs, limits)

    def is_ready(self) -> bool:
        """Whether it has started well; waits until it has."""
        try:
            return self.hear(_START_SECONDS) is not None
        except TimeoutError:
            return False

    def ask(self, descriptor: int, *, dihedrals: bool) -> Packet | None:
        """Hand a file over and wait for its digests, however long; as ``hear``."""
        request = json.dumps({"dihedrals": dihedrals}).encode()
        try:
            socket.send_fds(self._line, [request], [descriptor])
        except ConnectionError:
            return None
        return self.hear(None)

    def hear(self, seconds: float | None) -> Packet | None:
        """The next answer, or ``None`` if the cell has ended.

        Raises:
            TimeoutError: None came in time.
        """
        self._line.settimeout(seconds)
        try:
            packet = self._line.recv(PACKET_BYTES)
        except ConnectionError:
            return None
        if not packet:
            return None
        answer: Packet = json.loads(packet)
        return answer

    def end(self) -> int:
        """End the process, if it has not ended, and say how it did."""
        self.process.kill()
        self._line.close()
        return self.process.wait()


def _heed_name(picture: Picture, suffix: str, size: int) -> Picture:
    if picture.state is not PictureState.NONE:
        return picture
    if suffix.lower() not in PICTURE_SUFFIXES:
        return Picture(PictureState.NONE, reason="not a picture" if size else "the file is empty")
    claims = "its name says that it is a picture, but"
    if size == 0:
        return _unreadable(Unreadable.EMPTY, f"{claims} it is empty")
    return _unreadable(Unreadable.WRONG_NAME, f"{claims} its content is not one")


def _unreadable(unreadable: Unreadable, reason: str, pdq: Pdq | None = None) -> Picture:
    return Picture(PictureState.UNREADABLE, pdq, reason, unreadable=unreadable)
