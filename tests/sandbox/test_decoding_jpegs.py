"""A JPEG has exactly the pixels that Pillow gives it, and where Pillow refuses it, its words."""

import io
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pytest
import simplejpeg
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.corpus import photographs, require
from tests.drawing import landscape
from tests.pictures import encoded
from tutela.errors import InvalidInputError
from tutela.sandbox.decoding import Room, decode, prepare
from tutela.sandbox.model import Limits

SUBSAMPLINGS = ("444", "422", "420", "440", "411")
JPEGS = [path for path in photographs() if path.suffix == ".jpg"]

prepare()


def in_one_piece(file: bytes) -> NDArray[np.uint8]:
    """The pixels of a JPEG that was not left to Pillow, which gives many strips."""
    (strip,) = decode(io.BytesIO(file), Limits())
    assert strip.pixels.shape[:2] == (strip.height, strip.width)
    return strip.pixels


def outcome(file: BinaryIO) -> bytes | str:
    """All pixels, or why there are none."""
    try:
        strips = decode(file, Limits(pixels=1_000_000))
        return b"".join(strip.pixels.tobytes() for strip in strips)
    except InvalidInputError as error:
        return error.message


def outcomes(file: bytes) -> tuple[bytes | str, bytes | str]:
    """What becomes of a file in memory, and of one that Pillow alone is to decode."""
    return outcome(io.BytesIO(file)), outcome(from_disk(file))


def from_disk(file: bytes) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(io.BytesIO(file)))


@pytest.mark.parametrize("path", JPEGS, ids=lambda path: f"{path.parts[-4]}-{path.name}")
def test_a_photograph_has_pillows_pixels(path: Path) -> None:
    file = require(path).read_bytes()
    with Image.open(path) as image:
        assert np.array_equal(in_one_piece(file), np.asarray(image))


@settings(deadline=None)
@given(
    size=st.tuples(st.integers(1, 140), st.integers(1, 140)),
    seed=st.integers(0, 1000),
    quality=st.integers(5, 100),
    subsampling=st.sampled_from(SUBSAMPLINGS),
)
def test_every_subsampling_and_odd_size_has_pillows_pixels(
    size: tuple[int, int], seed: int, quality: int, subsampling: str
) -> None:
    pixels = np.ascontiguousarray(np.asarray(landscape(140, 140, seed))[: size[1], : size[0]])
    file = simplejpeg.encode_jpeg(pixels, quality, "RGB", subsampling)
    assert simplejpeg.decode_jpeg_header(file)[3] == subsampling
    assert np.array_equal(in_one_piece(file), np.asarray(Image.open(io.BytesIO(file))))


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000),
    mode=st.sampled_from(["RGB", "L"]),
    progressive=st.booleans(),
    restarts=st.integers(0, 9),
    subsampling=st.sampled_from(["4:4:4", "4:2:2", "4:2:0"]),
    keep_rgb=st.booleans(),
)
def test_progressive_files_restart_markers_grey_and_untransformed_colours_have_pillows_pixels(
    seed: int, mode: str, progressive: bool, restarts: int, subsampling: str, keep_rgb: bool
) -> None:
    file = encoded(
        landscape(217, 133, seed).convert(mode),
        "JPEG",
        progressive=progressive,
        restart_marker_blocks=restarts,
        subsampling="4:4:4" if keep_rgb else subsampling,
        keep_rgb=keep_rgb,
    )
    assert np.array_equal(in_one_piece(file), np.asarray(Image.open(io.BytesIO(file))))


def test_a_jpeg_that_is_not_in_memory_is_left_to_pillow() -> None:
    file = encoded(landscape(900, 700), "JPEG")
    strips = list(decode(from_disk(file), Limits()))
    assert len(strips) > 1
    assert np.array_equal(np.concatenate([strip.pixels for strip in strips]), in_one_piece(file))


def test_one_room_serves_pictures_of_all_sizes_one_after_the_other() -> None:
    room = Room()
    for width, height, mode in (
        (40, 30, "RGB"),
        (900, 700, "RGB"),
        (300, 200, "L"),
        (64, 64, "RGB"),
    ):
        file = encoded(landscape(width, height).convert(mode), "JPEG")
        (strip,) = decode(io.BytesIO(file), Limits(), room)
        assert np.array_equal(strip.pixels, np.asarray(Image.open(io.BytesIO(file))))


def test_inks_are_left_to_pillow() -> None:
    file = encoded(landscape(900, 700).convert("CMYK"), "JPEG")
    strips = list(decode(io.BytesIO(file), Limits()))
    assert len(strips) > 1
    expected = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))
    assert np.array_equal(np.concatenate([strip.pixels for strip in strips]), expected)


def test_the_limit_on_pixels_is_held_against_the_header_before_anything_is_decoded() -> None:
    file = bytearray(encoded(landscape(), "JPEG"))
    frame = file.index(b"\xff\xc0")
    file[frame + 5 : frame + 9] = b"\xff\xdc\xff\xdc"
    with pytest.raises(InvalidInputError, match="65,500 x 65,500 pixels; the limit is"):
        list(decode(io.BytesIO(file), Limits()))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.999])
def test_a_jpeg_that_ends_early_ends_as_pillow_ends_it(kept: float, progressive: bool) -> None:
    file = encoded(landscape(), "JPEG", progressive=progressive)
    ours, pillows = outcomes(file[: int(len(file) * kept)])
    assert ours == pillows
    with_end, pillows = outcomes(file[: int(len(file) * kept)] + b"\xff\xd9")
    assert with_end == pillows


def test_a_progressive_jpeg_without_its_last_scans_is_decoded_as_pillow_does() -> None:
    file = encoded(landscape(), "JPEG", progressive=True)
    scans = [at for at in range(len(file)) if file[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 4
    for scan in scans[1:]:
        ours, pillows = outcomes(file[:scan] + b"\xff\xd9")
        assert ours == pillows


@settings(deadline=None)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    progressive=st.booleans(),
    in_header=st.booleans(),
)
@example(changes=[], progressive=True, in_header=False)
def test_a_damaged_jpeg_becomes_what_pillow_makes_of_it(
    changes: list[tuple[float, int]], progressive: bool, in_header: bool
) -> None:
    file = bytearray(encoded(landscape(64, 48), "JPEG", progressive=progressive))
    reach = 700 if in_header else len(file)
    for place, value in changes:
        file[int(place * reach)] = value
    ours, pillows = outcomes(bytes(file))
    assert ours == pillows
