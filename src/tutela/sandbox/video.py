"""The frames of a video, as hashes. Runs in a cell, since the bytes are not trusted.

Videos need PyAV (the extra ``video``), which is imported in the processes that decode alone. Sound
is never decoded. Frames go out as they are found, so that a video of any length takes the same
memory.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from importlib import import_module
from itertools import islice
from pkgutil import walk_packages
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tutela.fingerprints.model import Part, Picture, PictureState, Unreadable
from tutela.fingerprints.pdq import pdq_of
from tutela.fingerprints.vpdq import LATEST_SECONDS, clock_words
from tutela.sandbox.decoding import check_size, what_failed
from tutela.sandbox.enough import Enough
from tutela.sandbox.formats import VideoFormat
from tutela.sandbox.model import Limits, Sampling, UnreadableError
from tutela.sandbox.sights import Sight
from tutela.sandbox.turning import AS_SHOWN

av: Any
try:
    import av
except ImportError:
    av = None

_BUFFER_BYTES = 1 << 16
# Of a second of each kind of video the reference takes one frame; of one without a rate this many
# frames are taken for a second.
_FRAMES_A_SECOND = 25
# A video is damaged if more of its packets than one in so many cannot be decoded: players, too,
# show one that was cut out of a broadcast and begins in the middle of something.
_DAMAGED_IN = 20
# A new scene begins where the picture, made this small, differs by so much of 255 on average.
_SCENE_SIDE = 24
_SCENE_DIFFERENCE = 24.0
# What is wanted later than this is gone to, with some of what comes before it: so many frames that
# are looked at, for the instant is told to the second, and so many packets, which are not in order.
_LATE = 20.0
_STEPS_BEFORE = 3
_FRAMES_AHEAD = 64
_OF_NO_USE = ("av.__main__", "av.datasets", "av.audio", "av.filter", "av.sidedata.encparams")


def prepare() -> None:
    """Load all that decoding takes, before any video comes: a sealed cell can load nothing."""
    if av is None:
        return
    for module in walk_packages(av.__path__, "av."):
        # PyAV loads some of its parts when they are first used.
        if not module.name.startswith(_OF_NO_USE):
            import_module(module.name)


def look_at_video(
    file: BinaryIO,
    video_format: VideoFormat,
    limits: Limits,
    enough: Enough | None = None,
    since: float | None = None,
) -> Iterator[Part | Picture]:
    """Look at the frames of a video.

    Args:
        file: Must be seekable.
        video_format: What it begins as.
        limits: What it may cost, and which frames are looked at.
        enough: Whether no more of it is wanted.
        since: If only what is shown at this instant or later is asked for, in seconds: then most
            of what comes before it is left out.

    Yields:
        Each of those frames as it is stored, and after it, if the video is to be turned when it is
        shown, as it is shown. If the rest is left out, a part that says from when on. Last, what
        came of it all: never a picture of its own.
    """
    try:
        yield from _frames(file, video_format, limits, enough or Enough(), since or 0.0)
    except (UnreadableError, OSError, MemoryError) as error:
        failure = what_failed(error, limits)
        yield Picture(
            PictureState.UNREADABLE, reason=failure.message, unreadable=failure.unreadable
        )
    else:
        yield Picture(PictureState.NONE, reason="not a picture")


def _frames(
    file: BinaryIO, video_format: VideoFormat, limits: Limits, enough: Enough, since: float
) -> Iterator[Part]:
    if av is None:
        raise UnreadableError(
            Unreadable.NOT_SUPPORTED,
            '{name} videos cannot be looked at here: install the extra "video"',
            name=video_format.name,
        )
    with _opened(file, video_format) as container:
        stream = first_moving(container, limits)
        if stream is None:
            # Sound alone.
            return
        taken = 0
        last = ""
        begin = enough.told
        for frame, seconds in _SAMPLINGS[limits.sampling](container, stream, since):
            if enough.of_what_began(begin):
                yield Part(f"from {clock_words(seconds)} on", unreadable=Unreadable.CUT_SHORT)
                return
            if taken == limits.video_frames:
                raise UnreadableError(
                    Unreadable.TOO_MANY,
                    "it has more than {most:,} frames to look at",
                    most=limits.video_frames,
                )
            taken += 1
            check_size((frame.width, frame.height), limits)
            place = clock_words(seconds)
            if place == last:
                place = _exactly(seconds)
            else:
                last = place
            yield from _looks(frame, seconds, place)
        if not taken:
            raise _damaged("it has no frame that can be decoded")
        if len(moving_streams(container)) > 1:
            # Players show whichever they like best.
            raise UnreadableError(
                Unreadable.NOT_SUPPORTED,
                "it has several moving pictures side by side, of which the first was looked at",
            )


def open_container(
    file: Any,
    video_format: VideoFormat,
    *,
    probing: dict[str, str] | None = None,
    buffer_bytes: int = _BUFFER_BYTES,
) -> Any:
    """A video, opened by PyAV; raises whatever that does.

    Args:
        file: Read from where it stands. It need not be seekable.
        video_format: What it begins as.
        probing: FFmpeg's options of how much is read before it is known what it is made of.
        buffer_bytes: How much is asked for at once.
    """
    return av.open(
        file,
        "r",
        format=video_format.reader,
        # Reads nothing but this file, whatever it names.
        options={"protocol_whitelist": "none"},
        container_options=probing,
        metadata_errors="ignore",
        buffer_size=buffer_bytes,
    )


@contextmanager
def _opened(file: BinaryIO, video_format: VideoFormat) -> Iterator[Any]:
    """A container, opened.

    Raises:
        UnreadableError: It cannot be, or what was done with it failed for the decoder's sake.
    """
    try:
        file.seek(0)
        with open_container(file, video_format) as container:
            yield container
    except (UnreadableError, MemoryError):
        # FFmpeg's own want of memory, too, is a MemoryError.
        raise
    except av.FFmpegError:
        raise _damaged("it cannot be decoded") from None
    except (OSError, GeneratorExit):
        raise
    except Exception:
        raise _damaged("it cannot be decoded") from None


def moving_streams(container: Any) -> list[Any]:
    """The streams of pictures that move; those that lie beside them, such as a cover, do not."""
    return [
        each
        for each in container.streams.video
        if not each.disposition & av.stream.Disposition.attached_pic
    ]


def first_moving(container: Any, limits: Limits) -> Any:
    """The first stream of pictures that move, made ready; ``None`` if there is none.

    Raises:
        UnreadableError: It cannot be decoded here, or is too large.
    """
    streams = moving_streams(container)
    if not streams:
        return None
    stream = streams[0]
    codec = stream.codec_context
    if codec is None:
        raise UnreadableError(
            Unreadable.NOT_SUPPORTED, "its frames are of a kind that cannot be decoded here"
        )
    if codec.codec_tag == "encv":
        raise UnreadableError(Unreadable.ENCRYPTED, "it is encrypted")
    if codec.width and codec.height:
        check_size((codec.width, codec.height), limits)
    # Cells run side by side, one for each core.
    codec.thread_count = 1
    return stream


def _keys_alone(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of key frames, at most one of each second: some videos have no others."""
    next_at = None
    for packet in container.demux(stream):
        # The last one is empty, and has the decoder give out what it still has.
        if packet.size and not packet.is_keyframe:
            continue
        time = packet.pts if packet.pts is not None else packet.dts
        if packet.size and time is not None and packet.time_base:
            seconds = float(time * packet.time_base)
            if next_at is not None and next_at - 1 <= seconds < next_at:
                continue
            next_at = seconds + 1
        yield packet


def _decoded(packets: Iterator[Any]) -> Iterator[Any]:
    """The frames in the order in which they are shown, past what cannot be decoded.

    Raises:
        UnreadableError: That is much of it.
    """
    count = failed = 0
    for packet in packets:
        count += 1
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except av.FFmpegError:
            failed += 1
            continue
        yield from frames
    if failed * _DAMAGED_IN > count:
        raise _damaged("much of it cannot be decoded")


def _each_second(container: Any, stream: Any, since: float) -> Iterator[tuple[Any, float]]:
    """One frame of every second, as Meta's library takes them: by their count, not by their time.

    So many frames of a video go to a second as its average rate has whole ones, and a frame's
    instant is its number divided by that rate (``vpdq/cpp/vpdq/cpp/hashing/filehasher.cpp`` and
    ``hasher.h``).
    """
    rate = stream.average_rate or stream.base_rate or Fraction(_FRAMES_A_SECOND)
    step = max(1, int(rate))
    # The reference divides in single precision.
    single = np.float32(float(rate))
    first = max(0, int(since * float(rate)) - _STEPS_BEFORE * step)
    for number, frame in _decoded_from(container, stream, first if since > _LATE else 0):
        if number % step == 0:
            yield frame, min(float(np.float32(number) / single), LATEST_SECONDS)


def _decoded_from(container: Any, stream: Any, first: int) -> Iterator[tuple[int, Any]]:
    """The frames with their numbers, beginning with one that comes before or at the first wanted.

    Frames are counted by their packets, which need not be decoded for that.
    """
    instants = _instants(container, stream, first) if first else []
    if first >= len(instants):
        if first:
            container.seek(0, stream=stream)
        yield from enumerate(_decoded(container.demux(stream)))
        return
    container.seek(instants[first], stream=stream)
    number: int | None = None
    for frame in _decoded(container.demux(stream)):
        if number is None:
            if frame.pts is None or frame.pts < instants[first]:
                continue
            # Some kinds of videos are gone to no nearer than this.
            number = bisect_left(instants, frame.pts)
        yield number, frame
        number += 1


def _instants(container: Any, stream: Any, first: int) -> list[int]:
    """When the frames up to the first wanted are shown, in order; none where that is not known."""
    instants = []
    for packet in islice(container.demux(stream), first + _FRAMES_AHEAD):
        if not packet.size or packet.is_discard:
            continue
        if packet.pts is None:
            return []
        instants.append(packet.pts)
    return sorted(instants)


def _key_frames(container: Any, stream: Any, _since: float) -> Iterator[tuple[Any, float]]:
    """Only the frames that others are made from, at their own instants. Much quicker."""
    stream.codec_context.skip_frame = "NONKEY"
    return _timed(_decoded(_keys_alone(container, stream)))


def _scenes(container: Any, stream: Any, _since: float) -> Iterator[tuple[Any, float]]:
    """The first frame of every scene, at its own instant."""
    last: NDArray[np.int16] | None = None
    for frame, seconds in _timed(_decoded(container.demux(stream))):
        small = _small(frame)
        if last is None or np.abs(small - last).mean() > _SCENE_DIFFERENCE:
            yield frame, seconds
        last = small


_Sampled = Callable[[Any, Any, float], Iterator[tuple[Any, float]]]
_SAMPLINGS: dict[Sampling, _Sampled] = {
    Sampling.SECONDS: _each_second,
    Sampling.KEY_FRAMES: _key_frames,
    Sampling.SCENES: _scenes,
}


def _timed(frames: Iterator[Any]) -> Iterator[tuple[Any, float]]:
    begin = last = None
    for frame in frames:
        time = frame.time
        if time is not None:
            begin = time if begin is None else begin
            last = max(0.0, time - begin)
        yield frame, min(last or 0.0, LATEST_SECONDS)


def _small(frame: Any) -> NDArray[np.int16]:
    """The lightness of a few points of a frame."""
    grey: NDArray[np.uint8] = frame.reformat(
        width=_SCENE_SIDE, height=_SCENE_SIDE, format="gray", interpolation="POINT"
    ).to_ndarray()
    return grey.astype(np.int16)


def _looks(frame: Any, seconds: float, place: str) -> Iterator[Sight]:
    pixels = pixels_of(frame)
    yield Sight(place, pdq=pdq_of(pixels), seconds=seconds, picture=lambda: Image.fromarray(pixels))
    quarters = round(frame.rotation / 90) % 4
    if quarters:
        turned = np.rot90(pixels, quarters)
        yield Sight(
            f"{place} {AS_SHOWN}",
            pdq=pdq_of(turned),
            seconds=seconds,
            is_turned=True,
            picture=lambda: Image.fromarray(np.ascontiguousarray(turned)),
        )


def _exactly(seconds: float) -> str:
    """An instant that no other frame has, where two are of the same second."""
    hundredths = int(seconds * 100)
    return f"{clock_words(hundredths // 100)}.{hundredths % 100:02}"


def pixels_of(frame: Any) -> NDArray[np.uint8]:
    """The pixels of a frame: red, green, blue."""
    # As the reference does, whatever the video says of its colours: with its own way of scaling
    # colours up, and the matrix of standard definition. With others, hashes differ by 20 bits.
    pixels: NDArray[np.uint8] = frame.to_ndarray(
        format="rgb24", interpolation="AREA", src_colorspace="ITU601", dst_colorspace="ITU601"
    )
    return pixels


def _damaged(why: str) -> UnreadableError:
    return UnreadableError(Unreadable.DAMAGED, "damaged video: {why}", why=why)
