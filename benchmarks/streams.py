"""Many live streams at once: how long after a frame is sent the platform hears that it matches."""

import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.house import LIST, WORKERS, command, environment_of, served, write_csv
from benchmarks.results import Findings, Goal, Table
from benchmarks.scale import Scale
from benchmarks.stream_server import SCENE_SECONDS
from benchmarks.timing import percentile
from tutela.fingerprints.pdq import pdq_of
from tutela.sandbox.footage import pixels_of

_SIZE = (1280, 720)
_RATE = 25
_KILOBITS = 2500
_SEED = 20301
_AT_MOST_SECONDS = 2.0
_AGREE_SECONDS = 0.1
_LATE_SECONDS = 15.0
"""So long is waited for what comes late."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is measured.

    Attributes:
        streams: How many streams.
        scenes: Of how many scenes the clip is.
        marked: The scenes of which the list has a picture.
        starts: The scenes with which streams begin, in turn.
        seconds: How long they go on.
    """

    streams: int
    scenes: int
    marked: Sequence[int]
    starts: Sequence[int]
    seconds: float


@dataclass(slots=True)
class _Run:
    """What came of it: for each way, the seconds that each match took."""

    waited: dict[str, list[float]] = field(default_factory=dict)
    sent: int = 0
    frames: int = 0
    dropped: int = 0
    skipped: float = 0.0
    lag: float = 0.0
    states: dict[str, int] = field(default_factory=dict)
    tutela: float = 0.0
    server: float = 0.0


def measure(scale: Scale) -> Findings:
    """As many streams as asked for, and then more, until it is too many."""
    long = range(4, 20)
    plans = scale.pick(
        [_Plan(3, 4, (3,), (1, 2), 10.0)],
        [
            _Plan(streams, 30, (29, 14), long, 100.0)
            # The last one is to show where it ends.
            for streams in (50, 100, 150)
        ],
    )
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as name:
        clips: dict[int, bytes] = {}
        runs = []
        for plan in plans:
            clip = clips.setdefault(plan.scenes, _clip(plan.scenes))
            runs.append((plan, _run(Path(name) / str(plan.streams), plan, clip)))
    return _findings(runs)


def _findings(runs: Sequence[tuple[_Plan, _Run]]) -> Findings:
    rows: list[list[str | float | None]] = []
    goals = []
    for plan, run in runs:
        everything = sorted(each for found in run.waited.values() for each in found)
        for way, found in run.waited.items():
            rows.append(
                [
                    f"{plan.streams} streams, by {way}",
                    float(len(found)),
                    percentile(found, 50) if found else None,
                    percentile(found, 95) if found else None,
                    max(found) if found else None,
                ]
            )
        if plan.streams == 100 or len(runs) == 1:
            slowest = everything[-1] if everything else float("inf")
            goals.append(
                Goal(
                    f"from a frame that is sent to the webhook that tells of it, {plan.streams} "
                    f"live 720p streams, the longest of {len(everything)}",
                    f"{slowest:.2f} s",
                    "",
                    slowest,
                    _AT_MOST_SECONDS,
                    "s",
                    at_most=True,
                )
            )
    waited = Table(
        "Seconds from when a frame is sent until the webhook has told of it",
        ("", "matches", "p50", "p95", "most"),
        rows,
    )
    cost = Table(
        "What it took, and what was left out",
        (
            "streams",
            "matches sent",
            "told",
            "frames looked at",
            "dropped",
            "seconds left out",
            "latest, s",
            "processors: Tutela",
            "processors: who sends",
        ),
        [
            [
                f"{plan.streams} ({', '.join(f'{n} {state}' for state, n in run.states.items())})",
                float(run.sent),
                float(sum(map(len, run.waited.values()))),
                float(run.frames),
                float(run.dropped),
                run.skipped,
                run.lag,
                run.tutela,
                run.server,
            ]
            for plan, run in runs
        ],
    )
    return Findings(goals, [waited, cost], [_NOTE])


_NOTE = (
    "A generated clip of 720p (H.264, 25 frames a second, 2.5 Mbit/s, a key frame every two "
    "seconds) goes round and round in real time, half of the streams by RTMP, half by HLS in "
    "segments of two seconds. Each shows twice a picture that a list of two has. A frame by RTMP "
    "is sent when its last byte is written; one by HLS when the segment that begins with it is "
    "published, which is two seconds after it was taken. Two server processes watch them on two "
    "cores, on which the sending server, the receiver of the webhooks and the database (SQLite) "
    "run as well. Every match opens a case with the sealed frame before it is told of."
)


def _run(folder: Path, plan: _Plan, clip: bytes) -> _Run:
    folder.mkdir()
    path = folder / "clip.flv"
    path.write_bytes(clip)
    keys = _key_hashes(clip)
    environment = environment_of(folder / "data") | {
        "TUTELA_STREAMS__SOURCES": '["127.0.0.0/8"]',
        "TUTELA_STREAMS__PORTS": '["1-65535"]',
        "TUTELA_STREAMS__AT_ONCE": str(-(-plan.streams // WORKERS)),
        "TUTELA_WEBHOOKS__PRIVATE_NETWORKS": '["127.0.0.0/8"]',
    }
    write_csv(folder / "list.csv", np.stack([keys[each] for each in plan.marked]))
    command(environment, "list", "create", LIST)
    command(environment, "list", "import", LIST, str(folder / "list.csv"))
    scopes = ("--scope", "streams:read", "--scope", "streams:write", "--json")
    key = json.loads(command(environment, "key", "add", "bench", *scopes))["key"]
    starts = [plan.starts[each % len(plan.starts)] for each in range(plan.streams)]
    with _receiver() as receiver, _sender(path, starts) as sender:
        url = f"http://127.0.0.1:{receiver.port}/"
        command(environment, "webhook", "add", "bench", url, "--event", "stream.matched")
        with served(environment) as (process, port):
            return _watch(plan, port, key, process, receiver, sender)


def _watch(
    plan: _Plan, port: int, key: str, process: int, receiver: "_Receiver", sender: "_Sender"
) -> _Run:
    ways = {}
    for number in range(plan.streams):
        way = "RTMP" if number % 2 else "HLS"
        ways[number] = way
        source = (
            f"rtmp://127.0.0.1:{sender.ports[0]}/live/{number}"
            if number % 2
            else f"http://127.0.0.1:{sender.ports[1]}/{number}/live.m3u8"
        )
        _call(port, key, "POST", "/v1/streams", {"source": source, "reference": str(number)})
    # Starting all of them is not what is measured.
    time.sleep(plan.seconds / 10)
    begin, busy, sending = time.monotonic(), _seconds_of(process), _seconds_of(sender.process)
    time.sleep(plan.seconds * 0.9)
    run = _Run({"RTMP": [], "HLS": []})
    passed = time.monotonic() - begin
    run.tutela = (_seconds_of(process) - busy) / passed
    run.server = (_seconds_of(sender.process) - sending) / passed
    listed = _call(port, key, "GET", "/v1/streams?limit=1000")
    # What was sent by now is waited for a little longer.
    until = time.monotonic()
    time.sleep(min(_LATE_SECONDS, plan.seconds / 3))
    for each in listed["streams"]:
        run.frames += each["frames"]
        run.dropped += each["dropped"]
        run.skipped += each["skipped_seconds"]
        run.lag = max(run.lag, each["lag_seconds"])
        run.states[each["state"]] = run.states.get(each["state"], 0) + 1
    sent: dict[tuple[int, int], float] = {}
    for stream, scene, moment in sender.sent:
        if scene in plan.marked and moment <= until:
            # The same picture is told of once in ten minutes.
            sent.setdefault((stream, scene), moment)
    run.sent = len(sent)
    for (stream, _), moment in sent.items():
        # By when the frame came in, as the message says; a scene lasts two seconds.
        near = [
            heard - moment
            for came_in, heard in receiver.told.get(str(stream), ())
            if -_AGREE_SECONDS < came_in - moment < _LATE_SECONDS
        ]
        run.waited[ways[stream]] += near[:1]
    return run


def _call(port: int, key: str, method: str, path: str, sent: object = None) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    body = None if sent is None else json.dumps(sent)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"the server answered {found}")
    return found


@dataclass(slots=True)
class _Receiver:
    port: int
    told: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


@contextmanager
def _receiver() -> Iterator[_Receiver]:
    """Takes webhooks, and notes when."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            now = time.monotonic()
            self.send_response(204)
            self.end_headers()
            data: dict[str, Any] = json.loads(body)["data"]
            came_in = datetime.fromisoformat(data["at"]).timestamp() - time.time() + now
            receiver.told.setdefault(data["reference"], []).append((came_in, now))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = _Receiver(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


@dataclass(slots=True)
class _Sender:
    process: int
    ports: Sequence[int]
    sent: list[tuple[int, int, float]] = field(default_factory=list)


@contextmanager
def _sender(clip: Path, starts: Sequence[int]) -> Iterator[_Sender]:
    """Gives the streams out, from a process of its own."""
    words = [sys.executable, "-m", "benchmarks.stream_server", str(clip), json.dumps(starts)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        sender = _Sender(running.pid, json.loads(running.stdout.readline()))
        lines = running.stdout

        def listen() -> None:
            for line in lines:
                stream, scene, moment = json.loads(line)
                sender.sent.append((stream, scene, moment))

        threading.Thread(target=listen, daemon=True).start()
        try:
            yield sender
        finally:
            running.kill()


def _seconds_of(root: int) -> float:
    """Processor time of a process and of all that it started and that lives."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = each.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(each.parent.name)
        parents[number] = int(fields[1])
        used[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def belongs(number: int) -> bool:
        while number > 1:
            if number == root:
                return True
            number = parents.get(number, 0)
        return False

    return sum(seconds for number, seconds in used.items() if belongs(number))


def _clip(scenes: int) -> bytes:
    """Shapes that move over a few soft colours, other ones in each scene, with some grain."""
    width, height = _SIZE
    chance = np.random.default_rng(_SEED)
    grain = chance.integers(-6, 7, (8, height, width, 1), np.int16)
    file = io.BytesIO()
    options = {"preset": "veryfast", "g": str(SCENE_SECONDS * _RATE), "sc_threshold": "0"}
    with av.open(file, "w", format="flv") as container:
        stream = container.add_stream("libx264", rate=_RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = _KILOBITS * 1000
        for _ in range(scenes):
            ground = _ground(chance)
            for number in range(SCENE_SECONDS * _RATE):
                shown = np.roll(ground, 3 * number, axis=1).astype(np.int16)
                noisy = np.clip(shown + grain[number % len(grain)], 0, 255).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def _ground(chance: np.random.Generator) -> NDArray[np.uint8]:
    width, height = _SIZE
    small = chance.integers(0, 256, (9, 16, 3), np.uint8)
    with Image.fromarray(small) as image:
        return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def _key_hashes(clip: bytes) -> Sequence[NDArray[np.uint8]]:
    """The hash of the first frame of each scene."""
    with av.open(io.BytesIO(clip)) as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        return [
            np.frombuffer(pdq_of(pixels_of(frame)).value, np.uint8)
            for frame in container.decode(stream)
        ]
