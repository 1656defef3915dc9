"""The covers of videos and of sound are looked at, whatever they lie in."""

import base64
import hashlib
import io
import re
import uuid
import zipfile
from collections.abc import Callable
from functools import cache

import av
import numpy as np
import pytest

from tests.archived import zipped
from tests.moving import clip, sound_alone, video_behind_its_cover
from tests.pictures import encoded
from tests.sandbox.looking import alike, hash_of, photograph, places
from tests.sandbox.test_motion import box, everything
from tutela.fingerprints.model import Part, PictureState, Unreadable
from tutela.sandbox import video
from tutela.sandbox.covers import MOST_COVERS
from tutela.sandbox.decoding import Room
from tutela.sandbox.everything import everything_in
from tutela.sandbox.model import Limits

PHOTOGRAPH = photograph(1)
COVER = encoded(PHOTOGRAPH, "JPEG", quality=90)
OTHER = encoded(photograph(2), "PNG")


@cache
def sound(form: str, codec: str, tags: tuple[tuple[str, str], ...] = ()) -> bytes:
    """A tone."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        container.metadata.update(dict(tags))
        stream = container.add_stream(codec, rate=44_100)
        for place in range(20):
            wave = (np.sin(np.arange(1152) * 0.06) * 9000).astype(np.int16)[np.newaxis]
            frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 44_100, place * 1152
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def mp3() -> bytes:
    """Without any tags."""
    made = sound("mp3", "libmp3lame")
    return made[made.index(b"\xff\xfb") :]


def id3(cover: bytes, *, guarded: bool = False) -> bytes:
    """Tags with a cover: https://id3.org/id3v2.3.0."""
    content = b"\0image/jpeg\0\x03\0" + cover
    if guarded:
        # So that no player takes them for sound.
        content = re.sub(rb"\xff(?=[\xe0-\xff\0])", b"\xff\0", content)
    frame = b"APIC" + len(content).to_bytes(4) + b"\0\0" + content
    length = bytes(len(frame) >> 7 * each & 127 for each in (3, 2, 1, 0))
    return b"ID3\x03\0" + (b"\x80" if guarded else b"\0") + length + frame


def block(cover: bytes) -> bytes:
    """As FLAC and Ogg have it: https://xiph.org/flac/format.html."""
    sizes = b"".join(each.to_bytes(4) for each in (320, 240, 24, 0, len(cover)))
    return (3).to_bytes(4) + (10).to_bytes(4) + b"image/jpeg" + bytes(4) + sizes + cover


def flac() -> bytes:
    made = sound("flac", "flac")
    first, rest = bytearray(made[:42]), made[42:]
    last = first[4] & 0x80
    first[4] &= 0x7F
    picture = block(COVER)
    return bytes(first) + bytes([last | 6]) + len(picture).to_bytes(3) + picture + rest


def with_chunk(made: bytes, name: bytes, order: str) -> bytes:
    content = id3(COVER)
    made += name + len(content).to_bytes(4, order) + content + bytes(len(content) % 2)  # type: ignore[arg-type]
    return made[:4] + (len(made) - 8).to_bytes(4, order) + made[8:]  # type: ignore[arg-type]


def with_covr(mp4: bytes, *covers: bytes) -> bytes:
    """As iTunes writes it, behind all else."""
    data = b"".join(box(b"data", (13).to_bytes(4) + bytes(4) + each) for each in covers)
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    tags = box(b"udta", box(b"meta", bytes(4) + handler + box(b"ilst", box(b"covr", data))))
    at = mp4.index(b"moov") - 4
    return mp4[:at] + box(b"moov", mp4[at + 8 :] + tags)


def ape() -> bytes:
    """https://wiki.hydrogenaud.io/index.php?title=APEv2_specification."""
    value = b"cover.jpg\0" + COVER
    item = len(value).to_bytes(4, "little") + (2).to_bytes(4, "little")
    items = item + b"Cover Art (Front)\0" + value
    sizes = (2000, len(items) + 32, 1, 0x80000000)
    return items + b"APETAGEX" + b"".join(each.to_bytes(4, "little") for each in sizes) + bytes(8)


def windows_media() -> bytes:
    """The picture is an entry of the metadata library in the header's extension."""
    made = clip(1, form="asf", codec="wmv2")
    name = "WM/Picture\0".encode("utf-16-le")
    value = (
        b"\x03" + len(COVER).to_bytes(4, "little") + "image/jpeg\0\0".encode("utf-16-le") + COVER
    )
    entry = (1).to_bytes(2, "little") + bytes(4) + len(name).to_bytes(2, "little")
    entry += (1).to_bytes(2, "little") + len(value).to_bytes(4, "little") + name + value
    library = uuid.UUID("44231C94-9498-49D1-A141-1D134E457054").bytes_le
    library += (24 + len(entry)).to_bytes(8, "little") + entry
    at = made.index(uuid.UUID("5FBF03B5-A92E-11CF-8EE3-00C00C205365").bytes_le)

    def longer(place: int, size: int) -> bytes:
        value = int.from_bytes(made[place : place + size], "little") + len(library)
        return value.to_bytes(size, "little")

    end = at + int.from_bytes(made[at + 16 : at + 24], "little")
    extension = made[at : at + 16] + longer(at + 16, 8) + made[at + 24 : at + 42]
    extension += longer(at + 42, 4) + made[at + 46 : end] + library
    return made[:16] + longer(16, 8) + made[24:at] + extension + made[end:]


def matroska() -> bytes:
    file = io.BytesIO()
    with (
        av.open(file, "w", format="matroska") as target,
        av.open(io.BytesIO(clip(1, codec="libx264"))) as source,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        target.add_attachment("cover.jpg", "image/jpeg", COVER)
        target.add_attachment("else.bin", "application/octet-stream", OTHER)
        target.add_attachment("letters.ttf", "font/ttf", b"letters" * 50)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return file.getvalue()


MADE: dict[str, Callable[[], bytes]] = {
    "MP3": lambda: id3(COVER) + mp3(),
    "MP3, guarded": lambda: id3(COVER, guarded=True) + mp3(),
    "MP3, tags at the end": lambda: mp3() + ape(),
    "AAC": lambda: id3(COVER, guarded=True) + sound("adts", "aac"),
    "FLAC": flac,
    "Ogg": lambda: sound(
        "ogg", "flac", (("METADATA_BLOCK_PICTURE", base64.b64encode(block(COVER)).decode()),)
    ),
    "WAV": lambda: with_chunk(sound("wav", "pcm_s16le"), b"id3 ", "little"),
    "AIFF": lambda: with_chunk(sound("aiff", "pcm_s16be"), b"ID3 ", "big"),
    "M4A": lambda: with_covr(sound_alone(), COVER),
    "MP4": lambda: with_covr(clip(1), COVER),
    "MP4, before all else": lambda: video_behind_its_cover([photograph(2)] * 3, PHOTOGRAPH),
    "Windows Media": windows_media,
    "Matroska": matroska,
}


@pytest.mark.parametrize("kind", MADE)
def test_a_cover_is_a_file_within(kind: str) -> None:
    picture, parts = everything(MADE[kind]())
    assert picture.state is PictureState.NONE
    seen = [part for part in parts if part.seconds is None and part.pdq is not None]
    assert any(part.pdq and alike(part.pdq, hash_of(PHOTOGRAPH)) for part in seen)
    told = {part.place: part.digests for part in parts if part.digests is not None}
    if kind not in ("MP3, tags at the end", "AAC", "MP4, before all else"):
        # Whatever has no frame of its own is found by how it begins.
        assert told["cover"].sha256 == hashlib.sha256(COVER).digest()
    if kind == "Matroska":
        assert told["cover 2"].sha256 == hashlib.sha256(OTHER).digest()
        assert len(told) == 2


@pytest.mark.parametrize(
    ("form", "codec"),
    [("mp3", "libmp3lame"), ("flac", "flac"), ("wav", "pcm_s16le"), ("aiff", "pcm_s16be")],
)
def test_sound_without_a_cover_has_no_parts(form: str, codec: str) -> None:
    made = sound(form, codec)
    for content in (made, made[:100], made[:40] + bytes(200)):
        picture, parts = everything(content)
        assert (picture.state, parts) == (PictureState.NONE, [])


def test_covers_are_looked_at_up_to_a_number_and_a_broken_one_is_unreadable() -> None:
    small = encoded(PHOTOGRAPH.resize((32, 24)), "JPEG")
    parts = everything(with_covr(sound_alone(), *[small] * (MOST_COVERS + 1)))[1]
    assert (parts[-1].place, parts[-1].unreadable) == (
        f"cover {MOST_COVERS + 1}",
        Unreadable.TOO_MANY,
    )
    parts = everything(with_covr(sound_alone(), COVER[:700], b"no picture"))[1]
    assert [(part.place, part.unreadable) for part in parts if part.unreadable] == [
        ("cover", Unreadable.ENDS_EARLY),
        ("cover 2", Unreadable.NOT_SUPPORTED),
    ]


def test_sound_in_an_archive_that_is_too_long_to_be_held_is_looked_at_as_far_as_it_is() -> None:
    limits = Limits(memory_bytes=8 * 60_000)
    long = {"a.flac": flac() + bytes(90_000), "b.mp3": mp3() + bytes(90_000)}
    file = io.BytesIO(zipped({**long, "c.mp4": clip(1) + bytes(90_000)}, zipfile.ZIP_STORED))
    *parts, _ = everything_in(file, None, limits, Room())
    assert [part.place for part in parts if isinstance(part, Part) and part.digests] == [
        "a.flac",
        "a.flac cover",
        "b.mp3",
        "c.mp4",
    ]
    failed = [part for part in parts if isinstance(part, Part) and part.unreadable]
    assert [(part.place, part.unreadable) for part in failed] == [("c.mp4", Unreadable.TOO_LARGE)]


def test_without_the_extra_covers_of_sound_are_found_by_how_they_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(video, "av", None)
    picture, parts = everything(id3(COVER) + mp3())
    assert (picture.state, places(parts)) == (PictureState.NONE, ["picture 2"])
