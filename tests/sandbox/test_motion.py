"""Videos within the bytes of a picture are looked at, however phones put them there."""

import hashlib
import io
from pathlib import Path

import pytest

from tests.moving import clip, sound_alone
from tests.pictures import encoded
from tests.sandbox.looking import heard, photograph, places
from tests.sandbox.test_video import look as look_at
from tutela.fingerprints.model import Part, Picture, Unreadable
from tutela.sandbox.decoding import Room
from tutela.sandbox.everything import everything_in
from tutela.sandbox.formats import HEAD_BYTES, recognise_visible
from tutela.sandbox.model import Limits
from tutela.sandbox.motion import MOST_VIDEOS

HEIC = (Path(__file__).parents[1] / "media" / "landscape.heic").read_bytes()
PHOTOGRAPH = encoded(photograph(1), "JPEG")
VIDEO = clip(2, codec="libx264")


def box(name: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4) + name + content


def everything(file: bytes, *, in_memory: bool = True) -> tuple[Picture, list[Part]]:
    """As a cell looks at a file, whole or piece by piece."""
    opened = io.BytesIO(file) if in_memory else io.BufferedReader(io.BytesIO(file))
    file_format = recognise_visible(file[:HEAD_BYTES])
    *parts, picture = everything_in(opened, file_format, Limits(), Room())
    assert isinstance(picture, Picture)
    return picture, [heard(part) for part in parts if isinstance(part, Part) and part.place]


SAMSUNG = b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data" + VIDEO + b"SEFH\x6b\0\0\0\1\0\0\0" + bytes(16)
KINDS = {
    "Google": PHOTOGRAPH + VIDEO,
    "Samsung": PHOTOGRAPH + SAMSUNG + b"SEFT",
    "Google HEIC": HEIC + box(b"mpvd", VIDEO) + box(b"free", b"more"),
    "behind a PNG": encoded(photograph(1)) + b"and then" + VIDEO,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("in_memory", [True, False])
def test_the_video_of_a_motion_photo_is_a_file_within_it(kind: str, in_memory: bool) -> None:
    picture, parts = everything(KINDS[kind], in_memory=in_memory)
    assert picture.pdq is not None
    first, *frames = (part for part in parts if part.place.startswith("motion"))
    assert first.place == "motion video"
    assert first.digests is not None
    assert first.digests.sha256 == hashlib.sha256(VIDEO).digest()
    expected, _ = look_at(VIDEO)
    assert [(each.place, each.pdq, each.seconds) for each in frames] == [
        (f"motion video {each.place}", each.pdq, each.seconds) for each in expected
    ]


def test_a_picture_that_is_a_video_too_is_looked_at_as_both() -> None:
    # Players go by what is in it, whatever it calls itself.
    both = VIDEO.replace(b"ftypisom", b"ftypheic", 1)
    picture, parts = everything(both)
    assert picture.unreadable is not None
    assert places(parts) == ["motion video", "motion video 00:00:00", "motion video 00:00:01"]
    assert [part.pdq for part in parts[1:]] == [part.pdq for part in look_at(VIDEO)[0]]


def test_of_several_videos_each_is_looked_at_up_to_a_number() -> None:
    short = clip(0.2)
    parts = everything(PHOTOGRAPH + short * (MOST_VIDEOS + 2))[1]
    assert places(parts)[:4] == [
        "motion video",
        "motion video 00:00:00",
        "motion video 2",
        "motion video 2 00:00:00",
    ]
    assert parts[-1] == Part(f"motion video {MOST_VIDEOS + 1}", unreadable=Unreadable.TOO_MANY)


def test_a_file_of_nothing_but_boxes_is_soon_given_up() -> None:
    boxes = box(b"ftyp", b"isom" * 4) + box(b"free", b"") * 150_000 + VIDEO
    assert everything(PHOTOGRAPH + boxes)[1] == [
        Part("motion video", unreadable=Unreadable.TOO_MANY)
    ]


def test_what_is_no_video_is_none_and_what_is_broken_is_unreadable() -> None:
    for behind in (
        b"....ftyp",
        box(b"ftyp", b"isom"),
        VIDEO[: VIDEO.index(b"moov")],
        b"\0\0\0\x20ftyp",
    ):
        assert places(everything(PHOTOGRAPH + behind)[1]) == []
    assert places(everything(PHOTOGRAPH + sound_alone())[1]) == ["motion video"]
    begin, end = VIDEO.index(b"mdat") + 4, VIDEO.index(b"moov") - 4
    broken = VIDEO[:begin] + bytes(end - begin) + VIDEO[end:]
    whole, failed = everything(PHOTOGRAPH + broken)[1]
    assert (whole.place, failed.place) == ("motion video", "motion video")
    assert (failed.unreadable, failed.decoder) == (Unreadable.DAMAGED, "MP4")
