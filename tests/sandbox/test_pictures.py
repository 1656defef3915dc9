"""Every look of a picture that a person may be shown is hashed."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.drawing import landscape
from tests.oracle import differing_bits
from tests.pictures import encoded
from tests.sandbox.looking import ORIENTATION, at, hash_of, looked, photograph, places
from tutela.fingerprints.model import Part, Picture, PictureState, Unreadable
from tutela.fingerprints.pdq import dihedrals_of


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
def test_a_turned_picture_is_hashed_as_stored_and_as_shown(
    pillow_format: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    file = encoded(landscape(), pillow_format, exif=exif)
    with Image.open(io.BytesIO(file)) as image:
        stored = hash_of(image)
        shown = hash_of(ImageOps.exif_transpose(image))
    picture, (own, part) = looked(file)
    assert picture == Picture(PictureState.DECODED, stored)
    assert own == Part("", pdq=stored)
    assert part.place == "as shown"
    assert part.pdq is not None
    assert differing_bits(part.pdq, shown) <= 2
    assert differing_bits(stored, shown) > 60


def test_a_tiff_is_turned_by_its_decoder() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    picture, parts = looked(encoded(landscape(), "TIFF", exif=exif))
    assert picture.pdq == hash_of(landscape().rotate(-90, expand=True))
    assert parts == []


@pytest.mark.parametrize("orientation", [0, 1, 9, 700])
def test_a_picture_that_stands_as_it_is_stored_has_no_other_look(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture, parts = looked(encoded(landscape(), "PNG", exif=exif))
    assert picture == Picture(PictureState.DECODED, hash_of(landscape()))
    assert parts == []


def test_exif_data_without_sense_turns_nothing() -> None:
    for exif in (b"Exif\0\0nonsense", b"Exif\0\0MM\0*\xff\xff\xff\xff"):
        picture, parts = looked(encoded(landscape(), "PNG", exif=exif))
        assert picture.pdq == hash_of(landscape())
        assert parts == []


def test_the_turned_and_mirrored_hashes_come_only_if_asked_for() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    file = encoded(landscape(), "PNG", exif=exif)
    assert looked(file)[0].dihedrals == ()
    assert looked(file, dihedrals=True)[0].dihedrals == dihedrals_of(np.asarray(landscape()))


def test_what_a_picture_shows_before_it_ends_early_is_hashed() -> None:
    file = encoded(photograph(1), "JPEG", quality=90)
    picture, parts = looked(file[: len(file) * 95 // 100])
    assert picture.unreadable is Unreadable.ENDS_EARLY
    assert picture.pdq is None
    assert places(parts) == ["as far as it can be decoded"]
    assert differing_bits(at(parts, "as far as it can be decoded"), hash_of(photograph(1))) <= 31


def test_what_shows_nothing_has_no_hash() -> None:
    for file in (encoded(photograph(1), "JPEG")[:200], b"\x89PNG\r\n\x1a\n and no more"):
        picture, parts = looked(file)
        assert picture.state is PictureState.UNREADABLE
        assert parts == []
