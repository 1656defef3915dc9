"""Sealing a cell: layer upon layer, it gives up for good what decoding has no need of.

All of it is done before the first byte that is not trusted. Each layer by itself stops most of what
a decoder that was taken over could do; whoever wants out has to break through all of them.
"""

import ctypes
import os
import resource
import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from tutela.sandbox import landlock, namespaces, seccomp
from tutela.sandbox.asking import LIBC, granted
from tutela.sandbox.model import Layer, Limits

_OPEN_FILES = 32
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
# Of linux/capability.h: the third version, whose sets have 64 bits.
_CAPABILITIES, _NONE = (0x20080522, 0), (0,) * 6


def idle_bytes() -> int:
    """How large this process is before it has opened any file, in addresses and not in memory."""
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()


def confine(
    limits: Limits, layers: Iterable[Layer] = tuple(Layer), *, idle: int | None = None
) -> Mapping[Layer, str]:
    """Seal this process. It should be its only thread; what it starts later is sealed with it.

    Args:
        limits: What one file may cost.
        layers: What it is sealed by; all layers by default.
        idle: Its ``idle_bytes``, where ``/proc`` is out of reach already.

    Returns:
        The layers that are lacking, each with the reason.
    """
    lacking = {}
    idle = idle_bytes() if idle is None else idle
    threads = _threads()
    # From the outside in: an inner layer would forbid to put on an outer one.
    for layer in Layer:
        if layer not in layers:
            continue
        try:
            _put_on(layer, limits, idle)
            if layer is Layer.LANDLOCK and threads > 1:
                raise OSError("it was put on too late: other threads ran already")
        except (OSError, ValueError) as error:
            lacking[layer] = getattr(error, "strerror", None) or str(error)
    return lacking


def confine_splitting(limits: Limits) -> int:
    """Seal a cell that splits off processes, by the layers that leave it that.

    Returns:
        Its ``idle_bytes``, for ``confine_split``.
    """
    idle = idle_bytes()
    confine(limits, (Layer.NAMESPACES,), idle=idle)
    return idle


def confine_split(limits: Limits, idle: int) -> Mapping[Layer, str]:
    """Seal a process that such a cell has split off, and have it end with the cell.

    Returns:
        As ``confine``.
    """
    LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    rest = [layer for layer in Layer if layer is not Layer.NAMESPACES]
    return confine(limits, rest, idle=idle)


def confine_program(memory_bytes: int, but_read: Iterable[Path]) -> None:
    """Confine this process, which is about to become a program that speaks with the network.

    It ends with the thread that started it, has no powers and gains none, and reads no files but
    these where the kernel has Landlock. What the cells give up besides, the network and most calls
    of the system, such a program needs.

    Args:
        memory_bytes: How large it may become, in addresses and not in memory.
        but_read: What it may still read, such as its libraries.
    """
    LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _limit(memory_bytes)
    _give_up_privileges()
    with suppress(OSError):
        landlock.give_up_files_and_network(but_read)


def _put_on(layer: Layer, limits: Limits, idle: int) -> None:
    match layer:
        case Layer.LIMITS:
            _limit(idle + limits.memory_bytes)
        case Layer.NAMESPACES:
            namespaces.leave()
        case Layer.PRIVILEGES:
            _give_up_privileges()
        case Layer.LANDLOCK:
            _keep_from_rising()
            landlock.give_up_files_and_network()
        case Layer.SECCOMP:
            _keep_from_rising()
            seccomp.filter_calls()


def _limit(addresses: int) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, addresses),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _give_up_privileges() -> None:
    _keep_from_rising()
    wanted = (ctypes.c_uint32 * 2)(*_CAPABILITIES), (ctypes.c_uint32 * 6)(*_NONE)
    granted(LIBC.capset(*map(ctypes.byref, wanted)))
    # Then not even another cell may look into its memory.
    granted(LIBC.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))


def _keep_from_rising() -> None:
    granted(LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208
    except OSError:
        # Split off from a process that has left the machine's files: there is but this one.
        return 1
