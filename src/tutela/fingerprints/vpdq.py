"""vPDQ, the fingerprint of a video: the PDQ hashes of its frames, and how two are compared.

As Meta publishes it: ``vpdq/README.md`` and ``python-threatexchange/threatexchange/extensions``
in https://github.com/facebook/ThreatExchange. A video's frames are a bag of hashes: their order and
their instants are kept, but do not count when two videos are compared.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind, Pdq, VideoFrame

MOST_FRAMES = 50_000
"""More than a fingerprint may have: 14 hours at a frame a second."""

MOST_DISTANCE = 31
LEAST_QUALITY = 50
"""What Meta publishes as ``VPDQ_DISTANCE_THRESHOLD`` and ``VPDQ_QUALITY_THRESHOLD``."""

_WIDTH = Kind.PDQ.width
_PACKED = np.dtype([("value", "u1", (_WIDTH,)), ("quality", "u1"), ("milliseconds", ">u4")])
_MOST_MILLISECONDS = (1 << 32) - 1
LATEST_SECONDS = _MOST_MILLISECONDS / 1000
"""No frame has a later instant."""

_FRAME = re.compile(r"([0-9a-fA-F]{64}),(\d{1,3}),(\d{1,10}(?:\.\d{1,20})?)")
# Meta's command line tool: the frame's number, its quality, its hash, its instant.
_LINE = re.compile(r"\d+,(\d{1,3}),([0-9a-fA-F]{64}),(\d{1,10}(?:\.\d{1,20})?)")
# Compared at a time, so that memory stays bounded however long two videos are.
_PAIRS_AT_ONCE = 1 << 20

Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a video.

    Attributes:
        begin: The instant of its first frame, in seconds.
        end: The instant of its last frame, in seconds.
    """

    begin: float
    end: float

    @property
    def words(self) -> str:
        """For people, to the second: ``00:01:12 to 00:01:31``."""
        begin, end = clock_words(self.begin), clock_words(self.end)
        return begin if begin == end else f"{begin} to {end}"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much two videos have in common.

    Attributes:
        query_percent: How much of the first, of its different good frames, is in the second.
        compared_percent: How much of the second is in the first.
        distance: Differing bits of the first's frames that are in the second, each from the
            nearest there, on average; 0 if there are none.
        spans: Where in the first.
    """

    query_percent: float
    compared_percent: float
    distance: float
    spans: tuple[Span, ...]


NOTHING_ALIKE = Likeness(0.0, 0.0, 0.0, ())


def likeness(
    query: Sequence[VideoFrame],
    compared: Sequence[VideoFrame],
    max_distance: int = MOST_DISTANCE,
    min_quality: int = LEAST_QUALITY,
) -> Likeness:
    """Compare two videos as Meta's library does.

    Frames below the quality are left out on both sides, and of equal hashes all but one. A frame is
    in the other video if any frame there is within the distance. Percentages are of the frames that
    are left; where none are left, nothing is alike.

    Args:
        query: The frames of the video that is asked about.
        compared: The frames of the one that is known.
        max_distance: How many bits of two frames' hashes may differ.
        min_quality: PDQ quality below which a frame is not compared.
    """
    good = [frame for frame in query if frame.pdq.quality >= min_quality]
    ours = list(dict.fromkeys(frame.pdq.value for frame in good))
    theirs = list(
        dict.fromkeys(frame.pdq.value for frame in compared if frame.pdq.quality >= min_quality)
    )
    if not ours or not theirs:
        return NOTHING_ALIKE
    nearest, near = _nearest(_words(ours), _words(theirs), max_distance)
    found = nearest <= max_distance
    if not found.any():
        return NOTHING_ALIKE
    values = {value for value, is_in in zip(ours, found, strict=True) if is_in}
    return Likeness(
        query_percent=float(found.sum() * 100 / len(ours)),
        compared_percent=float(near.sum() * 100 / len(theirs)),
        distance=float(nearest[found].mean()),
        spans=tuple(_spans(good, values)),
    )


def to_text(frames: Iterable[VideoFrame]) -> str:
    """The published text form: a JSON array of ``"<hash>,<quality>,<seconds>"``."""
    return json.dumps(frame_texts(frames))


def frame_texts(frames: Iterable[VideoFrame]) -> list[str]:
    """The items of the published text form."""
    return [f"{each.pdq.text},{each.pdq.quality},{each.seconds:.3f}" for each in frames]


def read_text(text: str) -> tuple[VideoFrame, ...]:
    """Read the published text form, or the older one: an object by the frames' numbers.

    Raises:
        InvalidInputError: It is neither, or has no frames, or more than ``MOST_FRAMES``.
    """
    try:
        sent = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInputError("a vpdq hash is a JSON array: this is not JSON") from None
    if isinstance(sent, dict):
        return read_frames(_older(sent))
    if not isinstance(sent, list):
        raise InvalidInputError("a vpdq hash is a JSON array, with a text for each frame")
    return read_frames(sent)


def read_frames(texts: Sequence[object]) -> tuple[VideoFrame, ...]:
    """Read the items of the published text form.

    Raises:
        InvalidInputError: One of them is none, or there are none, or more than ``MOST_FRAMES``.
    """
    _check_count(len(texts))
    return tuple(_frame(number, each) for number, each in enumerate(texts, 1))


def read_lines(lines: Iterable[str]) -> tuple[VideoFrame, ...]:
    """Read what Meta's command line tool writes of a video: a frame a line.

    Raises:
        InvalidInputError: A line is none of it, or there are none, or more than ``MOST_FRAMES``.
    """
    frames: list[VideoFrame] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise _no_frame(number)
        frames.append(_frame_of(number, found[2], found[1], found[3]))
        _check_count(len(frames))
    _check_count(len(frames))
    return tuple(frames)


def pack(frames: Sequence[VideoFrame]) -> bytes:
    """All of a fingerprint in 37 bytes a frame, as it is stored; instants to the millisecond."""
    rows = np.empty(len(frames), _PACKED)
    rows["value"] = np.frombuffer(b"".join(each.pdq.value for each in frames), np.uint8).reshape(
        -1, _WIDTH
    )
    rows["quality"] = [each.pdq.quality for each in frames]
    rows["milliseconds"] = [round(each.seconds * 1000) for each in frames]
    return rows.tobytes()


def unpack(packed: bytes) -> tuple[VideoFrame, ...]:
    """From ``pack``.

    Raises:
        ValueError: It was not made by it.
    """
    return tuple(
        VideoFrame(Pdq(value.tobytes(), int(quality)), int(milliseconds) / 1000)
        for value, quality, milliseconds in np.frombuffer(packed, _PACKED)
    )


def packed_values(packed: bytes) -> NDArray[np.uint8]:
    """The hashes alone of what ``pack`` made: one a row, 32 bytes wide."""
    return np.ascontiguousarray(np.frombuffer(packed, _PACKED)["value"])


def count_of(length: int) -> int:
    """How many frames ``pack`` has put into so many bytes."""
    return length // _PACKED.itemsize


def identity(packed: bytes) -> bytes:
    """What tells one fingerprint from all others: 32 bytes of what ``pack`` made."""
    return hashlib.sha256(packed).digest()


def clock_words(seconds: float) -> str:
    """An instant for people, to the second: ``00:01:12``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def _nearest(
    ours: NDArray[np.uint64], theirs: NDArray[np.uint64], max_distance: int
) -> tuple[Numbers, NDArray[np.bool_]]:
    """How far each of ours is from the nearest of theirs, and which of theirs any is near to."""
    nearest = np.empty(len(ours), np.intp)
    near = np.zeros(len(theirs), np.bool_)
    rows = max(1, _PAIRS_AT_ONCE // len(theirs))
    for start in range(0, len(ours), rows):
        differing = ours[start : start + rows, np.newaxis] ^ theirs
        distances = np.bitwise_count(differing).sum(axis=2, dtype=np.intp)
        nearest[start : start + rows] = distances.min(axis=1)
        near |= (distances <= max_distance).any(axis=0)
    return nearest, near


def _words(values: Sequence[bytes]) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join(values), np.uint64).reshape(len(values), -1)


def _spans(good: Sequence[VideoFrame], values: set[bytes]) -> Iterator[Span]:
    begin: float | None = None
    end = 0.0
    for frame in good:
        if frame.pdq.value in values:
            begin = frame.seconds if begin is None else begin
            end = frame.seconds
        elif begin is not None:
            yield Span(begin, end)
            begin = None
    if begin is not None:
        yield Span(begin, end)


def _check_count(count: int) -> None:
    if not count:
        raise InvalidInputError("a vpdq hash has at least one frame")
    if count > MOST_FRAMES:
        raise InvalidInputError("a vpdq hash has at most {most:,} frames", most=MOST_FRAMES)


def _frame(number: int, text: object) -> VideoFrame:
    found = _FRAME.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise _no_frame(number)
    return _frame_of(number, found[1], found[2], found[3])


def _frame_of(number: int, value: str, quality: str, seconds: str) -> VideoFrame:
    # To the millisecond, as it is published and stored: what is read is written again the same.
    milliseconds = round(float(seconds) * 1000)
    if int(quality) > 100 or milliseconds > _MOST_MILLISECONDS:
        raise _no_frame(number)
    return VideoFrame(Pdq(bytes.fromhex(value), int(quality)), milliseconds / 1000)


def _no_frame(number: int) -> InvalidInputError:
    return InvalidInputError(
        "frame {number} of a vpdq hash is not 64 hexadecimal digits, a quality from 0 to 100 and "
        "an instant in seconds",
        number=number,
    )


def _older(sent: dict[str, object]) -> list[object]:
    """``{"0": {"quality": 100, "hash": "...", "timestamp": 0.0}, ...}``, as it was once."""
    frames: list[object] = []
    for each in sent.values():
        match each:
            case {"hash": str() as value, "quality": int() as quality, "timestamp": timestamp} if (
                isinstance(timestamp, int | float) and math.isfinite(timestamp) and timestamp >= 0
            ):
                frames.append(f"{value},{quality},{timestamp:.3f}")
            case _:
                frames.append(None)
    return frames
