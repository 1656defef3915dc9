"""Videos give the hashes of their frames, at the instants that the published fingerprint has."""

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from tempfile import TemporaryFile

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.moving import clip, side_by_side, sound_alone, video_of
from tests.oracle import differing_bits
from tests.pictures import drawn
from tests.sandbox.looking import alike, hash_of, photograph
from tutela.fingerprints.model import (
    Part,
    Pdq,
    Picture,
    PictureState,
    Unreadable,
    VideoFrame,
    place_of_video,
)
from tutela.fingerprints.pdq import pdq_of
from tutela.fingerprints.vpdq import likeness
from tutela.sandbox import footage, video
from tutela.sandbox.formats import HEAD_BYTES, VideoFormat, recognise_visible
from tutela.sandbox.model import MOST_TRACKS, Limits, Sampling
from tutela.sandbox.pool import CellPool

CONTAINERS = [
    ("MP4", "mp4", "libx264"),
    ("QuickTime", "mov", "mpeg4"),
    ("3GP", "3gp", "mpeg4"),
    ("Matroska", "matroska", "libx264"),
    ("WebM", "webm", "libvpx"),
    ("AVI", "avi", "mpeg4"),
    ("MPEG-TS", "mpegts", "libx264"),
    ("MPEG", "mpeg", "mpeg2video"),
    ("FLV", "flv", "flv"),
    ("Ogg", "ogg", "libvpx"),
    ("Windows Media", "asf", "wmv2"),
]


FLASHED = hash_of(photograph(2, (160, 120)))


@cache
def whole() -> bytes:
    return clip(6)


def look(
    content: bytes, sampling: Sampling = Sampling.SECONDS, limits: Limits | None = None
) -> tuple[list[Part], Picture]:
    """Without the frames between those of the fingerprint."""
    parts, picture = look_at_all(content, sampling, limits)
    return [part for part in parts if not part.is_between], picture


def look_at_all(
    content: bytes, sampling: Sampling = Sampling.SECONDS, limits: Limits | None = None
) -> tuple[list[Part], Picture]:
    video_format = recognise_visible(content[:HEAD_BYTES])
    assert isinstance(video_format, VideoFormat)
    limits = replace(limits or Limits(), sampling=sampling)
    *parts, picture = video.look_at_video(io.BytesIO(content), video_format, limits)
    assert isinstance(picture, Picture)
    assert all(isinstance(part, Part) for part in parts)
    return [part for part in parts if isinstance(part, Part)], picture


def frames_of(parts: list[Part]) -> list[VideoFrame]:
    return [
        VideoFrame(part.pdq, part.seconds)
        for part in parts
        if part.pdq is not None and part.seconds is not None
    ]


def seconds_of(parts: list[Part]) -> list[float]:
    return [part.seconds for part in parts if part.seconds is not None]


@pytest.mark.parametrize(("name", "form", "codec"), CONTAINERS)
def test_every_container_is_told_by_its_content(name: str, form: str, codec: str) -> None:
    rate = 25 if codec == "mpeg2video" else 8
    content = clip(3, form=form, codec=codec, rate=rate, size=(176, 144))
    found = recognise_visible(content[:HEAD_BYTES])
    assert isinstance(found, VideoFormat)
    assert found.name == name
    parts, picture = look(content)
    assert picture.state is PictureState.NONE
    assert [part.place for part in parts] == ["00:00:00", "00:00:01", "00:00:02"]
    assert all(part.pdq for part in parts)


@pytest.mark.parametrize(
    "head",
    [b"The free world", b"G" + b"a" * 600, b"wide open", b"FLV\x01 is", b"\0\0\1", b"", b"RIFF"],
)
def test_words_are_no_video(head: bytes) -> None:
    assert recognise_visible(head) is None


def test_frames_are_taken_by_their_count_as_the_reference_takes_them() -> None:
    # 29.97 frames a second: every 29th, and instants in single precision.
    parts, _ = look(clip(4, rate=Fraction(30000, 1001)))
    rate = np.float32(30000 / 1001)
    assert seconds_of(parts) == [float(np.float32(29 * each) / rate) for each in range(5)]
    slow, _ = look(clip(6, rate=Fraction(1, 2)))
    assert seconds_of(slow) == [0.0, 2.0, 4.0]


def test_colours_are_those_of_the_reference_whatever_the_video_says_of_them() -> None:
    content = clip(1)
    with av.open(io.BytesIO(content)) as container:
        frame = next(container.decode(video=0))
    expected = pdq_of(
        frame.to_ndarray(
            format="rgb24", interpolation="AREA", src_colorspace="ITU601", dst_colorspace="ITU601"
        )
    )
    assert look(content)[0][0].pdq == expected
    tagged = io.BytesIO()
    with (
        av.open(io.BytesIO(clip(1, codec="libx264"))) as before,
        av.open(tagged, "w", format="mp4") as after,
    ):
        stream = after.add_stream("libx264", rate=8, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.colorspace = 1
        for place, frame in enumerate(before.decode(video=0)):
            frame.pts, frame.time_base = place, Fraction(1, 8)
            after.mux(stream.encode(frame))
        after.mux(stream.encode())
    with av.open(io.BytesIO(tagged.getvalue())) as container:
        assert next(container.decode(video=0)).colorspace == 1
    assert look(tagged.getvalue())[0][0].pdq == look(clip(1, codec="libx264"))[0][0].pdq


def test_a_video_that_is_turned_is_hashed_as_stored_and_as_shown() -> None:
    stored, _ = look(clip(2))
    parts, _ = look(clip(2, turned=90))
    assert [part.place for part in parts] == [
        "00:00:00",
        "00:00:00 as shown",
        "00:00:01",
        "00:00:01 as shown",
    ]
    assert [part.pdq for part in parts if not part.is_turned] == [part.pdq for part in stored]
    with av.open(io.BytesIO(clip(2))) as container:
        pixels = next(container.decode(video=0)).to_ndarray(
            format="rgb24", interpolation="AREA", src_colorspace="ITU601", dst_colorspace="ITU601"
        )
    assert parts[1].pdq == pdq_of(np.rot90(pixels, -1))


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((-1, 0, 0, 1), lambda pixels: pixels[:, ::-1]),
        ((1, 0, 0, -1), lambda pixels: pixels[::-1]),
        ((-1, 0, 0, -1), lambda pixels: pixels[::-1, ::-1]),
        ((0, 1, 1, 0), lambda pixels: pixels.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2)),
        ((0, 1, -1, 0), lambda pixels: np.rot90(pixels, -1)),
    ],
    ids=["across", "down", "both", "along", "along the other", "quarter"],
)
def test_a_video_that_is_mirrored_is_hashed_as_shown_too(
    matrix: tuple[int, ...], shown: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> None:
    content = clip(1)
    # Where a point to the right of the first one is shown, and one below it: ISO/IEC 14496-12.
    at = content.index(b"tkhd") + 4 + 40
    right_x, right_y, below_x, below_y = (each << 16 for each in matrix)
    told = struct.pack(">9i", right_x, right_y, 0, below_x, below_y, 0, 0, 0, 1 << 30)
    stored, as_shown = look(content[:at] + told + content[at + len(told) :])[0]
    with av.open(io.BytesIO(content)) as container:
        pixels = footage.pixels_of(next(container.decode(video=0)))
    assert (as_shown.place, as_shown.is_turned) == ("00:00:00 as shown", True)
    assert (stored.pdq, as_shown.pdq) == (pdq_of(pixels), pdq_of(shown(pixels)))


def see_through(form: str, codec: str, pixels: str) -> bytes:
    """Black all over: what there is to see, for one frame, is in how much of it is seen."""
    grey = np.asarray(photograph(2).convert("L"))
    seen = np.dstack([np.zeros((*grey.shape, 3), np.uint8), 255 - grey])
    file = io.BytesIO()
    options = {"auto-alt-ref": "0"} if form == "webm" else {}
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(codec, rate=5, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 240, pixels
        stream.bit_rate = 4_000_000
        for number in range(6):
            still = np.ascontiguousarray(seen if number == 3 else np.full_like(seen, 255))
            frame = av.VideoFrame.from_ndarray(still, format="rgba")
            container.mux(stream.encode(frame.reformat(format=pixels)))
        container.mux(stream.encode())
    return file.getvalue()


def test_a_video_that_one_sees_through_is_hashed_over_pages() -> None:
    expected = hash_of(photograph(2))
    with CellPool(1) as cells:
        for form, codec, pixels in (
            ("webm", "libvpx-vp9", "yuva420p"),
            ("webm", "libvpx", "yuva420p"),
            ("mov", "png", "rgba"),
            ("mov", "prores_ks", "yuva444p10le"),
        ):
            with TemporaryFile() as file:
                file.write(see_through(form, codec, pixels))
                file.flush()
                found = cells.fingerprint(file)
            assert found.picture.state is PictureState.NONE
            assert [
                part.place for part in found.parts if part.pdq and alike(part.pdq, expected)
            ] == ["00:00:00.600 over white"]


def test_what_a_file_says_to_leave_out_is_looked_at_too() -> None:
    content = clip(6, codec="libx264", options={"g": "8"})
    at = content.index(b"elst") + 12
    time = int.from_bytes(content[content.index(b"mdhd") + 16 :][:4])
    # Of two seconds, from the third on: ISO/IEC 14496-12. The first frame is not at zero.
    begin = int.from_bytes(content[at + 4 : at + 8])
    cut = content[:at] + struct.pack(">Ii", 2_000, begin + 2 * time) + content[at + 8 :]
    parts, picture = look(cut)
    assert picture.state is PictureState.NONE
    shown = [part for part in parts if not part.place.startswith("uncut")]
    uncut = [part for part in parts if part.place.startswith("uncut")]
    whole_video = look(content)[0]
    assert [part.pdq for part in uncut] == [part.pdq for part in whole_video]
    assert [part.place for part in uncut] == [f"uncut 00:00:0{each}" for each in range(6)]
    assert [part.place for part in shown] == ["00:00:00", "00:00:01"]
    assert [part.pdq for part in shown] == [part.pdq for part in whole_video[2:4]]


def test_the_size_may_change_in_the_middle() -> None:
    first, second = (
        clip(2, seed=seed, form="mpegts", codec="libx264", size=size)
        for seed, size in ((1, (160, 120)), (2, (320, 176)))
    )
    parts, picture = look(first + second)
    assert picture.state is PictureState.NONE
    expected = look(first)[0] + look(second)[0]
    assert [part.pdq for part in parts] == [part.pdq for part in expected]


def by_pq(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.2100, with white at 203 candelas a square metre."""
    root = (light * 203 / 10_000) ** 0.1593017578125
    signal: NDArray[np.float64] = (
        (0.8359375 + 18.8515625 * root) / (1 + 18.6875 * root)
    ) ** 78.84375
    return signal


def by_hlg(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.2100, with white at three quarters of the signal."""
    light = light * 0.265
    bright = 0.17883277 * np.log((12 * light - 0.28466892).clip(1e-9)) + 0.55991073
    return np.where(light <= 1 / 12, np.sqrt(3 * light), bright)


@pytest.mark.parametrize(("number", "stored"), [(16, by_pq), (18, by_hlg)])
def test_light_for_bright_screens_is_hashed_as_others_show_it(
    number: int, stored: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> None:
    original = photograph(0)
    value = np.asarray(original) / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=1, options={"qp": "10"})
        stream.width, stream.height = original.size
        stream.pix_fmt = "yuv420p10le"
        stream.codec_context.color_trc = number
        pixels = (stored(light) * 255).round().astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels).reformat(format="yuv420p10le")
        container.mux([*stream.encode(frame), *stream.encode()])
    as_stored, as_shown = look(file.getvalue())[0]
    assert as_shown.place == "00:00:00 as shown"
    expected = hash_of(original)
    assert as_stored.pdq is not None
    assert as_shown.pdq is not None
    assert differing_bits(as_shown.pdq, expected) <= 6
    assert differing_bits(as_stored.pdq, expected) >= differing_bits(as_shown.pdq, expected)


@pytest.mark.parametrize(
    ("copy", "least_of_copy", "least_of_whole"),
    [
        (lambda: clip(6, codec="libx264", form="matroska"), 100, 100),
        (lambda: clip(6, kbits=300), 100, 100),
        (lambda: clip(6, size=(320, 240), rate=12), 100, 100),
        (lambda: clip(2, skip=2), 100, 30),
        (lambda: clip(6, skip=3), 60, 50),
    ],
    ids=["again", "coarser", "larger", "cut short", "later"],
)
def test_copies_are_known(copy, least_of_copy: float, least_of_whole: float) -> None:
    ours, theirs = look(copy())[0], look(whole())[0]
    alike = likeness(frames_of(ours), frames_of(theirs))
    assert alike.query_percent >= least_of_copy
    assert alike.compared_percent >= least_of_whole


def test_another_video_is_not_alike() -> None:
    theirs = frames_of(look(whole())[0])
    assert likeness(frames_of(look(clip(6, seed=2))[0]), theirs).query_percent == 0


@pytest.mark.parametrize(("left", "top"), [(0, 60), (128, 0), (64, 68)])
def test_a_copy_in_a_letter_box_is_known_without_its_margins(left: int, top: int) -> None:
    for number in range(3):
        original = photograph(number, (640, 480))
        image = Image.new("RGB", (640, 480))
        image.paste(original.resize((640 - 2 * left, 480 - 2 * top)), (left, top))
        file = io.BytesIO()
        with av.open(file, "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=1, options={"crf": "28"})
            stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
            container.mux(stream.encode())
        stored, within = look(file.getvalue())[0]
        assert within.place == "00:00:00 without its margins"
        assert alike(within.pdq, hash_of(original))
        # Said in docs/videos.md: PDQ itself does not see through bars.
        assert not alike(stored.pdq, hash_of(original))


def flashing(*flashes: int, frames: int = 40, turned: int = 0) -> bytes:
    """A still video of four seconds, in which each of these frames is another picture."""
    still, other = (photograph(number, (160, 120)) for number in (1, 2))
    images = [other if number in flashes else still for number in range(frames)]
    return video_of(images, turned=turned)


@pytest.mark.parametrize("at", [1, 9, 25, 39])
def test_what_is_shown_for_one_frame_between_is_looked_at_and_not_in_the_fingerprint(
    at: int,
) -> None:
    parts, _ = look_at_all(flashing(at))
    (between,) = (part for part in parts if part.is_between and alike(part.pdq, FLASHED))
    assert between.place == f"00:00:0{at // 10}.{at % 10}00"
    assert between.seconds == pytest.approx(at / 10)
    assert [part.place for part in parts if not part.is_between] == [
        f"00:00:0{second}" for second in range(4)
    ]
    # What follows is what was told of before, or is told of anew.
    assert len(parts) <= 6


def test_what_moves_or_is_full_of_grain_is_not_told_of_at_each_frame() -> None:
    moving = [part for part in look_at_all(clip(6, rate=25))[0] if part.is_between]
    # A scene is two seconds long, and the frame it begins with is one of the fingerprint.
    assert moving == []
    chance = np.random.default_rng(3)
    still = np.asarray(drawn(1, (160, 120))).astype(np.int16)
    grains = [
        Image.fromarray((still + chance.normal(0, 25, still.shape)).clip(0, 255).astype(np.uint8))
        for _ in range(30)
    ]
    assert len(look_at_all(video_of(grains))[0]) == 3


def test_of_frames_between_there_is_a_limit() -> None:
    parts, picture = look_at_all(flashing(3, 5, 7, 9, 13), limits=Limits(video_frames=4))
    between = [part.place for part in parts if part.is_between]
    # Each picture, and what is shown again after it.
    assert between == [f"00:00:00.{each}00" for each in (3, 4, 5, 6)]
    late = Part("00:00:00.700", unreadable=Unreadable.TOO_MANY)
    assert [part for part in parts if part.unreadable] == [late]
    assert picture.state is PictureState.NONE
    assert len([part for part in parts if part.seconds is not None]) == 8


def test_key_frames_alone_are_at_most_one_of_each_second() -> None:
    parts, _ = look(clip(6, codec="libx264", options={"g": "16"}), Sampling.KEY_FRAMES)
    assert seconds_of(parts)[:2] == [0.0, 2.0]
    every_one, _ = look(clip(4, options={"g": "1"}), Sampling.KEY_FRAMES)
    assert seconds_of(every_one) == [0.0, 1.0, 2.0, 3.0]


def test_scenes_are_told_of_by_their_first_frames() -> None:
    parts, _ = look(whole(), Sampling.SCENES)
    assert [part.place for part in parts] == ["00:00:00", "00:00:02", "00:00:04"]


def test_sound_alone_is_no_video_and_no_picture() -> None:
    assert look(sound_alone()) == ([], Picture(PictureState.NONE, reason="not a picture"))


def test_a_damaged_video_is_unreadable_and_what_was_found_of_it_counts() -> None:
    content = clip(6, form="mpegts", codec="mpeg2video", rate=25)
    with_holes = bytearray(content)
    chance = np.random.default_rng(1)
    for place in chance.integers(2000, len(content), 2000):
        with_holes[place] ^= 0xFF
    parts, picture = look(bytes(with_holes))
    assert picture.state in (PictureState.NONE, PictureState.UNREADABLE)
    assert parts
    for cut in (200, 1500):
        parts, picture = look(whole()[:cut])
        assert (parts, picture.unreadable) == ([], Unreadable.DAMAGED)


@pytest.mark.parametrize("form", ["mp4", "matroska", "mpegts"])
def test_every_track_is_looked_at(form: str) -> None:
    clips = [clip(3, seed=seed, codec="libx264") for seed in (1, 2, 3)]
    parts, picture = look(side_by_side(clips, form))
    assert picture.state is PictureState.NONE
    for track, content in enumerate(clips, 1):
        before = "" if track == 1 else f"track {track} "
        frames = [part for part in parts if place_of_video(part.place) == before.strip()]
        assert [part.place for part in frames] == [f"{before}00:00:0{each}" for each in range(3)]
        assert [part.pdq for part in frames] == [part.pdq for part in look(content)[0]]


def test_a_track_that_cannot_be_looked_at_is_named_and_harms_no_other() -> None:
    clips = [clip(2, seed=seed, codec="libx264") for seed in (1, 2)]
    packets = io.BytesIO(clips[1])
    with av.open(packets) as second:
        broken = [bytes(packet) for packet in second.demux(video=0) if packet.size]
    content = side_by_side(clips, "matroska")
    for packet in broken:
        assert packet in content
        content = content.replace(packet, bytes(len(packet)))
    parts, picture = look(content)
    assert [part.place for part in parts] == ["00:00:00", "00:00:01", "track 2"]
    assert (parts[2].unreadable, picture.state) == (Unreadable.DAMAGED, PictureState.NONE)
    # The limits are of all tracks together.
    parts, picture = look(side_by_side(clips, "mp4"), limits=Limits(video_frames=3))
    assert (len(parts), picture.unreadable) == (3, Unreadable.TOO_MANY)
    many = side_by_side([clip(0.2, size=(64, 64))] * (MOST_TRACKS + 1), "mp4")
    assert look(many)[0][-1] == Part(f"track {MOST_TRACKS + 1}", unreadable=Unreadable.TOO_MANY)


def test_what_costs_too_much_is_not_looked_at() -> None:
    parts, picture = look(whole(), limits=Limits(video_frames=2))
    assert (len(parts), picture.unreadable) == (2, Unreadable.TOO_MANY)
    parts, picture = look(whole(), limits=Limits(pixels=100))
    assert (parts, picture.unreadable) == ([], Unreadable.TOO_MANY_PIXELS)


def test_a_playlist_opens_nothing() -> None:
    for content in (b"#EXTM3U\n/etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n"):
        assert recognise_visible(content) is None


def test_without_the_extra_a_video_is_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "av", None)
    video.prepare()
    parts, picture = look(whole())
    assert (parts, picture.unreadable) == ([], Unreadable.NOT_SUPPORTED)
    assert picture.reason is not None
    assert 'the extra "video"' in picture.reason


def test_a_sealed_cell_looks_at_every_container() -> None:
    with CellPool(1) as cells:
        for _, form, codec in CONTAINERS:
            rate = 25 if codec == "mpeg2video" else 8
            content = clip(2, form=form, codec=codec, rate=rate, size=(176, 144))
            with TemporaryFile() as file:
                file.write(content)
                file.flush()
                found = cells.fingerprint(file, suffix=".jpg")
            assert found.picture.state is PictureState.NONE, (form, found.picture)
            assert [part.seconds for part in found.parts] == [0.0, 1.0]
            assert all(isinstance(part.pdq, Pdq) for part in found.parts)
