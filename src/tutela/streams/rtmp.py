"""Receiving a stream by RTMP, as a player does (Adobe's "RTMP Specification 1.0").

What is received is written down as FLV, of which RTMP carries the parts: pictures alone, no sound.
"""

import secrets
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from tutela.streams.allowing import Calls
from tutela.streams.amf import Value, read_values, write_values
from tutela.streams.model import Sink, Source, SourceError, StoppedError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HANDSHAKE_BYTES = 1536
# What chunks have at first, and none has less: to make them smaller is to make them dear.
_FIRST_CHUNK_BYTES = 128
_READ_BYTES = 1 << 16
# Of so many chunks, one after the other, these are the fewest bytes that take no rest.
_COUNTED_CHUNKS = 1000
_FEWEST_BYTES = 32 * _COUNTED_CHUNKS
_REST_SECONDS = 0.05
_MOST_CHUNK_BYTES = 1 << 24
_MOST_HALF_DONE = 32 << 20
_WINDOW_BYTES = 2_500_000
_BUFFER_MILLISECONDS = 1000
_PING, _PONG, _SET_BUFFER = 6, 7, 3
_INTER_FRAME, _DISPOSABLE_INTER_FRAME = 2, 3
# After so long without a key frame whoever decodes is to see that there are none.
_KEYLESS_MILLISECONDS = 10_000
# From the beginning it is found out of what a stream is made: with too little of it, that waits.
_BEGINNING_MILLISECONDS = 3_000
_CONNECTING, _CREATING = 1.0, 2.0
_OVER = {
    "NetStream.Play.UnpublishNotify": "whoever sent it has stopped",
    "NetStream.Play.Stop": "whoever sent it has stopped",
    "NetStream.Play.Complete": "whoever sent it has stopped",
    "NetStream.Play.StreamNotFound": "there is no such stream just now",
    "NetStream.Play.Failed": "its server does not give it out",
}
_FLV_HEAD = b"FLV\x01\x01\x00\x00\x00\x09" + bytes(4)


class _Kind(IntEnum):
    """Kinds of messages."""

    CHUNK_SIZE = 1
    ABORT = 2
    RECEIVED = 3
    CONTROL = 4
    WINDOW = 5
    PEER_WINDOW = 6
    PICTURES = 9
    NEWER_COMMAND = 17
    COMMAND = 20
    SEVERAL = 22


def play(source: Source, calls: Calls, sink: Sink) -> None:
    """Receive a stream until it breaks off.

    Raises:
        RefusedSourceError: Streams may not come from there.
        SourceError: It cannot be received, or has broken off.
        StoppedError: Nobody wants it any more.
    """
    line = calls.connect(source.host, source.port, encrypted=source.scheme == "rtmps")
    try:
        with BufferedReader(_Gathered(line, calls), _READ_BYTES) as reader:
            player = _Player(line, cast("BufferedReader", reader), calls.rest)
            player.begin(source)
            sink.begin(is_live=True)
            sink.write(_FLV_HEAD)
            frames = _Frames()
            while True:
                if frames.wants(message := player.next_pictures(), keys_alone=sink.keys_alone):
                    sink.write(message.tags)
    except TimeoutError:
        raise SourceError("it sends nothing any more") from None
    except (OSError, EOFError):
        if calls.is_cut:
            raise StoppedError from None
        raise SourceError("the connection was ended") from None
    except (ValueError, struct.error):
        raise SourceError("its server does not speak RTMP well") from None
    finally:
        calls.drop(line)


class _Gathered(RawIOBase):
    """What a connection brings, gathered where it comes in small pieces."""

    def __init__(self, line: socket.socket, calls: Calls) -> None:
        self._line = line
        self._calls = calls

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        size = self._line.recv_into(buffer)
        if size:
            self._calls.gather(size)
        return size


@dataclass(frozen=True, slots=True)
class _Pictures:
    """A message with pictures, or several.

    Attributes:
        time: Its instant, in milliseconds.
        is_between: Whether it holds one frame that is made from others, and nothing else.
        tags: It as FLV has it.
    """

    time: int
    is_between: bool
    tags: bytes


class _Frames:
    """Which messages are passed on: those between key frames are most of a stream."""

    def __init__(self) -> None:
        self._last_key = 0
        self._first: int | None = None

    def wants(self, message: _Pictures, *, keys_alone: bool) -> bool:
        """Whether a message is wanted. Without key frames all are, so that this is noticed."""
        self._first = message.time if self._first is None else self._first
        if not message.is_between:
            self._last_key = message.time
            return True
        return (
            not keys_alone
            or message.time - self._first < _BEGINNING_MILLISECONDS
            or message.time - self._last_key > _KEYLESS_MILLISECONDS
        )


@dataclass(slots=True)
class _Channel:
    """What came by one of the channels that share the connection."""

    time: int = 0
    step: int = 0
    size: int = 0
    kind: int = 0
    is_extended: bool = False
    body: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class _Message:
    kind: int
    time: int
    body: bytes


class _Player:
    def __init__(
        self, line: socket.socket, reader: BufferedReader, rest: Callable[[float], None]
    ) -> None:
        self._line = line
        self._reader = reader
        self._rest = rest
        self._chunks = self._counted_from = 0
        self._channels: dict[int, _Channel] = {}
        self._chunk_bytes = _FIRST_CHUNK_BYTES
        self._window = _WINDOW_BYTES
        self._received = self._told = 0
        # Bytes of messages that are begun and not ended.
        self._half_done = 0

    def begin(self, source: Source) -> None:
        """Greet the server, and ask for the stream."""
        self._greet()
        parts = urlsplit(source.text)
        path = parts.path.lstrip("/").split("/")
        # What is called an application may have two parts, as players take it.
        depth = 2 if len(path) > 2 else 1
        application, name = "/".join(path[:depth]), "/".join(path[depth:])
        name += f"?{parts.query}" if parts.query else ""
        host = f"[{source.host}]" if ":" in source.host else source.host
        told: dict[str, Value] = {
            "app": application,
            "flashVer": "LNX 9,0,124,2",
            "tcUrl": f"{source.scheme}://{host}:{source.port}/{application}",
            "fpad": False,
            "capabilities": 15.0,
            "audioCodecs": 4071.0,
            "videoCodecs": 252.0,
            "videoFunction": 1.0,
            # HEVC, AV1 and VP9, as newer servers have them.
            "fourCcList": ["hvc1", "av01", "vp09", "avc1"],
        }
        self._command(0, "connect", _CONNECTING, told)
        self._await(_CONNECTING)
        self._say(2, _Kind.WINDOW, 0, struct.pack(">I", _WINDOW_BYTES))
        self._command(0, "createStream", _CREATING, None)
        answer = self._await(_CREATING)
        number = answer[3] if len(answer) > 3 else None
        if not isinstance(number, float) or not 0 <= number < 1 << 32:
            raise ValueError("no stream was created")
        self._command(int(number), "play", 0.0, None, name, -2000.0)
        buffered = struct.pack(">HII", _SET_BUFFER, int(number), _BUFFER_MILLISECONDS)
        self._say(2, _Kind.CONTROL, 0, buffered)

    def next_pictures(self) -> _Pictures:
        """The next message with pictures, or several."""
        while True:
            message = self._next()
            if message.kind == _Kind.PICTURES and message.body:
                tag = _tag(message.time, message.body)
                return _Pictures(message.time, _is_between(message.body), tag)
            if message.kind == _Kind.SEVERAL:
                if several := _several(message):
                    return _Pictures(message.time, False, several)
            elif message.kind in (_Kind.COMMAND, _Kind.NEWER_COMMAND):
                self._heed(_values(message))

    def _greet(self) -> None:
        own = bytes(8) + secrets.token_bytes(_HANDSHAKE_BYTES - 8)
        self._line.sendall(b"\x03" + own)
        if self._read(1) != b"\x03":
            raise ValueError("it is another protocol")
        theirs = self._read(_HANDSHAKE_BYTES)
        self._line.sendall(theirs)
        self._read(_HANDSHAKE_BYTES)

    def _await(self, number: float) -> list[Value]:
        """The answer to a command."""
        while True:
            message = self._next()
            if message.kind not in (_Kind.COMMAND, _Kind.NEWER_COMMAND):
                continue
            values = _values(message)
            if len(values) > 1 and values[1] == number:
                if values[0] == "_result":
                    return values
                if values[0] == "_error":
                    raise SourceError("its server does not let this house in")
            self._heed(values)

    def _heed(self, values: list[Value]) -> None:
        if values[:1] == ["close"]:
            raise SourceError("the connection was ended")
        if values[:1] != ["onStatus"] or len(values) < 4 or not isinstance(values[3], dict):
            return
        told = values[3]
        code = told.get("code")
        if isinstance(code, str) and code in _OVER:
            raise SourceError(_OVER[code])
        if told.get("level") == "error":
            raise SourceError("its server does not give it out")

    def _next(self) -> _Message:
        """The next whole message; those about the connection itself are seen to."""
        while True:
            message = self._chunk()
            if message is None:
                continue
            match message.kind:
                case _Kind.CHUNK_SIZE:
                    size = int.from_bytes(message.body[:4]) & 0x7FFF_FFFF
                    if not _FIRST_CHUNK_BYTES <= size <= _MOST_CHUNK_BYTES:
                        raise ValueError("no chunk is that long")
                    self._chunk_bytes = size
                case _Kind.ABORT:
                    ended = self._channels.pop(int.from_bytes(message.body[:4]), _Channel())
                    self._half_done -= len(ended.body)
                case _Kind.CONTROL if message.body[:2] == struct.pack(">H", _PING):
                    self._say(2, _Kind.CONTROL, 0, struct.pack(">H", _PONG) + message.body[2:6])
                case _Kind.WINDOW:
                    self._window = max(1, int.from_bytes(message.body[:4]))
                case _Kind.PEER_WINDOW:
                    self._say(2, _Kind.WINDOW, 0, message.body[:4])
                case _Kind.RECEIVED | _Kind.CONTROL:
                    pass
                case _:
                    return message

    def _chunk(self) -> _Message | None:
        """Read one chunk; gives the message that it ends, if it ends one."""
        self._count()
        first = self._read(1)[0]
        form, number = first >> 6, first & 0x3F
        if number == 0:
            number = 64 + self._read(1)[0]
        elif number == 1:
            number = 64 + int.from_bytes(self._read(2), "little")
        channel = self._channels.setdefault(number, _Channel())
        stamp = 0
        if form < 3:
            stamp = int.from_bytes(self._read(3))
            channel.is_extended = stamp == 0xFF_FFFF
            if form < 2:
                size = int.from_bytes(self._read(3))
                if size != channel.size:
                    # Another message: what was begun of the one before it is given up.
                    self._half_done -= len(channel.body)
                    channel.size, channel.body = size, bytearray()
                channel.kind = self._read(1)[0]
            if form == 0:
                self._read(4)
        if channel.is_extended:
            extended = int.from_bytes(self._read(4))
            stamp = extended if form < 3 else stamp
        if not channel.body:
            if form == 0:
                channel.time, channel.step = stamp, 0
            else:
                channel.step = channel.step if form == 3 else stamp
                channel.time = (channel.time + channel.step) & 0xFFFF_FFFF
        left = channel.size - len(channel.body)
        piece = self._read(min(left, self._chunk_bytes))
        channel.body += piece
        self._half_done += len(piece)
        if len(channel.body) < channel.size:
            if self._half_done > _MOST_HALF_DONE:
                raise ValueError("too much is begun and not ended")
            return None
        body, channel.body = bytes(channel.body), bytearray()
        self._half_done -= len(body)
        return _Message(channel.kind, channel.time, body)

    def _count(self) -> None:
        self._chunks += 1
        if self._chunks % _COUNTED_CHUNKS:
            return
        if self._received - self._counted_from < _FEWEST_BYTES:
            self._rest(_REST_SECONDS)
        self._counted_from = self._received

    def _read(self, size: int) -> bytes:
        piece = self._reader.read(size)
        if len(piece) < size:
            raise EOFError
        self._received += size
        if self._received - self._told >= self._window:
            self._told = self._received
            self._say(2, _Kind.RECEIVED, 0, struct.pack(">I", self._received & 0xFFFF_FFFF))
        return piece

    def _command(self, stream: int, *values: Value) -> None:
        self._say(3, _Kind.COMMAND, stream, write_values(values))

    def _say(self, channel: int, kind: int, stream: int, body: bytes) -> None:
        head = bytes([channel]) + bytes(3) + len(body).to_bytes(3) + bytes([kind])
        packet = head + stream.to_bytes(4, "little") + body[:_FIRST_CHUNK_BYTES]
        for start in range(_FIRST_CHUNK_BYTES, len(body), _FIRST_CHUNK_BYTES):
            packet += bytes([0xC0 | channel]) + body[start : start + _FIRST_CHUNK_BYTES]
        self._line.sendall(packet)


def _values(message: _Message) -> list[Value]:
    # The newer form begins with a zero, and goes on as the older one.
    return read_values(message.body[1:] if message.kind == _Kind.NEWER_COMMAND else message.body)


def _is_between(body: bytes) -> bool:
    """Whether it is a frame that is made from others, by what FLV says of it (annex E.4.3.1)."""
    # Enhanced RTMP has a mark in the first bit; kinds of frames come after it, in both.
    return body[0] >> 4 & 7 in (_INTER_FRAME, _DISPOSABLE_INTER_FRAME)


def _several(message: _Message) -> bytes:
    """The pictures in a message of messages, which has them nearly as FLV has."""
    found, at, first = bytearray(), 0, None
    body = message.body
    while at + 11 <= len(body):
        kind, size = body[at], int.from_bytes(body[at + 1 : at + 4])
        time = int.from_bytes(body[at + 4 : at + 7]) | body[at + 7] << 24
        first = time if first is None else first
        content = body[at + 11 : at + 11 + size]
        if kind == _Kind.PICTURES and content:
            found += _tag(message.time + time - first & 0xFFFF_FFFF, content)
        at += 11 + size + 4
    return bytes(found)


def _tag(time: int, body: bytes) -> bytes:
    stamp = (time & 0xFF_FFFF).to_bytes(3) + bytes([time >> 24 & 0xFF])
    head = bytes([_Kind.PICTURES]) + len(body).to_bytes(3) + stamp + bytes(3)
    return head + body + (len(head) + len(body)).to_bytes(4)
