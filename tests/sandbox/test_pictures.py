"""Every look of a picture that a person may be shown is hashed."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.drawing import landscape
from tests.oracle import differing_bits
from tutela.fingerprints.model import Part, Pdq, Picture, PictureState
from tutela.fingerprints.pdq import dihedrals_of, pdq_of
from tutela.sandbox.decoding import Room, prepare
from tutela.sandbox.formats import recognise
from tutela.sandbox.model import Limits
from tutela.sandbox.pictures import look

LIMITS = Limits()
ORIENTATION = 0x0112

prepare()


def looked(
    file: bytes, limits: Limits = LIMITS, *, dihedrals: bool = False
) -> tuple[Picture, list[Part]]:
    picture_format = recognise(file)
    assert picture_format is not None
    found = list(look(io.BytesIO(file), picture_format, limits, Room(), dihedrals=dihedrals))
    *parts, picture = found
    assert isinstance(picture, Picture)
    return picture, [part for part in parts if isinstance(part, Part)]


def saved(image: Image.Image, pillow_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, pillow_format, **options)
    return file.getvalue()


def hash_of(image: Image.Image) -> Pdq:
    return pdq_of(np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
def test_a_turned_picture_is_hashed_as_stored_and_as_shown(
    pillow_format: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    file = saved(landscape(), pillow_format, exif=exif)
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
    picture, parts = looked(saved(landscape(), "TIFF", exif=exif))
    assert picture.pdq == hash_of(landscape().rotate(-90, expand=True))
    assert parts == []


@pytest.mark.parametrize("orientation", [0, 1, 9, 700])
def test_a_picture_that_stands_as_it_is_stored_has_no_other_look(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture, parts = looked(saved(landscape(), "PNG", exif=exif))
    assert picture == Picture(PictureState.DECODED, hash_of(landscape()))
    assert parts == []


def test_exif_data_without_sense_turns_nothing() -> None:
    for exif in (b"Exif\0\0nonsense", b"Exif\0\0MM\0*\xff\xff\xff\xff"):
        picture, parts = looked(saved(landscape(), "PNG", exif=exif))
        assert picture.pdq == hash_of(landscape())
        assert parts == []


def test_the_turned_and_mirrored_hashes_come_only_if_asked_for() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    file = saved(landscape(), "PNG", exif=exif)
    assert looked(file)[0].dihedrals == ()
    assert looked(file, dihedrals=True)[0].dihedrals == dihedrals_of(np.asarray(landscape()))
