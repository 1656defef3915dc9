"""A server that gives out many live streams by RTMP and HLS, each as its clip goes round and round.

``python -m benchmarks.stream_server CLIP STARTS``: the clip is FLV with a key frame at the
beginning of each scene of ``SCENE_SECONDS``; the starts say with which scene each stream begins.
Stream n is given out as ``rtmp://.../live/n`` and as ``http://.../n/live.m3u8``. It prints its two
ports, and then a line for each scene that it sends: the stream, the scene, and the moment.
"""

import asyncio
import json
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.streams.serving import cut_at_key_frames
from tutela.streams.amf import Value, read_values, write_values

SCENE_SECONDS = 2
_HELD_SEGMENTS = 3
_CHUNK_BYTES = 1 << 20
_PICTURES, _COMMAND = 9, 20


@dataclass(frozen=True, slots=True)
class Tag:
    """A frame as FLV has it: when, whether a scene begins with it, and its bytes."""

    milliseconds: int
    is_key: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip in both forms.

    Attributes:
        head: What a decoder needs before the first frame, as FLV has it.
        scenes: The frames of each scene.
        segments: Each scene as MPEG-TS.
    """

    head: bytes
    scenes: Sequence[Sequence[Tag]]
    segments: Sequence[bytes]


def read_clip(content: bytes) -> Clip:
    """Take a clip apart."""
    head, tags, at = b"", [], 13
    while at + 11 <= len(content):
        size = int.from_bytes(content[at + 1 : at + 4])
        when = int.from_bytes(content[at + 4 : at + 7]) | content[at + 7] << 24
        body = content[at + 11 : at + 11 + size]
        if content[at] == _PICTURES:
            if body[1] == 0:
                head = body
            elif body[1] == 1:
                tags.append(Tag(when, body[0] >> 4 == 1, body))
        at += 11 + size + 4
    scenes: list[list[Tag]] = []
    for tag in tags:
        if tag.is_key:
            scenes.append([])
        scenes[-1].append(tag)
    return Clip(head, scenes, cut_at_key_frames(content))


class Server:
    """Gives the streams out."""

    def __init__(self, clip: Clip, starts: Sequence[int]) -> None:
        self._clip = clip
        self._starts = starts
        self._begun: dict[int, float] = {}
        self._told: dict[int, int] = {}

    async def web(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection by HTTP."""
        try:
            while (line := await reader.readline()).strip():
                while (await reader.readline()).strip():
                    pass
                name = line.split()[1].decode()
                body = self._web_body(name)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def _web_body(self, name: str) -> bytes:
        _, stream, what = name.split("/")
        number = int(stream)
        now = time.monotonic()
        begun = self._begun.setdefault(number, now)
        newest = int((now - begun) / SCENE_SECONDS)
        if what != "live.m3u8":
            return self._clip.segments[self._scene(number, int(what.partition(".")[0]))]
        for each in range(self._told.get(number, -1) + 1, newest + 1):
            tell(number, self._scene(number, each), begun + each * SCENE_SECONDS)
        self._told[number] = newest
        first = max(0, newest - _HELD_SEGMENTS + 1)
        lines = [
            "#EXTM3U",
            f"#EXT-X-TARGETDURATION:{SCENE_SECONDS}",
            f"#EXT-X-MEDIA-SEQUENCE:{first}",
        ]
        for each in range(first, newest + 1):
            if self._scene(number, each) == 0:
                lines.append("#EXT-X-DISCONTINUITY")
            lines += [f"#EXTINF:{SCENE_SECONDS},", f"{each}.ts"]
        return "\n".join(lines).encode()

    def _scene(self, stream: int, place: int) -> int:
        return (self._starts[stream] + place) % len(self._clip.scenes)

    async def rtmp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one player."""
        try:
            await reader.readexactly(1 + 1536)
            writer.write(b"\x03" + bytes(1536) + bytes(1536))
            await reader.readexactly(1536)
            writer.write(_message(2, 1, 0, 0, struct.pack(">I", _CHUNK_BYTES)))
            name = await _asked_for(reader, writer)
            await self._play(int(name), writer)
        except (OSError, EOFError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _play(self, number: int, writer: asyncio.StreamWriter) -> None:
        clip = self._clip
        writer.write(_message(4, _PICTURES, 1, 0, clip.head))
        begun = time.monotonic()
        place = 0
        while True:
            scene = self._scene(number, place)
            first = clip.scenes[scene][0].milliseconds
            for tag in clip.scenes[scene]:
                moment = place * SCENE_SECONDS * 1000 + tag.milliseconds - first
                await asyncio.sleep(max(0.0, begun + moment / 1000 - time.monotonic()))
                writer.write(_message(4, _PICTURES, 1, moment, tag.body))
                if tag.is_key:
                    tell(number, scene, time.monotonic())
                await writer.drain()
            place += 1


async def _asked_for(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Answer what a player asks until it asks for a stream; gives its name."""
    while True:
        kind, body = await _read_message(reader)
        if kind != _COMMAND:
            continue
        values = read_values(body)
        told: list[Value]
        match values[0]:
            case "connect":
                told = ["_result", values[1], {}, {"code": "NetConnection.Connect.Success"}]
            case "createStream":
                told = ["_result", values[1], None, 1.0]
            case "play":
                status = {"level": "status", "code": "NetStream.Play.Start"}
                writer.write(
                    _message(3, _COMMAND, 1, 0, write_values(["onStatus", 0, None, status]))
                )
                return str(values[3])
            case _:
                continue
        writer.write(_message(3, _COMMAND, 0, 0, write_values(told)))


async def _read_message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next message of a player, which sends them whole, one after the other."""
    head = await reader.readexactly(12)
    size, kind = int.from_bytes(head[4:7]), head[7]
    body = b""
    while len(body) < size:
        if body:
            await reader.readexactly(1)
        body += await reader.readexactly(min(128, size - len(body)))
    return kind, body


def _message(channel: int, kind: int, stream: int, moment: int, body: bytes) -> bytes:
    head = bytes([channel]) + (moment & 0xFF_FFFF).to_bytes(3) + len(body).to_bytes(3)
    return head + bytes([kind]) + stream.to_bytes(4, "little") + body


def tell(stream: int, scene: int, moment: float) -> None:
    """Say that a scene of a stream was sent."""
    print(json.dumps([stream, scene, moment]), flush=True)


async def _serve(clip: Clip, starts: Sequence[int]) -> None:
    server = Server(clip, starts)
    listening = [
        await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1000)
        for answer in (server.rtmp, server.web)
    ]
    print(json.dumps([each.sockets[0].getsockname()[1] for each in listening]), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(read_clip(Path(sys.argv[1]).read_bytes()), json.loads(sys.argv[2])))
