"""The sample pictures are what the documentation says of them."""

import csv
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samples import draw
from tutela.fingerprints.model import Pdq
from tutela.fingerprints.pdq import pdq_of

PICTURES = sorted(
    path for path in [*draw.KNOWN.iterdir(), *draw.NEW.iterdir()] if path.suffix != ".txt"
)


@cache
def pdq(path: Path) -> Pdq:
    with Image.open(path) as picture:
        return pdq_of(np.asarray(picture.convert("RGB")))


def distance(one: Path, other: Path) -> int:
    bits = int.from_bytes(pdq(one).value) ^ int.from_bytes(pdq(other).value)
    return bits.bit_count()


def original(path: Path) -> str:
    return path.stem.removesuffix("-resized")


def test_the_sample_list_is_made_from_the_pictures_as_they_are() -> None:
    with draw.KNOWN_LIST.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["kind", "hash", "quality"]
    assert [tuple(row) for row in rows] == list(draw.known_rows())
    assert len(rows) == 2 * 8


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_every_picture_is_small_and_rich_enough_to_compare(path: Path) -> None:
    assert path.stat().st_size < 150_000
    assert pdq(path).quality >= 50


def test_different_pictures_are_never_near_each_other() -> None:
    near = {
        (one.name, other.name): distance(one, other)
        for one, other in combinations(PICTURES, 2)
        if original(one) != original(other)
    }
    assert min(near.values()) > 60, min(near, key=lambda pair: near[pair])


def test_resized_copies_are_near_what_they_were_made_from_but_not_the_same_file() -> None:
    originals = {original(path): path for path in draw.KNOWN.iterdir()}
    copies = [path for path in PICTURES if path.stem.endswith("-resized")]
    assert len(copies) == 2
    for copy in copies:
        assert 0 < distance(copy, originals[original(copy)]) <= 31
        assert copy.read_bytes() != originals[original(copy)].read_bytes()


def test_drawing_again_gives_the_same_picture() -> None:
    # The smallest stands for all: they share every stroke's code, and each takes seconds.
    again = draw.patterns.quilt(), draw.patterns.quilt()
    assert again[0].tobytes() == again[1].tobytes()
    with Image.open(draw.NEW / "quilt.png") as committed:
        difference = np.asarray(committed.convert("RGB"), int) - np.asarray(again[0], int)
    assert np.abs(difference).mean() < 4
