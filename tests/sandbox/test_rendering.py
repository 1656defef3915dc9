"""What people are shown of files that nobody trusts."""

import errno
import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.drawing import landscape
from tests.moving import drawn_face, sound_alone, video_behind_its_cover, video_of
from tests.sandbox.taking_over import found_by, let_files_take_over, picture_that_does
from tutela.errors import OverCapacityError
from tutela.fingerprints.model import Unreadable
from tutela.sandbox.model import MOST_SHOWN_BYTES, Level, Limits, Look, Rendering, Shown
from tutela.sandbox.rendering import VEIL_SIDE, Showing
from tutela.sandbox.rendering_cell import _answer
from tutela.sandbox.rendering_pool import RenderingPool, _heard

MARK = "person 3"
WHOLE = Look(Level.WHOLE, colour=True, mark=MARK)
VEIL = Look(Level.VEIL, colour=False, mark=MARK)


@pytest.fixture(scope="module")
def cells() -> Iterator[RenderingPool]:
    with RenderingPool(1) as pool:
        yield pool


def shown(cells: RenderingPool, content: bytes, look: Look) -> Rendering:
    descriptor = os.memfd_create("shown")
    try:
        os.write(descriptor, content)
        return cells.render(descriptor, look)
    finally:
        os.close(descriptor)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def seen(rendering: Rendering) -> Image.Image:
    assert rendering.jpeg, rendering.reason
    return Image.open(io.BytesIO(rendering.jpeg))


def pixels(rendering: Rendering) -> NDArray[np.float64]:
    return np.asarray(seen(rendering).convert("L"), dtype=float)


def test_a_veil_is_small_and_grey_and_keeps_no_detail(cells: RenderingPool) -> None:
    stripes = np.zeros((600, 800, 3), np.uint8)
    stripes[:, ::20] = (255, 40, 40)

    veiled = shown(cells, encoded(Image.fromarray(stripes)), VEIL)

    image = seen(veiled)
    assert image.mode == "L"
    assert max(image.size) <= VEIL_SIDE
    # What is left is the mark, not one stripe.
    assert np.abs(np.diff(pixels(veiled).mean(axis=0))).max() < 12


def test_a_veil_has_no_colour_even_if_it_is_asked_for(cells: RenderingPool) -> None:
    asked = Look(Level.VEIL, colour=True, mark=MARK, side=1600)
    veiled = shown(cells, encoded(landscape()), asked)
    assert seen(veiled).mode == "L"
    assert veiled.width <= VEIL_SIDE


def test_a_part_in_colour_is_blurred(cells: RenderingPool) -> None:
    whole = pixels(shown(cells, encoded(landscape(800, 600)), WHOLE))
    part = pixels(shown(cells, encoded(landscape(800, 600)), Look(Level.PART, True, MARK)))
    assert np.abs(np.diff(part, axis=0)).max() < np.abs(np.diff(whole, axis=0)).max() / 2


def test_a_part_in_grey_is_sharp_and_its_faces_are_hidden(cells: RenderingPool) -> None:
    whole = shown(cells, encoded(drawn_face()), Look(Level.WHOLE, False, MARK))
    part = shown(cells, encoded(drawn_face()), Look(Level.PART, False, MARK))

    assert part.faces == 1
    assert whole.faces is None, "nobody looked for any"
    inner = np.s_[120:320, 120:280]
    assert pixels(whole)[inner].std() > 25
    assert pixels(part)[inner].std() < 8
    sharp = shown(cells, encoded(landscape(800, 600)), Look(Level.PART, False, MARK))
    assert sharp.faces == 0
    assert np.abs(np.diff(pixels(sharp), axis=0)).max() > 40


def test_the_whole_is_grey_until_colour_is_asked_for(cells: RenderingPool) -> None:
    assert seen(shown(cells, encoded(landscape()), Look(Level.WHOLE, False, MARK))).mode == "L"
    assert seen(shown(cells, encoded(landscape()), WHOLE)).mode == "RGB"


def test_who_looks_is_written_all_over_it_and_faintly(cells: RenderingPool) -> None:
    plain = encoded(Image.new("RGB", (800, 600), (128, 128, 128)))
    differences = np.abs(pixels(shown(cells, plain, WHOLE)) - 128)
    other = np.abs(pixels(shown(cells, plain, Look(Level.WHOLE, True, "person 4"))) - 128)

    assert differences.max() < 60
    quarters = [differences[rows, columns] for rows in (np.s_[:300], np.s_[300:])
                for columns in (np.s_[:400], np.s_[400:])]  # fmt: skip
    assert all((quarter > 6).mean() > 0.01 for quarter in quarters)
    assert (differences != other).any()


def test_nothing_of_the_file_but_its_pixels_comes_out(cells: RenderingPool) -> None:
    image = landscape()
    exif = image.getexif()
    exif[0x010E] = "a place that nobody may know"
    content = encoded(image, "JPEG", exif=exif, comment=b"and a comment")

    rendering = shown(cells, content, WHOLE)

    assert b"nobody may know" not in rendering.jpeg
    assert b"a comment" not in rendering.jpeg
    assert not seen(rendering).getexif()


def test_a_photograph_stands_upright(cells: RenderingPool) -> None:
    image = landscape(320, 240)
    exif = image.getexif()
    exif[0x0112] = 6
    rendering = shown(cells, encoded(image, "JPEG", exif=exif), WHOLE)
    assert (rendering.width, rendering.height) == (240, 320)


def test_what_is_shown_is_never_large(cells: RenderingPool) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2400, 2400, 3), np.uint8)
    rendering = shown(cells, encoded(Image.fromarray(noise)), Look(Level.WHOLE, True, MARK, 9999))
    assert max(rendering.width, rendering.height) <= 1600
    assert 0 < len(rendering.jpeg) <= MOST_SHOWN_BYTES


def test_grey_of_sixteen_bits_is_shown(cells: RenderingPool) -> None:
    deep = Image.fromarray(np.full((60, 80), 40_000, np.uint16))
    assert abs(pixels(shown(cells, encoded(deep), WHOLE)).mean() - 156) < 4


def test_an_avif_by_another_brand_is_shown_as_browsers_show_it(cells: RenderingPool) -> None:
    other = encoded(landscape(), "AVIF").replace(b"ftypavif", b"ftypmiaf", 1)
    assert shown(cells, other, WHOLE).shown is Shown.PICTURE


def test_a_video_is_a_sheet_of_moments_spread_over_it(cells: RenderingPool) -> None:
    # One shade a second: a sheet of the first frames alone would be dark all over.
    frames = [Image.new("RGB", (160, 120), (20 * (n // 10),) * 3) for n in range(120)]
    sheet = shown(cells, video_of(frames, sound=True), Look(Level.PART, False, MARK))

    assert sheet.shown is Shown.SHEET
    assert sheet.frames == 9
    assert sheet.seconds == pytest.approx(12, abs=0.5)
    shades = pixels(sheet)
    assert shades[20:60, 20:60].mean() < 60
    assert shades[-60:-20, -60:-20].mean() > 180
    assert shown(cells, video_of(frames), VEIL).frames == 4


def test_no_cover_is_shown_in_the_place_of_its_video(cells: RenderingPool) -> None:
    frames = [Image.new("RGB", (160, 120), (200,) * 3)] * 20
    hidden = video_behind_its_cover(frames, Image.new("RGB", (160, 120), (20,) * 3))
    assert pixels(shown(cells, hidden, WHOLE)).mean() > 150


def test_a_picture_that_moves_is_a_sheet_too(cells: RenderingPool) -> None:
    frames = [landscape(seed=seed) for seed in range(6)]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert shown(cells, moving, WHOLE).shown is Shown.SHEET
    assert shown(cells, moving, WHOLE).frames == 6


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"only words", "neither a picture nor a video"),
        (b"", "neither a picture nor a video"),
        (encoded(landscape(), "JPEG")[:2000], "the data ends early"),
        (b"\xff\xd8\xff" + bytes(500), "header cannot be read"),
        (video_of([landscape(160, 120)] * 5)[:900], "damaged video"),
        (sound_alone(), "nothing to see"),
        # A playlist, which names other files: it is not opened as one.
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n", "neither a picture nor a video"),
    ],
)
def test_what_cannot_be_shown_says_why(cells: RenderingPool, content: bytes, reason: str) -> None:
    rendering = shown(cells, content, WHOLE)
    assert rendering.shown is Shown.NOTHING
    assert reason in rendering.reason
    assert rendering.jpeg == b""


@pytest.mark.parametrize(
    ("asked", "told", "is_believed"),
    [
        (None, None, True),
        (None, "first.png", True),
        ("a.png", "a.png", True),
        ("a.zip", "a.zip/b.png", True),
        ("a.png", "a.png as shown", True),
        ("a.png", "a.png2", False),
        ("a.png", "other.png", False),
        ("a.png", "", False),
        ("a.png", None, False),
        ("", "", True),
        ("", "b.png", True),
        ("", None, False),
    ],
)
def test_a_process_that_shows_another_place_than_was_asked_for_is_not_believed(
    asked: str | None, told: str | None, is_believed: bool
) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    jpeg = encoded(landscape(8, 8), "JPEG")
    look = Look(Level.WHOLE, colour=True, mark=MARK, place=asked)
    with ours, theirs:
        _answer(theirs, Rendering(Shown.ONE, jpeg, place=told))
        theirs.send(b"null")
        heard = _heard(ours, time.monotonic() + 20, look)
    assert (heard is not None) == is_believed


def test_a_picture_that_was_shown_is_not_decoded_again_to_know_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("it is decoded again")

    monkeypatch.setattr("tutela.sandbox.pictures.pixels_of_first", forbidden)
    alone, turned = landscape(64, 48), Image.Exif()
    turned[274] = 6
    for content, follows in (
        (encoded(alone, "JPEG"), None),
        (encoded(alone, "JPEG", exif=turned), ""),
        (encoded(alone) + encoded(landscape(64, 48, 2), "JPEG"), ""),
    ):
        showing = Showing(io.BytesIO(content), WHOLE, Limits())
        assert showing.show().shown is Shown.PICTURE
        assert showing.what_follows() == follows


def test_a_picture_beyond_the_budget_is_not_decoded() -> None:
    with RenderingPool(1, Limits(pixels=10_000)) as cells:
        rendering = shown(cells, encoded(landscape(200, 100)), WHOLE)
        assert "the limit is 10,000" in rendering.reason
        large = video_of([landscape(320, 240)] * 3)
        assert shown(cells, large, WHOLE).shown is Shown.NOTHING
        assert shown(cells, encoded(landscape(100, 90)), WHOLE).shown is Shown.PICTURE


def test_a_file_that_takes_too_long_or_too_much_costs_itself_alone() -> None:
    heavy = encoded(Image.new("RGB", (9_000, 9_000), (20, 90, 160)))
    with RenderingPool(1, Limits(seconds=0.2)) as cells:
        assert "more than 0.2 seconds" in shown(cells, heavy, WHOLE).reason
        assert shown(cells, encoded(landscape(40, 30)), VEIL).shown is Shown.PICTURE
    with RenderingPool(1, Limits(memory_bytes=64 << 20)) as cells:
        assert "MiB" in shown(cells, heavy, WHOLE).reason
        assert shown(cells, encoded(landscape(40, 30)), VEIL).shown is Shown.PICTURE


def test_a_pool_that_closes_ends_what_is_under_way() -> None:
    heavy = encoded(Image.new("RGB", (9_000, 9_000), (20, 90, 160)))
    cells = RenderingPool(1)
    shown(cells, encoded(landscape(40, 30)), VEIL)
    threading.Timer(0.1, cells.close).start()
    began = time.monotonic()
    assert shown(cells, heavy, WHOLE).shown is Shown.NOTHING
    assert time.monotonic() - began < 10
    with pytest.raises(OverCapacityError):
        shown(cells, heavy, WHOLE)


@pytest.mark.parametrize("kind", ["mp4", "png", "jpeg", "gif", "webp"])
def test_damage_of_any_kind_costs_the_file_alone(cells: RenderingPool, kind: str) -> None:
    frames = [landscape(96, 64, seed) for seed in range(6)]
    sound = {
        "mp4": lambda: video_of(frames, sound=True),
        "gif": lambda: encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
    }.get(kind, lambda: encoded(frames[0], kind.upper()))()
    random = np.random.default_rng(len(kind))
    for _ in range(12):
        damaged = bytearray(sound)
        # The beginning is left as it is, so that a decoder takes it on.
        for place in random.integers(16, len(damaged), 30):
            damaged[place] = random.integers(0, 256)
        rendering = shown(cells, bytes(damaged), Look(Level.PART, False, MARK))
        assert bool(rendering.jpeg) != bool(rendering.reason)
    assert shown(cells, sound, WHOLE).jpeg


def test_whoever_comes_when_too_many_wait_is_told_at_once() -> None:
    heavy = encoded(Image.new("RGB", (6_000, 6_000), (20, 90, 160)))
    with RenderingPool(1) as cells, ThreadPoolExecutor(8) as people:
        looks = [people.submit(shown, cells, heavy, VEIL) for _ in range(8)]
        failures = [look.exception() for look in looks]
    assert sum(failure is None for failure in failures) >= 4
    assert any(isinstance(failure, OverCapacityError) for failure in failures)


def test_what_is_shown_is_opened_under_a_seal(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        let_files_take_over(patch, tmp_path)
        with RenderingPool(1) as pool:
            refused = picture_that_does(
                "found = 0\ntry: open('/dev/null')\nexcept OSError as error: found = error.errno"
            )
            deadly = picture_that_does("import socket\nsocket.socket()")
            assert found_by(shown(pool, refused, WHOLE).reason) == errno.EPERM
            assert shown(pool, deadly, WHOLE).reason == Unreadable.ATTACK.words
            assert shown(pool, encoded(landscape()), WHOLE).shown is Shown.PICTURE
