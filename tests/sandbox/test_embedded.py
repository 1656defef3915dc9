"""Pictures within the bytes of others are found, wherever they lie."""

import io

import pytest
from PIL import Image

from tests.pictures import drawn, encoded
from tests.sandbox.looking import alike, at, hash_of, looked, photograph, places
from tutela.fingerprints.model import PictureState
from tutela.sandbox.embedded import MOST_EMBEDDED

COVER, HIDDEN = photograph(1), photograph(2)
PREVIEW = encoded(HIDDEN.resize((160, 120)), "JPEG", quality=85)


def with_preview(preview: bytes) -> bytes:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + preview
    return encoded(COVER, "JPEG", exif=exif)


def test_the_preview_of_a_photograph_is_hashed() -> None:
    picture, parts = looked(with_preview(PREVIEW))
    assert picture.state is PictureState.DECODED
    assert places(parts) == ["thumbnail"]
    assert alike(at(parts, "thumbnail"), hash_of(HIDDEN))


def test_a_damaged_preview_harms_nobody() -> None:
    picture, parts = looked(with_preview(PREVIEW[:300] + bytes(500)))
    assert picture.state is PictureState.DECODED
    assert parts == []


@pytest.mark.parametrize("cover", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("hidden", ["JPEG", "PNG", "GIF"])
def test_a_picture_behind_the_end_of_another_one_is_hashed(cover: str, hidden: str) -> None:
    picture, parts = looked(encoded(COVER, cover) + b"and then" + encoded(HIDDEN, hidden))
    assert picture.pdq is not None
    assert alike(picture.pdq, hash_of(COVER))
    assert places(parts) == ["picture 2"]
    assert alike(at(parts, "picture 2"), hash_of(HIDDEN))


def test_the_pictures_that_a_camera_wrote_behind_the_first_are_hashed() -> None:
    file = io.BytesIO()
    COVER.save(file, "MPO", save_all=True, append_images=[HIDDEN, photograph(3)])
    picture, parts = looked(file.getvalue())
    assert picture.state is PictureState.DECODED
    assert places(parts) == ["picture 2", "picture 3"]
    assert alike(at(parts, "picture 3"), hash_of(photograph(3)))


def test_a_picture_in_a_broken_one_is_hashed() -> None:
    file = with_preview(PREVIEW)
    picture, parts = looked(file[: len(PREVIEW) + 400])
    assert picture.state is PictureState.UNREADABLE
    assert "thumbnail" in places(parts)


def test_no_more_are_looked_at_than_is_said() -> None:
    small = [encoded(drawn(seed, (32, 32)), "PNG") for seed in range(MOST_EMBEDDED + 5)]
    _, parts = looked(encoded(COVER, "JPEG") + b"".join(small))
    assert len(places(parts)) == MOST_EMBEDDED


def test_what_only_begins_as_a_picture_is_none() -> None:
    for noise in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(90)):
        picture, parts = looked(encoded(COVER, "PNG") + noise)
        assert picture.state is PictureState.DECODED
        assert parts == []


def test_a_picture_that_is_there_twice_is_told_of_once() -> None:
    _, parts = looked(encoded(COVER, "PNG") + encoded(COVER, "PNG"))
    assert parts == []


def test_a_turned_preview_is_hashed_as_shown_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    _, parts = looked(encoded(COVER, "PNG") + encoded(HIDDEN, "PNG", exif=exif))
    assert places(parts) == ["picture 2", "picture 2 as shown"]
    assert at(parts, "picture 2 as shown") == hash_of(HIDDEN.rotate(180))


@pytest.mark.parametrize("gap", [0, 70_000, 300_000, 524_287])
def test_one_is_found_wherever_it_lies(gap: int) -> None:
    _, parts = looked(encoded(COVER, "PNG") + bytes(gap) + PREVIEW)
    assert places(parts) == ["picture 2"]
