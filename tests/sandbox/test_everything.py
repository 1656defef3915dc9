"""What is shown of a place is what was hashed there."""

import gzip
import io
import os
from base64 import b64encode
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.archived import by_libarchive, rar, tarred, zipped
from tests.drawing import landscape
from tests.moving import clip, side_by_side, sound_alone
from tests.old_office import compound, pixels, record
from tests.oracle import differing_bits
from tests.pictures import encoded
from tests.portable import WORDS, document, jpeg, picture
from tests.sandbox.looking import ORIENTATION, photograph
from tests.sandbox.test_covers import with_covr
from tests.sandbox.test_video import flashing
from tutela.fingerprints.model import FileFingerprints, Pdq
from tutela.fingerprints.pdq import pdq_of
from tutela.sandbox.model import Level, Limits, Look, Rendering, Shown
from tutela.sandbox.pool import CellPool
from tutela.sandbox.rendering_pool import RenderingPool

# What is shown is made small, a JPEG and marked: each costs a hash some bits, and another picture
# is more than a hundred away.
MOST_BITS = 24


@pytest.fixture(scope="module")
def cells() -> Iterator[CellPool]:
    with CellPool(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def showing() -> Iterator[RenderingPool]:
    with RenderingPool(1) as pool:
        yield pool


def with_file(content: bytes, use):
    descriptor = os.memfd_create("a file")
    try:
        os.write(descriptor, content)
        return use(descriptor)
    finally:
        os.close(descriptor)


def found_in(cells: CellPool, content: bytes) -> FileFingerprints:
    return with_file(content, cells.fingerprint)


def shown(
    showing: RenderingPool, content: bytes, place: str | None, level: Level = Level.WHOLE
) -> Rendering:
    look = Look(level, colour=level is Level.WHOLE, mark=".", side=1600, place=place)
    return with_file(content, lambda descriptor: showing.render(descriptor, look))


def seen(rendering: Rendering) -> Pdq:
    assert rendering.jpeg, rendering.reason
    with Image.open(io.BytesIO(rendering.jpeg)) as image:
        return pdq_of(np.asarray(image.convert("RGB")))


def turned_photograph() -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return encoded(photograph(1), "JPEG", exif=exif)


def with_preview() -> bytes:
    preview = encoded(photograph(2).resize((160, 120)), "JPEG")
    return encoded(photograph(1), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + preview)


def see_through() -> bytes:
    image = photograph(0).convert("RGBA")
    mask = np.zeros((240, 320), np.uint8)
    mask[:, 100:] = 255
    image.putalpha(Image.fromarray(mask))
    return encoded(image, "PNG")


def in_odd_colours() -> bytes:
    info = PngInfo()
    info.add(b"gAMA", (272_730).to_bytes(4))
    return encoded(landscape(), "PNG", pnginfo=info)


def animation(kind: str) -> bytes:
    frames = [photograph(number).copy() for number in (0, 1, 2, 3)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


PICTURES = {
    "notes.txt": b"only words",
    "photos/a.png": encoded(photograph(0)),
    "photos/b.gif": animation("GIF"),
    "photos/c.jpg": turned_photograph(),
}
INNER = zipped(PICTURES)
TURNED = photograph(1).transpose(Image.Transpose.ROTATE_270)
DOCUMENT = document(
    WORDS + b"q 0 320 -240 0 400 300 cm /I Do Q q 320 0 0 240 100 40 cm /J Do Q",
    picture(TURNED),
    jpeg(turned_photograph(), (320, 240)),
    names=b"/XObject << /I 5 0 R /J 6 0 R >>",
    pages=2,
)
FILES = {
    "PDF": zipped({"a.pdf": DOCUMENT}),
    "GIF": animation("GIF"),
    "WebP": animation("WEBP"),
    "PNG": animation("PNG"),
    "TIFF": animation("TIFF"),
    "MPO": animation("MPO"),
    "icon": encoded(photograph(0), "ICO", sizes=[(64, 48), (128, 96), (256, 192)]),
    "turned": turned_photograph(),
    "preview": with_preview(),
    "see-through": see_through(),
    "odd colours": in_odd_colours(),
    "damaged": encoded(photograph(1), "JPEG")[:9_000],
    "drawing": b"<svg>data:image/png;base64,%s</svg>" % b64encode(encoded(photograph(2))),
    "ZIP": INNER,
    "nested": zipped({"before.png": encoded(photograph(3)), "in/inner.zip": INNER}),
    "behind a picture": encoded(photograph(3), "JPEG") + zipped(PICTURES),
    "7z": by_libarchive(PICTURES, "7zip"),
    "RAR behind a picture": encoded(photograph(3), "JPEG") + rar(PICTURES),
    "old document": compound(
        {"Data": record(0xF01D, turned_photograph()) + record(0xF01F, pixels(photograph(2)))}
    ),
    "TAR": tarred(PICTURES, "w:gz"),
    "unpacked": gzip.compress(PICTURES["photos/b.gif"]),
    "video": clip(6, size=(320, 240)),
    "turned video": clip(3, size=(320, 240), turned=90),
    "video in an archive": zipped({"a.png": encoded(photograph(0)), "clips/b.mp4": clip(4)}),
    "motion photo": zipped({"c.jpg": encoded(photograph(1), "JPEG") + clip(2, size=(320, 240))}),
    "covers": zipped(
        {
            "d.m4a": with_covr(sound_alone(), encoded(photograph(2), "PNG"), turned_photograph()),
            "e.mp4": with_covr(clip(1, size=(320, 240)), see_through()),
        }
    ),
    "tracks and flashes": side_by_side([flashing(9), clip(2, size=(320, 240))], "mp4"),
}


@pytest.mark.parametrize("name", FILES)
def test_each_part_is_shown_as_it_was_hashed(
    cells: CellPool, showing: RenderingPool, name: str
) -> None:
    content = FILES[name]
    found = found_in(cells, content)
    hashes = {part.place: part.pdq for part in found.parts if part.pdq is not None}
    if found.picture.pdq is not None:
        hashes = {"": found.picture.pdq} | hashes
    assert hashes
    for place, pdq in hashes.items():
        rendering = shown(showing, content, place)
        assert rendering.place == place
        assert differing_bits(seen(rendering), pdq) <= MOST_BITS, place


def test_one_steps_from_part_to_part_and_back(showing: RenderingPool) -> None:
    content = FILES["nested"]
    there = [shown(showing, content, None)]
    while (after := there[-1].after) is not None and len(there) < 20:
        there.append(shown(showing, content, after))
    assert [each.place for each in there] == [
        "before.png",
        "in/inner.zip/photos/a.png",
        "in/inner.zip/photos/b.gif",
        "in/inner.zip/photos/b.gif frame 2",
        "in/inner.zip/photos/b.gif frame 3",
        "in/inner.zip/photos/b.gif frame 4",
        "in/inner.zip/photos/c.jpg",
        "in/inner.zip/photos/c.jpg as shown",
    ]
    assert [each.before for each in there[1:4]] == [
        "before.png",
        "in/inner.zip/photos/a.png",
        "in/inner.zip/photos/b.gif",
    ]


def test_what_is_a_picture_of_one_thing_leads_nowhere_else(showing: RenderingPool) -> None:
    whole = shown(showing, encoded(landscape()), None)
    assert (whole.shown, whole.place, whole.after) == (Shown.PICTURE, None, None)
    first = shown(showing, encoded(landscape()), "")
    assert (first.shown, first.before, first.after) == (Shown.PICTURE, None, None)
    moving = shown(showing, FILES["GIF"], None)
    assert (moving.shown, moving.after) == (Shown.SHEET, "")
    assert shown(showing, FILES["GIF"], "").shown is Shown.ONE
    assert shown(showing, FILES["video"], None).after == "00:00:00"
    assert shown(showing, FILES["turned"], None).after == ""


def test_a_veil_is_of_the_part_too(showing: RenderingPool) -> None:
    bright, dark = Image.new("RGB", (80, 60), "white"), Image.new("RGB", (80, 60), "black")
    content = zipped({"a.png": encoded(bright), "b.png": encoded(dark)})
    with Image.open(io.BytesIO(shown(showing, content, "b.png", Level.VEIL).jpeg)) as veil:
        assert np.asarray(veil).mean() < 60


def test_an_instant_far_into_a_video_is_found_without_looking_at_all_before_it(
    cells: CellPool, showing: RenderingPool
) -> None:
    content = clip(70, rate=Fraction(30_000, 1001), options={"g": "60"}, size=(96, 64))
    hashes = {part.place: part.pdq for part in found_in(cells, content).parts}
    for place in ("00:00:24", "00:00:47", "00:01:08", [*hashes][-1]):
        rendering = shown(showing, content, place)
        assert rendering.place == place
        pdq = hashes[place]
        assert pdq is not None
        assert differing_bits(seen(rendering), pdq) <= MOST_BITS, place


def test_members_that_are_called_alike_are_told_apart(
    cells: CellPool, showing: RenderingPool
) -> None:
    entries = [
        ("a.gif frame 2", encoded(photograph(3))),
        ("a.gif", PICTURES["photos/b.gif"]),
        ("a.gif", encoded(photograph(2))),
    ]
    archive = tarred(entries)
    found = found_in(cells, archive)
    places = [part.place for part in found.parts]
    assert len(places) == len(set(places))
    assert {"“a.gif frame 2”", "a.gif", "a.gif frame 2", "a.gif (2)"} <= set(places)
    hashes = {part.place: part.pdq for part in found.parts}
    for place in ("“a.gif frame 2”", "a.gif frame 2", "a.gif (2)"):
        pdq = hashes[place]
        assert pdq is not None
        assert differing_bits(seen(shown(showing, archive, place)), pdq) <= MOST_BITS


def test_what_is_not_wanted_is_not_unpacked_and_what_is_has_a_budget(
    showing: RenderingPool,
) -> None:
    bomb = encoded(Image.new("L", (9_000, 9_000)), "BMP")
    content = zipped({"bomb.bmp": bomb, "a.png": encoded(photograph(0))})
    with RenderingPool(1, Limits(freely_unpacked_bytes=1 << 20, ratio=2)) as careful:
        assert shown(careful, content, "a.png").shown is Shown.ONE
        refused = shown(careful, content, "bomb.bmp")
        assert refused.shown is Shown.NOTHING
        assert "unpacks to far more" in refused.reason
    gone = shown(showing, content, "photos/never.png")
    assert (gone.shown, gone.reason) == (Shown.NOTHING, "there is no picture at this place")


def test_what_comes_after_cannot_hide_what_is_shown(
    showing: RenderingPool,
) -> None:
    damaged = bytearray(animation("GIF"))
    damaged[-3_000:] = bytes(3_000)
    rendering = shown(showing, bytes(damaged), "")
    assert rendering.shown is Shown.ONE
