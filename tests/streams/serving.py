"""Servers that give streams out, on this machine, and the streams that they give."""

import ctypes
import io
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av

from tests.moving import clip
from tests.requirements import missing

KEYS = {"g": "8", "bf": "2", "preset": "ultrafast"}


@cache
def moving(seconds: float = 8, seed: int = 1, form: str = "mpegts", group: int = 8) -> bytes:
    """A clip in H.264, of eight frames a second, with a key frame for each ``group`` of them."""
    options = KEYS | {"g": str(group), "sc_threshold": "0"}
    return clip(seconds, seed=seed, codec="libx264", form=form, size=(320, 240), options=options)


@cache
def still(seed: int = 1, frame: int = 20) -> bytes:
    """One frame of a clip, as a PNG: what a list may know."""
    with av.open(io.BytesIO(moving(8, seed))) as container:
        for number, each in enumerate(container.decode(video=0)):
            if number == frame:
                file = io.BytesIO()
                each.to_image().save(file, "PNG")
                return file.getvalue()
    raise AssertionError


@cache
def segments(seconds: float = 8, seed: int = 1) -> tuple[bytes, ...]:
    """A clip in segments of a second each."""
    return cut_at_key_frames(moving(seconds, seed))


def cut_at_key_frames(content: bytes) -> tuple[bytes, ...]:
    """A clip cut at its key frames, as MPEG-TS that goes on."""
    cut: list[io.BytesIO] = []
    with av.open(io.BytesIO(content)) as source:
        stream = source.streams.video[0]
        target = None
        for packet in source.demux(stream):
            if packet.dts is None:
                continue
            if packet.is_keyframe:
                if target is not None:
                    target.close()
                cut.append(io.BytesIO())
                target = av.open(cut[-1], "w", format="mpegts", options={"mpegts_copyts": "1"})
                out = target.add_stream_from_template(stream)
            packet.stream = out
            target.mux(packet)
        target.close()
    return tuple(each.getvalue() for each in cut)


@dataclass
class Web:
    """What an HTTP server gives out, by path; and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def publish(
        self, path: str, pieces: Sequence[bytes], *, first: int = 0, ended: bool = False
    ) -> None:
        """Give out a playlist of these segments, numbered from ``first`` on."""
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        for number, piece in enumerate(pieces, first):
            name = f"{path}-{number}.ts"
            self.files[name] = piece
            lines += ["#EXTINF:1.0,", name.rsplit("/", 1)[1]]
        lines += ["#EXT-X-ENDLIST"] if ended else []
        self.files[path] = "\n".join(lines).encode()


@contextmanager
def web_server() -> Iterator[Web]:
    """A server on this machine."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            web.asked.append(self.path)
            if self.path in web.moved:
                self.send_response(302)
                self.send_header("Location", web.moved[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = web.files.get(self.path.partition("?")[0])
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()


class RtmpServer(io.RawIOBase):
    """FFmpeg's own RTMP server, which waits for one player: what is written is FLV.

    PyAV opens none, so FFmpeg is asked past it.
    """

    def __init__(self, port: int) -> None:
        self._format, self._util = (_bundled(name) for name in ("libavformat", "libavutil"))
        options, self._target = ctypes.c_void_p(), ctypes.c_void_p()
        self._util.av_dict_set(ctypes.byref(options), b"listen", b"1", 0)
        address = f"rtmp://127.0.0.1:{port}/live/one".encode()
        opened = self._format.avio_open2(
            ctypes.byref(self._target), address, 2, None, ctypes.byref(options)
        )
        assert opened >= 0, opened

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:
        self._format.avio_write(self._target, bytes(content), len(content))
        self._format.avio_flush(self._target)
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._format.avio_closep(ctypes.byref(self._target))
        super().close()


def _bundled(name: str) -> ctypes.CDLL:
    loaded = Path("/proc/self/maps").read_text().split()
    return ctypes.CDLL(next(each for each in loaded if name in each))


def give_out_by_rtmp(port: int, content: bytes, seconds: float = 0.0) -> threading.Thread:
    """Have FFmpeg give a clip out to one player, and then end the connection.

    Args:
        port: Where it listens.
        content: An MPEG-TS clip.
        seconds: How long is waited after each frame.
    """

    def serve() -> None:
        server = RtmpServer(port)
        with (
            av.open(io.BytesIO(content)) as source,
            av.open(server, "w", format="flv") as target,
        ):
            stream = source.streams.video[0]
            out = target.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.dts is not None:
                    packet.stream = out
                    target.mux(packet)
                    time.sleep(seconds)
        server.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


@contextmanager
def srt_server(content: bytes, options: str = "") -> Iterator[int]:
    """Gives a clip out by SRT to one caller, at a port of this machine; ends with the ``with``.

    Args:
        content: An MPEG-TS clip.
        options: What more it wants of a caller, as srt-live-transmit is told.
    """
    if shutil.which("srt-live-transmit") is None:
        missing("srt-live-transmit", "install it with: apt-get install srt-tools")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        port = int(line.getsockname()[1])
    address = f"srt://127.0.0.1:{port}?mode=listener{options}"
    server = subprocess.Popen(
        ["srt-live-transmit", "file://con", address],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )

    def feed() -> None:
        # What comes before there is a caller is lost.
        if any(b"Accepted" in line for line in server.stderr):
            with suppress(OSError):
                for at in range(0, len(content), 10_000):
                    server.stdin.write(content[at : at + 10_000])
                    server.stdin.flush()
                    # Of a clip that comes all at once, most is dropped.
                    time.sleep(0.1)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.terminate()
        thread.join(10)
        server.kill()
        server.communicate()


def fragments(seconds: float = 4, seed: int = 1) -> tuple[bytes, ...]:
    """A clip as fragmented MP4: what it begins with, and then a fragment for each second."""
    content = _fragmented(moving(seconds, seed))
    boxes, at = [], 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4])
        boxes.append((content[at + 4 : at + 8], content[at : at + size]))
        at += size
    head = b"".join(box for name, box in boxes if name in (b"ftyp", b"moov"))
    moofs = [place for place, (name, _) in enumerate(boxes) if name == b"moof"]
    return head, *(boxes[place][1] + boxes[place + 1][1] for place in moofs)


def _fragmented(content: bytes) -> bytes:
    file = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with (
        av.open(io.BytesIO(content)) as source,
        av.open(file, "w", format="mp4", options=options) as target,
    ):
        stream = source.streams.video[0]
        out = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = out
                target.mux(packet)
    return file.getvalue()
