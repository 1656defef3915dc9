"""A picture is hashed as viewers show it, where opacity or colours make another one of it."""

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.pictures import encoded
from tests.sandbox.looking import ORIENTATION, alike, at, hash_of, looked, photograph, places
from tutela.fingerprints.model import PictureState

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
