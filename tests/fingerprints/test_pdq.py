"""PDQ gives the bits and the quality of the reference implementation."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.corpus import FLAT_PICTURES, photographs, require, wheel_photographs
from tests.drawing import landscape
from tests.oracle import differing_bits, reference_dihedrals, reference_pdq
from tutela.errors import InvalidInputError
from tutela.fingerprints.model import DIHEDRALS, Kind
from tutela.fingerprints.pdq import PdqSums, dihedrals_of, pdq_of

GOLDEN = Path(__file__).parent / "golden.json"
SIZES = ((1024, 1024), (512, 512), (333, 517), (256, 256), (1000, 200), (100, 75), (64, 64))


def opened(path: Path) -> NDArray[np.uint8]:
    image = Image.open(require(path))
    return np.asarray(image if image.mode == "L" else image.convert("RGB"))


def shrunk(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).resize(size, reducing_gap=2))


def turned(pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """What the eight names mean."""
    swapped = pixels.swapaxes(0, 1)
    return {
        "original": pixels,
        "rotate90": np.rot90(pixels),
        "rotate180": np.rot90(pixels, 2),
        "rotate270": np.rot90(pixels, 3),
        "flip_x": pixels[::-1],
        "flip_y": pixels[:, ::-1],
        "flip_plus1": swapped,
        "flip_minus1": swapped[::-1, ::-1],
    }


@pytest.mark.parametrize("path", photographs(), ids=lambda path: f"{path.parts[-4]}-{path.name}")
def test_a_photograph_has_the_reference_bits_and_quality_at_every_size(path: Path) -> None:
    pixels = opened(path)
    full = pdq_of(pixels)
    assert full.quality >= 50
    assert full == reference_pdq(pixels)
    for size in SIZES:
        small = shrunk(pixels, size)
        if (expected := reference_pdq(small)).quality >= 50:
            assert pdq_of(small) == expected, size


def test_the_photographs_are_at_least_sixty_and_all_distinct() -> None:
    hashes = [pdq_of(shrunk(opened(path), (512, 512))) for path in photographs()]
    assert len(hashes) >= 60
    assert all(
        differing_bits(one, other) > 60
        for index, one in enumerate(hashes)
        for other in hashes[:index]
    )


@pytest.mark.parametrize("path", FLAT_PICTURES, ids=lambda path: Path(path).name)
def test_a_flat_picture_has_the_reference_quality_and_nearly_its_bits(path: str) -> None:
    pixels = opened(Path(path))
    ours, expected = pdq_of(pixels), reference_pdq(pixels)
    assert ours.quality == expected.quality < 50
    assert differing_bits(ours, expected) <= 2


def test_photographs_in_wheels_have_the_bits_recorded_from_the_reference() -> None:
    golden = json.loads(GOLDEN.read_text())
    assert len(golden) == len(wheel_photographs())
    for name, path in wheel_photographs().items():
        for step, (text, quality) in enumerate(golden[name], start=1):
            ours = pdq_of(opened(path)[::step, ::step])
            assert (ours.text, ours.quality) == (text, quality), (name, step)


def test_the_recorded_bits_are_those_of_the_reference() -> None:
    golden = json.loads(GOLDEN.read_text())
    for name, path in wheel_photographs().items():
        for step, recorded in enumerate(golden[name], start=1):
            expected = reference_pdq(opened(path)[::step, ::step])
            assert [expected.text, expected.quality] == recorded, (name, step)


def test_the_dihedrals_are_those_of_the_reference_in_its_order() -> None:
    for path in wheel_photographs().values():
        pixels = opened(path)
        assert dihedrals_of(pixels) == reference_dihedrals(pixels), path.name


def test_the_dihedrals_are_the_hashes_of_the_turned_pictures() -> None:
    # A power of two has windows and centres that are symmetric but for one pixel.
    pixels = np.asarray(landscape(1024, 1024))
    for name, hash_of_turned, (other, turned_pixels) in zip(
        DIHEDRALS, dihedrals_of(pixels), turned(pixels).items(), strict=True
    ):
        assert name == other
        assert differing_bits(hash_of_turned, pdq_of(turned_pixels)) <= 10, name


@pytest.mark.parametrize("size", [(5, 5), (5, 200), (63, 64), (65, 1), (1, 1), (4, 900), (129, 5)])
def test_a_tiny_picture_has_the_reference_quality(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert pdq_of(pixels).quality == reference_pdq(pixels).quality


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 4)])
def test_fewer_than_five_rows_or_columns_hash_to_zero_as_in_the_reference(
    size: tuple[int, int],
) -> None:
    pixels = np.full(size, 200, dtype=np.uint8)
    assert pdq_of(pixels) == reference_pdq(pixels)
    assert pdq_of(pixels).value == bytes(Kind.PDQ.width)
    assert dihedrals_of(pixels) == (pdq_of(pixels),) * 8


@settings(max_examples=60, deadline=None)
@given(height=st.integers(60, 700), width=st.integers(60, 700), seed=st.integers(0, 10**6))
def test_a_landscape_of_any_size_has_the_reference_bits(height: int, width: int, seed: int) -> None:
    pixels = np.asarray(landscape(width, height, seed))
    expected = reference_pdq(pixels)
    ours = pdq_of(pixels)
    assert differing_bits(ours, expected) <= 2
    assert abs(ours.quality - expected.quality) <= 1


@settings(max_examples=20, deadline=None)
@given(length=st.integers(2_000, 60_000), seed=st.integers(0, 10**6))
def test_very_wide_and_very_tall_pictures_have_the_reference_bits(length: int, seed: int) -> None:
    wide = np.asarray(landscape(640, 90, seed).resize((length, 90)))
    for pixels in (wide, wide.swapaxes(0, 1)):
        ours, expected = pdq_of(pixels), reference_pdq(pixels)
        assert differing_bits(ours, expected) <= 2
        assert abs(ours.quality - expected.quality) <= 1


def test_grey_is_the_same_as_three_equal_colours() -> None:
    grey = np.asarray(landscape().convert("L"))
    assert pdq_of(grey) == pdq_of(np.stack([grey] * 3, axis=2))


def test_a_picture_need_not_be_contiguous_in_memory() -> None:
    pixels = np.asarray(landscape())
    assert pdq_of(pixels[::2, ::-1]) == pdq_of(pixels[::2, ::-1].copy())


def test_rows_that_are_missing_or_outside_the_picture_are_refused() -> None:
    pixels = np.asarray(landscape())
    sums = PdqSums(*pixels.shape[:2])
    sums.add(0, pixels[:100])
    with pytest.raises(InvalidInputError, match="140 rows of the picture have not been added"):
        sums.pdq()
    with pytest.raises(InvalidInputError, match="rows 100 to 340 of 320 columns are not within"):
        sums.add(100, pixels)
    with pytest.raises(InvalidInputError, match="are not within a picture of 240 x 320"):
        sums.add(100, pixels[100:, 1:])
    sums.add(100, pixels[100:])
    assert sums.pdq() == pdq_of(pixels)
    assert sums.dihedrals() == dihedrals_of(pixels)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((64, 64), dtype=np.float32),
        np.zeros((64, 64, 2), dtype=np.uint8),
        np.zeros((64, 64, 5), dtype=np.uint8),
        np.zeros(64, dtype=np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(InvalidInputError, match="height x width"):
        pdq_of(pixels)
