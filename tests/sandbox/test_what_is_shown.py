"""What a browser shows of a file is within a match of something that is hashed of it.

Chromium decodes generated files on its own, and draws them on white; what it drew is hashed and
held against the file and its parts.
"""

import base64
import io
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from selenium.webdriver import Chrome

from tests.browser import running_browser
from tests.jpegxl import can_pack, packed
from tests.oracle import differing_bits
from tests.pictures import encoded
from tests.sandbox.looking import ORIENTATION, hash_of, looked, photograph
from tests.sandbox.test_appearance import see_through, srgb_with, two_in_one
from tests.sandbox.test_embedded import with_preview
from tutela.fingerprints.model import PictureState

_DRAW = """
const [sent, type, done] = arguments;
const drawn = sent.map(async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([bytes], { type }));
  try { await image.decode(); } catch { return null; } finally { URL.revokeObjectURL(image.src); }
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
});
Promise.all(drawn).then(done);
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with running_browser() as browser:
        yield browser


def shown(browser: Chrome, files: list[bytes], kind: str = "") -> list[Image.Image | None]:
    """What a browser shows of each file; ``None`` where it shows nothing."""
    texts = browser.execute_async_script(  # type: ignore[no-untyped-call]
        _DRAW, [base64.b64encode(file).decode() for file in files], kind
    )
    return [text and Image.open(io.BytesIO(base64.b64decode(text))) for text in texts]


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def gamma(value: float) -> PngInfo:
    info = PngInfo()
    info.add(b"gAMA", round(value * 100_000).to_bytes(4))
    return info


def with_a_zip(picture: bytes) -> bytes:
    file = io.BytesIO(picture)
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("notes.txt", "just words")
    return file.getvalue()


def icon(kind: int, *pictures: Image.Image) -> bytes:
    """An icon (1) or a cursor (2) of PNGs."""
    pngs = [encoded(picture) for picture in pictures]
    head, offset = b"", 6 + 16 * len(pngs)
    for picture, png in zip(pictures, pngs, strict=True):
        sizes = bytes([picture.width % 256, picture.height % 256, 0, 0])
        head += (
            sizes + b"\1\0\x20\0" + len(png).to_bytes(4, "little") + offset.to_bytes(4, "little")
        )
        offset += len(png)
    return bytes([0, 0, kind, 0, len(pngs), 0]) + head + b"".join(pngs)


def without_a_length(icon: bytes) -> bytes:
    return icon[:14] + bytes(4) + icon[18:]


def files() -> dict[str, bytes]:
    one, other = photograph(0), photograph(1)
    grey, palette = one.convert("L"), one.quantize(32)
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    both = {"save_all": True, "append_images": [other]}
    dark = one.point([round(255 * (value / 255) ** 4) for value in range(256)] * 3)
    darker = (65535 * (np.asarray(grey) / 255) ** 4).astype(np.uint16)
    swap = srgb_with(b"rXYZ", b"bXYZ")
    jpeg = encoded(one, "JPEG", quality=90)
    return {
        "JPEG": jpeg,
        "JPEG, progressive": encoded(one, "JPEG", progressive=True),
        "JPEG, grey": encoded(grey, "JPEG"),
        "JPEG, of inks": encoded(one.convert("CMYK"), "JPEG", quality=95),
        **{
            f"JPEG, turned {number}": encoded(one, "JPEG", exif=turned(number))
            for number in range(2, 9)
        },
        "JPEG with a preview of something else": with_preview(encoded(other, "JPEG")),
        "JPEG and ZIP": with_a_zip(jpeg),
        "JPEG and words": jpeg + b"; alert(1) //" * 20,
        "JPEG and PDF": jpeg[:2] + b"\xff\xfe\0\x0a%PDF-1.7" + jpeg[2:] + b"%%EOF",
        "JPEG without its end": jpeg[: len(jpeg) * 97 // 100],
        "JPEG of a swapped profile": encoded(two_in_one(), "JPEG", quality=95, icc_profile=swap),
        "MPO": encoded(one, "MPO", **both),
        "PNG": encoded(one),
        "PNG, palette": encoded(palette),
        "PNG, palette to see through": encoded(palette, transparency=5),
        "PNG, one bit": encoded(grey.convert("1")),
        "PNG, 16 bits": encoded(deep),
        "PNG, drawn by opacity": encoded(see_through(one)),
        "PNG, grey and opacity": encoded(see_through(one).convert("LA")),
        "PNG, a colour to see through": encoded(one, transparency=one.getpixel((50, 50))),
        "PNG, turned": encoded(one, exif=turned(6)),
        "PNG, dark": encoded(dark, pnginfo=gamma(0.45455 * 4)),
        "PNG, dark, 16 bits": encoded(Image.fromarray(darker), pnginfo=gamma(0.45455 * 4)),
        "PNG of a swapped profile": encoded(two_in_one(), icc_profile=swap),
        "PNG, moving": encoded(one, **both),
        "PNG, moving, and another one": encoded(one, default_image=True, **both),
        "PNG and ZIP": with_a_zip(encoded(one)),
        "GIF": encoded(palette, "GIF"),
        "GIF to see through": encoded(palette, "GIF", transparency=5),
        "GIF, moving": encoded(one, "GIF", **both),
        "GIF and words": encoded(palette, "GIF") + b"=1; alert(1)",
        "WebP": encoded(one, "WEBP", quality=90),
        "WebP, lossless": encoded(one, "WEBP", lossless=True),
        "WebP, drawn by opacity": encoded(see_through(one), "WEBP", lossless=True),
        "WebP, turned": encoded(one, "WEBP", exif=turned(8)),
        "WebP, moving": encoded(one, "WEBP", **both),
        "AVIF": encoded(one, "AVIF"),
        "AVIF, drawn by opacity": encoded(see_through(one), "AVIF", quality=90),
        "AVIF, turned": encoded(one, "AVIF", exif=turned(6)),
        "AVIF, moving": encoded(one, "AVIF", **both),
        "AVIF by another brand": encoded(one, "AVIF").replace(b"ftypavif", b"ftypmiaf", 1),
        **(jpeg_xl(one, other) if can_pack() else {}),
        "BMP": encoded(one, "BMP"),
        "BMP, palette": encoded(palette, "BMP"),
        "ICO": icon(1, one.resize((128, 128)), other.resize((48, 48))),
        "ICO that says its first picture has no bytes": without_a_length(
            icon(1, one.resize((128, 128)), other.resize((48, 48)))
        ),
        "CUR": icon(2, one.resize((128, 128))),
        "profile of a screen": encoded(
            one, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        ),
    }


def jpeg_xl(one: Image.Image, other: Image.Image) -> dict[str, bytes]:
    """Pictures in JPEG XL, which Chromium shows too."""
    jpeg = encoded(one, "JPEG", quality=90, exif=turned(6))
    moving = encoded(one, save_all=True, append_images=[other], duration=50)
    bright = b"PF\n%d %d\n-1.0\n" % one.size + (np.asarray(one)[::-1] / 192).astype("<f4").tobytes()
    linear = ("-x", "color_space=RGB_D65_SRG_Rel_Lin", "-d", "0")
    as_pq = "color_space=RGB_D65_202_Rel_PeQ"
    return {
        "JPEG XL": packed(encoded(one)),
        "JPEG XL without loss": packed(encoded(one), "-d", "0"),
        "JPEG XL, grey": packed(encoded(one.convert("L"))),
        "JPEG XL, drawn by opacity": packed(encoded(see_through(one)), "-d", "0"),
        "JPEG XL from a JPEG, turned": packed(jpeg, kind="jpg"),
        "JPEG XL, moving": packed(moving),
        "JPEG XL of a swapped profile": packed(
            encoded(two_in_one(), icc_profile=srgb_with(b"rXYZ", b"bXYZ"))
        ),
        "JPEG XL, bright": packed(bright, kind="pfm"),
        "JPEG XL of linear light": packed(bright, *linear, kind="pfm"),
        "JPEG XL, for other screens": packed(bright, "-x", as_pq, kind="pfm"),
    }


def test_whatever_a_browser_shows_is_hashed(browser: Chrome) -> None:
    made = files()
    far, unseen = {}, set()
    for (name, file), image in zip(made.items(), shown(browser, [*made.values()]), strict=True):
        if image is None:
            unseen.add(name)
            continue
        picture, parts = looked(file)
        known = [pdq for pdq in (picture.pdq, *(part.pdq for part in parts)) if pdq is not None]
        nearest = min((differing_bits(pdq, hash_of(image)) for pdq in known), default=256)
        # What a browser shows of the beginning of a broken picture depends on the browser.
        if nearest > 31 and picture.state is not PictureState.UNREADABLE:
            far[name] = nearest
    assert far == {}
    assert unseen == set()


def test_what_comes_after_something_else_is_not_shown(browser: Chrome) -> None:
    # So that it need not be looked for in files that do not begin as a picture.
    for beginning in (b"\n", b"<!-- -->", b"\0" * 8, b"%PDF-1.7\n"):
        for kind in ("PNG", "JPEG", "GIF", "WEBP"):
            assert shown(browser, [beginning + encoded(photograph(0), kind)]) == [None]
