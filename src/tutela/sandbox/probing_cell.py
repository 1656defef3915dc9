"""A cell that opens no file but tries to get out, to show which layers hold here.

It is started as ``python -m tutela.sandbox.probing_cell SOCKET LIMITS``, as every cell is, and
answers once: which layers are lacking and why, and what could be done all the same, first under
each layer alone and then under all of them. Each attempt is made in a process of its own, since the
best answer to it is to end that. None would do any harm if it were not refused. It also says which
version of libarchive it finds.
"""

import ctypes
import json
import mmap
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tutela.sandbox import landlock, libarchive, libjxl
from tutela.sandbox.asking import LIBC, granted
from tutela.sandbox.model import Layer, Limits
from tutela.sandbox.sealing import confine

_PTRACE_SEIZE = 0x4206
_PR_GET_DUMPABLE, _PR_GET_NO_NEW_PRIVS = 3, 39
_IO_URING_SETUP = 425
# Of Landlock: since when it refuses these.
_CONNECTIONS, _SIGNALS = 4, 6
# Nobody listens there; to be told so is to have got out.
_NOWHERE = ("127.0.0.1", 9)
_BEYOND_BYTES = 256 << 20
# Should the house be gone by then.
_MOST_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that a cell must not be able to do.

    Attributes:
        name: What it is, for people.
        make: Does it. ``PermissionError`` and other errors say that it was refused.
        layers: Each of these refuses it alone.
    """

    name: str
    make: Callable[[Limits], None]
    layers: frozenset[Layer]


def attempts() -> tuple[Attempt, ...]:
    """Everything that is tried; what Landlock refuses depends on its version."""
    rights = landlock.version()
    files = {Layer.NAMESPACES, Layer.LANDLOCK, Layer.SECCOMP}
    others = {Layer.LANDLOCK, Layer.SECCOMP} if rights >= _SIGNALS else {Layer.SECCOMP}
    connections = files if rights >= _CONNECTIONS else files - {Layer.LANDLOCK}
    known: tuple[tuple[str, Callable[[Limits], None], set[Layer]], ...] = (
        ("take more memory than it may", _take_memory, {Layer.LIMITS}),
        ("write to a file that is open", _write, {Layer.LIMITS, Layer.SECCOMP}),
        ("rise to more privileges", _rise, {Layer.PRIVILEGES}),
        ("open a file", _open, files),
        ("make a file", _make, files),
        ("look a file up", _look_up, {Layer.NAMESPACES, Layer.SECCOMP}),
        ("run a program", _run, files),
        ("start a process", _start, {Layer.SECCOMP}),
        ("open a connection", _connect, connections),
        ("send a datagram", _send, {Layer.NAMESPACES, Layer.SECCOMP}),
        ("signal another process", _signal, others),
        ("trace another process", _trace, files),
        ("read another process's memory", _read_memory, files),
        ("make memory that can be run", _make_program, {Layer.SECCOMP}),
        ("reach deep into the kernel", _reach_deep, {Layer.SECCOMP}),
    )
    return tuple(Attempt(name, make, frozenset(layers)) for name, make, layers in known)


def main(arguments: list[str]) -> None:
    """Try everything and answer."""
    house, limits = socket.socket(fileno=int(arguments[0])), Limits.of(arguments[1])
    known = attempts()
    answer: dict[str, object] = {
        "libarchive": libarchive.version(),
        "libjxl": libjxl.version(),
    }
    for layers in (*((layer,) for layer in Layer), tuple(Layer)):
        wanted = [each for each in known if len(layers) > 1 or layers[0] in each.layers]
        lacking = _lacking(layers, limits)
        done = (
            [each.name for each in wanted if _could(each, layers, limits)]
            if lacking is not None
            else []
        )
        name = layers[0] if len(layers) == 1 else "all"
        answer[name] = {"lacking": lacking, "done": done}
    house.send(json.dumps(answer).encode())


def _lacking(layers: Iterable[Layer], limits: Limits) -> Mapping[str, str]:
    said, _ = _in_its_own(lambda: json.dumps(confine(limits, layers)))
    return dict(json.loads(said)) if said else dict.fromkeys(layers, "putting it on broke")


def _could(attempt: Attempt, layers: Iterable[Layer], limits: Limits) -> bool:
    """Whether this can be done under these layers."""

    def try_it() -> str:
        confine(limits, layers)
        try:
            attempt.make(limits)
        except (OSError, ValueError):
            return "refused"
        return "done"

    said, ended = _in_its_own(try_it)
    # Another program was run in its place, if it ended well without a word.
    return said == "done" or (not said and ended == 0)


def _in_its_own(act: Callable[[], str]) -> tuple[str, int]:
    """What this says in a process of its own, and how that ended."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            process = os.fork()
            if process == 0:
                try:
                    theirs.send(act().encode())
                finally:
                    os._exit(1)
        said = ours.recv(1 << 12).decode()
        return said, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _take_memory(limits: Limits) -> None:
    mmap.mmap(-1, limits.memory_bytes + _BEYOND_BYTES).close()


def _write(_: Limits) -> None:
    os.pwrite(_SCRATCH, b"x", 0)


def _rise(_: Limits) -> None:
    if LIBC.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) and not LIBC.prctl(
        _PR_GET_DUMPABLE, 0, 0, 0, 0
    ):
        # A right of root's, used to no effect.
        os.chroot("/")


def _open(_: Limits) -> None:
    os.open(sys.executable, os.O_RDONLY)


def _make(_: Limits) -> None:
    path = Path(_FOLDER) / f"tutela-probe-{os.getpid()}"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    path.unlink()


def _look_up(_: Limits) -> None:
    os.stat(sys.executable)  # noqa: PTH116


def _run(_: Limits) -> None:
    os.execv(sys.executable, [sys.executable, "-S", "-c", ""])  # noqa: S606


def _start(_: Limits) -> None:
    if os.fork() == 0:
        os._exit(0)


def _connect(_: Limits) -> None:
    with socket.socket() as line:
        try:
            line.connect(_NOWHERE)
        except ConnectionRefusedError:
            return


def _send(_: Limits) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as line:
        line.sendto(b"x", _NOWHERE)


def _signal(_: Limits) -> None:
    os.kill(os.getppid(), 0)


def _trace(_: Limits) -> None:
    granted(LIBC.ptrace(_PTRACE_SEIZE, os.getppid(), None, None))


def _read_memory(_: Limits) -> None:
    # Split off, this process has everything where the other one has it.
    word = ctypes.create_string_buffer(8)
    place = (ctypes.c_size_t * 2)(ctypes.addressof(word), 8)
    one = ctypes.c_ulong(1)
    granted(LIBC.process_vm_readv(os.getppid(), place, one, place, one, 0))


def _make_program(_: Limits) -> None:
    mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_EXEC).close()


def _reach_deep(_: Limits) -> None:
    try:
        granted(LIBC.syscall(_IO_URING_SETUP, 1, None))
    except PermissionError:
        raise
    except OSError:
        return


_FOLDER = tempfile.gettempdir()
_SCRATCH = os.memfd_create("scratch")

if __name__ == "__main__":
    signal.alarm(_MOST_SECONDS)
    main(sys.argv[1:])
