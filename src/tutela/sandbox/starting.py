"""Starting a cell, speaking with it, and ending it without waiting for what does not come."""

import json
import os
import resource
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import ETIMEDOUT
from typing import BinaryIO

from tutela.errors import SettingsError, TutelaError
from tutela.kernel.library import VARIABLE as KERNEL_VARIABLE
from tutela.sandbox.model import NEEDED_LAYERS, PACKET_BYTES, Keeping, Limits
from tutela.sandbox.packets import Packet

_START_SECONDS = 60
# A process that is killed may still hang in a disk that does not answer.
_DYING_SECONDS = 2
# What a file may take to be read and digested: no disk or processor in use is slower.
_READ_BYTES_A_SECOND = 1 << 20
_DIGESTED_BYTES_A_SECOND = 1 << 25
# What a cell is told of the house's environment: where programs and libraries are, and no more,
# since there may be passwords in it.
_ENVIRONMENT = (
    *("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH"),
    KERNEL_VARIABLE,
)
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
STRICT = "strict"
"""A cell started with this opens nothing where it cannot be sealed whole."""


class CellProcess:
    """The process of a cell, and the line to it; used by one thread at a time.

    Attributes:
        process: Its process.

    Args:
        program: The module that it runs.
        limits: What one file may cost.
        keeping: Whether it is to open nothing if it cannot be sealed.
    """

    def __init__(self, program: str, limits: Limits, keeping: Keeping) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = _start(program, theirs, limits, keeping)

    def first_answer(self) -> Packet | None:
        """What it says when it has started; ``None`` if it does not start."""
        try:
            return self.hear(_START_SECONDS)
        except OSError:
            return None

    def hear(self, seconds: float) -> Packet | None:
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

    def end(self) -> int | None:
        """End the process, if it has not ended, and say how it did; ``None`` if it does not end.

        Such a one is left to itself, and buried when another process is started.
        """
        self.process.kill()
        self._line.close()
        try:
            return self.process.wait(_DYING_SECONDS)
        except subprocess.TimeoutExpired:
            return None


class Cell(CellProcess):
    """A running cell that takes fingerprints.

    Attributes:
        jobs: How many files it has been given.
    """

    def __init__(self, limits: Limits, keeping: Keeping) -> None:
        super().__init__("tutela.sandbox.cell", limits, keeping)
        self.jobs = 0
        self._limits = limits
        # How Linux counts the processor's time of another process (linux/posix-timers.h).
        self._clock = (~self.process.pid << 3) | 2

    def wait_until_ready(self) -> None:
        """Wait until it has started.

        Raises:
            SettingsError: It cannot be sealed here, and is to be.
            TutelaError: It does not start.
        """
        answer = self.first_answer()
        if answer is None:
            raise TutelaError(
                "a decoding process cannot be started; to see why, run: "
                f"{sys.executable} -c 'import tutela.sandbox.cell'"
            )
        if not answer["ready"]:
            raise SettingsError(refusal(answer["lacking"]))

    def ask(self, descriptor: int, *, dihedrals: bool) -> Packet | None:
        """Hand a file over and wait for its digests; as ``hear``.

        Raises:
            OSError: They did not come in time.
        """
        if self._says_something():
            # Nobody asked. What it would say of the next file cannot be believed either.
            return None
        self.jobs += 1
        size = os.fstat(descriptor).st_size
        self._allow_time(self._limits.cpu_seconds + size / _DIGESTED_BYTES_A_SECOND)
        request = json.dumps({"dihedrals": dihedrals}).encode()
        try:
            socket.send_fds(self._line, [request], [descriptor])
        except ConnectionError:
            return None
        try:
            return self.hear(self._limits.seconds + size / _READ_BYTES_A_SECOND)
        except TimeoutError:
            raise OSError(ETIMEDOUT, "it took too long to be read") from None

    def say_enough(self, frames: int) -> None:
        """Say that no more is wanted of the video of which so many frames of a file were heard."""
        # Of no use any more if it has ended; and if it does not listen, it goes on as before.
        with suppress(OSError):
            self._line.send(json.dumps({"enough": frames}).encode(), socket.MSG_DONTWAIT)

    def _says_something(self) -> bool:
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        return any(
            events & select.POLLIN and not events & select.POLLHUP for _, events in poll.poll(0)
        )

    def _allow_time(self, seconds: float) -> None:
        """Let the cell use so much more of a processor's time, and then have the kernel end it."""
        # It may have ended by now, which is seen when it is asked.
        with suppress(OSError, ValueError):
            used = time.clock_gettime(self._clock)
            pid = self.process.pid
            _, most = resource.prlimit(pid, resource.RLIMIT_CPU)
            resource.prlimit(pid, resource.RLIMIT_CPU, (int(used + seconds) + 1, most))


def _start(
    program: str, line: socket.socket, limits: Limits, keeping: Keeping
) -> subprocess.Popen[bytes]:
    told = [str(line.fileno()), limits.text, *([STRICT] if keeping.strict else [])]
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-P", "-W", "ignore", "-m", program, *told],
        env=environment(),
        pass_fds=[line.fileno()],
        stdin=subprocess.DEVNULL,
        # Codecs write warnings there, which may hold names from within a file.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C in a terminal is for the house, which then ends its cells.
        start_new_session=True,
    )


def lacks_needed(lacking: Iterable[str]) -> bool:
    """Whether a cell is not sealed where these layers are lacking."""
    return any(layer in NEEDED_LAYERS for layer in lacking)


def refusal(lacking: Mapping[str, str]) -> str:
    """Why nothing is opened, in a line.

    Args:
        lacking: The layers that are, each with the reason.
    """
    reasons = "; ".join(f"{layer}: {reason}" for layer, reason in lacking.items())
    return (
        f"sandbox.strict is set, but cells cannot be sealed here ({reasons}): see docs/sandbox.md "
        "for what the kernel and a container have to allow, or set sandbox.strict to false"
    )


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


def environment() -> dict[str, str]:
    """What a process of ours is told of the house's environment."""
    known = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return known | _ONE_THREAD
