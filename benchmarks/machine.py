"""What is measured on, and how much else it had to do meanwhile."""

import os
import platform
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tutela.kernel.library import variant

_PACKAGES = (
    *(
        "tutela",
        "numpy",
        "pillow",
        "simplejpeg",
        "pdqhash",
        "faiss-cpu",
        "usearch",
        "fastapi",
        "lxml",
    ),
    *("uvicorn", "uvloop", "flask", "gunicorn"),
)
_READ_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a measurement was made.

    Attributes:
        processor: Its model.
        cores: How many this process may use.
        memory_gib: Of the whole machine.
        system: Kernel and Python.
        kernel: The variant of Tutela's compiled kernel in use.
        versions: Packages by name.
    """

    processor: str
    cores: int
    memory_gib: float
    system: str
    kernel: str
    versions: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        packages = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gib:.0f} GiB; {self.system}; "
            f"kernel: {self.kernel}; {packages}"
        )


def describe() -> Machine:
    """This machine, and what is installed on it."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30),
        system=f"{platform.system()} {platform.release().partition('-')[0]}, "
        f"{platform.python_implementation()} {platform.python_version()}",
        kernel=str(variant()),
        versions={name: version(name) for name in _PACKAGES},
    )


def keep_to_two_cores() -> int:
    """Keep this process, and all that it starts, to two cores; gives how many there are then."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores)
    return len(cores)


def busy_seconds() -> float:
    """Processor time that the whole machine has spent so far on anything, on all cores."""
    words = Path("/proc/stat").read_text().partition("\n")[0].split()
    user, nice, system, _idle, _waiting, *interrupts_and_stolen = map(int, words[1:9])
    ticks = user + nice + system + sum(interrupts_and_stolen)
    return ticks / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Processor time of this process and, once they have ended, of those it started."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def await_quiet(longest: float, *, idle: float = 0.9, seconds: float = 5.0) -> None:
    """Wait until the machine has little else to do, or for so many seconds at the longest."""
    until = time.monotonic() + longest
    while time.monotonic() < until:
        begin, busy = time.perf_counter(), busy_seconds()
        time.sleep(seconds)
        cores = len(os.sched_getaffinity(0))
        if busy_seconds() - busy < (1 - idle) * cores * (time.perf_counter() - begin):
            return


def available_bytes() -> int:
    """Memory that may still be taken."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    raise RuntimeError("the system does not say how much memory is free")


def read_once(data: NDArray[np.uint64]) -> int:
    """Read memory once, in one thread, as fast as NumPy can."""
    return int(np.bitwise_or.reduce(data))


def bandwidth() -> float:
    """Bytes that one thread reads from memory in a second: the best of a few passes."""
    data = np.ones(_READ_BYTES // 8, np.uint64)
    best = float("inf")
    for _ in range(7):
        begin = time.perf_counter()
        read_once(data)
        best = min(best, time.perf_counter() - begin)
    return _READ_BYTES / best


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
