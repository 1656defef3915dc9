"""Videos and faces drawn by code: nobody's, and nowhere's."""

import io
from collections.abc import Sequence

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def video_of(frames: Sequence[Image.Image], rate: int = 10, *, sound: bool = False) -> bytes:
    """An MP4 of these frames, with or without a tone."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        tone = container.add_stream("aac", rate=44_100) if sound else None
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())
        if tone is not None:
            _add_tone(container, tone)
    return file.getvalue()


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


def _add_tone(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    wave = np.sin(np.arange(1024) * 0.06).astype(np.float32)[np.newaxis]
    for place in range(20):
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44_100, place * 1024
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
