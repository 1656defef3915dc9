"""Videos and faces drawn by code: nobody's, and nowhere's."""

import io
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from fractions import Fraction
from functools import cache
from operator import itemgetter
from typing import BinaryIO

import av
import numpy as np
from av.stream import Disposition
from PIL import Image, ImageDraw, ImageFilter


def video_of(
    frames: Sequence[Image.Image],
    rate: int = 10,
    *,
    sound: bool = False,
    turned: int = 0,
    form: str = "mp4",
) -> bytes:
    """A video of these frames, with or without a tone."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        if turned:
            stream.set_display_rotation(-turned)
        tone = container.add_stream("aac", rate=44_100) if sound else None
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())
        if tone is not None:
            _add_tone(container, tone)
    return file.getvalue()


def video_behind_its_cover(frames: Sequence[Image.Image], cover: Image.Image) -> bytes:
    """An MP4 of these frames that names its cover before them, as no program writes it."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        streams = container.add_stream("mpeg4", rate=10), container.add_stream("mjpeg", rate=1)
        streams[1].disposition = Disposition.attached_pic
        shown = (frames, [cover])
        for stream, images, pixels in zip(streams, shown, ("yuv420p", "yuvj420p"), strict=True):
            (stream.width, stream.height), stream.pix_fmt = images[0].size, pixels
        for stream, images in zip(streams, shown, strict=True):
            for image in images:
                container.mux(stream.encode(av.VideoFrame.from_image(image)))
            container.mux(stream.encode())
    content = file.getvalue()
    # Both are told of in one box, of which the order is free: a length, a name, and what it holds.
    begin = content.index(b"trak") - 4
    middle = begin + int.from_bytes(content[begin : begin + 4])
    end = middle + int.from_bytes(content[middle : middle + 4])
    return content[:begin] + content[middle:end] + content[begin:middle] + content[end:]


def side_by_side(clips: Sequence[bytes], form: str) -> bytes:
    """A file of videos that are shown at the same time, as whoever looks likes best."""
    file = io.BytesIO()
    with ExitStack() as opened, av.open(file, "w", format=form) as target:
        sources = [opened.enter_context(av.open(io.BytesIO(each))) for each in clips]
        streams = [target.add_stream_from_template(each.streams.video[0]) for each in sources]
        packets = [
            (float(packet.dts * packet.time_base), number, packet)
            for number, source in enumerate(sources)
            for packet in source.demux(video=0)
            if packet.dts is not None
        ]
        for _, number, packet in sorted(packets, key=itemgetter(0, 1)):
            packet.stream = streams[number]
            target.mux(packet)
    return file.getvalue()


@cache
def long_clip(frames: int) -> bytes:
    """A video of many small frames, one a second."""
    file = io.BytesIO()
    write_long_clip(file, frames)
    return file.getvalue()


def write_long_clip(
    file: BinaryIO,
    frames: int,
    *,
    form: str = "mp4",
    size: tuple[int, int] = (64, 64),
    rate: int = 1,
    still: int = 1,
) -> None:
    """Write a video of many frames, each of them much like the one before.

    Args:
        file: Where to.
        frames: How many.
        form: FFmpeg's name of the container.
        size: Width and height.
        rate: Frames a second.
        still: After so many frames what is seen moves on by a pixel.
    """
    width, height = size
    scene = np.asarray(_scene(99).resize((width + 300, height)))
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream("mpeg4", rate=rate, options={"g": "100"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        packets = []
        for number in range(min(frames, 300)):
            shown = np.ascontiguousarray(scene[:, number // still :][:, :width])
            packets += stream.encode(av.VideoFrame.from_ndarray(shown))
        packets += stream.encode()
        # The same again and again: what takes time is to encode.
        said = [(bytes(packet), packet.is_keyframe) for packet in packets]
        for number in range(frames):
            content, is_key = said[number % len(said)]
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, rate)
            packet.pts = packet.dts = number
            packet.is_keyframe = is_key
            container.mux(packet)


def sound_alone() -> bytes:
    """An MP4 with a tone and nothing to see."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        _add_tone(container, container.add_stream("aac", rate=44_100))
    return file.getvalue()


def drawn_face(side: int = 400) -> Image.Image:
    """A face of ellipses, which those who look for faces take for one."""
    image = Image.new("RGB", (400, 400), (120, 130, 140))
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 60, 300, 340), fill=(225, 190, 165))
    draw.chord((95, 40, 305, 200), 180, 360, fill=(60, 40, 30))
    for x in (155, 245):
        draw.ellipse((x - 28, 160, x + 28, 190), fill=(150, 110, 95))
        draw.ellipse((x - 20, 165, x + 20, 185), fill=(245, 245, 245))
        draw.ellipse((x - 9, 165, x + 9, 185), fill=(30, 20, 15))
        draw.line((x - 30, 150, x + 30, 148), fill=(60, 40, 30), width=8)
    draw.polygon([(200, 180), (183, 245), (217, 245)], fill=(205, 165, 140))
    draw.ellipse((183, 236, 217, 250), fill=(180, 130, 110))
    draw.ellipse((160, 275, 240, 300), fill=(170, 80, 80))
    draw.line((160, 287, 240, 287), fill=(90, 40, 40), width=4)
    return image.filter(ImageFilter.GaussianBlur(3)).resize((side, side))


@cache
def _scene(seed: int) -> Image.Image:
    """Blocks of all sizes, one over the other: like a photograph it has edges and surfaces."""
    chance = np.random.default_rng(seed)
    image = Image.new("RGB", (640, 480), tuple(chance.integers(0, 255, 3)))
    draw = ImageDraw.Draw(image)
    for number in range(80):
        side = 400 / (1 + number / 6)
        x, y = chance.uniform(-side / 2, 640), chance.uniform(-side / 2, 480)
        box = (x, y, x + side * chance.uniform(0.3, 1), y + side * chance.uniform(0.3, 1))
        draw.rectangle(box, fill=tuple(chance.integers(0, 255, 3)))
    return image


def _add_tone(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    wave = np.sin(np.arange(1024) * 0.06).astype(np.float32)[np.newaxis]
    for place in range(20):
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44_100, place * 1024
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def clip(
    seconds: float = 4,
    *,
    seed: int = 1,
    size: tuple[int, int] = (160, 120),
    rate: Fraction | int = 8,
    codec: str = "mpeg4",
    form: str = "mp4",
    skip: float = 0.0,
    bars: int = 0,
    options: Mapping[str, str] | None = None,
    turned: int = 0,
    kbits: int = 2000,
) -> bytes:
    """A video of shapes over four scenes, two seconds each.

    Args:
        seconds: How long.
        seed: Another one is another video.
        size: Width and height.
        rate: Frames a second.
        codec: What it is made with.
        form: FFmpeg's name of the container.
        skip: Where it begins in the whole.
        bars: How many rows above and below are black.
        options: Of the codec.
        turned: By how many degrees it is to be turned when it is shown, clockwise.
        kbits: Of a second.
    """
    width, height = size
    scenes = [
        _scene(10 * seed + each).resize((width, height - 2 * bars), Image.Resampling.LANCZOS)
        for each in range(4)
    ]
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, options=dict(options or {}))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = kbits * 1000
        if turned:
            stream.set_display_rotation(-turned)
        for number in range(int(seconds * rate)):
            moment = skip + float(number / rate)
            image = Image.new("RGB", size)
            image.paste(scenes[int(moment // 2) % 4], (0, bars))
            left = int(width * (0.4 + 0.3 * math.sin(moment)))
            ImageDraw.Draw(image).rectangle((left, height // 3, left + width // 8, height // 2))
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode())
    return file.getvalue()
