"""Frames, pages and sizes after the first are hashed, within a budget that hides nothing."""

import io
from collections.abc import Sequence

import pytest
from PIL import Image

from tests.pictures import drawn, encoded
from tests.sandbox.looking import alike, at, hash_of, looked, photograph, places
from tutela.fingerprints.model import PictureState, Unreadable
from tutela.sandbox.model import Limits

SMALL = (64, 48)
SCENES = [photograph(number, (160, 120)) for number in range(4)]


def moving(pictures: Sequence[Image.Image], pillow_format: str, **options: object) -> bytes:
    first, *others = pictures
    return encoded(first, pillow_format, save_all=True, append_images=others, **options)


@pytest.mark.parametrize(
    ("pillow_format", "options", "noun"),
    [
        ("GIF", {}, "frame"),
        ("WEBP", {"quality": 90}, "frame"),
        ("PNG", {}, "frame"),
        ("AVIF", {"quality": 80}, "frame"),
        ("TIFF", {}, "page"),
    ],
)
def test_each_frame_or_page_is_hashed(
    pillow_format: str, options: dict[str, object], noun: str
) -> None:
    picture, parts = looked(moving(SCENES, pillow_format, **options))
    assert picture.state is PictureState.DECODED
    assert picture.pdq is not None
    assert alike(picture.pdq, hash_of(SCENES[0]))
    assert places(parts) == [f"{noun} {number}" for number in (2, 3, 4)]
    for number in (2, 3, 4):
        assert alike(at(parts, f"{noun} {number}"), hash_of(SCENES[number - 1]))


def test_the_picture_that_is_shown_where_nothing_moves_is_hashed_too() -> None:
    file = moving(SCENES, "PNG", default_image=True)
    _, parts = looked(file)
    assert len(places(parts)) == 3
    assert at(parts, "") == hash_of(SCENES[0])


def test_a_frame_that_was_told_of_is_not_told_of_again() -> None:
    first, second = SCENES[:2]
    _, parts = looked(moving([first, second, first, second, first], "TIFF"))
    assert places(parts) == ["page 2"]


def test_of_many_frames_some_that_are_spread_are_told_of_and_each_new_scene() -> None:
    still, other, last = (photograph(number, SMALL) for number in (1, 2, 3))
    frames = [still.copy() for _ in range(60)]
    for number, frame in enumerate(frames):
        # A spot that changes each frame a little and no hash by much.
        frame.putpixel((number, 0), (255 - number, number, 128))
    frames[37] = other
    frames[59] = last
    _, parts = looked(moving(frames, "PNG"), Limits(frames=4))
    told = [part.pdq for part in parts if part.pdq is not None]
    assert 4 <= len(told) <= 9
    assert any(alike(pdq, hash_of(other), 0) for pdq in told)
    assert any(alike(pdq, hash_of(last), 0) for pdq in told)


def test_more_scenes_than_are_looked_at_are_not_passed_over_in_silence() -> None:
    file = moving([drawn(seed, SMALL) for seed in range(30)], "PNG")
    picture, parts = looked(file, Limits(frames=4))
    assert picture.state is PictureState.DECODED
    assert parts[-1].unreadable is Unreadable.TOO_MANY
    assert len(places(parts)) == 9


def test_frames_that_take_too_long_are_not_passed_over_in_silence() -> None:
    picture, parts = looked(moving(SCENES, "GIF"), Limits(seconds=0))
    assert picture.state is PictureState.DECODED
    assert [(part.place, part.unreadable) for part in parts if part.place] == [
        ("frame 2", Unreadable.TOO_SLOW)
    ]


@pytest.mark.parametrize(("pillow_format", "noun"), [("GIF", "frame"), ("PNG", "frame")])
def test_a_frame_that_is_damaged_is_a_part_that_nobody_could_look_at(
    pillow_format: str, noun: str
) -> None:
    file = moving(SCENES, pillow_format)
    picture, parts = looked(file[: len(file) * 3 // 5])
    assert picture.state is PictureState.DECODED
    assert parts[-1].place.startswith(noun)
    assert parts[-1].unreadable in (Unreadable.ENDS_EARLY, Unreadable.DAMAGED)


def test_a_page_beyond_the_limit_of_pixels_is_not_decoded() -> None:
    _, parts = looked(moving([SCENES[0], drawn(9, (800, 600))], "TIFF"), Limits(pixels=20_000))
    assert [(part.place, part.unreadable) for part in parts if part.place] == [
        ("page 2", Unreadable.TOO_MANY_PIXELS)
    ]


def test_every_size_of_an_icon_is_hashed() -> None:
    small = drawn(2, (32, 32))
    file = encoded(drawn(1, (128, 128)), "ICO", sizes=[(128, 128), (32, 32)], append_images=[small])
    picture, parts = looked(file)
    assert picture.pdq == hash_of(drawn(1, (128, 128)))
    assert at(parts, "size 32 x 32") == hash_of(small)


def test_a_turned_page_is_hashed_as_shown_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    drawn(1).save(file, "WEBP", save_all=True, append_images=[drawn(2)], exif=exif, lossless=True)
    _, parts = looked(file.getvalue())
    assert places(parts) == ["as shown", "frame 2", "frame 2 as shown"]
    assert at(parts, "frame 2 as shown") == hash_of(drawn(2).rotate(-90, expand=True))
