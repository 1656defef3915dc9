"""Of other people's test pictures, what Chromium shows is hashed, or the file is unreadable.

They are downloaded by ``make corpora`` and are no part of this repository.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import running_browser
from tests.oracle import differing_bits
from tests.requirements import missing
from tests.sandbox.looking import hash_of
from tests.sandbox.test_what_is_shown import shown
from tutela.fingerprints.model import FileFingerprints, PictureState
from tutela.sandbox.model import Limits
from tutela.sandbox.pool import CellPool

CORPORA = Path(__file__).parents[2] / "build" / "corpora"
SOAK = "TUTELA_TEST_SOAK" in os.environ

pytestmark = pytest.mark.skipif(not SOAK, reason="only make soak downloads pictures")

MOST_BYTES = 3_000_000
# A compressed bitmap that is damaged on purpose, of which every program makes something else.
DAMAGED = {"badrle.bmp"}


def corpus() -> list[Path]:
    files = [path for path in sorted(CORPORA.rglob("*")) if path.is_file()]
    if not files:
        missing("a collection of pictures", "download it with: make corpora")
    return [path for path in files if path.stat().st_size < MOST_BYTES]


def by_eights(files: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(files), 8):
        yield files[start : start + 8]


def is_unreadable(found: FileFingerprints) -> bool:
    parts = any(part.unreadable is not None for part in found.parts)
    return parts or found.picture.state is PictureState.UNREADABLE


def test_whatever_a_browser_shows_is_hashed_or_called_unreadable() -> None:
    far = {}
    with running_browser() as browser, CellPool(1, Limits(seconds=5)) as cells:
        for files in by_eights(corpus()):
            images = shown(browser, [path.read_bytes() for path in files])
            for path, image in zip(files, images, strict=True):
                with path.open("rb") as file:
                    found = cells.fingerprint(file)
                if image is None or is_unreadable(found):
                    continue
                seen = hash_of(image)
                known = [found.picture.pdq, *(part.pdq for part in found.parts)]
                nearest = min((differing_bits(pdq, seen) for pdq in known if pdq), default=256)
                # A picture that is too flat is compared by no list.
                if seen.quality >= 50 and nearest > 31:
                    far[path.name] = nearest
    assert set(far) <= DAMAGED
