"""The kernel computes exactly, the same in every variant, and what the reference computes."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.corpus import FLAT_PICTURES, photographs
from tests.drawing import landscape
from tests.fingerprints.test_pdq import opened, shrunk
from tests.oracle import differing_bits
from tutela.fingerprints import pdq_reference
from tutela.fingerprints.model import Pdq
from tutela.fingerprints.pdq import PdqSums
from tutela.fingerprints.pdq_kernel import PdqKernel
from tutela.kernel.library import Variant, variants

KERNELS = [each for each in variants() if each is not Variant.NUMPY]

pytestmark = pytest.mark.skipif(not KERNELS, reason="there is no compiled kernel here")


@dataclass(frozen=True)
class Strips:
    """A picture, and the rows at which it is cut; ``order`` is how its strips come."""

    pixels: NDArray[np.uint8]
    order: list[slice]


lengths = st.one_of(st.integers(5, 700), st.integers(5, 140), st.integers(5, 5000))


@st.composite
def pictures(draw: st.DrawFn) -> NDArray[np.uint8]:
    """Smooth, noisy and extreme pictures of any size, any number of channels and any strides."""
    height = draw(lengths)
    width = draw(lengths.filter(lambda width: width * height < 1_500_000))
    channels = draw(st.sampled_from([(), (3,), (4,)]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    least, most = draw(st.sampled_from([(0, 256), (0, 2), (254, 256), (255, 256), (100, 140)]))
    pad_down, pad_across = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    room = random.integers(
        least, most, (height + pad_down, width + pad_across, *channels), dtype=np.uint8
    )
    pixels = room[pad_down:, pad_across:]
    if draw(st.booleans()):
        smooth = np.cumsum(pixels, axis=draw(st.sampled_from([0, 1])), dtype=np.uint32) // 64
        pixels = smooth.astype(np.uint8)
    return pixels[:: draw(st.sampled_from([1, -1])), :: draw(st.sampled_from([1, 1, -1]))]


@st.composite
def cut_pictures(draw: st.DrawFn) -> Strips:
    pixels = draw(pictures())
    height = len(pixels)
    cuts = sorted({0, height, *draw(st.lists(st.integers(0, height), max_size=8))})
    strips = [slice(*pair) for pair in pairwise(cuts)]
    return Strips(pixels, draw(st.permutations(strips)))


def hashes(pixels: NDArray[np.uint8], of: Variant) -> tuple[Pdq, ...]:
    sums = PdqSums(*pixels.shape[:2], of=of)
    sums.add(0, pixels)
    return sums.dihedrals()


def shrunk_by_reference(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The 64 x 64 luminances by the definition of the filter, in double precision."""
    weights = np.array([0.299, 0.587, 0.114])
    luminance = pixels[..., :3] @ weights if pixels.ndim == 3 else pixels.astype(np.float64)
    return box_filter(box_filter(luminance).T).T


def box_filter(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two passes of a box along the first axis, and 64 of its places."""
    length = len(rows)
    window = -(-length // 128)
    after = (window + 2) // 2
    for _ in range(2):
        sums = np.concatenate([np.zeros((1, *rows.shape[1:])), np.cumsum(rows, axis=0)])
        starts = np.maximum(np.arange(length) - (window - after), 0)
        stops = np.minimum(np.arange(length) + after, length)
        rows = (sums[stops] - sums[starts]) / (stops - starts)[:, np.newaxis]
    return rows[((np.arange(64) + 0.5) * length / 64).astype(int)]


def shrunk_by_kernel(pixels: NDArray[np.uint8], of: Variant) -> NDArray[np.float64]:
    """The kernel's sums, divided: a white picture's say by what."""
    height, width = pixels.shape[:2]
    kernel = PdqKernel.load(of)
    assert kernel is not None
    sums, white = np.zeros((2, 64, 64))
    kernel.add_rows(sums, np.ascontiguousarray(pixels), 0, height)
    kernel.add_rows(white, np.full((height, width), 255, dtype=np.uint8), 0, height)
    return sums / white * 255


@settings(deadline=None)
@given(pixels=pictures())
def test_the_sums_are_those_of_the_filters_definition(pixels: NDArray[np.uint8]) -> None:
    expected = shrunk_by_reference(pixels)
    for each in KERNELS:
        np.testing.assert_allclose(shrunk_by_kernel(pixels, each), expected, rtol=0, atol=1e-8)


@settings(deadline=None)
@given(pixels=pictures())
def test_every_variant_gives_the_same_hashes_to_the_bit(pixels: NDArray[np.uint8]) -> None:
    expected = hashes(pixels, KERNELS[0])
    for each in KERNELS[1:]:
        assert hashes(pixels, each) == expected, each


@settings(deadline=None)
@given(pixels=pictures())
def test_a_picture_taken_whole_has_the_hashes_of_its_sums(pixels: NDArray[np.uint8]) -> None:
    rows_contiguous = np.ascontiguousarray(pixels)[:: -1 if len(pixels) % 2 else 1]
    for each in KERNELS:
        kernel = PdqKernel.load(each)
        assert kernel is not None
        expected = hashes(rows_contiguous, each)
        assert kernel.hashes_of_whole(rows_contiguous, 8) == expected
        assert kernel.hashes_of_whole(rows_contiguous, 1) == expected[:1]


@settings(deadline=None)
@given(cut=cut_pictures())
def test_strips_of_any_height_in_any_order_give_the_hashes_of_the_whole(cut: Strips) -> None:
    for each in KERNELS:
        sums = PdqSums(*cut.pixels.shape[:2], of=each)
        for rows in cut.order:
            sums.add(rows.start, cut.pixels[rows])
        assert sums.dihedrals() == hashes(cut.pixels, each)
        assert sums.pdq() == sums.dihedrals()[0]


@settings(deadline=None)
@given(pixels=pictures())
def test_bits_differ_from_the_reference_only_where_it_cannot_tell_a_coefficient_from_the_median(
    pixels: NDArray[np.uint8],
) -> None:
    small = shrunk_by_reference(pixels)
    frequencies = (pdq_reference.COSINES.T @ small @ pdq_reference.COSINES).ravel()
    median = np.sort(frequencies)[127]
    doubtful = np.packbits((abs(frequencies - median) < 1e-2)[::-1])
    reference = hashes(pixels, Variant.NUMPY)[0]
    for each in KERNELS:
        ours = hashes(pixels, each)[0]
        differing = np.frombuffer(ours.value, np.uint8) ^ np.frombuffer(reference.value, np.uint8)
        assert not (differing & ~doubtful).any()
        # A step that is a whole percent to the last digit may fall either way.
        assert abs(ours.quality - reference.quality) <= 2


@pytest.mark.parametrize("path", photographs(), ids=lambda path: f"{path.parts[-4]}-{path.name}")
def test_a_photograph_has_the_reference_hashes_in_every_variant(path: Path) -> None:
    pixels = opened(path)
    for picture in (pixels, shrunk(pixels, (512, 512))):
        expected = hashes(picture, Variant.NUMPY)
        if expected[0].quality >= 50:
            for each in KERNELS:
                assert hashes(picture, each) == expected, each


@pytest.mark.parametrize("path", FLAT_PICTURES, ids=lambda path: Path(path).name)
def test_a_flat_picture_has_the_reference_quality_and_nearly_its_bits(path: str) -> None:
    pixels = opened(Path(path))
    for ours, expected in zip(
        hashes(pixels, KERNELS[0]), hashes(pixels, Variant.NUMPY), strict=True
    ):
        assert ours.quality == expected.quality < 50
        assert differing_bits(ours, expected) <= 2


@pytest.mark.parametrize(
    "size", [(5, 40_000), (40_000, 5), (130, 34_000), (34_000, 65), (6, 1_000_000), (1_000_000, 7)]
)
def test_very_long_pictures_are_summed_exactly_too(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, size, dtype=np.uint8)
    pixels[-1], pixels[:, -1] = 255, 255
    expected = shrunk_by_reference(pixels)
    for each in KERNELS:
        np.testing.assert_allclose(shrunk_by_kernel(pixels, each), expected, rtol=0, atol=1e-7)


def test_what_is_beside_and_between_the_rows_is_not_read_into_the_hash() -> None:
    pixels = np.asarray(landscape(333, 251))
    room = np.full((270, 400, 3), 255, dtype=np.uint8)
    room[7:258, 11:344] = pixels
    for each in KERNELS:
        assert hashes(room[7:258, 11:344], each) == hashes(pixels, each)


def test_an_opacity_is_ignored() -> None:
    pixels = np.asarray(landscape())
    opacity = np.random.default_rng(1).integers(0, 256, (*pixels.shape[:2], 1), dtype=np.uint8)
    for each in variants():
        assert hashes(np.concatenate([pixels, opacity], axis=2), each) == hashes(pixels, each)
        assert hashes(np.concatenate([pixels, opacity], axis=2)[..., :3], each) == hashes(
            pixels, each
        )
