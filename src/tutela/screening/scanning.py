"""Scanning folders: every file through the cells, many at a time, answered in order."""

import errno
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import PurePath

from tutela.errors import StorageError
from tutela.evidence.model import ContentChangedError
from tutela.ledger.model import SYSTEM, Actor
from tutela.sandbox.pool import CellPool
from tutela.screening.checkpoint import Checkpoint, Found, Scan
from tutela.screening.fingerprinting import known_of
from tutela.screening.model import Known, Screened
from tutela.screening.screening import Screener, Submission, request_name

_ORIGIN = "scan"
# How far the cells may run ahead of the file whose answer is awaited.
_AHEAD = 256
# How many answers are looked up together. More are quicker, but are shown later.
_TOGETHER = 16
_SAVE_SECONDS = 1.0
_PIECE = 1 << 20
# Not the file's fault.
_OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


@dataclass(frozen=True, slots=True)
class Scanned:
    """One file's outcome.

    Attributes:
        file: Which file.
        screened: The verdict.
    """

    file: Found
    screened: Screened


def scan(
    checkpoint: Checkpoint,
    cells: CellPool,
    cell_count: int,
    screener: Screener,
    save_counts: Callable[[], None],
    *,
    actor: Actor = SYSTEM,
) -> Generator[Scanned]:
    """Scan what the checkpoint says is still to do, in its order.

    When the next outcome is asked for, those before it are taken as dealt with, and their paths
    are forgotten. Closing the iterator early leaves the rest in the checkpoint; then, as after any
    error, the cells are closed too, since a file under way may take minutes.

    Args:
        checkpoint: What is to be done.
        cells: Where files are opened up.
        cell_count: How many files are worked on at once.
        screener: Judges them.
        save_counts: Saves what the screener has counted. It is called before the scan has to wait
            for a file, and at least every second; at the end it is the caller's to save the rest.
        actor: Who scans, for the ledger.

    Raises:
        StorageError: The database or the vault fails; the scan can be resumed.
    """
    remaining = checkpoint.remaining()
    look = partial(_look_at, cells=cells, screener=screener)
    working: deque[tuple[Found, Future[Known | str]]] = deque()
    saved = time.monotonic()
    with ThreadPoolExecutor(cell_count, thread_name_prefix="scan") as threads:
        try:
            while True:
                for file in islice(remaining, _AHEAD - len(working)):
                    working.append((file, threads.submit(look, _full_path(checkpoint.scan, file))))
                if not working:
                    return
                ready = [working.popleft() for _ in range(min(_TOGETHER, len(working)))]
                must_wait = not all(looking.done() for _, looking in ready)
                if must_wait or time.monotonic() - saved >= _SAVE_SECONDS:
                    save_counts()
                    saved = time.monotonic()
                scanned = list(_judge(checkpoint, screener, ready, actor))
                yield from scanned
                checkpoint.done(
                    [each.file for each in scanned],
                    [each.screened.verdict for each in scanned],
                    passed=sum(each.screened.is_let_pass for each in scanned),
                )
        except BaseException:
            # Before the threads are waited for, which wait for the cells.
            threads.shutdown(wait=False, cancel_futures=True)
            cells.close()
            raise


def _judge(
    checkpoint: Checkpoint,
    screener: Screener,
    ready: list[tuple[Found, Future[Known | str]]],
    actor: Actor,
) -> Iterator[Scanned]:
    looked_at = [(file, future.result()) for file, future in ready]
    # A scan may take days, in which lists change.
    screener.refresh()
    verdicts = iter(
        screener.screen_many(
            [
                Submission(
                    known,
                    name=_full_path(checkpoint.scan, file),
                    origin=_ORIGIN,
                    request=request_name(_ORIGIN, checkpoint.scan.id, file.path),
                    content=partial(_read, _full_path(checkpoint.scan, file)),
                    actor=actor,
                )
                for file, known in looked_at
                if isinstance(known, Known)
            ]
        )
    )
    for file, known in looked_at:
        if isinstance(known, Known):
            yield Scanned(file, next(verdicts))
        else:
            suffix = PurePath(file.path).suffix
            yield Scanned(file, screener.count_not_read(known, suffix))


def _full_path(scan: Scan, file: Found) -> str:
    return os.path.join(scan.started_in, file.path)  # noqa: PTH118 - paths stay text


def _look_at(path: str, *, cells: CellPool, screener: Screener) -> Known | str:
    """The file's fingerprints, or why it could not be opened."""
    try:
        descriptor = _open(path)
    except OSError as error:
        return _why(error)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "it is not a regular file"
        return known_of(cells, descriptor, PurePath(path).suffix, screener)
    except OSError as error:
        return _why(error)
    finally:
        os.close(descriptor)


def _read(path: str) -> Iterator[bytes]:
    """The bytes of a file that has matched, once more from its beginning.

    Raises:
        ContentChangedError: It is gone, or cannot be read any more.
        StorageError: This process can open no more files.
    """
    try:
        descriptor = _open(path)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ContentChangedError("it is no longer a regular file")
            while piece := os.read(descriptor, _PIECE):
                yield piece
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in _OURS:
            raise StorageError(
                f"a file cannot be read to be sealed ({error.strerror}): raise the limits of this "
                "process, then go on with --resume"
            ) from error
        raise ContentChangedError(_why(error)) from error


def _open(path: str) -> int:
    # Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _why(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "it is no longer there, or is a link to nothing"
        case PermissionError():
            return "this user may not read it"
        case _:
            return f"it cannot be read: {error.strerror}"
