"""Files made wrong on purpose harm nobody, and what a browser shows of them is never called clear.

A million of them in ``make soak``.
"""

import gzip
import os
import random
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver import Chrome

from tests.archived import by_libarchive, cabinet, rar, rar_of_old, tarred, zipped
from tests.browser import running_browser
from tests.jpegxl import can_pack, packed
from tests.moving import video_of
from tests.old_office import compound, record
from tests.oracle import differing_bits
from tests.pictures import encoded
from tests.portable import document, picture
from tests.portable import jpeg as jpeg_of_a_page
from tests.sandbox.looking import hash_of, photograph
from tests.sandbox.mutating import mutated, pieces_of
from tests.sandbox.repairing import repaired
from tests.sandbox.test_covers import id3, mp3, with_covr
from tests.sandbox.test_mail import mail
from tests.sandbox.test_what_is_shown import icon, shown, turned
from tutela.fingerprints.model import FileFingerprints, PictureState, Unreadable
from tutela.sandbox.model import Limits
from tutela.sandbox.pool import CellPool

SOAK = "TUTELA_TEST_SOAK" in os.environ
MANY = int(os.environ.get("TUTELA_TEST_MUTATED", "1000000")) if SOAK else 400
# In pieces, each a test with figures of its own: what is done stays done.
PIECE = 10_000
PIECES = [range(first, min(first + PIECE, MANY)) for first in range(0, MANY, PIECE)]
AT_ONCE = 32
# Seconds; Selenium itself waits for no more than 120.
PATIENCE = 100

SIZE = (128, 96)
KNOWN, OTHER = photograph(0, SIZE), photograph(1, SIZE)
ON_A_PAGE = b"q 512 0 0 384 40 300 cm /I Do Q"
LISTED = hash_of(KNOWN)
MATCH = 31
# Two decoders of one damaged file may differ by some bits: so near, it is that picture.
SHOWN = 20
LIMITS = Limits(
    pixels=4_000_000, memory_bytes=512 << 20, seconds=5, whole_seconds=10, cpu_seconds=10
)
# What an idle cell has, and what it takes to end one and begin another.
IDLE_BYTES, GRACE = 512 << 20, 10


def seeds() -> list[bytes]:
    """The known picture in every format that can be written here, alone and within others."""
    both = {"save_all": True, "append_images": [OTHER, KNOWN]}
    # Pillow keeps at a picture how it was written, and stumbles over that here.
    tiff = encoded(KNOWN.copy(), "TIFF", save_all=True, append_images=[OTHER.copy()])
    jpeg = encoded(KNOWN, "JPEG", quality=90)
    letter = mail(jpeg)
    # By chance otherwise, and a number makes the same file whenever it is run.
    letter.set_boundary("edge")
    return [
        jpeg,
        encoded(KNOWN, "JPEG", progressive=True, exif=turned(6)),
        encoded(KNOWN.convert("CMYK"), "JPEG", quality=95),
        encoded(KNOWN, "MPO", **both),
        encoded(KNOWN),
        encoded(KNOWN.quantize(32)),
        encoded(KNOWN, **both),
        encoded(KNOWN.quantize(64), "GIF"),
        encoded(KNOWN, "GIF", **both),
        encoded(KNOWN, "WEBP", quality=90),
        encoded(KNOWN, "WEBP", lossless=True),
        encoded(KNOWN, "WEBP", **both),
        encoded(KNOWN, "AVIF", speed=10),
        encoded(KNOWN, "BMP"),
        icon(1, KNOWN.resize((64, 64)), OTHER.resize((32, 32))),
        tiff,
        encoded(KNOWN, "TIFF", compression="tiff_lzw"),
        encoded(KNOWN, "TIFF", compression="jpeg"),
        video_of([KNOWN, OTHER, KNOWN]),
        zipped({"a.jpg": jpeg, "b.png": encoded(OTHER)}),
        zipped({"a.jpg": jpeg}, zipfile.ZIP_LZMA),
        tarred({"a.jpg": jpeg}),
        gzip.compress(encoded(KNOWN), mtime=0),
        by_libarchive({"a.jpg": jpeg}, "7zip", options="7zip:compression=store"),
        by_libarchive({"a.png": encoded(KNOWN)}, "7zip", options="7zip:compression=lzma2"),
        rar({"a.jpg": jpeg, "b.png": encoded(OTHER)}),
        rar_of_old({"a.jpg": jpeg}),
        cabinet({"a.jpg": jpeg}),
        compound({"Data": record(0xF01D, jpeg)}),
        letter.as_bytes(),
        id3(jpeg) + mp3(),
        with_covr(video_of([OTHER]), jpeg),
        *([packed(encoded(KNOWN))] if can_pack() else []),
        document(ON_A_PAGE, picture(KNOWN)),
        document(ON_A_PAGE, jpeg_of_a_page(jpeg, SIZE)),
        *(jpeg_xl(jpeg) if can_pack() else ()),
    ]


def jpeg_xl(jpeg: bytes) -> list[bytes]:
    """The known picture in JPEG XL: with loss and without, moving, and as a JPEG that is packed."""
    moving = encoded(KNOWN, save_all=True, append_images=[OTHER], duration=50)
    return [
        packed(encoded(KNOWN)),
        packed(encoded(KNOWN), "-d", "0"),
        packed(moving, "--container=1"),
        packed(jpeg, kind="jpg"),
    ]


def taken(cells: CellPool, file: bytes) -> FileFingerprints:
    """A file's fingerprints, by a cell."""
    with os.fdopen(os.memfd_create("mutated"), "w+b") as lent:
        lent.write(file)
        lent.flush()
        return cells.fingerprint(lent)


def is_told(found: FileFingerprints) -> bool:
    """Whether somebody hears of it: it matches, or something of it could not be looked at."""
    if found.picture.state is PictureState.UNREADABLE or any(
        part.unreadable is not None for part in found.parts
    ):
        return True
    hashes = [found.picture.pdq, *(part.pdq for part in found.parts)]
    return any(pdq and differing_bits(pdq, LISTED) <= MATCH for pdq in hashes)


def kind_of(found: FileFingerprints) -> str:
    reasons = {part.unreadable for part in found.parts} | {found.picture.unreadable}
    if not is_told(found):
        return "clear"
    return min((str(reason) for reason in reasons if reason is not None), default="match")


@pytest.fixture(scope="module")
def sound() -> list[bytes]:
    return seeds()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with running_browser() as browser:
        # A run of a million may stand behind everything else that its machine does.
        browser.set_script_timeout(PATIENCE)
        yield browser


def known_among(browser: Chrome, files: list[bytes]) -> list[bytes]:
    """Those files of which a browser shows the known picture."""
    seen: list[Image.Image | None] = shown(browser, files)
    return [
        file
        for file, image in zip(files, seen, strict=True)
        if image is not None and differing_bits(hash_of(image), LISTED) <= SHOWN
    ]


def most_memory(process: int) -> int:
    """The most bytes that a process has had, or none if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return max(
        (int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), default=0
    )


def test_pieces_are_the_whole_file(sound: list[bytes]) -> None:
    for seed in sound:
        assert b"".join(pieces_of(seed)) == seed
        assert len(pieces_of(seed)) > 1
        assert repaired(seed) == seed


@pytest.mark.timeout(24 * 3600 if SOAK else 300)
@pytest.mark.parametrize("numbers", PIECES, ids=lambda numbers: f"from {numbers.start}")
def test_files_made_wrong_harm_nobody_and_hide_nothing(
    numbers: range, sound: list[bytes], browser: Chrome
) -> None:
    outcomes: Counter[str] = Counter()
    clear: list[bytes] = []
    hidden: list[bytes] = []
    crashed: list[int] = []
    slowest, largest = 0.0, 0
    with CellPool(1, LIMITS) as cells:
        for number in numbers:
            file = mutated(random.Random(number), sound[number % len(sound)], sound)
            began = time.monotonic()
            found = taken(cells, file)
            slowest = max(slowest, time.monotonic() - began)
            outcomes[kind_of(found)] += 1
            if found.picture.unreadable is Unreadable.CRASHED:
                crashed.append(number)
            if not is_told(found):
                clear.append(file)
            if len(clear) == AT_ONCE:
                hidden += known_among(browser, clear)
                clear.clear()
            if number % 500 == 0:
                largest = max(largest, *(most_memory(each) for each in cells.process_ids))
        hidden += known_among(browser, clear)
        # And it goes on.
        for seed in sound:
            assert kind_of(taken(cells, seed)) == "match"
    figures = f"slowest {slowest:.2f} s, memory {largest >> 20} MiB, crashed at {crashed}"
    print(numbers, dict(outcomes), figures)  # noqa: T201
    assert [file.hex() for file in hidden] == []
    assert outcomes.total() == len(numbers)
    assert len(crashed) * 100 < len(numbers), crashed
    assert slowest <= LIMITS.whole_seconds + GRACE
    assert largest <= IDLE_BYTES + LIMITS.memory_bytes
