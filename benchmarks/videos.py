"""From a video to its vPDQ fingerprint, beside Meta's own library where that is installed."""

import io
import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import av
import numpy as np
from PIL import Image

from benchmarks.photos import native_photographs
from benchmarks.results import Findings, Goal, Table
from benchmarks.scale import Scale
from tutela.fingerprints.model import Pdq, VideoFrame
from tutela.fingerprints.vpdq import likeness
from tutela.sandbox.model import Keeping, Limits, Sampling
from tutela.sandbox.pool import CellPool

_SIZE = (1280, 720)
_RATE = 25
_SCENE_SECONDS = 5
_REFERENCE = "vpdq, Meta's library"
_NAMES = {
    Sampling.SECONDS: "a frame a second",
    Sampling.SCENES: "scenes",
    Sampling.KEY_FRAMES: "key frames",
}
_SEED = 20281

Answer = Sequence[VideoFrame]


def measure(scale: Scale) -> Findings:
    """The same video fingerprinted in a sealed cell by each way of sampling, and by the reference.

    Raises:
        RuntimeError: A frame a second is not what the reference finds, to the bit.
    """
    seconds, rounds = scale.pick((10, 1), (120, 3))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        path.write_bytes(_video(seconds))
        cells = {
            sampling: CellPool(1, Limits(sampling=sampling), keeping=Keeping(jobs=1_000))
            for sampling in Sampling
        }
        ways: dict[str, Callable[[Path], Answer]] = {
            _NAMES[sampling]: _in_cell(pool) for sampling, pool in cells.items()
        }
        if find_spec("vpdq") is not None:
            ways[_REFERENCE] = _by_reference
        try:
            return _compared(path, ways, seconds, rounds)
        finally:
            for pool in cells.values():
                pool.close()


def _compared(
    path: Path, ways: dict[str, Callable[[Path], Answer]], seconds: int, rounds: int
) -> Findings:
    answers = {name: way(path) for name, way in ways.items()}
    walls: dict[str, list[float]] = {name: [] for name in ways}
    busy: dict[str, list[float]] = {name: [] for name in ways}
    chance = random.Random(_SEED)
    for _ in range(rounds):
        for name in chance.sample(list(ways), len(ways)):
            wall, processors = time.perf_counter(), _processor_seconds()
            ways[name](path)
            walls[name].append(time.perf_counter() - wall)
            busy[name].append(_processor_seconds() - processors)
    every, keys = _NAMES[Sampling.SECONDS], _NAMES[Sampling.KEY_FRAMES]
    if _REFERENCE in answers and not _same(answers[every], answers[_REFERENCE]):
        raise RuntimeError("the fingerprint is not that of the reference")
    speed = {name: seconds / median(each) for name, each in busy.items()}
    peer = f"{speed[_REFERENCE]:.1f} x real time" if _REFERENCE in speed else ""
    goals = [
        Goal(
            f"720p H.264 ({seconds} s), full vPDQ in a sealed cell, against real time, one core",
            f"{speed[every]:.1f} x real time",
            peer,
            speed[every],
            10,
        ),
        Goal(
            "the same, key frames alone: other work, with other hashes",
            f"{speed[keys]:.0f} x real time",
            peer,
            speed[keys],
            100,
        ),
    ]
    rows: list[list[str | float | None]] = []
    for name, answer in answers.items():
        alike = likeness(answers[every], answer)
        rows.append(
            [
                name,
                speed[name],
                seconds / median(walls[name]),
                float(len(answer)),
                alike.query_percent,
            ]
        )
    table = Table(
        "times real time, and what is found",
        (
            "",
            "x real time, per processor",
            "x real time, by the clock",
            "hashes",
            "of the frames of each second, within 31 bits of one of these, %",
        ),
        rows,
    )
    return Findings(goals, [table], [_NOTE.format(rounds=rounds, peer=_peer_words())])


_NOTE = (
    "Photographs that the camera pans over with some grain, a cut every five seconds, encoded by "
    "x264 at its defaults; each time is the median of {rounds}, all ways in random order, and "
    "counts every thread of every process. {peer}Key frames and scenes are fewer hashes of the "
    "same video: the last column is their recall."
)


def _peer_words() -> str:
    if find_spec("vpdq") is None:
        return "Meta's library was not installed here. "
    return (
        "Meta's library runs on the FFmpeg that it was built with; a frame a second gives its "
        "hashes to the bit. "
    )


def _in_cell(pool: CellPool) -> Callable[[Path], Answer]:
    def look(path: Path) -> Answer:
        with path.open("rb") as file:
            found = pool.fingerprint(file)
        return [
            VideoFrame(part.pdq, part.seconds)
            for part in found.parts
            if part.pdq is not None and part.seconds is not None and not part.is_between
        ]

    return look


def _by_reference(path: Path) -> Answer:
    import vpdq  # noqa: PLC0415 - not everywhere installed

    return [
        VideoFrame(Pdq(bytes.fromhex(each.hex), each.quality), each.timestamp)
        for each in vpdq.computeHash(path)
    ]


def _same(ours: Answer, theirs: Answer) -> bool:
    return [each.pdq for each in ours] == [each.pdq for each in theirs] and np.allclose(
        [each.seconds for each in ours], [each.seconds for each in theirs], atol=1e-3
    )


def _processor_seconds() -> float:
    """Of this process and of all cells that live."""
    total = time.process_time()
    for process in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = process.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _video(seconds: int) -> bytes:
    width, height = _SIZE
    chance = np.random.default_rng(_SEED)
    sources = native_photographs(2 * width * height)
    pictures = []
    for place in range(-(-seconds // _SCENE_SECONDS)):
        with Image.open(sources[place % len(sources)]) as image:
            image.thumbnail((2 * width, 2 * width))
            large = image.convert("RGB")
        scale = max(1.25 * width / large.width, 1.25 * height / large.height, 1.0)
        pictures.append(
            np.asarray(large.resize((int(large.width * scale), int(large.height * scale))))
        )
    grain = chance.integers(-4, 5, (8, height, width, 1), np.int16)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=_RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.options = {"crf": "23", "preset": "veryfast"}
        for number in range(seconds * _RATE):
            picture = pictures[number // (_SCENE_SECONDS * _RATE)]
            moment = number % (_SCENE_SECONDS * _RATE) / (_SCENE_SECONDS * _RATE)
            top = int(moment * (picture.shape[0] - height))
            left = int(moment * (picture.shape[1] - width))
            shown = picture[top : top + height, left : left + width].astype(np.int16)
            noisy = np.clip(shown + grain[number % len(grain)], 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()
