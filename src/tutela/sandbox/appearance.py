"""How a picture is shown, where that is not how its pixels are stored.

Runs in a cell, since the bytes are not trusted.
"""

import io
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tutela.fingerprints.model import Pdq
from tutela.fingerprints.pdq import PdqSums
from tutela.sandbox.decoding import cut_to_strips, is_deep_grey, plain
from tutela.sandbox.sights import Sight
from tutela.sandbox.turning import AS_SHOWN, TurnedSums, turn_of, turned

OVER_WHITE = "over white"
OVER_BLACK = "over black"
IN_ITS_COLOURS = "with its colour profile"

_WITH_OPACITY = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})
# In which of the modes that profiles are made for the pixels of each mode are.
_PROFILED = {
    **dict.fromkeys(("RGB", "RGBA", "RGBX", "P", "PA"), "RGB"),
    **dict.fromkeys(("L", "LA"), "L"),
    "CMYK": "CMYK",
}
# A profile that shows some colour this much brighter or darker than it is stored, of 255, makes
# another look. Those of cameras and screens stay below it, and change a hash by a bit or two.
_MOST_USUAL = 45
_PROFILES_KEPT = 64
_STEPS = 9
# What the gamma of a PNG is where its values are those of an ordinary screen; and what is as good
# as that.
_USUAL_GAMMA = 0.45455
_GAMMA_TOLERANCE = 0.25

_Colours = Callable[[Image.Image], Image.Image]


def looks_at(image: Image.Image, place: str, stored: Pdq, shown: Pdq | None) -> Iterator[Sight]:
    """All looks of a picture: as it is stored, and however else it is shown.

    Args:
        image: The picture, or the frame that it stands at.
        place: Where it is; ``""`` for the file itself.
        stored: Its hash as it is stored.
        shown: Its hash as it is shown, if it is to be turned.
    """
    yield Sight(place, pdq=stored, picture=lambda: plain(image))
    if shown is not None:
        yield Sight(
            f"{place} {AS_SHOWN}".strip(),
            pdq=shown,
            picture=lambda: turned(plain(image), turn_of(image)),
        )
    yield from other_looks(image, place)


def looks_unhashed(image: Image.Image) -> Iterator[Sight]:
    """As ``looks_at`` of a file itself, where it is asked which looks there are, and no hash.

    Where a picture may neither be seen through nor have colours of its own, it is not decoded.
    """
    yield Sight("", picture=lambda: plain(image))
    turn = turn_of(image)
    if turn is not None:
        yield Sight(AS_SHOWN, picture=lambda: turned(plain(image), turn))
    yield from other_looks(image)


def other_looks(image: Image.Image, place: str = "") -> Iterator[Sight]:
    """What is shown of a picture where its opacity or its colours say so, the right way up.

    Args:
        image: A picture, or the frame that it stands at. It is loaded here, if need be.
        place: Its own place; ``""`` for the file itself.
    """
    if is_deep_grey(image):
        yield from _deep_grey_looks(image, place)
        return
    colours = _colours_of(image)
    if not _may_be_see_through(image):
        if colours is None:
            return
        image.load()
        shown = _sums_of(image)
        for top, part in cut_to_strips(image):
            shown.add(top, np.asarray(colours(part)))
        yield _in_its_colours(image, place, shown.pdq(), colours)
        return
    image.load()
    if _skips_pixels(image):
        image.info["transparency"] = 0
    white, black = _sums_of(image), _sums_of(image)
    least = 255
    for top, part in cut_to_strips(image):
        seen = part.convert("RGBA")
        opacity = np.asarray(seen.getchannel("A")).astype(np.uint16)
        least = min(least, int(opacity.min()))
        # A hash knows light and dark alone, so that one number a pixel is enough.
        grey = np.asarray((seen if colours is None else colours(part)).convert("L"))
        on_black = grey * opacity // 255
        black.add(top, on_black.astype(np.uint8))
        white.add(top, (on_black + (255 - opacity)).astype(np.uint8))
    if least == 255:
        if colours is not None:
            yield _in_its_colours(image, place, black.pdq(), colours)
        return
    for called, shade, sums in ((OVER_WHITE, "white", white), (OVER_BLACK, "black", black)):
        yield Sight(
            f"{place} {called}".strip(),
            pdq=sums.pdq(),
            picture=partial(_over, image, colours, shade),
        )


def _in_its_colours(image: Image.Image, place: str, pdq: Pdq, colours: _Colours) -> Sight:
    return Sight(
        f"{place} {IN_ITS_COLOURS}".strip(),
        pdq=pdq,
        picture=lambda: turned(colours(image).convert("RGB"), turn_of(image)),
    )


def _over(image: Image.Image, colours: _Colours | None, shade: str) -> Image.Image:
    """A picture over a page."""
    seen = image.convert("RGBA")
    picture = Image.new("RGB", image.size, shade)
    picture.paste((seen if colours is None else colours(image)).convert("RGB"), mask=seen)
    return turned(picture, turn_of(image))


def _sums_of(image: Image.Image) -> PdqSums | TurnedSums:
    turn = turn_of(image)
    if turn is None:
        return PdqSums(image.height, image.width)
    return TurnedSums(image.height, image.width, turn)


def _deep_grey_looks(image: Image.Image, place: str) -> Iterator[Sight]:
    """Grey of 16 bits, which has a profile or a gamma, or names a grey to see through (PNG)."""
    key = image.info.get("transparency")
    colours = _deep_colours_of(image)
    if not isinstance(key, int) and colours is None:
        return
    image.load()

    def shown(part: Image.Image) -> NDArray[np.uint8]:
        grey = np.asarray(part)
        seen = (grey >> 8).astype(np.uint8) if colours is None else colours(grey)
        return np.where(grey == key, 255, seen).astype(np.uint8) if isinstance(key, int) else seen

    sums = _sums_of(image)
    for top, part in cut_to_strips(image):
        sums.add(top, shown(part))
    yield Sight(
        f"{place} {OVER_WHITE if isinstance(key, int) else IN_ITS_COLOURS}".strip(),
        pdq=sums.pdq(),
        picture=lambda: turned(Image.fromarray(shown(image)).convert("RGB"), turn_of(image)),
    )


def _deep_colours_of(image: Image.Image) -> Callable[[NDArray[Any]], NDArray[np.uint8]] | None:
    """As ``_colours_of``, of greys of 16 bits."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        convert = _by_profile(profile, "L")
        if convert is None:
            return None
        return lambda grey: np.asarray(
            convert(Image.fromarray((grey >> 8).astype(np.uint8))).convert("L")
        )
    exponent = _exponent_of(image)
    if exponent is None:
        return None
    # Of what is dark, more is seen than the upper half of the bits tells.
    table = (255 * (np.arange(1 << 16) / 0xFFFF) ** exponent).round().astype(np.uint8)
    return lambda grey: table[grey]


def _skips_pixels(image: Image.Image) -> bool:
    """Whether a compressed bitmap may leave pixels out, which browsers then see through."""
    return image.format == "BMP" and image.mode == "P" and image.info.get("compression") in (1, 2)


def _may_be_see_through(image: Image.Image) -> bool:
    if image.mode == "RGBA":
        # Most pictures that could be are not, which is found out quickly.
        image.load()
        return image.mode != "RGBA" or image.getchannel("A").getextrema() != (255, 255)
    if _skips_pixels(image):
        return True
    return image.mode in _WITH_OPACITY or "transparency" in image.info


def _colours_of(image: Image.Image) -> _Colours | None:
    """What makes of stored colours those that are shown; ``None`` if they are much the same."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        mode = _PROFILED.get(image.mode)
        return None if mode is None else _by_profile(profile, mode)
    exponent = _exponent_of(image)
    if exponent is None:
        return None
    table = [round(255 * (value / 255) ** exponent) for value in range(256)]
    return lambda part: part.convert("RGB").point(table * 3)


@lru_cache(_PROFILES_KEPT)
def _by_profile(profile: bytes, mode: str) -> _Colours | None:
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)), _screen(), mode, "RGB"
        )
        if _is_usual(_cube(mode), transform):
            return None
    except Exception:
        # Viewers, too, leave a profile aside that makes no sense, or is of other colours.
        return None
    return lambda part: _converted(part.convert(mode), transform)


def _exponent_of(image: Image.Image) -> float | None:
    """By which a PNG's gamma makes what is shown of what is stored; ``None`` if it is usual."""
    gamma = image.info.get("gamma")
    if image.format != "PNG" or "srgb" in image.info:
        return None
    if not isinstance(gamma, float | int) or gamma <= 0:
        return None
    exponent = _USUAL_GAMMA / gamma
    return None if abs(exponent - 1) <= _GAMMA_TOLERANCE else exponent


@lru_cache(1)
def _screen() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _cube(mode: str) -> Image.Image:
    """All colours of a mode, some steps apart."""
    steps = np.linspace(0, 255, _STEPS).round().astype(np.uint8)
    bands = Image.getmodebands(mode)
    grid = np.stack(np.meshgrid(*[steps] * bands, indexing="ij"), axis=-1)
    colours = grid.reshape(_STEPS, -1, bands)
    return Image.fromarray(np.ascontiguousarray(colours[..., 0] if bands == 1 else colours), mode)


def _is_usual(colours: Image.Image, transform: ImageCms.ImageCmsTransform) -> bool:
    shown = _converted(colours, transform)
    one, other = (np.asarray(each.convert("L"), np.int16) for each in (colours, shown))
    return int(np.abs(one - other).max()) <= _MOST_USUAL


def _converted(part: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    converted = ImageCms.applyTransform(part, transform)
    if converted is None:
        raise ValueError("nothing was converted")
    return converted
