"""Finding the files that a scan is to look at."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from tutela.errors import InvalidInputError, NotFoundError
from tutela.screening.checkpoint import Found


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
    that cannot be read is given as if it were a file: opening it then says why.
    """
    waiting = [(root, True) for root in roots]
    while waiting:
        path, follow = waiting.pop()
        try:
            status = os.stat(path, follow_symlinks=follow)  # noqa: PTH116 - paths stay text
            if stat.S_ISDIR(status.st_mode):
                with os.scandir(path) as entries:
                    names = sorted(entry.name for entry in entries)
                waiting += ((os.path.join(path, name), False) for name in names)  # noqa: PTH118
                continue
            if stat.S_ISLNK(status.st_mode):
                status = os.stat(path)  # noqa: PTH116
                if stat.S_ISDIR(status.st_mode):
                    continue
        except OSError:
            yield Found(path, 0)
            continue
        yield Found(path, status.st_size if stat.S_ISREG(status.st_mode) else 0)
