"""PDQ from pixels to hash, against pdqhash and against one plain pass over the same memory."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

from benchmarks.machine import read_once
from benchmarks.photos import fitting_jpegs, largest_photograph, native_photographs
from benchmarks.results import Curve, Findings, Goal, Table
from benchmarks.scale import Scale
from benchmarks.timing import Arena, Times, table_of
from tests.corpus import FLAT_PICTURES
from tutela.fingerprints.pdq import pdq_of

Pixels = NDArray[np.uint8]

_OURS, _PEER, _PASS = "Tutela", "pdqhash", "one pass over the pixels"
_MIN_QUALITY = 50
_MEGAPIXELS = 1_000_000
_MOST_PASSES = 3.0
_CURVE_SIDES = (128, 256, 512, 1024, 2048, 4096, 8192)


def measure(scale: Scale) -> Findings:
    """Small pictures, native photographs, a camera's; and picture after picture of growing size.

    Raises:
        RuntimeError: Both give one picture of good quality different hashes.
    """
    contenders = {_OURS: pdq_of, _PEER: pdqhash.compute, _PASS: _read}
    arena = Arena(contenders)
    most, rounds = scale.pick((2, 1), (1_000, 3))
    flat = _FlatPictures()
    goals: list[Goal] = []
    tables: list[Table] = []
    for name, pictures, asked in (
        ("512 px", map(_decoded, fitting_jpegs((512, 512), most)), 25),
        ("native photographs of 2 MP and more", _natives(2 * _MEGAPIXELS, most), 50),
        ("native photographs of 12 MP and more", _natives(12 * _MEGAPIXELS, most // 2), 65),
    ):
        times = _measure_class(arena, pictures, rounds, flat)
        if not times:
            continue
        goals += _goals(name, times, asked)
        tables.append(table_of(f"PDQ of {name}", times))
    for path in map(Path, FLAT_PICTURES):
        if path.exists():
            flat.look_at(_opened(path))
    one_by_one = Arena(contenders, evicting=True)
    curve = _curve(one_by_one, _CURVE_SIDES[:2] if scale is Scale.QUICK else _CURVE_SIDES, rounds)
    return Findings(goals, tables, [_ROUNDS_NOTE.format(rounds=rounds), flat.sentence], curve)


_ROUNDS_NOTE = (
    "A picture's time is the median of {rounds}; the ratios are medians of the pictures' own "
    "ratios. n counts distinct photographs, none of them enlarged."
)


class _FlatPictures:
    """Pictures of a quality that nobody matches, whose hashes may differ by rounding."""

    def __init__(self) -> None:
        self._distances: list[int] = []

    def look_at(self, pixels: Pixels) -> bool:
        """Whether a picture is one; its hashes have to be the same if it is not."""
        vector, quality = pdqhash.compute(pixels)
        ours = pdq_of(pixels)
        theirs = np.packbits(vector.astype(np.uint8)).tobytes()
        differing = (int.from_bytes(ours.value) ^ int.from_bytes(theirs)).bit_count()
        if quality < _MIN_QUALITY:
            self._distances.append(differing)
            return True
        if differing or ours.quality != quality:
            raise RuntimeError("Tutela and pdqhash give one picture different PDQ hashes")
        return False

    @property
    def sentence(self) -> str:
        """How many there were, and how far apart their hashes are."""
        apart = ", ".join(map(str, sorted(self._distances)))
        return (
            "Of all pictures of quality 50 and more, hash and quality are the same as pdqhash's. "
            f"{len(self._distances)} pictures of lower quality were left out of the times; bits "
            f"in which their hashes differ from pdqhash's: {apart or 'none'}."
        )


def _measure_class(
    arena: Arena[Pixels], pictures: Iterator[Pixels], rounds: int, flat: _FlatPictures
) -> dict[str, Times]:
    chosen = [pixels for pixels in pictures if not flat.look_at(pixels)]
    return arena.compare(chosen, rounds=rounds, hot=chosen)


def _goals(name: str, times: Mapping[str, Times], asked: float) -> list[Goal]:
    ours, peer, once = (times[each] for each in (_OURS, _PEER, _PASS))
    return [
        Goal(
            f"PDQ of {name} (n = {len(ours.cold)}), against pdqhash",
            f"{1e3 * ours.p50:.2f} ms",
            f"{1e3 * peer.p50:.2f} ms",
            _ratio(peer, ours),
            asked,
        ),
        Goal(
            f"PDQ of {name}, against one pass over its bytes",
            f"{1e3 * ours.p50:.2f} ms",
            f"{1e3 * once.p50:.2f} ms",
            _ratio(ours, once),
            _MOST_PASSES,
            at_most=True,
        ),
    ]


def _ratio(longer: Times, shorter: Times) -> float:
    return median(a / b for a, b in zip(longer.cold, shorter.cold, strict=True))


def _curve(arena: Arena[Pixels], sides: Sequence[int], rounds: int) -> dict[str, Sequence[Curve]]:
    points: dict[str, list[tuple[float, float]]] = {}
    with Image.open(largest_photograph()) as photograph:
        source = photograph.convert("RGB")
    for side in sides:
        # The last is larger than the photograph, which is then taken as it is.
        image = source.copy()
        image.thumbnail((side, side), Image.Resampling.BICUBIC)
        pixels = np.asarray(image)
        for name, times in arena.compare([pixels], rounds=rounds).items():
            points.setdefault(name, []).append((image.width * image.height, 1 / times.p50))
    return {
        "hashing": [Curve(name, each, reference=name == _PASS) for name, each in points.items()]
    }


def _natives(least_pixels: int, most: int) -> Iterator[Pixels]:
    yield from map(_opened, native_photographs(least_pixels)[:most])


def _opened(path: Path) -> Pixels:
    return _decoded(path.read_bytes())


def _decoded(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def _read(pixels: Pixels) -> int:
    values = pixels.reshape(-1)
    return read_once(values[: len(values) // 8 * 8].view(np.uint64))
