"""What is measured on, and how much else it had to do meanwhile."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("tutela", "numpy", "pillow", "pdqhash", "faiss-cpu")


def keep_to_two_cores() -> int:
    """Keep this process, and all that it starts, to two cores; gives how many there are then."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores)
    return len(cores)


def describe() -> str:
    """The processor, the system and the versions, in one line."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores; {platform.system()} "
        f"{platform.release().partition('-')[0]}, {platform.python_implementation()} "
        f"{platform.python_version()}; {packages}"
    )


def busy_seconds() -> float:
    """Processor time that the whole machine has spent so far on anything, on all cores."""
    words = Path("/proc/stat").read_text().partition("\n")[0].split()
    user, nice, system, _idle, _waiting, *interrupts_and_stolen = map(int, words[1:9])
    ticks = user + nice + system + sum(interrupts_and_stolen)
    return ticks / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
