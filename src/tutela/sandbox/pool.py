"""The house's side of the cells: lending them out, and replacing those that break."""

import os
import signal
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from errno import EIO, EISDIR
from queue import LifoQueue
from threading import Event
from types import TracebackType
from typing import BinaryIO, Self

from tutela.errors import OverCapacityError, TutelaError
from tutela.fingerprints.model import (
    Digests,
    FileFingerprints,
    Part,
    Pdq,
    Picture,
    PictureState,
    Unreadable,
)
from tutela.sandbox.formats import PICTURE_SUFFIXES
from tutela.sandbox.model import Keeping, Limits
from tutela.sandbox.packets import Packet, read_digests, read_found
from tutela.sandbox.starting import Cell, reopened

# Zero would mean not to wait at all, not even for what is there.
_NO_TIME = 1e-6
# So many files before its last one, a cell's successor is started: nobody waits for it then.
_AHEAD = 100

HasEnough = Callable[[Digests, Sequence[Part]], bool]
"""Whether, of the video that the last of these parts is a frame of, no more is wanted. It is given
the file's digests and all parts so far, in their order, which only become more."""


class CellPool:
    """Processes in which untrusted files are opened up, each one file at a time.

    A file that breaks its cell costs itself alone: the cell is replaced. Cells are started when
    they are first needed, and end with the pool, or with the process that holds it.

    Args:
        cells: How many files may be opened up at once.
        limits: What one file may cost.
        keeping: How they are kept.
    """

    def __init__(
        self, cells: int, limits: Limits | None = None, keeping: Keeping | None = None
    ) -> None:
        self._closed = Event()
        parts = (limits or Limits(), keeping or Keeping(), self._closed)
        self._seats = tuple(_Seat(*parts) for _ in range(cells))
        # Last in, first out: few callers keep few cells busy.
        self._free: LifoQueue[_Seat] = LifoQueue()
        for seat in reversed(self._seats):
            self._free.put(seat)

    def fingerprint(
        self,
        file: int | BinaryIO,
        *,
        suffix: str = "",
        dihedrals: bool = False,
        has_enough: HasEnough | None = None,
    ) -> FileFingerprints:
        """Take a file's fingerprints. Waits for a free cell; may be called from many threads.

        Args:
            file: An open file that can be sought in, as a descriptor or as a file object. It is
                read from its beginning; its own position stays where it is.
            suffix: What its name ends in, such as ``.jpg``: a file that calls itself a picture
                and is none is unreadable.
            dihedrals: Whether the hashes of the turned and mirrored pictures are wanted too.
            has_enough: Is asked after each frame of a video; the rest of it is left out then.

        Raises:
            OSError: The file cannot be read.
            OverCapacityError: The pool is closed.
            TutelaError: A cell cannot be started.
        """
        with reopened(file) as descriptor:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                # Some file systems would say no more than that it cannot be sought in.
                raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
            seat = self._free.get()
            try:
                found = seat.open_up(descriptor, has_enough, dihedrals=dihedrals)
            finally:
                self._free.put(seat)
        picture = found.picture
        if found.format is None:
            picture = _heed_name(picture, suffix, found.digests.size)
        return found if picture is found.picture else replace(found, picture=picture)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The cells that have been started."""
        return tuple(cell.process.pid for seat in self._seats for cell in seat.occupants)

    def close(self) -> None:
        """End all cells, also in the middle of a file."""
        if self._closed.is_set():
            return
        self._closed.set()
        for seat in self._seats:
            for cell in seat.occupants:
                cell.process.kill()
        # Whoever was using a seat gives it back now, and whoever waits for one must get it.
        for seat in [self._free.get() for _ in self._seats]:
            seat.clear()
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

    def __init__(self, limits: Limits, keeping: Keeping, closed: Event) -> None:
        self.cell: Cell | None = None
        self.next: Cell | None = None
        self._limits = limits
        self._keeping = keeping
        self._closed = closed

    def open_up(
        self, descriptor: int, has_enough: HasEnough | None, *, dihedrals: bool
    ) -> FileFingerprints:
        try:
            cell, packet = self._ask(descriptor, dihedrals)
            digests, picture_format, archive = read_digests(packet)
            picture, parts = self._hear_out(cell, digests, has_enough)
            return FileFingerprints(digests, picture, parts, picture_format, archive)
        except BaseException as error:
            # Interrupted half-way, the cell would give this answer to the next caller.
            self.empty()
            if isinstance(error, KeyError | TypeError | ValueError | RecursionError):
                raise OSError(EIO, "the decoding process gave an answer without sense") from None
            raise

    @property
    def occupants(self) -> tuple[Cell, ...]:
        """The cell, and the one that is to follow it."""
        return tuple(cell for cell in (self.cell, self.next) if cell is not None)

    def empty(self) -> None:
        """End the cell, if there is one."""
        if self.cell is not None:
            self.cell.end()
            self.cell = None

    def clear(self) -> None:
        """End the cell and the one that is to follow it."""
        self.empty()
        if self.next is not None:
            self.next.end()
            self.next = None

    def _ask(self, descriptor: int, dihedrals: bool) -> tuple[Cell, Packet]:
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

    def _hear_out(
        self, cell: Cell, digests: Digests, has_enough: HasEnough | None
    ) -> tuple[Picture, tuple[Part, ...]]:
        """Hear what a cell finds in a file, part by part, until it has come to the end."""
        parts: list[Part] = []
        places: dict[str, int] = {}
        own: Pdq | None = None
        frames = heard = 0
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
            if not found.place:
                own = found.pdq
            elif (known := places.get(found.place)) is not None and found.digests is None:
                # Of a file within, its digests are known before what can be seen of it.
                parts[known] = _together(parts[known], found)
            else:
                places[found.place] = len(parts)
                parts.append(found)
                frames += found.seconds is not None
            if found.seconds is not None and has_enough is not None:
                heard += 1
                if has_enough(digests, parts):
                    cell.say_enough(heard)
            # A frame has up to five looks, and there may be as many between.
            if len(parts) - frames > limits.parts or frames > 10 * limits.video_frames:
                raise ValueError("more parts than any cell tells of")

    def _crashed(self, cell: Cell, own: Pdq | None) -> Picture:
        self._check_open()
        ended_by = cell.end()
        self.cell = None
        if ended_by in (None, -signal.SIGKILL):
            reason = "decoding it was stopped by the system, likely for want of memory"
            return _unreadable(Unreadable.TOO_MUCH_MEMORY, reason, own)
        if ended_by == -signal.SIGXCPU:
            reason = f"took more than {self._limits.cpu_seconds:g} seconds of a processor's time"
            return _unreadable(Unreadable.TOO_SLOW, reason, own)
        if ended_by == -signal.SIGSYS:
            return _unreadable(Unreadable.ATTACK, Unreadable.ATTACK.words, own)
        return _unreadable(Unreadable.CRASHED, "damaged picture: it crashed the decoder", own)

    def _occupy(self) -> Cell:
        self._check_open()
        if self.cell is not None and self.cell.jobs >= self._keeping.jobs:
            self.cell.end()
            self.cell = None
        if self.cell is None:
            self.cell, self.next = self.next or Cell(self._limits, self._keeping), None
            # The pool may have been closed while the cell was not yet there to be ended.
            self._check_open()
            try:
                self.cell.wait_until_ready()
            except TutelaError:
                self._check_open()
                raise
        if self.next is None and self.cell.jobs + _AHEAD >= self._keeping.jobs:
            # If the machine has no room for it now, the next file tries again.
            with suppress(OSError):
                self.next = Cell(self._limits, self._keeping)
            self._check_open()
        return self.cell

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise OverCapacityError("this program is stopping; send the file again later")


def _heed_name(picture: Picture, suffix: str, size: int) -> Picture:
    if picture.state is not PictureState.NONE:
        return picture
    if suffix.lower() not in PICTURE_SUFFIXES:
        return Picture(PictureState.NONE, reason="not a picture" if size else "the file is empty")
    claims = "its name says that it is a picture, but"
    if size == 0:
        return _unreadable(Unreadable.EMPTY, f"{claims} it is empty")
    return _unreadable(Unreadable.WRONG_NAME, f"{claims} its content is not one")


def _together(part: Part, more: Part) -> Part:
    return replace(
        part,
        pdq=part.pdq or more.pdq,
        unreadable=part.unreadable or more.unreadable,
        decoder=part.decoder or more.decoder,
    )


def _unreadable(unreadable: Unreadable, reason: str, pdq: Pdq | None = None) -> Picture:
    return Picture(PictureState.UNREADABLE, pdq, reason, unreadable=unreadable)
