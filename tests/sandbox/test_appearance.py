"""A picture is hashed as viewers show it, where opacity or colours make another one of it."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.pictures import encoded
from tests.sandbox.looking import ORIENTATION, alike, at, hash_of, looked, photograph, places
from tutela.fingerprints.model import PictureState, Unreadable

BOTH = ["over white", "over black"]


def see_through(picture: Image.Image, under: int = 0) -> Image.Image:
    """One colour all over, whose opacity draws a picture."""
    plain = Image.new("RGBA", picture.size, (under, under, under, 255))
    plain.putalpha(picture.convert("L"))
    return plain


def srgb_with(old: bytes, new: bytes) -> bytes:
    """The profile of an ordinary screen with two of its tags exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(old, b"----").replace(new, old).replace(b"----", new)


@pytest.mark.parametrize(("pillow_format", "options"), [
    ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}),
])  # fmt: skip
def test_a_picture_that_is_drawn_by_opacity_alone_is_hashed(
    pillow_format: str, options: dict[str, object]
) -> None:
    file = encoded(see_through(photograph(1), under=255), pillow_format, **options)
    picture, parts = looked(file)
    assert picture.pdq is not None
    assert picture.pdq.quality < 50
    assert places(parts) == BOTH[1:] or places(parts) == BOTH
    assert alike(at(parts, "over black"), hash_of(photograph(1).convert("L")), 8)


def test_over_white_is_over_white() -> None:
    over = Image.new("RGB", photograph(1).size, (255, 255, 255))
    shown = see_through(photograph(1))
    over.paste(shown, mask=shown.getchannel("A"))
    _, parts = looked(encoded(shown, "PNG"))
    assert alike(at(parts, "over white"), hash_of(over), 2)


def test_a_palette_with_a_colour_to_see_through_is_hashed_over_both() -> None:
    image = photograph(1).quantize(8)
    picture, parts = looked(encoded(image, "GIF", transparency=3))
    assert picture.pdq == hash_of(image)
    assert places(parts) == BOTH


def test_opacity_that_hides_nothing_makes_no_other_look() -> None:
    for mode in ("RGBA", "LA"):
        _, parts = looked(encoded(photograph(1).convert("L").convert(mode), "PNG"))
        assert parts == []


def test_what_is_turned_and_seen_through_is_hashed_the_right_way_up() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    _, parts = looked(encoded(see_through(photograph(1)), "PNG", exif=exif))
    upright = see_through(photograph(1)).rotate(-90, expand=True)
    _, expected = looked(encoded(upright, "PNG"))
    assert at(parts, "over white") == at(expected, "over white")


def two_in_one() -> Image.Image:
    """A picture in red, and another one in blue."""
    red, blue = (np.asarray(photograph(number).convert("L")) for number in (1, 2))
    return Image.fromarray(np.stack([red, np.full_like(red, 128), blue], axis=-1))


@pytest.mark.parametrize(("pillow_format", "opacity"), [
    ("PNG", None), ("PNG", 255), ("PNG", 200), ("JPEG", None),
])  # fmt: skip
def test_a_profile_that_exchanges_colours_makes_another_look(
    pillow_format: str, opacity: int | None
) -> None:
    profile = srgb_with(b"rXYZ", b"bXYZ")
    image = two_in_one()
    exchanged = Image.merge("RGB", image.split()[::-1])
    if opacity is not None:
        image.putalpha(opacity)
    _, parts = looked(encoded(image, pillow_format, icc_profile=profile))
    shown = places(parts)[0]
    assert shown == ("over white" if opacity == 200 else "with its colour profile")
    assert not alike(at(parts, ""), hash_of(exchanged))
    assert alike(at(parts, shown), hash_of(exchanged), 24)


@pytest.mark.parametrize("profile", [
    ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"no profile at all",
])  # fmt: skip
def test_an_ordinary_or_broken_profile_changes_nothing(profile: bytes) -> None:
    picture, parts = looked(encoded(photograph(1), "PNG", icc_profile=profile))
    assert picture.state is PictureState.DECODED
    assert parts == []


def test_a_gamma_that_hides_a_picture_in_the_dark_makes_another_look() -> None:
    dark = photograph(1).point([round(255 * (value / 255) ** 6) for value in range(256)] * 3)
    info = PngInfo()
    info.add(b"gAMA", (272_730).to_bytes(4))
    picture, parts = looked(encoded(dark, "PNG", pnginfo=info))
    assert picture.pdq is not None
    assert not alike(picture.pdq, hash_of(photograph(1)))
    assert alike(at(parts, "with its colour profile"), hash_of(photograph(1)))


def test_a_gamma_of_ordinary_screens_changes_nothing() -> None:
    info = PngInfo()
    info.add(b"gAMA", (45_455).to_bytes(4))
    assert looked(encoded(photograph(1), "PNG", pnginfo=info))[1] == []


def test_a_grey_of_sixteen_bits_to_see_through_is_hashed_over_white() -> None:
    grey = np.asarray(photograph(1).convert("L")).astype(np.uint16) * 256
    hole = Image.fromarray(np.where(grey > 32_000, 5, grey))
    _, parts = looked(encoded(hole, "PNG", transparency=5))
    shown = np.where(grey > 32_000, 255, grey >> 8).astype(np.uint8)
    assert at(parts, "over white") == hash_of(Image.fromarray(shown))


def deep_png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of 16-bit colours."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    pixels = np.asarray(photograph(1)).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 320, 240, 16, 2, 0, 0, 0))
        + b"".join(chunk(*each) for each in chunks)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("chunk", [
    (b"tRNS", b"\0\1\0\1\0\1"), (b"gAMA", (300_000).to_bytes(4)),
])  # fmt: skip
def test_what_is_lost_of_deep_colours_is_not_passed_over_where_it_shows(
    chunk: tuple[bytes, bytes],
) -> None:
    picture, parts = looked(deep_png(chunk))
    assert picture.pdq == hash_of(photograph(1))
    assert (parts[-1].place, parts[-1].unreadable) == ("as shown", Unreadable.NOT_SUPPORTED)
    assert looked(deep_png())[1] == []


def test_a_bitmap_that_leaves_out_pixels_is_hashed_over_white() -> None:
    # Of each row the left half is drawn, and then it ends.
    header = struct.pack("<IiiHHIIiiII", 40, 64, 64, 1, 8, 1, 6, 0, 0, 2, 0)
    palette = bytes([0, 0, 255, 0, 9, 9, 9, 0])
    offset = 14 + len(header) + len(palette)
    data = bytes([32, 1, 0, 0]) * 64 + bytes([0, 1])
    file = b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + palette + data
    _, parts = looked(file)
    assert "over white" in places(parts)
