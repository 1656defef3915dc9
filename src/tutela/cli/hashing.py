"""``tutela hash``: the fingerprints of files."""

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Annotated

import typer

from tutela.cli.acting import needs
from tutela.cli.output import print_error, print_json, print_line
from tutela.fingerprints.model import (
    DIHEDRALS,
    Digests,
    FileFingerprints,
    Part,
    Pdq,
    PictureState,
    VideoFrame,
)
from tutela.fingerprints.vpdq import clock_words, frame_texts
from tutela.sandbox.pool import CellPool
from tutela.screening.opening import keeping_of, limits_of
from tutela.screening.videos import videos_among
from tutela.storage.settings import load_settings

_STANDARD_INPUT = "-"


@needs(None)
def hash_files(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files to hash; - is standard input.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    dihedrals: Annotated[
        bool,
        typer.Option(
            "--dihedrals", help="Also print the PDQ hashes of the turned and mirrored picture."
        ),
    ] = False,
) -> int:
    """Print the MD5, SHA-1, SHA-256 and, for pictures, the PDQ hash of files.

    PDQ hashes come with a quality from 0 to 100. Below the setting policy.min_quality, which is
    50 by default, a picture is too flat to be compared. Nothing is stored or looked up.
    """
    settings = load_settings()
    failed = False
    with (
        CellPool(settings.cells, limits_of(settings), keeping_of(settings)) as cells,
        ThreadPoolExecutor(settings.cells) as threads,
    ):
        try:
            for file, found in zip(
                files,
                threads.map(lambda file: _hash_file(file, cells, dihedrals), files),
                strict=True,
            ):
                if isinstance(found, str):
                    print_error(f"{file}: {found}")
                    failed = True
                elif json:
                    print_json(_as_json(file, found))
                else:
                    _print_block(file, found, settings.policy.min_quality)
        except BaseException:
            cells.close()
            threads.shutdown(cancel_futures=True)
            raise
    return 2 if failed else 0


def _hash_file(file: str, cells: CellPool, dihedrals: bool) -> FileFingerprints | str:
    """A file's fingerprints, or why there are none and what to do."""
    try:
        with _opened(file) as descriptor:
            return cells.fingerprint(descriptor, suffix=PurePath(file).suffix, dihedrals=dihedrals)
    except OSError as error:
        return _explain(file, error)


@contextmanager
def _opened(file: str) -> Iterator[int]:
    if file == _STANDARD_INPUT:
        # A pipe can be read only once, so what comes through it is kept in memory.
        descriptor = os.memfd_create("standard-input", os.MFD_CLOEXEC)
    else:
        # Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if file == _STANDARD_INPUT:
            with os.fdopen(os.dup(descriptor), "wb") as memory:
                shutil.copyfileobj(sys.stdin.buffer, memory)
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        yield descriptor
    finally:
        os.close(descriptor)


def _explain(file: str, error: OSError) -> str:
    match error:
        case FileNotFoundError() if Path(file).is_symlink():
            return "is a link to a file that does not exist; correct the link"
        case FileNotFoundError() | NotADirectoryError():
            return "there is no such file; check the name"
        case IsADirectoryError():
            return "is a folder; name the files in it"
        case PermissionError():
            return "this user may not read it; change its permissions or run as its owner"
        case _:
            return f"cannot be read: {error.strerror}"


def _as_json(file: str, found: FileFingerprints) -> dict[str, object]:
    digests, picture = found.digests, found.picture
    answer: dict[str, object] = {
        "path": file,
        **_as_texts(digests),
        "pdq": picture.pdq.text if picture.pdq else None,
        "pdq_quality": picture.pdq.quality if picture.pdq else None,
    }
    if picture.state is not PictureState.DECODED:
        answer["reason"] = picture.reason
    if picture.unreadable is not None:
        answer["unreadable"] = picture.unreadable
    video, parts = _video_and_parts(found)
    if video:
        answer["vpdq"] = frame_texts(video)
    if parts:
        answer["parts"] = [_part_as_json(part) for part in parts]
    if picture.dihedrals:
        answer["dihedrals"] = [
            {"name": name, "pdq": pdq.text, "quality": pdq.quality}
            for name, pdq in zip(DIHEDRALS, picture.dihedrals, strict=True)
        ]
    return answer


def _video_and_parts(found: FileFingerprints) -> tuple[list[VideoFrame], list[Part]]:
    """The frames of a file that is a video, as it is stored, and the other parts."""
    frames: list[VideoFrame] = []
    numbers: set[int] = set()
    for video in videos_among(found.parts):
        if not video.within and not found.parts[video.numbers[0]].is_turned:
            frames, numbers = video.frames, set(video.numbers)
    others = [part for number, part in enumerate(found.parts) if number not in numbers]
    return frames, others


def _part_as_json(part: Part) -> dict[str, object]:
    answer: dict[str, object] = {"place": part.place}
    if part.digests is not None:
        answer |= _as_texts(part.digests)
    if part.pdq is not None:
        answer |= {"pdq": part.pdq.text, "pdq_quality": part.pdq.quality}
    if part.unreadable is not None:
        answer |= {"unreadable": part.unreadable, "reason": part.unreadable.words}
    return answer


def _print_block(file: str, found: FileFingerprints, min_quality: int) -> None:
    digests, picture = found.digests, found.picture
    print_line(file)
    for name, text in _as_texts(digests).items():
        print_line(f"  {name:<7} {text}")
    if picture.pdq is None:
        print_line(f"  pdq     none: {picture.reason}")
    else:
        print_line(f"  pdq     {_pdq_words(picture.pdq, min_quality)}")
    for name, pdq in zip(DIHEDRALS[1:], picture.dihedrals[1:], strict=False):
        print_line(f"          {pdq.text} {name}")
    if picture.pdq is not None and picture.reason is not None:
        print_line(f"          unreadable all the same: {picture.reason}")
    video, parts = _video_and_parts(found)
    for frame in video:
        place = clock_words(frame.seconds)
        print_line(f"  vpdq    {_pdq_words(frame.pdq, min_quality)} {place}")
    for part in parts:
        print_line(f"  {part.place}")
        if part.digests is not None:
            for name, text in _as_texts(part.digests).items():
                print_line(f"    {name:<7} {text}")
        if part.pdq is not None:
            print_line(f"    pdq     {_pdq_words(part.pdq, min_quality)}")
        if part.unreadable is not None:
            print_line(f"    unreadable: {part.unreadable.words}")


def _as_texts(digests: Digests) -> dict[str, str]:
    return {
        "md5": digests.md5.hex(),
        "sha1": digests.sha1.hex(),
        "sha256": digests.sha256.hex(),
    }


def _pdq_words(pdq: Pdq, min_quality: int) -> str:
    flat = ", too flat to compare" if pdq.quality < min_quality else ""
    return f"{pdq.text} (quality {pdq.quality}{flat})"
