"""Finding the files that a scan is to look at."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from tutela.errors import InvalidInputError, NotFoundError
from tutela.screening.checkpoint import Found

_MOUNTS = Path("/proc/self/mountinfo")
# What lies in these file systems is made up by the kernel when it is read, some of it without end.
_NOT_STORED = {"proc", "sysfs"}


def check_roots(paths: Sequence[str]) -> list[str]:
    """The paths to scan, made absolute, by which an interrupted scan of them is known again.

    Raises:
        NotFoundError: A path does not exist, or is a link to nothing.
        InvalidInputError: No path was given, or one cannot be a path.
    """
    if not paths:
        raise InvalidInputError("say what to scan: tutela scan PATH...")
    for path in paths:
        if "\0" in path:
            raise InvalidInputError("a path cannot hold a NUL character")
        if not Path(path).exists():
            what = (
                "is a link to a file that is not there"
                if Path(path).is_symlink()
                else ("does not exist")
            )
            raise NotFoundError(f"{path} {what}: check the path")
    return [os.path.abspath(path) for path in paths]  # noqa: PTH100 - leaves links as they are


def find_files(roots: Sequence[str]) -> Iterator[Found]:
    """Every file below the given paths, in the reverse of the order of their names.

    Links to files are followed, links to folders are not, so that there are no circles. A folder
    that cannot be read is given as if it were a file: opening it then says why. ``/proc`` and
    ``/sys`` are passed over on the way from above, but not if they, or what is in them, is asked
    for.
    """
    not_stored = _devices_not_stored()
    # Each path with the device of the folder it was found in.
    waiting: list[tuple[str, int | None]] = [(root, None) for root in roots]
    while waiting:
        path, above = waiting.pop()
        try:
            status = os.stat(path, follow_symlinks=above is None)  # noqa: PTH116 - paths stay text
            if stat.S_ISDIR(status.st_mode):
                if status.st_dev in not_stored and above not in (None, status.st_dev):
                    continue
                with os.scandir(path) as entries:
                    names = sorted(entry.name for entry in entries)
                waiting += ((os.path.join(path, name), status.st_dev) for name in names)  # noqa: PTH118
                continue
            if stat.S_ISLNK(status.st_mode):
                status = os.stat(path)  # noqa: PTH116
                if stat.S_ISDIR(status.st_mode):
                    continue
        except OSError:
            yield Found(path, 0)
            continue
        yield Found(path, status.st_size if stat.S_ISREG(status.st_mode) else 0)


def _devices_not_stored() -> set[int]:
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return set()
    # Such as "22 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw", see proc_pid_mountinfo(5).
    return {
        os.makedev(*map(int, line.split()[2].split(":")))
        for line in mounts
        if line.partition(" - ")[2].split(" ")[0] in _NOT_STORED
    }
