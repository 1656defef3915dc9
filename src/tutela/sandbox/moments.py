"""A few moments of a video or of a moving picture. Runs in a cell, since the bytes are not trusted.

Videos need PyAV (the extra ``video``). Sound is never decoded.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image

from tutela.errors import InvalidInputError
from tutela.sandbox import video
from tutela.sandbox.decoding import check_size
from tutela.sandbox.formats import VideoFormat
from tutela.sandbox.model import SHARE_OF_TIME, Limits

_MICROSECONDS = 1_000_000
# Of one moment to the next, and of all: a video without places to jump to is read through.
_FRAMES_A_MOMENT = 300
_FRAMES_IN_ALL = 3_000


@dataclass(frozen=True, slots=True)
class Moments:
    """Frames of something that moves.

    Attributes:
        frames: A few, evenly spread, made small.
        seconds: How long the whole is, if that is known.
    """

    frames: tuple[Image.Image, ...]
    seconds: float | None


def moments_of_animation(image: Image.Image, most: int, side: int, limits: Limits) -> Moments:
    """A few frames of an opened picture that has several.

    Args:
        image: Opened and not yet loaded; its size is checked already.
        most: How many frames at most.
        side: The longer side of each, in pixels.
        limits: Its ``seconds`` end it early, with the frames so far.
    """
    deadline = time.monotonic() + limits.seconds * SHARE_OF_TIME
    count: int = getattr(image, "n_frames", 1)
    frames: list[Image.Image] = []
    for place in _spread(count, most):
        if frames and time.monotonic() > deadline:
            break
        try:
            image.seek(place)
            check_size(image.size, limits)
            frames.append(_small(image.convert("RGB"), side))
        except (OSError, EOFError, ValueError, SyntaxError):
            if not frames:
                raise
            break
    return Moments(tuple(frames), None)


def moments_of_video(
    file: BinaryIO, video_format: VideoFormat, most: int, side: int, limits: Limits
) -> Moments:
    """A few frames of a video, evenly spread over its length.

    Args:
        file: Read from its beginning; must be seekable.
        video_format: What it begins as.
        most: How many frames at most.
        side: The longer side of each, in pixels.
        limits: Its ``pixels`` are held against each frame's size, and its ``seconds`` end it
            early, with the frames so far.

    Raises:
        InvalidInputError: It cannot be shown; the message says why.
    """
    if video.av is None:
        raise InvalidInputError('videos cannot be shown here: install the extra "video"')
    deadline = time.monotonic() + limits.seconds * SHARE_OF_TIME
    try:
        file.seek(0)
        with video.open_container(file, video_format) as container:
            streams = video.moving_streams(container) or container.streams.video
            if not streams:
                raise InvalidInputError("it has sound at most, and nothing to see")
            stream = streams[0]
            stream.codec_context.thread_count = 1
            seconds = container.duration / _MICROSECONDS if container.duration else None
            frames: list[Image.Image] = []
            try:
                for frame in _chosen(container, stream, seconds, most, deadline):
                    check_size((frame.width, frame.height), limits)
                    frames.append(_small(frame.to_image(), side))
            except video.av.FFmpegError:
                if not frames:
                    raise
    except InvalidInputError:
        raise
    except MemoryError:
        raise
    except Exception:
        raise InvalidInputError("damaged video: it cannot be decoded") from None
    if not frames:
        raise InvalidInputError("damaged video: it has no frame that can be decoded")
    return Moments(tuple(frames), seconds)


def _chosen(
    container: Any, stream: Any, seconds: float | None, most: int, deadline: float
) -> Iterator[Any]:
    """Frames near evenly spread moments; the first ones where the length is not known."""
    left = _FRAMES_IN_ALL
    for place in range(most):
        if place and (left <= 0 or time.monotonic() > deadline):
            return
        target = 0.0
        if seconds:
            # In the middle of each part: a video's first and last frames are often black.
            target = seconds * (place + 0.5) / most
            container.seek(int(target * _MICROSECONDS))
        frame = None
        for count, decoded in enumerate(container.decode(stream), 1):
            frame, left = decoded, left - 1
            reached = decoded.time is None or decoded.time >= target
            if reached or count >= _FRAMES_A_MOMENT or time.monotonic() > deadline:
                break
        if frame is None:
            return
        yield frame


def _spread(count: int, most: int) -> list[int]:
    if count <= most:
        return list(range(count))
    return [int((place + 0.5) * count / most) for place in range(most)]


def _small(image: Image.Image, side: int) -> Image.Image:
    image.thumbnail((side, side))
    return image
