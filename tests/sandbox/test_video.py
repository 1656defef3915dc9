"""Videos give the hashes of their frames, at the instants that the published fingerprint has."""

import io
from dataclasses import replace
from fractions import Fraction
from functools import cache
from tempfile import TemporaryFile

import av
import numpy as np
import pytest

from tests.moving import clip, sound_alone
from tutela.fingerprints.model import Part, Pdq, Picture, PictureState, Unreadable, VideoFrame
from tutela.fingerprints.pdq import pdq_of
from tutela.fingerprints.vpdq import likeness
from tutela.sandbox import video
from tutela.sandbox.formats import HEAD_BYTES, VideoFormat, recognise_visible
from tutela.sandbox.model import Limits, Sampling
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


@cache
def whole() -> bytes:
    return clip(6)


def look(
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


def test_another_video_is_not_alike_and_one_in_a_letter_box_need_not_be() -> None:
    theirs = frames_of(look(whole())[0])
    assert likeness(frames_of(look(clip(6, seed=2))[0]), theirs).query_percent == 0
    # Said in docs/videos.md: PDQ does not see through bars.
    thick = likeness(frames_of(look(clip(6, bars=20))[0]), theirs)
    assert thick.query_percent < 80


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


def test_of_several_moving_pictures_one_is_looked_at_and_the_rest_is_unreadable() -> None:
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(whole())) as source,
        av.open(file, "w", format="matroska") as target,
    ):
        streams = [target.add_stream_from_template(source.streams.video[0]) for _ in range(2)]
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = streams[0]
                target.mux(packet)
    with av.open(io.BytesIO(file.getvalue())) as made:
        assert len(made.streams.video) == 2
    parts, picture = look(file.getvalue())
    assert [part.pdq for part in parts] == [part.pdq for part in look(whole())[0]]
    assert picture.unreadable is Unreadable.NOT_SUPPORTED
    assert "side by side" in str(picture.reason)


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
