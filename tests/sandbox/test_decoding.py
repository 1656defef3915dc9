"""Pictures in every format and colour mode give the pixels that Meta's library hashes."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.corpus import wheel_photographs
from tests.drawing import landscape
from tests.oracle import differing_bits, meta_pdq
from tutela.errors import InvalidInputError
from tutela.fingerprints.pdq import pdq_of
from tutela.sandbox.decoding import decode, prepare
from tutela.sandbox.model import Limits

HEIC = Path(__file__).parents[1] / "media" / "landscape.heic"
LIMITS = Limits()

prepare()


def photograph() -> Image.Image:
    return Image.open(wheel_photographs()["coffee.png"])


def saved(image: Image.Image, pillow_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, pillow_format, **options)
    return file.getvalue()


def decoded(file: bytes, limits: Limits = LIMITS) -> NDArray[np.uint8]:
    """All pixels of a file: without opacity, which is to be ignored."""
    strips = list(decode(io.BytesIO(file), limits))
    pixels = np.concatenate(
        [strip.pixels[..., :3] if strip.pixels.ndim == 3 else strip.pixels for strip in strips]
    )
    first = strips[0]
    assert pixels.shape[:2] == (first.height, first.width)
    return pixels


def png(width: int, height: int, depth: int, data: bytes) -> bytes:
    """A colour PNG with this header and this content, whether they fit or not."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    data = zlib.compress(data)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("pillow_format", "options"),
    [
        ("JPEG", {"quality": 80}),
        ("JPEG", {"quality": 90, "progressive": True}),
        ("PNG", {}),
        ("WEBP", {"quality": 80}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {"quality": 70}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("JPEG2000", {}),
        ("PPM", {}),
        ("QOI", {}),
    ],
)
def test_a_photograph_hashes_as_in_metas_library_in_every_format(
    pillow_format: str, options: dict[str, object]
) -> None:
    file = saved(photograph(), pillow_format, **options)
    ours = pdq_of(decoded(file))
    assert ours == meta_pdq(file, force_rgb=False) == meta_pdq(file, force_rgb=True)
    assert differing_bits(ours, pdq_of(np.asarray(photograph()))) <= 8


def test_a_gif_hashes_by_its_colours_as_in_metas_library_told_to_convert() -> None:
    file = saved(photograph(), "GIF")
    assert pdq_of(decoded(file)) == meta_pdq(file, force_rgb=True)
    assert differing_bits(pdq_of(decoded(file)), pdq_of(np.asarray(photograph()))) <= 8


def test_an_heic_hashes_as_in_metas_library_with_the_same_opener() -> None:
    file = HEIC.read_bytes()
    ours = pdq_of(decoded(file))
    assert ours == meta_pdq(file, force_rgb=False)
    assert differing_bits(ours, pdq_of(np.asarray(landscape(320, 240)))) <= 8


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_a_colour_mode_hashes_as_in_metas_library(mode: str) -> None:
    file = saved(_see_through(photograph()).convert(mode), "PNG")
    assert Image.open(io.BytesIO(file)).mode == mode
    ours = pdq_of(decoded(file))
    assert ours == meta_pdq(file, force_rgb=False) == meta_pdq(file, force_rgb=True)


@pytest.mark.parametrize(("mode", "pillow_format"), [("P", "PNG"), ("CMYK", "JPEG"), ("1", "PNG")])
def test_palettes_and_inks_hash_by_their_colours_as_in_metas_library_told_to_convert(
    mode: str, pillow_format: str
) -> None:
    file = saved(photograph().convert(mode), pillow_format)
    assert Image.open(io.BytesIO(file)).mode == mode
    assert pdq_of(decoded(file)) == meta_pdq(file, force_rgb=True)


def test_inks_and_palettes_hash_nearly_as_the_same_picture_in_colour() -> None:
    plain = pdq_of(np.asarray(photograph()))
    for file in (
        saved(photograph().convert("CMYK"), "JPEG", quality=95),
        saved(photograph().convert("P"), "PNG"),
        saved(photograph().convert("LA"), "PNG"),
    ):
        assert differing_bits(pdq_of(decoded(file)), plain) <= 16


@pytest.mark.parametrize("pillow_format", ["PNG", "TIFF", "PPM"])
def test_of_16_bit_grey_the_upper_8_bits_count(pillow_format: str) -> None:
    grey = np.asarray(photograph().convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 256 + 77)
    pixels = decoded(saved(deep, pillow_format))
    assert np.array_equal(pixels, grey)


def test_of_16_bit_colour_the_upper_8_bits_count() -> None:
    colours = np.asarray(landscape())
    rows = (colours.astype(np.uint16) * 256 + 77).astype(">u2").reshape(240, -1)
    file = png(320, 240, 16, b"".join(b"\0" + row.tobytes() for row in rows))
    assert np.array_equal(decoded(file), colours)
    assert pdq_of(decoded(file)) == meta_pdq(file, force_rgb=False)


def test_a_rotation_in_exif_data_is_left_alone_as_in_metas_library() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = saved(photograph(), "JPEG", exif=exif)
    assert Image.open(io.BytesIO(file)).getexif()[0x0112] == 6
    assert decoded(file).shape[:2] == photograph().size[::-1]
    assert pdq_of(decoded(file)) == meta_pdq(file, force_rgb=False)


@pytest.mark.parametrize("pillow_format", ["GIF", "WEBP", "AVIF", "PNG", "TIFF"])
def test_of_several_frames_the_first_counts(pillow_format: str) -> None:
    frames = [landscape(seed=seed) for seed in (1, 2, 3)]
    file = saved(frames[0], pillow_format, save_all=True, append_images=frames[1:])
    first = pdq_of(np.asarray(frames[0]))
    assert Image.open(io.BytesIO(file)).n_frames == 3
    assert differing_bits(pdq_of(decoded(file)), first) <= 8


def test_pixels_that_are_numbers_without_a_scale_are_refused() -> None:
    file = saved(Image.fromarray(np.zeros((80, 80), dtype=np.float32)), "TIFF")
    with pytest.raises(InvalidInputError, match="kind that is not supported"):
        decoded(file)


def test_a_picture_of_many_strips_has_all_its_pixels() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (1500, 1100, 3), dtype=np.uint8)
    assert np.array_equal(decoded(saved(Image.fromarray(pixels), "PNG", compress_level=1)), pixels)


def test_a_file_that_does_not_begin_as_a_picture_is_none() -> None:
    assert list(decode(io.BytesIO(b""), LIMITS)) == []
    assert list(decode(io.BytesIO(b"only words"), LIMITS)) == []


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((100_000, 100_000), "100,000 x 100,000 pixels; the limit is 100,000,000"),
        ((2**31 - 1, 2**31 - 1), "the limit is"),
        ((0, 0), "damaged picture"),
        ((0, 10), "damaged picture"),
    ],
)
def test_an_impossible_size_is_refused_before_anything_is_decoded(
    size: tuple[int, int], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        decoded(png(*size, 8, bytes(1000)))


def test_the_limit_on_pixels_is_the_largest_that_is_decoded() -> None:
    file = saved(landscape(320, 240), "PNG")
    assert decoded(file, Limits(pixels=320 * 240)).shape == (240, 320, 3)
    with pytest.raises(InvalidInputError, match="320 x 240 pixels; the limit is 76,799"):
        decoded(file, Limits(pixels=320 * 240 - 1))


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "PPM"])
def test_a_picture_that_ends_early_says_so(pillow_format: str) -> None:
    file = saved(landscape(), pillow_format)
    with pytest.raises(InvalidInputError, match="damaged picture: the data ends early"):
        decoded(file[: len(file) * 2 // 3])


@pytest.mark.parametrize("pillow_format", ["WEBP", "AVIF", "JPEG2000", "HEIC"])
def test_a_picture_that_ends_early_is_damaged_where_its_decoder_knows_no_more(
    pillow_format: str,
) -> None:
    file = HEIC.read_bytes() if pillow_format == "HEIC" else saved(landscape(), pillow_format)
    with pytest.raises(InvalidInputError, match="damaged picture"):
        decoded(file[: len(file) * 2 // 3])


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_picture_is_decoded_or_refused_in_plain_words(data: st.DataObject) -> None:
    pillow_format = data.draw(
        st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "ICO", "PPM", "PSD", "QOI"])
    )
    file = bytearray(_SAMPLES.get(pillow_format) or b"8BPS\x00\x01" + bytes(60))
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        list(decode(io.BytesIO(file), Limits(pixels=1_000_000)))
    except InvalidInputError as error:
        assert "/" not in error.message
        assert "0x" not in error.message
        assert "<" not in error.message


def _see_through(image: Image.Image) -> Image.Image:
    """The picture with an opacity that differs from place to place."""
    result = image.convert("RGBA")
    result.putalpha(landscape(*image.size).convert("L"))
    return result


_SAMPLES = {
    name: saved(landscape(64, 48), name)
    for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "ICO", "PPM")
}


def test_a_bitmap_whose_pixels_begin_within_its_palette_is_damaged() -> None:
    file = bytearray(saved(landscape().quantize(16), "BMP"))
    assert decoded(bytes(file)).shape[:2] == (240, 320)
    file[10:14] = (14 + 40 + 8).to_bytes(4, "little")
    with pytest.raises(InvalidInputError, match="begins within its header"):
        decoded(bytes(file))
