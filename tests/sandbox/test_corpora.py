"""Of other people's test files, what Chromium shows is hashed, or the file is called unreadable.

A few of them are in this repository. ``make corpora`` downloads thousands more: proofs of old
faults in decoders, archives and videos that are wrong on purpose, and some that are quite sound.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests.browser import running_browser
from tests.oracle import differing_bits
from tests.requirements import missing
from tests.sandbox.collecting import collections
from tests.sandbox.looking import hash_of
from tests.sandbox.test_mutated import GRACE, IDLE_BYTES, most_memory
from tests.sandbox.test_what_is_shown import shown
from tutela.fingerprints.model import FileFingerprints, PictureState
from tutela.sandbox.model import Limits
from tutela.sandbox.pool import CellPool

HERE = Path(__file__).parent / "corpora"
DOWNLOADED = Path(__file__).parents[2] / "build" / "corpora"
SOAK = "TUTELA_TEST_SOAK" in os.environ
LIMITS = Limits(memory_bytes=1 << 30, seconds=10, whole_seconds=60, cpu_seconds=60)

# Of these every program makes something else.
DAMAGED = {
    # A compressed bitmap that is damaged on purpose.
    "Tests__images__bmp__b__badrle.bmp",
    # Ramps, of which most of what a hash tells is their last digits.
    "contrib__testpngs__gray-16-1.8.png",
    "contrib__testpngs__gray-16-1.8-tRNS.png",
}
# Smaller than what a hash divides a picture into: some are patterns of which it tells chance alone.
LEAST_SIDE = 64


def by_eights(files: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(files), 8):
        yield files[start : start + 8]


def reason_of(found: FileFingerprints) -> str | None:
    """Why something of the file could not be looked at, if that is so."""
    reasons = [found.picture.unreadable, *(part.unreadable for part in found.parts)]
    return next((str(reason) for reason in reasons if reason is not None), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with running_browser() as browser:
        yield browser


@pytest.mark.parametrize(
    "folder",
    [
        HERE / "pngsuite",
        *(
            pytest.param(
                DOWNLOADED / each.name,
                marks=[
                    pytest.mark.skipif(not SOAK, reason="only make soak downloads files"),
                    pytest.mark.timeout(3600),
                ],
            )
            for each in collections()
        ),
    ],
    ids=lambda folder: folder.name,
)
def test_whatever_a_browser_shows_is_hashed_or_called_unreadable(
    folder: Path, browser: Chrome
) -> None:
    if not folder.exists():
        missing(f"the collection {folder.name}", "download it with: make corpora")
    outcomes: Counter[str] = Counter()
    far = {}
    slowest, largest = 0.0, 0
    with CellPool(1, LIMITS) as cells:
        for files in by_eights(sorted(folder.iterdir())):
            images = shown(browser, [path.read_bytes() for path in files])
            for path, image in zip(files, images, strict=True):
                began = time.monotonic()
                with path.open("rb") as file:
                    found = cells.fingerprint(file)
                slowest = max(slowest, time.monotonic() - began)
                largest = max(largest, *(most_memory(each) for each in cells.process_ids), 0)
                reason = reason_of(found)
                outcomes[reason or str(found.picture.state)] += 1
                if image is None or reason is not None:
                    continue
                outcomes["shown"] += 1
                seen = hash_of(image)
                known = [found.picture.pdq, *(part.pdq for part in found.parts)]
                nearest = min((differing_bits(pdq, seen) for pdq in known if pdq), default=256)
                is_small = min(image.size) < LEAST_SIDE and folder.parent == DOWNLOADED
                # A picture that is too flat is compared by no list.
                if seen.quality >= 50 and nearest > 31 and not is_small:
                    far[path.name] = nearest
        # And it goes on.
        sound = HERE / "pngsuite" / "basn6a16.png"
        with sound.open("rb") as file:
            assert cells.fingerprint(file).picture.state is PictureState.DECODED
    print(folder.name, dict(outcomes), f"slowest {slowest:.2f} s, memory {largest >> 20} MiB")  # noqa: T201
    assert set(far) <= DAMAGED, far
    assert slowest <= LIMITS.whole_seconds + GRACE
    assert largest <= IDLE_BYTES + LIMITS.memory_bytes
