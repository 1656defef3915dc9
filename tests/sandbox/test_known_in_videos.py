"""A known picture is found wherever in a video it is shown, and however that is packed."""

import io
from collections.abc import Sequence
from tempfile import TemporaryFile

import av
from PIL import Image

from tests.moving import side_by_side
from tests.sandbox.looking import alike, hash_of, photograph
from tests.sandbox.test_motion import box
from tutela.fingerprints.model import FileFingerprints
from tutela.sandbox.pool import CellPool

KNOWN, OTHER = photograph(2), photograph(1)
TAGS = b"ID3\3\0\0\0\0\0\x0a" + bytes(10)
# What it begins as, FFmpeg's names of the container and the codec, the pixels.
KINDS = (
    ("QuickTime", "mov", "gif", "rgb8"),
    ("QuickTime", "mov", "png", "rgb24"),
    ("QuickTime", "mov", "prores", "yuv422p10le"),
    ("AVI", "avi", "rawvideo", "bgr24"),
    ("AVI", "avi", "mjpeg", "yuvj420p"),
    ("Matroska", "matroska", "ffv1", "yuv420p"),
    ("MP4", "mp4", "libx265", "yuv420p"),
    ("H.264", "h264", "libx264", "yuv420p"),
    ("HEVC", "hevc", "libx265", "yuv420p"),
    ("MPEG-4", "m4v", "mpeg4", "yuv420p"),
    ("IVF", "ivf", "libvpx", "yuv420p"),
    ("NUT", "nut", "mpeg4", "yuv420p"),
    ("MXF", "mxf", "mpeg2video", "yuv420p"),
    ("RealMedia", "rm", "rv10", "yuv420p"),
    ("WTV", "wtv", "mpeg2video", "yuv420p"),
    ("DV", "dv", "dvvideo", "yuv420p"),
    ("YUV4MPEG", "yuv4mpegpipe", "wrapped_avframe", "yuv420p"),
)


def made(
    form: str, codec: str, pixels: str, images: Sequence[Image.Image], **options: str
) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=form, options=options) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = (720, 576) if form == "dv" else images[0].size
        stream.pix_fmt, stream.bit_rate = pixels, 4_000_000
        for image in images:
            shown = image.resize((stream.width, stream.height))
            container.mux(stream.encode(av.VideoFrame.from_image(shown)))
        container.mux(stream.encode())
    return file.getvalue()


def h264(*images: Image.Image, form: str = "mp4", **options: str) -> bytes:
    return made(form, "libx264", "yuv420p", images, **options)


def found_at(found: FileFingerprints) -> list[str]:
    expected = hash_of(KNOWN)
    return [part.place for part in found.parts if part.pdq and alike(part.pdq, expected)]


def test_a_known_picture_is_found_in_every_kind_of_video() -> None:
    with CellPool(1) as cells:
        for name, form, codec, pixels in KINDS:
            with TemporaryFile() as file:
                file.write(made(form, codec, pixels, [KNOWN] * 3))
                file.flush()
                found = cells.fingerprint(file)
            assert (found.format, found_at(found)[:1]) == (name, ["00:00:00"]), (form, codec)
        assert len(cells.process_ids) == 1


def test_a_known_picture_is_found_wherever_a_video_shows_it() -> None:
    others = [OTHER] * 30
    pieces = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    stream = h264(*[KNOWN] * 20, form="mpegts")
    files = {
        "00:00:00": h264(KNOWN, *others),
        "00:00:01.200": h264(*others, KNOWN),
        "00:00:00.480": h264(*others[:12], KNOWN, *others),
        "track 2 00:00:00": side_by_side([h264(*others), h264(KNOWN, *others)], "mp4"),
    }
    first = (
        h264(KNOWN, **pieces),
        box(b"styp", b"msdh" + bytes(4)) + h264(KNOWN, **pieces),
        box(b"uuid", bytes(24)) + h264(KNOWN, **pieces),
        b"of another broadcast" + stream,
        TAGS + stream,
        TAGS + TAGS + stream,
    )
    with CellPool(1) as cells:
        for place, content in [*files.items(), *(("00:00:00", each) for each in first)]:
            with TemporaryFile() as file:
                file.write(content)
                file.flush()
                found = cells.fingerprint(file)
            assert found_at(found)[:1] == [place], found
