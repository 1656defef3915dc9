"""What lets an interrupted scan go on: the paths still to do, and how many files are done.

The file begins with a header of numbers and the paths that were asked for. Then it holds one path
a line, the last one to do first, and is cut shorter from its end as files are done. So of a file
that is done it holds nothing but a count. It is erased when the scan ends or is abandoned
(``docs/decisions/0010``).
"""

import fcntl
import json
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tutela.errors import NotFoundError, StorageError
from tutela.screening.model import Verdict

_BLOCK = 1 << 16
_UNFINISHED = ".finding"
_READY = ".todo"


@dataclass(frozen=True, slots=True)
class Found:
    """A file to be scanned.

    Attributes:
        path: As it is shown, from the folder in which the scan was started.
        size: Bytes when it was found; 0 if it could not be seen.
    """

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan that has been begun.

    Attributes:
        id: Its own random name.
        roots: The paths that were asked for, absolute.
        started_in: The folder from which the files' paths lead.
        files: Number of files found, done or not.
        size: Their bytes.
        verdicts: How many of the files are done, by verdict.
        size_done: Their bytes.
        passed: How many of the unreadable ones the policy lets pass.
    """

    id: str
    roots: tuple[str, ...]
    started_in: str
    files: int = 0
    size: int = 0
    verdicts: Mapping[Verdict, int] = field(default_factory=Counter)
    size_done: int = 0
    passed: int = 0


class Checkpoint:
    """The open checkpoint of one scan. While it is open no other process can take it.

    Attributes:
        scan: The scan, with what of it is done.
    """

    def __init__(self, file: Path, descriptor: int) -> None:
        self._file = file
        self._descriptor = descriptor
        header = _first_line(descriptor)
        self._start = len(header)
        self.scan, self._end = _read_header(header)

    @classmethod
    def begin(
        cls, folder: Path, roots: Sequence[str], found: Iterable[Found], started_in: str = "/"
    ) -> "Checkpoint":
        """Write down what is to be done.

        Args:
            folder: Where checkpoints are kept; made where it is missing.
            roots: The paths that were asked for, absolute.
            found: The files, the last one to do first.
            started_in: The folder from which their paths lead.

        Raises:
            StorageError: The folder cannot be written.
        """
        try:
            name = secrets.token_hex(8)
            file = folder / f"{name}{_UNFINISHED}"
            with _alone_in(folder):
                _clear_unfinished(folder)
                descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                _write(descriptor, Scan(name, tuple(roots), started_in), found)
                file = file.rename(file.with_suffix(_READY))
            except BaseException:
                file.unlink(missing_ok=True)
                os.close(descriptor)
                raise
        except OSError as error:
            raise _cannot_be_written(folder, error) from None
        return cls(file, descriptor)

    def remaining(self) -> Iterator[Found]:
        """The files still to do, in order."""
        for line in _lines_backwards(self._descriptor, self._start, self._end):
            path, size = json.loads(line)
            yield Found(path, size)

    def done(self, files: Sequence[Found], verdicts: Iterable[Verdict], *, passed: int = 0) -> None:
        """Forget files that are done, and count them.

        Args:
            files: Those that ``remaining`` gives next, in its order.
            verdicts: Theirs, in any order.
            passed: How many of the unreadable ones the policy lets pass.
        """
        self._end -= sum(len(_line(file)) for file in files)
        self.scan = replace(
            self.scan,
            verdicts=Counter(self.scan.verdicts) + Counter(verdicts),
            size_done=self.scan.size_done + sum(file.size for file in files),
            passed=self.scan.passed + passed,
        )
        # The header tells where the paths end: killed after this line, no file is counted twice.
        os.pwrite(self._descriptor, _header(self.scan, self._end), 0)
        os.ftruncate(self._descriptor, self._end)

    def close(self) -> None:
        """Let go of the file; what is still to do stays written down."""
        os.close(self._descriptor)

    def erase(self) -> None:
        """End or abandon the scan: nothing of it is kept."""
        # In this order: once it is closed, another process may take it and resume what has ended.
        self._file.unlink(missing_ok=True)
        self.close()


def resume(folder: Path, roots: Sequence[str]) -> Checkpoint:
    """Open the checkpoint of the interrupted scan of these paths, or of the last one if none given.

    Raises:
        NotFoundError: There is none.
        StorageError: The folder cannot be written.
    """
    with _alone_in(folder):
        for file, descriptor in _interrupted(folder, roots):
            return Checkpoint(file, descriptor)
    what = "of these paths " if roots else ""
    raise NotFoundError(f"there is no interrupted scan {what}to resume: start one without --resume")


def abandon(folder: Path, roots: Sequence[str]) -> int:
    """Erase the checkpoints of interrupted scans of these paths, or all if none are given.

    Returns:
        How many there were.

    Raises:
        StorageError: The folder cannot be written.
    """
    erased = 0
    with _alone_in(folder):
        _clear_unfinished(folder)
        for file, descriptor in _interrupted(folder, roots):
            file.unlink(missing_ok=True)
            os.close(descriptor)
            erased += 1
    return erased


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from looking through the folder, or beginning a file there."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The folder itself is locked, so that no lock file stays behind.
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _cannot_be_written(folder, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _cannot_be_written(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"the scan's checkpoint cannot be written in {folder}: {error.strerror}; "
        "free some space or choose another data folder with --data"
    )


def _interrupted(folder: Path, roots: Sequence[str]) -> Iterator[tuple[Path, int]]:
    for file in sorted(folder.glob(f"*{_READY}"), key=_last_written, reverse=True):
        descriptor = _take(file)
        if descriptor is None:
            continue
        if not roots or _read_header(_first_line(descriptor))[0].roots == tuple(roots):
            yield file, descriptor
        else:
            os.close(descriptor)


def _last_written(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        # Its scan has just ended.
        return 0


def _clear_unfinished(folder: Path) -> None:
    # A scan that was killed while it still looked for files left a file of paths behind.
    for file in folder.glob(f"*{_UNFINISHED}"):
        descriptor = _take(file)
        if descriptor is not None:
            file.unlink(missing_ok=True)
            os.close(descriptor)


def _take(file: Path) -> int | None:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if os.fstat(descriptor).st_nlink == 0:
        # Between opening and locking it, its scan has ended.
        os.close(descriptor)
        return None
    return descriptor


def _write(descriptor: int, scan: Scan, found: Iterable[Found]) -> None:
    files = size = 0
    with os.fdopen(os.dup(descriptor), "wb") as writer:
        writer.write(_header(scan, 0))
        for each in found:
            files += 1
            size += each.size
            writer.write(_line(each))
        end = writer.tell()
        writer.seek(0)
        writer.write(_header(replace(scan, files=files, size=size), end))
        writer.flush()
        os.fsync(descriptor)


def _line(found: Found) -> bytes:
    return json.dumps([found.path, found.size]).encode("ascii") + b"\n"


def _header(scan: Scan, end: int) -> bytes:
    # The numbers change, so they have a fixed width and are written over. They come first, to lie
    # in one page of memory, which is written whole or not at all when the process is killed.
    verdicts = [scan.verdicts.get(verdict, 0) for verdict in Verdict]
    numbers = [end, scan.files, scan.size, scan.size_done, scan.passed, *verdicts]
    fields = [[f"{number:020d}" for number in numbers], scan.id, scan.roots, scan.started_in]
    return json.dumps(fields).encode("ascii") + b"\n"


def _read_header(header: bytes) -> tuple[Scan, int]:
    """The scan, and where its paths end."""
    numbers, name, roots, started_in = json.loads(header)
    end, files, size, size_done, passed, *verdicts = map(int, numbers)
    counts = Counter(dict(zip(Verdict, verdicts, strict=True)))
    return Scan(name, tuple(roots), started_in, files, size, counts, size_done, passed), end


def _first_line(descriptor: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        block = os.pread(descriptor, _BLOCK, len(line))
        if not block:
            break
        cut = block.find(b"\n")
        line += block if cut < 0 else block[: cut + 1]
    return line


def _lines_backwards(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    rest = b""
    while end > start:
        begin = max(start, end - _BLOCK)
        rest = os.pread(descriptor, end - begin, begin) + rest
        end = begin
        lines = rest.split(b"\n")
        # The first piece may be the tail of a line that begins in the block before.
        rest = lines.pop(0)
        for line in reversed(lines):
            if line:
                yield line
    if rest:
        yield rest
