"""Looking at picture files as a cell does, for tests."""

import io
import json
from functools import cache

import numpy as np
from PIL import Image

from tests.corpus import wheel_photographs
from tests.oracle import differing_bits
from tutela.fingerprints.model import Part, Pdq, Picture
from tutela.fingerprints.pdq import pdq_of
from tutela.sandbox.decoding import Room, prepare
from tutela.sandbox.formats import HEAD_BYTES, recognise
from tutela.sandbox.model import Limits
from tutela.sandbox.packets import read_found, write_found
from tutela.sandbox.pictures import look

prepare()

ORIENTATION = 0x0112


def looked(
    file: bytes, limits: Limits | None = None, *, dihedrals: bool = False
) -> tuple[Picture, list[Part]]:
    """What came of a file's own picture, and its parts as the house hears of them.

    If there are any, the first is the file itself.
    """
    picture_format = recognise(file[:HEAD_BYTES])
    assert picture_format is not None
    *parts, picture = look(
        io.BytesIO(file), picture_format, limits or Limits(), Room(), dihedrals=dihedrals
    )
    assert isinstance(picture, Picture)
    told = [heard(part) for part in parts if isinstance(part, Part)]
    return picture, told if places(told) else []


def heard(part: Part) -> Part:
    """A part as the house hears of it."""
    found = read_found(json.loads(write_found(part)))
    assert isinstance(found, Part)
    return found


def places(parts: list[Part]) -> list[str]:
    """The places of parts other than the file itself."""
    return [part.place for part in parts if part.place]


def at(parts: list[Part], place: str) -> Pdq:
    """The hash of the part at a place."""
    (found,) = (part.pdq for part in parts if part.place == place)
    assert found is not None
    return found


def hash_of(image: Image.Image) -> Pdq:
    """The hash of a picture's colours."""
    return pdq_of(np.asarray(image.convert("RGB")))


def alike(one: Pdq, other: Pdq, bits: int = 31) -> bool:
    """Whether two hashes are within a distance."""
    return differing_bits(one, other) <= bits


@cache
def photograph(number: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """One of a few harmless photographs: their hashes stay the same when colours are lost."""
    name = ("coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png")[number]
    with Image.open(wheel_photographs()[name]) as image:
        plain = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    plain.info = {}
    return plain
