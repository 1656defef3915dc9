"""The frames of a video, as hashes. Runs in a cell, since the bytes are not trusted.

Videos need PyAV (the extra ``video``), which is imported in the processes that decode alone. Sound
is never decoded. Frames go out as they are found, so that a video of any length takes the same
memory.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from itertools import islice
from pkgutil import walk_packages
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tutela.fingerprints.model import Part, Pdq, Picture, PictureState, Unreadable, look_of_frame
from tutela.fingerprints.pdq import pdq_of
from tutela.fingerprints.vpdq import LATEST_SECONDS, clock_words
from tutela.sandbox.decoding import check_size, what_failed
from tutela.sandbox.enough import Enough
from tutela.sandbox.footage import looks_of, may_be_see_through
from tutela.sandbox.formats import HEAD_BYTES, VideoFormat, recognise_visible, tags_before
from tutela.sandbox.model import MOST_TRACKS, Limits, Sampling, UnreadableError
from tutela.sandbox.sights import Sight, Wanted

av: Any
try:
    import av
except ImportError:
    av = None

UNCUT = "uncut"
"""What stands before the instants of a track with what its file says not to show of it."""

_BUFFER_BYTES = 1 << 16
# FFmpeg's own decoders of what WebM has most leave the opacity out.
_WITH_OPACITY = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
# Edits are lists of what is shown of a track, in MP4 and QuickTime. Some players pass them over.
_WITHOUT_CUTS = {"ignore_editlist": "1"}
# Nobody puts more of them before a file.
_MOST_TAGS = 1000
# Of a second of each kind of video the reference takes one frame; of one without a rate this many
# frames are taken for a second.
_FRAMES_A_SECOND = 25
# A video is damaged if more of its packets than one in so many cannot be decoded: players, too,
# show one that was cut out of a broadcast and begins in the middle of something.
_DAMAGED_IN = 20
# A new scene begins where the picture, made this small, differs by so much of 255 on average.
_SCENE_SIDE = 24
_SCENE_DIFFERENCE = 24.0
# Of the frames between those of the fingerprint, one is hashed if it differs by so much, each of
# these points being the average of a few, and told of if it does not have about the same hash. A
# picture of no more contrast than this has a quality below that which lists compare.
_BETWEEN_DIFFERENCE = 4.0
_BETWEEN_POINTS = 4
_AVERAGES = np.kron(
    np.eye(_SCENE_SIDE, dtype=np.float32),
    np.full((1, _BETWEEN_POINTS), 1 / _BETWEEN_POINTS, np.float32),
)
_SAME = 31
# Told by the hashes of the points alone, before the frame itself is hashed, which takes long.
_SAME_AT_A_GLANCE = 16
_PLANES_OF_GREY = frozenset(
    {"gray", "nv12", "nv21", *(f"yuv{j}{kind}p" for j in ("", "j") for kind in (420, 422, 444))}
)
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
    wanted: Wanted | None = None,
) -> Iterator[Part | Picture]:
    """Look at the frames of a video: of each of its tracks, one after the other.

    Args:
        file: Must be seekable.
        video_format: What it begins as.
        limits: What it may cost, and which frames are looked at.
        enough: Whether no more of a track is wanted.
        wanted: If only one instant is asked for, most of what comes before it is left out.

    Yields:
        Each of those frames as it is stored, and after it, if the video is to be turned when it is
        shown, as it is shown. If the rest is left out, a part that says from when on. Last, what
        came of it all: never a picture of its own.
    """
    failure: UnreadableError | None = None
    try:
        yield from _Looking(file, video_format, limits, enough or Enough(), wanted).tracks()
    except (UnreadableError, OSError, MemoryError) as error:
        failure = what_failed(error, limits)
    if failure is None or video_format.is_sound:
        yield Picture(PictureState.NONE, reason="not a picture")
    else:
        yield Picture(
            PictureState.UNREADABLE, reason=failure.message, unreadable=failure.unreadable
        )


def behind_tags(file: BinaryIO, video_format: VideoFormat) -> VideoFormat:
    """What a file is that begins with tags, as players see it.

    Args:
        file: Must be seekable.
        video_format: What it begins as.
    """
    at = 0
    found: object = video_format
    for _ in range(_MOST_TAGS):
        if not (isinstance(found, VideoFormat) and found.is_sound):
            break
        file.seek(at)
        head = file.read(HEAD_BYTES)
        tags = tags_before(head)
        if not tags:
            break
        at += tags
        file.seek(at)
        found = recognise_visible(file.read(HEAD_BYTES))
    return found if isinstance(found, VideoFormat) else video_format


class _Looking:
    """Looking at the tracks of one video, as ``look_at_video`` has it."""

    def __init__(
        self,
        file: BinaryIO,
        video_format: VideoFormat,
        limits: Limits,
        enough: Enough,
        wanted: Wanted | None,
    ) -> None:
        self._file = file
        self._format = video_format
        self._limits = limits
        self._enough = enough
        self._wanted = wanted
        self._taken = self._between = 0
        self._cut: list[int] = []

    def tracks(self) -> Iterator[Part]:
        """The frames of all tracks. Players show whichever they like best.

        Raises:
            UnreadableError: The first one cannot be looked at, or not to its end; or all of them
                together are too much.
        """
        if av is None:
            raise UnreadableError(
                Unreadable.NOT_SUPPORTED,
                '{name} videos cannot be looked at here: install the extra "video"',
                name=self._format.name,
            )
        failure: UnreadableError | None = None
        count = 1
        for track in range(1, MOST_TRACKS + 1):
            if track > count:
                break
            try:
                with opened_container(self._file, self._format) as container:
                    count = len(moving_streams(container))
                    if not self._is_passed_by(track, count):
                        yield from self._track(container, track, track_words(track))
                    if _leaves_frames_out(container, track):
                        self._cut.append(track)
                    # Some are come upon on the way.
                    count = max(count, len(moving_streams(container)))
            except _TooManyError:
                raise
            except (UnreadableError, MemoryError) as error:
                failed = what_failed(error, self._limits)
                if track == 1:
                    failure = failed
                else:
                    yield Part(track_words(track), unreadable=failed.unreadable)
        if count > MOST_TRACKS:
            yield Part(track_words(MOST_TRACKS + 1), unreadable=Unreadable.TOO_MANY)
        yield from self._uncut()
        if failure is not None:
            raise failure

    def _uncut(self) -> Iterator[Part]:
        """The tracks of which some is not to be shown, with that: some players show it all."""
        for track in self._cut:
            words = f"{track_words(track)} {UNCUT}".lstrip()
            try:
                with opened_container(self._file, self._format, _WITHOUT_CUTS) as container:
                    yield from self._track(container, track, words)
            except _TooManyError:
                raise
            except (UnreadableError, MemoryError) as error:
                failed = what_failed(error, self._limits)
                yield Part(words, unreadable=failed.unreadable)

    def _track(self, container: Any, track: int, words: str) -> Iterator[Part]:
        stream = moving_stream(container, self._limits, track)
        if stream is None:
            # Sound alone.
            return
        begin = self._enough.told
        shown = _Track(words)
        since = self._instant(words) or 0.0
        for frame, seconds, is_due in _SAMPLINGS[self._limits.sampling](container, stream, since):
            if self._enough.of_what_began(begin):
                place = shown.place(f"from {clock_words(seconds)} on")
                yield Part(place, unreadable=Unreadable.CUT_SHORT)
                return
            check_size((frame.width, frame.height), self._limits)
            if not is_due:
                # As many as of the others.
                is_left = self._between < self._limits.video_frames
                for part in shown.between(frame, seconds, is_left=is_left):
                    self._between += part.pdq is not None and not part.is_turned
                    yield part
                continue
            if self._taken == self._limits.video_frames:
                raise _TooManyError(
                    Unreadable.TOO_MANY,
                    "it has more than {most:,} frames to look at",
                    most=self._limits.video_frames,
                )
            self._taken += 1
            yield from shown.due(frame, seconds)
        if not shown.told:
            raise _damaged("it has no frame that can be decoded")

    def _instant(self, words: str) -> float | None:
        """The instant of this track that is wanted, in seconds; ``None`` if none of it is."""
        return self._wanted.seconds_in(words) if self._wanted else None

    def _is_passed_by(self, track: int, count: int) -> bool:
        """Whether only an instant of a later track is wanted."""
        later = map(track_words, range(track + 1, count + 1))
        return any(self._instant(words) is not None for words in later)


class _Track:
    """What has been told of one track.

    Attributes:
        told: The hashes of the latest frame, by how it looks.

    Args:
        words: What stands before its instants.
    """

    def __init__(self, words: str) -> None:
        self.told: dict[str, Pdq] = {}
        self._words = words
        self._last = ""
        self._is_full = False

    def place(self, where: str) -> str:
        """A place in it."""
        return f"{self._words} {where}".lstrip()

    def due(self, frame: Any, seconds: float) -> Iterator[Sight]:
        """A frame of its fingerprint."""
        where = clock_words(seconds)
        if where == self._last:
            where = _exactly(seconds, 2)
        else:
            self._last = where
        return self._new(list(looks_of(frame, seconds, self.place(where))))

    def between(self, frame: Any, seconds: float, *, is_left: bool) -> Iterator[Part]:
        """One between those, if it shows something else than the latest.

        If no more of them are left, the first is a part that nobody looked at.
        """
        place = self.place(_exactly(seconds, 3))
        looks = list(looks_of(frame, seconds, place, is_due=False))
        if not any(map(self._shows_more, looks)):
            return
        if is_left:
            yield from self._new(looks)
        elif not self._is_full:
            self._is_full = True
            yield Part(place, unreadable=Unreadable.TOO_MANY)

    def _new(self, looks: list[Sight]) -> Iterator[Sight]:
        self.told = {look_of_frame(look.place): look.pdq for look in looks if look.pdq is not None}
        yield from looks

    def _shows_more(self, look: Sight) -> bool:
        """Whether this shows something, and something else than the latest frame does."""
        told = self.told.get(look_of_frame(look.place))
        if look.pdq is None or not look.pdq.quality:
            return False
        if told is None:
            return True
        return _differing(look.pdq, told) > _SAME


class _TooManyError(UnreadableError):
    """There are more frames than are looked at, in whichever track."""


def track_words(track: int) -> str:
    """What stands before the instants of a track; nothing for the first."""
    return "" if track == 1 else f"track {track}"


def open_container(
    file: Any,
    video_format: VideoFormat,
    *,
    options: dict[str, str] | None = None,
    buffer_bytes: int = _BUFFER_BYTES,
) -> Any:
    """A video, opened by PyAV; raises whatever that does.

    Args:
        file: Read from where it stands. It need not be seekable.
        video_format: What it begins as.
        options: FFmpeg's own for its reader.
        buffer_bytes: How much is asked for at once.
    """
    return av.open(
        file,
        "r",
        format=video_format.reader,
        # Reads nothing but this file, whatever it names.
        options={"protocol_whitelist": "none"},
        container_options=options,
        metadata_errors="ignore",
        buffer_size=buffer_bytes,
    )


@contextmanager
def opened_container(
    file: BinaryIO, video_format: VideoFormat, options: dict[str, str] | None = None
) -> Iterator[Any]:
    """A container, opened, as ``open_container`` has it.

    Raises:
        UnreadableError: It cannot be, or what was done with it failed for the decoder's sake.
    """
    try:
        file.seek(0)
        with open_container(file, video_format, options=options) as container:
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
    return [each for each in container.streams.video if not is_cover(each)]


def _leaves_frames_out(container: Any, track: int) -> bool:
    """Whether a file says that some of a track is not to be shown."""
    streams = moving_streams(container)
    if container.format.name.partition(",")[0] != "mov" or track > len(streams):
        return False
    stream = streams[track - 1]
    return bool(stream.frames > sum(not each.is_discard for each in stream.index_entries) > 0)


def is_cover(stream: Any) -> bool:
    """Whether this is a picture that lies beside what moves, or sounds."""
    kinds = av.stream.Disposition
    # There may be one for each chapter; they are frames like any others.
    return bool(stream.disposition & kinds.attached_pic) and not (
        stream.disposition & kinds.timed_thumbnails
    )


def moving_stream(container: Any, limits: Limits, track: int = 1) -> Any:
    """A stream of pictures that move, made ready; ``None`` if there is none.

    Args:
        container: Opened.
        limits: What it may cost.
        track: Which one, from 1.

    Raises:
        UnreadableError: It cannot be decoded here, or is too large.
    """
    streams = moving_streams(container)
    if track > len(streams):
        return None
    stream = streams[track - 1]
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


def _decoded(stream: Any, packets: Iterator[Any]) -> Iterator[Any]:
    """The frames in the order in which they are shown, past what cannot be decoded.

    Raises:
        UnreadableError: That is much of it.
    """
    decode = _decoder_of(stream)
    count = failed = 0
    for packet in packets:
        count += 1
        try:
            frames = decode(packet)
        except MemoryError:
            raise
        except av.FFmpegError:
            failed += 1
            continue
        yield from frames
    if failed * _DAMAGED_IN > count:
        raise _damaged("much of it cannot be decoded")


def _decoder_of(stream: Any) -> Callable[[Any], list[Any]]:
    """What decodes the packets of a stream: with their opacity, where browsers heed it."""
    own = stream.codec_context
    name = _WITH_OPACITY.get(own.name) if stream.metadata.get("alpha_mode") == "1" else None
    if name is None:
        return lambda packet: packet.decode()
    codec = av.CodecContext.create(name, "r")
    codec.extradata = own.extradata
    codec.thread_count = 1
    codec.skip_frame = own.skip_frame
    decode: Callable[[Any], list[Any]] = codec.decode
    return decode


_Frame = tuple[Any, float, bool]
"""A frame, its instant in seconds, and whether it is one of those that are always looked at."""


def _each_second(container: Any, stream: Any, since: float) -> Iterator[_Frame]:
    """One frame of every second, as Meta's library takes them: by their count, not by their time.

    And of the frames between those each that looks much different from the one before it that is
    given: whoever knows which frames are taken could put whatever they like between them.

    So many frames of a video go to a second as its average rate has whole ones, and a frame's
    instant is its number divided by that rate (``vpdq/cpp/vpdq/cpp/hashing/filehasher.cpp`` and
    ``hasher.h``).
    """
    rate = stream.average_rate or stream.base_rate or Fraction(_FRAMES_A_SECOND)
    step = max(1, int(rate))
    # The reference divides in single precision.
    single = np.float32(float(rate))
    first = max(0, int(since * float(rate)) - _STEPS_BEFORE * step)
    last: _Glance | None = None
    for number, frame in _decoded_from(container, stream, first if since > _LATE else 0):
        is_due = number % step == 0
        if last is None and not is_due:
            # Gone to, on the way to one that is.
            continue
        glance = _Glance(frame)
        if last is not None and not is_due and not glance.shows_more_than(last):
            continue
        last = glance
        seconds = float(np.float32(number) / single) if is_due else number / float(rate)
        yield frame, min(seconds, LATEST_SECONDS), is_due


def _decoded_from(container: Any, stream: Any, first: int) -> Iterator[tuple[int, Any]]:
    """The frames with their numbers, beginning with one that comes before or at the first wanted.

    Frames are counted by their packets, which need not be decoded for that.
    """
    instants = _instants(container, stream, first) if first else []
    if first >= len(instants):
        if first:
            container.seek(0, stream=stream)
        yield from enumerate(_decoded(stream, container.demux(stream)))
        return
    container.seek(instants[first], stream=stream)
    number: int | None = None
    for frame in _decoded(stream, container.demux(stream)):
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


def _key_frames(container: Any, stream: Any, _since: float) -> Iterator[_Frame]:
    """Only the frames that others are made from, at their own instants. Much quicker."""
    stream.codec_context.skip_frame = "NONKEY"
    return _timed(_decoded(stream, _keys_alone(container, stream)))


def _scenes(container: Any, stream: Any, _since: float) -> Iterator[_Frame]:
    """The first frame of every scene, at its own instant."""
    last: NDArray[np.int16] | None = None
    for frame, seconds, _ in _timed(_decoded(stream, container.demux(stream))):
        small = _small(frame)
        if last is None or np.abs(small - last).mean() > _SCENE_DIFFERENCE:
            yield frame, seconds, True
        last = small


_Sampled = Callable[[Any, Any, float], Iterator[_Frame]]
_SAMPLINGS: dict[Sampling, _Sampled] = {
    Sampling.SECONDS: _each_second,
    Sampling.KEY_FRAMES: _key_frames,
    Sampling.SCENES: _scenes,
}


def _timed(frames: Iterator[Any]) -> Iterator[_Frame]:
    begin = last = None
    for frame in frames:
        time = frame.time
        if time is not None:
            begin = time if begin is None else begin
            last = max(0.0, time - begin)
        yield frame, min(last or 0.0, LATEST_SECONDS), True


def _small(frame: Any) -> NDArray[np.int16]:
    """The lightness of a few points of a frame."""
    grey: NDArray[np.uint8] = frame.reformat(
        width=_SCENE_SIDE, height=_SCENE_SIDE, format="gray", interpolation="POINT"
    ).to_ndarray()
    return grey.astype(np.int16)


class _Glance:
    """What is quickly seen of a frame.

    Args:
        frame: Of it nothing is kept.
    """

    def __init__(self, frame: Any) -> None:
        self._points: NDArray[np.uint8] | None = None
        self._pdq: Pdq | None = None
        plane = frame.planes[0]
        if may_be_see_through(frame):
            # How much is seen of it may change while its colours do not.
            small = frame.reformat(width=_SCENE_SIDE, height=_SCENE_SIDE, format="rgba")
            self._averages = small.to_ndarray().astype(np.float32)
        elif frame.format.name not in _PLANES_OF_GREY or plane.line_size < plane.width:
            self._averages = _small(frame).astype(np.float32)
        else:
            grey = np.frombuffer(plane, np.uint8)
            points = grey.take(_middles(plane.width, plane.height, plane.line_size))
            # Each the average of a few: grain is not seen so.
            self._averages = _AVERAGES @ points.astype(np.float32) @ _AVERAGES.T
            self._points = points

    def shows_more_than(self, last: "_Glance") -> bool:
        """Whether this may show something else than another one."""
        if self._averages.shape != last._averages.shape:
            return True
        if np.abs(self._averages - last._averages).mean() < _BETWEEN_DIFFERENCE:
            return False
        ours, theirs = self._about(), last._about()
        return ours is None or theirs is None or _differing(ours, theirs) > _SAME_AT_A_GLANCE

    def _about(self) -> Pdq | None:
        """About the frame's hash: that of its points."""
        if self._pdq is None and self._points is not None:
            self._pdq = pdq_of(self._points)
        return self._pdq


def _differing(one: Pdq, other: Pdq) -> int:
    return (int.from_bytes(one.value) ^ int.from_bytes(other.value)).bit_count()


@lru_cache(8)
def _middles(width: int, height: int, line: int) -> NDArray[np.intp]:
    """Which bytes of a plane are looked at, evenly spread over it."""
    side = _SCENE_SIDE * _BETWEEN_POINTS
    middles = (np.arange(side) + 0.5) / side
    rows, columns = (middles * height).astype(np.intp), (middles * width).astype(np.intp)
    return rows[:, np.newaxis] * line + columns


def _exactly(seconds: float, digits: int) -> str:
    """An instant that no other frame has, where two are of the same second."""
    parts = int(seconds * 10**digits + 1e-6)
    return f"{clock_words(parts // 10**digits)}.{parts % 10**digits:0{digits}}"


def _damaged(why: str) -> UnreadableError:
    return UnreadableError(Unreadable.DAMAGED, "damaged video: {why}", why=why)
