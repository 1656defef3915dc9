"""The frames of a stream that is being sent, as hashes. Runs in a cell without network.

A stream reaches the cell as bytes, in one run after the other: whoever receives it begins a new
run where what is sent begins anew. Packets are taken apart as they come, which is quick; only those
that are wanted are decoded. A stream is decoded whole, or by its key frames alone, whichever the
house says at the time: it goes from one to the other at a key frame. Of key frames of a live stream
only the newest waits for the decoder, and those that it replaces are dropped and counted; what is
decoded whole may wait a little. A file waits instead, and nothing of it is dropped.
"""

import os
import random
import select
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Self, cast

import numpy as np
from numpy.typing import NDArray

from tutela.fingerprints.model import Unreadable
from tutela.fingerprints.pdq import pdq_of
from tutela.sandbox import footage, video
from tutela.sandbox.cell import SharedFile
from tutela.sandbox.decoding import check_size
from tutela.sandbox.formats import HEAD_BYTES, VideoFormat, recognise_visible
from tutela.sandbox.model import (
    MOST_STILL_BYTES,
    MOST_TRACKS,
    MOST_WAITING,
    Ended,
    Limits,
    Sampled,
    UnreadableError,
)

# What is read before it is known of what a stream is made, and for how long of its own time. The
# packets that are read for that are looked at like all others.
_PROBED = {"probesize": "2000000", "analyzeduration": "1000000", "fpsprobesize": "0"}
_BUFFER_BYTES = 1 << 15
# Frames that are decoded one after the other may wait for so long, and be so much together.
_MOST_BEHIND_SECONDS = 2.0
_MOST_WAITING_BYTES = 32 << 20
_MOST_WAITING_WHOLE = 50
# From so many seconds without a key frame on, it is said that there are none. Encoders make one
# every ten seconds and a little, if nobody tells them otherwise.
_BLIND_SECONDS = 15.0
_LOOKED_AFTER_MILLISECONDS = 500


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes that are one stream from their beginning on.

    Attributes:
        number: Counts the runs.
        descriptor: Where they come from. It is closed at the end.
        every: Of so many seconds of the stream at most one key frame is looked at, and one frame
            between key frames.
        is_live: Whether it goes on whether it is looked at or not.
        burst: So many seconds of it come at a time.
    """

    number: int
    descriptor: int
    every: float
    is_live: bool
    burst: float = 0.0


class Watch:
    """Looks at the frames of one stream, run by run.

    Args:
        limits: What a frame may cost.
        tell: Is told of each frame, and of the end of each run.
    """

    def __init__(self, limits: Limits, tell: Callable[[Sampled | Ended], None]) -> None:
        self._limits = limits
        self._tell = tell
        self._number = 0
        self._dropped = 0
        self._whole = False
        self._kept: dict[int, Any] = {}
        self._judged = threading.Condition()

    def look_whole(self, whole: bool) -> None:
        """From the next key frame or run on, decode every frame, or key frames alone."""
        self._whole = whole

    def follow(self, run: Run) -> None:
        """Look at one run to its end."""
        blind = False
        try:
            reason = self._follow(run)
        except _BlindError:
            reason, blind = "it has no key frames", True
        except UnreadableError as error:
            reason = error.message
        except MemoryError:
            reason = "it takes more memory than allowed to decode"
        except OSError as error:
            reason = f"it cannot be read: {error.strerror}"
        except Exception:
            reason = "it cannot be decoded"
        self._tell(Ended(run.number, reason, blind))

    def seen(self, number: int) -> None:
        """A frame has been judged: its pixels are not wanted any more."""
        with self._judged:
            self._kept.pop(number, None)
            self._judged.notify_all()

    def picture(self, number: int) -> bytes:
        """A frame that has not been judged yet, as a PNG.

        One that is too large for that, such as a large one full of grain, is made smaller. Empty if
        the frame is not there any more, or there is no memory for it.
        """
        frame = self._kept.get(number)
        if frame is None:
            return b""
        try:
            pixels = footage.pixels_of(frame)
            while len(made := png_of(pixels)) > MOST_STILL_BYTES:
                pixels = pixels[::2, ::2]
        except MemoryError:
            return b""
        return made

    def _follow(self, run: Run) -> str | None:
        if video.av is None:
            raise UnreadableError(
                Unreadable.NOT_SUPPORTED,
                'streams cannot be looked at here: install the extra "video"',
            )
        with _source_of(run.descriptor) as source:
            video_format = source.format
            if video_format is None:
                raise UnreadableError(
                    Unreadable.NOT_SUPPORTED,
                    "it is no video" if source.head else "there was nothing in it",
                )
            with video.open_container(
                source.file, video_format, options=_PROBED, buffer_bytes=_BUFFER_BYTES
            ) as container:
                return self._look_at(container, run, source)

    def _look_at(self, container: Any, run: Run, source: "_Source") -> str | None:
        tracks = {
            each.index: _Track(number, each, run.every, self._limits)
            for number, each in enumerate(_tracks_of(container, self._limits))
        }
        if not tracks:
            return "it has nothing to see"
        for each in container.streams:
            if each.index not in tracks:
                each.discard = video.av.stream.Discard.all
        waiting = _Waiting(run, lambda: self._whole)
        streams = [each.stream for each in tracks.values()]
        demuxing = threading.Thread(target=waiting.fill, args=[container, streams], daemon=True)
        demuxing.start()
        try:
            for packet in self._in_turn(waiting, run):
                self._dropped += waiting.take_dropped()
                track = tracks[packet.track]
                for frame, seconds in track.wanted(packet):
                    self._await_room(run)
                    self._sample(frame, seconds, packet, track.number)
        finally:
            waiting.give_up()
            source.stop()
            demuxing.join()
        if waiting.failure is not None:
            raise waiting.failure
        if all(each.first_arrived is None for each in tracks.values()):
            return "it has no frame that can be decoded"
        return None

    def _in_turn(self, waiting: "_Waiting", run: Run) -> Iterator["_Packet"]:
        while (whole := waiting.is_next_whole()) is not None:
            # First: what is taken then is the newest, and not what was the newest long ago.
            if not whole:
                self._await_room(run)
            yield waiting.take()

    def _await_room(self, run: Run) -> None:
        most = 1 if run.is_live else MOST_WAITING
        with self._judged:
            self._judged.wait_for(lambda: len(self._kept) < most)

    def _sample(self, frame: Any, seconds: float, packet: "_Packet", track: int) -> None:
        self._number += 1
        pdq = pdq_of(footage.pixels_of(frame))
        self._kept[self._number] = frame
        self._tell(
            Sampled(
                self._number,
                pdq,
                seconds,
                packet.arrived,
                self._dropped,
                frame.width,
                frame.height,
                packet.whole,
                track,
            )
        )


class _BlindError(Exception):
    """The stream has no key frames."""


def _tracks_of(container: Any, limits: Limits) -> list[Any]:
    """The streams of pictures that can be decoded, of those that move side by side.

    Raises:
        UnreadableError: There are some, and none of them can be.
    """
    ready, failures = [], []
    for number in range(min(len(video.moving_streams(container)), MOST_TRACKS)):
        try:
            ready.append(video.moving_stream(container, limits, number + 1))
        except UnreadableError as error:
            failures.append(error)
    if failures and not ready:
        raise failures[0]
    return ready


class _Track:
    """One of the videos that a stream shows side by side. Most streams have one.

    Attributes:
        number: Which, from 0.
        stream: As FFmpeg has it.
        first_arrived: When its first frame that could be decoded came in.
    """

    def __init__(self, number: int, stream: Any, every: float, limits: Limits) -> None:
        self.number = number
        self.stream = stream
        self.first_arrived: float | None = None
        self._pace = _Pace(every)
        self._limits = limits

    def wanted(self, packet: "_Packet") -> Iterator[tuple[Any, float]]:
        """The frames of a packet of it that are looked at, each with its instant from its begin.

        Raises:
            UnreadableError: One is too large.
        """
        codec = self.stream.codec_context
        codec.skip_frame = "DEFAULT" if packet.whole else "NONKEY"
        for frame in _decoded(codec, packet.packet, at_once=not packet.whole):
            check_size((frame.width, frame.height), self._limits)
            self.first_arrived = self.first_arrived or packet.arrived
            if frame.pts is None or packet.begin is None:
                seconds = packet.arrived - self.first_arrived
            else:
                seconds = max(0.0, float(frame.pts * self.stream.time_base) - packet.begin)
            # Before a key frame that is decoded alone come those that were still in the decoder:
            # taken for it, they would be looked at in its place.
            is_alone = not packet.whole and frame.pts in (None, packet.packet.pts)
            if self._pace.wants(seconds, is_key=frame.key_frame or is_alone):
                yield frame, seconds


def _decoded(codec: Any, packet: Any, *, at_once: bool) -> Iterator[Any]:
    """The frames of a packet; past what cannot be decoded."""
    try:
        frames = codec.decode(packet)
        if at_once:
            # A decoder may keep a frame back until it has seen the next ones, which it never gets.
            frames += codec.decode(None)
            codec.flush_buffers()
    except MemoryError:
        raise
    except video.av.FFmpegError:
        codec.flush_buffers()
        return
    yield from frames


class _Pace:
    """Which frames are looked at: key frames, and frames between them.

    Whoever encodes a stream chooses its key frames. When a frame between them is looked at is left
    to chance, so that nobody can put what they show beside it.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self._last_key = -every
        self._due = self._instant_in(0)

    def wants(self, seconds: float, *, is_key: bool) -> bool:
        """Whether this one is looked at."""
        if is_key:
            if self._last_key <= seconds < self._last_key + self._every:
                return False
            self._last_key = seconds
            return True
        # The second is for time that goes back.
        if self._due - 2 * self._every <= seconds < self._due:
            return False
        due, now = int(self._due / self._every), int(seconds / self._every)
        # Where no frame came in the time that was due, the first of the next one stands for it.
        self._due = self._instant_in(now if now == due + 1 else now + 1)
        return True

    def _instant_in(self, span: int) -> float:
        return self._every * (span + random.random())  # noqa: S311 - nobody is told of any


@dataclass(frozen=True, slots=True)
class _Packet:
    """Something to decode.

    Attributes:
        packet: It.
        arrived: When it came in.
        seconds: Its instant, by its own track's time.
        begin: The instant of its track's first packet; ``None`` if there is no telling.
        whole: Whether what is between key frames is decoded where it stands.
    """

    packet: Any
    arrived: float
    seconds: float
    begin: float | None
    whole: bool

    @property
    def track(self) -> int:
        """FFmpeg's number of its track."""
        return int(self.packet.stream_index)


class _Choice:
    """Which packets of a track are decoded.

    Attributes:
        whole: Whether all are, just now.
        begin: The instant of the first one.
    """

    def __init__(self, every: float, is_whole: Callable[[], bool]) -> None:
        # What has no key frames is decoded from its beginning on, as well as it can be.
        self.whole = is_whole()
        self.begin: float | None = None
        self._every = every
        self._is_whole = is_whole
        self._next_at: float | None = None
        self._last_key: float | None = None

    def wants(self, seconds: float | None, *, is_key: bool) -> bool:
        """Whether this one is.

        Raises:
            _BlindError: No key frame has come for too long.
        """
        self.begin = seconds if self.begin is None else self.begin
        if is_key:
            self._last_key, self.whole = seconds, self._is_whole()
        else:
            self._last_key = seconds if self._last_key is None else self._last_key
            blind = 0.0 if seconds is None or self._last_key is None else seconds - self._last_key
            if not self._is_whole() and blind > max(_BLIND_SECONDS, 2 * self._every):
                raise _BlindError
        if self.whole or not is_key:
            return self.whole
        if seconds is not None:
            if self._next_at is not None and self._next_at - self._every <= seconds < self._next_at:
                return False
            self._next_at = seconds + self._every
        return True


class _Waiting:
    """Packets that wait for the decoder: filled by one thread, emptied by another."""

    def __init__(self, run: Run, is_whole: Callable[[], bool]) -> None:
        self._run = run
        self._is_whole = is_whole
        self._packets: deque[_Packet] = deque()
        self._bytes = 0
        self._state = threading.Condition()
        self._ended = False
        self._given_up = False
        self._dropped = 0
        self.failure: Exception | None = None

    def fill(self, container: Any, streams: Sequence[Any]) -> None:
        """Take what is sent apart, to its end."""
        try:
            for packet in self._wanted(container, streams):
                if not self._put(packet):
                    return
        except video.av.EOFError:
            pass
        except Exception as error:
            self.failure = error
        finally:
            with self._state:
                self._ended = True
                self._state.notify_all()

    def give_up(self) -> None:
        """Nothing more is wanted."""
        with self._state:
            self._given_up = True
            self._state.notify_all()

    def take_dropped(self) -> int:
        """How many frames were dropped since this was asked the last time."""
        with self._state:
            dropped, self._dropped = self._dropped, 0
            return dropped

    def is_next_whole(self) -> bool | None:
        """Waits for a packet; says whether all are decoded where it stands, or that none comes."""
        with self._state:
            self._state.wait_for(lambda: self._packets or self._ended)
            return self._packets[0].whole if self._packets else None

    def take(self) -> _Packet:
        """The packet that was asked about, or one that came in its place."""
        with self._state:
            self._state.notify_all()
            return self._pop()

    def _pop(self) -> _Packet:
        packet = self._packets.popleft()
        self._bytes -= packet.packet.size
        return packet

    def _wanted(self, container: Any, streams: Sequence[Any]) -> Iterator[_Packet]:
        choices = {each.index: _Choice(self._run.every, self._is_whole) for each in streams}
        for packet in container.demux(streams):
            if not packet.size:
                continue
            time_of = packet.pts if packet.pts is not None else packet.dts
            seconds = float(time_of * packet.time_base) if time_of is not None else None
            choice = choices[packet.stream_index]
            if choice.wants(seconds, is_key=packet.is_keyframe):
                arrived = time.monotonic()
                yield _Packet(packet, arrived, seconds or 0.0, choice.begin, choice.whole)

    def _put(self, packet: _Packet) -> bool:
        with self._state:
            if self._run.is_live:
                self._make_room(packet)
            else:
                most = _MOST_WAITING_WHOLE if packet.whole else 1
                self._state.wait_for(lambda: self._given_up or len(self._packets) < most)
            if self._given_up:
                return False
            self._packets.append(packet)
            self._bytes += packet.packet.size
            self._state.notify_all()
        return True

    def _make_room(self, newest: _Packet) -> None:
        """Drop what has waited too long, up to a packet that can be decoded by itself."""
        if not newest.whole:
            kept = [each for each in self._packets if each.whole or each.track != newest.track]
            self._dropped += len(self._packets) - len(kept)
            self._packets = deque(kept)
            self._bytes = sum(each.packet.size for each in kept)
        if not self._packets:
            return
        behind = newest.arrived - self._packets[0].arrived
        most = _MOST_BEHIND_SECONDS + self._run.burst
        if behind < most and self._bytes < _MOST_WAITING_BYTES:
            return
        keys = [place for place, each in enumerate(self._packets) if each.packet.is_keyframe]
        # Without one among them the oldest go: what follows is decoded as well as it can be.
        cut = keys[-1] if keys and keys[-1] else len(self._packets) // 2
        gone = [self._pop() for _ in range(cut)]
        for track in {each.track for each in gone}:
            instants = [each.seconds for each in gone if each.track == track]
            span = max(0.0, instants[-1] - instants[0])
            self._dropped += max(1, int(span / self._run.every))


@dataclass(frozen=True, slots=True)
class _Source:
    file: Any
    head: bytes

    @property
    def format(self) -> VideoFormat | None:
        found = recognise_visible(self.head)
        return found if isinstance(found, VideoFormat) else None

    def stop(self) -> None:
        """End it, whoever waits for more of it."""
        if isinstance(self.file, _Pipe):
            self.file.stopped = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _source_of(descriptor: int) -> _Source:
    """The bytes of a run: a file that can be sought in, or bytes as they come."""
    try:
        os.lseek(descriptor, 0, os.SEEK_CUR)
    except OSError:
        pipe = _Pipe(descriptor)
        return _Source(pipe, pipe.peek(HEAD_BYTES))
    file = SharedFile(descriptor)
    head = cast("BinaryIO", file).read(HEAD_BYTES)
    file.seek(0)
    return _Source(file, head)


class _Pipe:
    """Bytes as they come. Nothing of them can be sought.

    Attributes:
        stopped: Whether nobody wants more of them.
    """

    def __init__(self, descriptor: int) -> None:
        self.stopped = False
        self._descriptor = descriptor
        self._head = b""
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def peek(self, size: int) -> bytes:
        """The first bytes, without taking them."""
        while len(self._head) < size:
            more = os.read(self._descriptor, size - len(self._head))
            if not more:
                break
            self._head += more
        return self._head

    def read(self, size: int) -> bytes:
        """As many bytes as there are, and at least one; none at the end."""
        if self._head:
            taken, self._head = self._head[:size], self._head[size:]
            return taken
        while not self._poll.poll(_LOOKED_AFTER_MILLISECONDS):
            if self.stopped:
                return b""
        return b"" if self.stopped else os.read(self._descriptor, size)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)


def png_of(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of red, green and blue pixels, quickly made: to the bit what was hashed."""
    height, width, _ = pixels.shape
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    # Each row as the difference from the one above it: filter 2, where the first row is above none.
    rows[:, 0] = 2
    flat = pixels.reshape(height, 3 * width)
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    # What is left is mostly grain: looking for repetitions in it takes thrice as long, for little.
    packing = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    body = packing.compress(rows.tobytes()) + packing.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", body)
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
