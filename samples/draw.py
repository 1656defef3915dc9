"""Draw the sample pictures and write their hash list: ``python -m samples.draw``.

The pictures are committed, because encoders differ between versions: the hash list is made from
the files as they are, and ``--list-only`` makes it anew without drawing.
"""

import csv
import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from samples.drawing import landscapes, patterns
from tutela.fingerprints.pdq import pdq_of

HERE = Path(__file__).parent
KNOWN = HERE / "known"
NEW = HERE / "new"
KNOWN_LIST = HERE / "known.csv"

# Pictures on the sample list, and pictures that are not.
_PICTURES: dict[Path, Callable[[], Image.Image]] = {
    KNOWN / "balloons.jpg": landscapes.balloons,
    KNOWN / "dunes.jpg": landscapes.dunes,
    KNOWN / "lake-at-night.webp": landscapes.lake_at_night,
    KNOWN / "mountains-at-dawn.jpg": landscapes.mountains_at_dawn,
    KNOWN / "pine-valley.webp": landscapes.pine_valley,
    KNOWN / "sea-at-sunset.jpg": landscapes.sea_at_sunset,
    KNOWN / "stars.png": patterns.stars,
    KNOWN / "waves.png": patterns.waves,
    NEW / "canyon.jpg": landscapes.canyon,
    NEW / "island.webp": landscapes.island,
    NEW / "quilt.png": patterns.quilt,
    NEW / "ribbons.png": patterns.ribbons,
    NEW / "winter-wood.jpg": landscapes.winter_wood,
}

# Known pictures that somebody has made smaller and saved again: no digest finds them, PDQ does.
_RESIZED = {
    NEW / "mountains-at-dawn-resized.jpg": (KNOWN / "mountains-at-dawn.jpg", (640, 427)),
    NEW / "pine-valley-resized.jpg": (KNOWN / "pine-valley.webp", (720, 540)),
}

_NOTE = """\
A packing list for a walk in the mountains:

- water, two litres
- bread, cheese, an apple
- a map, because telephones get cold too
- a jacket against the wind
"""


def draw_all() -> None:
    """Draw every picture into its folder."""
    for path, draw in _PICTURES.items():
        _save(draw(), path, quality=82)
    for path, (original, size) in _RESIZED.items():
        with Image.open(original) as picture:
            _save(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS), path, quality=60)
    (NEW / "notes.txt").write_text(_NOTE, encoding="utf-8")


def known_rows() -> Iterator[tuple[str, str, str]]:
    """The rows of the sample list: an MD5 and a PDQ hash for each known picture.

    Yields:
        Kind, hash as hexadecimal digits, and the PDQ quality or an empty text.
    """
    for path in sorted(KNOWN.iterdir()):
        digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        yield "md5", digest, ""
        with Image.open(path) as picture:
            pdq = pdq_of(np.asarray(picture.convert("RGB")))
        yield "pdq", pdq.text, str(pdq.quality)


def write_known_list(path: Path = KNOWN_LIST) -> None:
    """Write the sample list as a CSV file with a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("kind", "hash", "quality"))
        writer.writerows(known_rows())


def _save(picture: Image.Image, path: Path, *, quality: int) -> None:
    path.parent.mkdir(exist_ok=True)
    match path.suffix:
        case ".jpg":
            picture.save(path, quality=quality, optimize=True, progressive=True)
        case ".webp":
            picture.save(path, quality=quality, method=6)
        case _:
            picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    if "--list-only" not in sys.argv[1:]:
        draw_all()
    write_known_list()
