"""Making a folder of mixed photos out of harmless photographs that other packages install."""

import io
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.corpus import photographs

_SEED = 20261

# Long sides in pixels, and how many of a hundred photos have about that one. The mean is about
# two megapixels: thumbnails and screen sizes are most files, camera originals most pixels.
_LONG_SIDES = ((320, 15), (640, 20), (1024, 15), (1440, 17), (2048, 15), (2560, 10), (3072, 4))
_CAMERA_SIDE = 4000
"""Long side of a 12-megapixel camera's picture; the rest of the hundred are such."""

_QUALITIES = range(85, 91)
"""How well a photograph that was shrunk to a given size is encoded."""

_LOSSLESS_SIDE = 1024
"""No camera makes PNG, WebP or GIF: those are screen sizes at most."""


@dataclass(frozen=True, slots=True)
class Photo:
    """How one photo is made.

    Attributes:
        file: Where it is put.
        source: The photograph it is cut out of.
        cut: Left, top, right and bottom edge in the source.
        size: Width and height in pixels, never larger than what is cut out.
        quality: How well it is encoded, 0 to 100.
    """

    file: Path
    source: Path
    cut: tuple[int, int, int, int]
    size: tuple[int, int]
    quality: int


def make_photos(folder: Path, count: int) -> list[Path]:
    """Cut, shrink and encode photos, the same ones each time, on all cores.

    Photographs are shrunk only: enlarged ones are decoded and hashed faster than real ones.

    Args:
        folder: Where to put them.
        count: How many.

    Returns:
        The files in the order of their names.

    Raises:
        FileNotFoundError: None of the photographs is installed.
    """
    chance = random.Random(_SEED)
    sources = _sources()
    photos = [_plan(folder, number, sources, chance) for number in range(count)]
    by_source = {source: [p for p in photos if p.source == source] for source, _ in sources}
    # The largest sources first, so that no core is left with one at the end.
    with ProcessPoolExecutor() as cores:
        list(cores.map(_make, [by_source[source] for source, _ in reversed(sources)]))
    return sorted(photo.file for photo in photos)


def native_photographs(least_pixels: int) -> list[Path]:
    """Installed photographs of at least so many pixels, the smallest first."""
    return [path for path, (width, height) in _sources() if width * height >= least_pixels]


def largest_photograph() -> Path:
    """The installed photograph of the most pixels."""
    return max(_sources(), key=lambda source: source[1][0] * source[1][1])[0]


def fitting_jpegs(box: tuple[int, int], most: int) -> list[bytes]:
    """Photographs that are larger than a box, each shrunk to fit in it and encoded as JPEG."""
    larger = [path for path, size in _sources() if size[0] > box[0] or size[1] > box[1]]
    return [
        _shrunk(path, box, _QUALITIES[number % len(_QUALITIES)])
        for number, path in enumerate(larger[:most])
    ]


def _shrunk(path: Path, box: tuple[int, int], quality: int) -> bytes:
    encoded = io.BytesIO()
    with Image.open(path) as source:
        image = source.convert("RGB")
    image.thumbnail(box, Image.Resampling.BICUBIC, reducing_gap=2.0)
    image.save(encoded, "JPEG", quality=quality)
    return encoded.getvalue()


def _sources() -> list[tuple[Path, tuple[int, int]]]:
    """The photographs that are installed and their sizes, the smallest first."""
    sources = []
    for path in photographs():
        if path.exists():
            with Image.open(path) as image:
                sources.append((path, image.size))
    if not sources:
        raise FileNotFoundError("no photographs are installed: make test brings some")
    return sorted(sources, key=lambda source: (max(source[1]), source[0].as_posix()))


def _plan(
    folder: Path,
    number: int,
    sources: Sequence[tuple[Path, tuple[int, int]]],
    chance: random.Random,
) -> Photo:
    sides, shares = zip(*_LONG_SIDES, strict=True)
    (side,) = chance.choices((*sides, _CAMERA_SIDE), (*shares, 100 - sum(shares)))
    side = round(side * chance.uniform(0.95, 1))
    # Without Debian's photographs there are none of a camera's size: the largest must do then.
    large_enough = [source for source in sources if max(source[1]) >= side] or [sources[-1]]
    source, (width, height) = chance.choice(large_enough)
    part = chance.uniform(max(0.7, min(1, side / max(width, height))), 1)
    cut_width, cut_height = round(width * part), round(height * part)
    left = chance.randint(0, width - cut_width)
    top = chance.randint(0, height - cut_height)
    shrink = min(1, side / max(cut_width, cut_height))
    suffix = "jpg"
    if side <= _LOSSLESS_SIDE:
        (suffix,) = chance.choices(("jpg", "png", "webp", "gif"), (70, 15, 10, 5))
    return Photo(
        folder / f"{number % 10}" / f"photo-{number:04}.{suffix}",
        source,
        (left, top, left + cut_width, top + cut_height),
        (max(1, round(cut_width * shrink)), max(1, round(cut_height * shrink))),
        quality=chance.randint(78, 94),
    )


def _make(photos: Sequence[Photo]) -> None:
    if not photos:
        return
    with Image.open(photos[0].source) as source:
        source.load()
    for photo in photos:
        image = source.resize(photo.size, Image.Resampling.BICUBIC, box=photo.cut, reducing_gap=2.0)
        photo.file.parent.mkdir(parents=True, exist_ok=True)
        # Each format takes what concerns it.
        image.save(photo.file, quality=photo.quality, compress_level=4, method=2)
