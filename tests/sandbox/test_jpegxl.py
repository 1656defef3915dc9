"""JPEG XL is hashed as other pictures are: by the library of the wheel, and by the system's.

The oracles are the reference's own ``djxl``, the same pictures in other formats, and, in
``test_what_is_shown``, a browser with a decoder of its own.
"""

import io
import os

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.jpegxl import of_inks, packed, unpacked
from tests.pictures import encoded
from tests.requirements import missing
from tests.sandbox.looking import alike, at, hash_of, looked, photograph, places
from tests.sandbox.test_appearance import see_through, srgb_with, two_in_one
from tests.sandbox.test_what_is_shown import turned
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import PictureState, Unreadable
from tutela.sandbox import jpegxl, libjxl
from tutela.sandbox.decoding import decode
from tutela.sandbox.model import Level, Limits, Look, Shown
from tutela.sandbox.pool import CellPool
from tutela.sandbox.rendering import Showing

ONE, OTHER = photograph(0), photograph(1)
# As quick as it goes.
LOSSLESS = ("-d", "0", "-e", "2")


def wheels() -> libjxl.Library:
    library = libjxl.find()
    if library is None or "imagecodecs" not in library.file:
        missing("libjxl in the wheel of imagecodecs", 'install the extra "jpegxl"')
    return library


def of_the_system() -> libjxl.Library:
    for minor in range(12, 6, -1):
        try:
            return libjxl.Library(f"libjxl.so.0.{minor}")
        except OSError:
            pass
    return missing("libjxl", "install it with: apt-get install libjxl-tools")


@pytest.fixture(params=[wheels, of_the_system], ids=["wheel", "system"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> libjxl.Library:
    library: libjxl.Library = request.param()
    monkeypatch.setattr(jpegxl.Loaded, "library", library)
    return library


def pixels_of(file: bytes) -> NDArray[np.int16]:
    strips = [strip.pixels for strip in decode(io.BytesIO(file), Limits())]
    return np.concatenate(strips).astype(np.int16)


def deep(image: Image.Image) -> bytes:
    return encoded(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257))


def floating(image: Image.Image) -> bytes:
    numbers = np.asarray(image).astype("<f4")[::-1] / 255
    return b"PF\n%d %d\n-1.0\n" % image.size + (numbers * 1.5).tobytes()


@pytest.mark.parametrize(
    ("file", "kind", "options"),
    [
        (encoded(ONE), "png", ()),
        (encoded(ONE), "png", LOSSLESS),
        (encoded(ONE), "png", ("--container=1", "-p", "-e", "4")),
        (encoded(ONE.convert("L")), "png", ()),
        (encoded(ONE.convert("L")), "png", LOSSLESS),
        (encoded(see_through(ONE)), "png", LOSSLESS),
        (encoded(see_through(ONE)), "png", ("--premultiply=1", "-d", "0.5")),
        (encoded(see_through(ONE).convert("LA")), "png", LOSSLESS),
        (encoded(ONE.quantize(32)), "png", LOSSLESS),
        (deep(ONE), "png", LOSSLESS),
        (encoded(ONE, "JPEG", quality=90), "jpg", ()),
    ],
)
def test_a_picture_is_hashed_by_the_colours_that_the_reference_shows(
    library: libjxl.Library, file: bytes, kind: str, options: tuple[str, ...]
) -> None:
    made = packed(file, *options, kind=kind)
    picture, parts = looked(made)
    with Image.open(io.BytesIO(unpacked(made))) as image:
        mode = "L" if image.mode in ("L", "LA", "I;16") else "RGB"
        expected = np.asarray(image.convert(mode) if image.mode != "I;16" else ONE.convert("L"))
    seen = pixels_of(made)
    seen = seen[..., :3] if mode == "RGB" else (seen[..., 0] if seen.ndim == 3 else seen)
    assert picture.state is PictureState.DECODED
    assert np.abs(seen - expected).mean() < 1
    if kind == "png":
        original, original_parts = looked(file)
        assert picture.pdq is not None
        assert original.pdq is not None
        assert alike(picture.pdq, original.pdq, 8)
        assert places(parts) == places(original_parts)
        for place in places(parts):
            assert alike(at(parts, place), at(original_parts, place), 8)


@pytest.mark.parametrize("orientation", [3, 5, 6])
def test_a_turned_picture_is_hashed_as_it_is_stored_and_as_it_is_shown(
    library: libjxl.Library, orientation: int
) -> None:
    jpeg = encoded(ONE, "JPEG", quality=90, exif=turned(orientation))
    picture, parts = looked(packed(jpeg, kind="jpg"))
    original, original_parts = looked(jpeg)
    assert picture.pdq is not None
    assert original.pdq is not None
    assert alike(picture.pdq, original.pdq, 4)
    assert places(parts) == places(original_parts) == ["as shown"]
    assert alike(at(parts, "as shown"), at(original_parts, "as shown"), 4)


def test_frames_are_parts(library: libjxl.Library) -> None:
    frames = [photograph(number, (160, 120)) for number in (0, 1, 2, 3, 0)]
    moving = packed(encoded(frames[0], save_all=True, append_images=frames[1:], duration=50))
    picture, parts = looked(moving)
    assert picture.state is PictureState.DECODED
    # The last is the first one again, but for what is lost.
    assert [place for place in places(parts) if place != "frame 5"] == [
        f"frame {number}" for number in (2, 3, 4)
    ]
    for number in (2, 3, 4):
        assert alike(at(parts, f"frame {number}"), hash_of(frames[number - 1]), 8)
    picture, parts = looked(moving, Limits(frames=1))
    assert parts[-1].unreadable is Unreadable.TOO_MANY
    picture, parts = looked(moving[: len(moving) * 3 // 4])
    assert picture.pdq is not None
    assert parts[-1].unreadable is Unreadable.ENDS_EARLY


def test_a_frame_can_be_gone_back_to(library: libjxl.Library) -> None:
    frames = [photograph(number, (160, 120)) for number in range(4)]
    moving = encoded(frames[0], save_all=True, append_images=frames[1:], duration=50)
    content = packed(moving, *LOSSLESS)
    with jpegxl.JpegXlFile(io.BytesIO(content)) as image:
        assert image.n_frames == 4
        for number in (3, 1, 2, 0):
            image.seek(number)
            assert np.array_equal(np.asarray(image.convert("RGB")), np.asarray(frames[number]))
        with pytest.raises(EOFError):
            image.seek(4)
            image.load()


def test_what_a_profile_shows_much_differently_is_hashed_as_it_is_shown(
    library: libjxl.Library,
) -> None:
    swapped = encoded(two_in_one(), icc_profile=srgb_with(b"rXYZ", b"bXYZ"))
    shown = at(looked(swapped)[1], "with its colour profile")
    # Without loss the colours are kept as they were, with their profile.
    picture, parts = looked(packed(swapped, *LOSSLESS))
    assert picture.pdq is not None
    assert alike(picture.pdq, hash_of(two_in_one()), 4)
    assert alike(at(parts, "with its colour profile"), shown, 8)
    # With loss they are stored as they are shown.
    picture, parts = looked(packed(swapped))
    assert picture.pdq is not None
    assert alike(picture.pdq, shown, 8)
    assert parts == []


def test_what_is_brighter_than_a_screen_is_as_bright_as_it(library: libjxl.Library) -> None:
    expected = np.minimum(np.asarray(ONE).astype(float) * 1.5, 255)
    for options, most in (((), 4), (LOSSLESS, 1)):
        bright = packed(floating(ONE), *options, kind="pfm")
        assert np.abs(pixels_of(bright) - expected).mean() < most


def test_inks_are_hashed_by_their_colours(library: libjxl.Library) -> None:
    inks = ONE.convert("CMYK")
    picture, parts = looked(of_inks(inks, library))
    assert picture.pdq == looked(encoded(inks, "TIFF"))[0].pdq
    assert parts == []


def test_a_jpeg_that_was_packed_is_found_by_its_digests() -> None:
    wheels()
    jpeg = encoded(ONE, "JPEG", quality=90, progressive=True, exif=turned(6))
    for file in (packed(jpeg, kind="jpg"), packed(jpeg, "--num_threads=0", kind="jpg") + b"end"):
        with CellPool(1) as cells, os.fdopen(os.memfd_create("packed"), "w+b") as lent:
            lent.write(file)
            lent.flush()
            found = cells.fingerprint(lent)
        assert found.picture.state is PictureState.DECODED
        (within,) = (part for part in found.parts if part.digests is not None)
        assert within.place == "unpacked"
        assert within.digests == digests_of(io.BytesIO(jpeg))
        assert alike(at(list(found.parts), "unpacked as shown"), hash_of(_upright(jpeg)), 4)


def _upright(jpeg: bytes) -> Image.Image:
    with Image.open(io.BytesIO(jpeg)) as image:
        return image.transpose(Image.Transpose.ROTATE_270)


def test_a_jpeg_is_made_again_up_to_a_size_and_not_of_damaged_data(
    library: libjxl.Library,
) -> None:
    jpeg = encoded(ONE, "JPEG", quality=90)
    content = packed(jpeg, kind="jpg")
    assert jpegxl.may_be_packed_jpeg(content)
    assert jpegxl.packed_jpeg(content, len(jpeg)) == jpeg
    with pytest.raises(MemoryError):
        jpegxl.packed_jpeg(content, len(jpeg) - 1)
    at_data = content.index(b"jbrd") + 8
    for damaged in (
        content[: len(content) // 2],
        content[:at_data] + bytes(20) + content[at_data + 20 :],
    ):
        assert jpegxl.packed_jpeg(damaged, 1 << 20) is None
    assert not jpegxl.may_be_packed_jpeg(packed(encoded(ONE)))


def test_a_size_is_told_by_the_header_alone(library: libjxl.Library) -> None:
    content = packed(encoded(ONE))
    picture, _ = looked(content[:64], Limits(pixels=320 * 240 - 1))
    assert picture.unreadable is Unreadable.TOO_MANY_PIXELS
    assert looked(content, Limits(pixels=320 * 240))[0].state is PictureState.DECODED


def test_the_largest_size_that_a_header_can_tell_is_refused(library: libjxl.Library) -> None:
    # SizeHeader of ISO/IEC 18181-1: not small, two numbers of 30 bits; and all else is as usual.
    bits = "0" + "11" + "1" * 30 + "000" + "11" + "1" * 30 + "1"
    picture, _ = looked(b"\xff\x0a" + int(bits[::-1], 2).to_bytes(9, "little") + bytes(40))
    assert picture.unreadable is Unreadable.TOO_MANY_PIXELS


def test_a_picture_that_ends_early_is_shown_as_far_as_it_goes(library: libjxl.Library) -> None:
    content = packed(encoded(photograph(0, (640, 480))), "-p", "-d", "0.5")
    for cut in (1, 3, 20, 60):
        picture, parts = looked(content[: len(content) * cut // 100].ljust(3, b"\0"))
        assert picture.unreadable in (Unreadable.ENDS_EARLY, Unreadable.DAMAGED)
    assert picture.unreadable is Unreadable.ENDS_EARLY
    assert alike(at(parts, "as far as it can be decoded"), hash_of(ONE), 31)


def test_damaged_data_is_called_so(library: libjxl.Library) -> None:
    for container in ("--container=0", "--container=1"):
        content = bytearray(packed(encoded(ONE), container))
        for at_byte in range(60, len(content), 7):
            content[at_byte] ^= 0x5A
        picture, _ = looked(bytes(content))
        assert picture.state is PictureState.UNREADABLE
        assert picture.unreadable in (Unreadable.DAMAGED, Unreadable.ENDS_EARLY)


def test_without_a_library_it_is_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    content = packed(encoded(ONE))
    monkeypatch.setattr(jpegxl.Loaded, "library", None)
    picture, _ = looked(content)
    assert picture.unreadable is Unreadable.NOT_SUPPORTED
    assert picture.reason is not None
    assert 'install the extra "jpegxl"' in picture.reason
    look = Look(Level.WHOLE, colour=True, mark="-")
    assert "jpegxl" in Showing(io.BytesIO(content), look, Limits()).show().reason


def test_what_is_no_libjxl_is_not_taken_for_one() -> None:
    with pytest.raises(OSError, match="no decoder of JPEG XL"):
        libjxl.Library("libc.so.6")


def test_a_reviewer_is_shown_a_picture_and_the_frames_of_a_moving_one() -> None:
    wheels()
    look = Look(Level.WHOLE, colour=True, mark="-")
    jpeg = encoded(ONE, "JPEG", quality=90, exif=turned(6))
    upright = Showing(io.BytesIO(packed(jpeg, kind="jpg")), look, Limits()).show()
    assert upright.shown is Shown.PICTURE
    assert (upright.width, upright.height) == (240, 320)
    frames = encoded(ONE, save_all=True, append_images=[OTHER], duration=50)
    sheet = Showing(io.BytesIO(packed(frames)), look, Limits()).show()
    assert (sheet.shown, sheet.frames) == (Shown.SHEET, 2)
