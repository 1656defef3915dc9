"""Pictures that a browser shows within a drawing are hashed, however they are written."""

import base64
import time
from urllib.parse import quote_from_bytes

import pytest

from tests.browser import running_browser
from tests.pictures import encoded
from tests.sandbox.looking import alike, hash_of, heard, photograph
from tests.sandbox.test_what_is_shown import shown
from tutela.fingerprints.model import Part, Unreadable
from tutela.sandbox.decoding import Room
from tutela.sandbox.drawings import pictures_in_drawing
from tutela.sandbox.model import Limits

PNG = encoded(photograph(0))
BASE64 = base64.b64encode(PNG).decode()
SIZE = 'width="320" height="240"'


def drawing(address: str) -> bytes:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {SIZE}><rect {SIZE} fill="#888"/>'
        f'<image {SIZE} href="{address}"/></svg>'
    ).encode()


DRAWINGS = {
    "base64": drawing(f"data:image/png;base64,{BASE64}"),
    "in lines": drawing("data:image/png;base64,\n" + "\n".join(BASE64[:70] + "\n" + BASE64[70:])),
    "percent": drawing("data:image/png," + quote_from_bytes(PNG)),
    "letters as numbers": drawing(f"&#100;at&#x61;:image/png;base64,{BASE64}"),
    "a wrong kind": drawing(f"data:image/jpeg;base64,{BASE64}"),
    "in two bytes": "\ufeff".encode("utf-16-le")
    + drawing(f"data:image/png;base64,{BASE64}").decode().encode("utf-16-le"),
    "without a beginning": b"words <img src='data:image/png;base64,%s'>" % BASE64.encode(),
    "in styles": b"body { background: url(data:image/png;base64,%s) }" % BASE64.encode(),
    "a document in XML": b"<?xml version='1.0'?><a><binary-data>\n%s</binary-data></a>"
    % base64.encodebytes(PNG),
    "with a declaration": b'\xef\xbb\xbf <?xml version="1.0"?>' + drawing(f"data:;base64,{BASE64}"),
}


def found_in(content: bytes, limits: Limits | None = None) -> list[Part]:
    limits = limits or Limits()
    late = time.monotonic() + limits.seconds
    return [heard(part) for part in pictures_in_drawing(content, limits, Room(), late)]


def test_a_picture_in_a_drawing_in_a_drawing_is_hashed() -> None:
    inner = DRAWINGS["base64"]
    for depth in range(1, 4):
        inner = drawing("data:image/svg+xml;base64," + base64.b64encode(inner).decode())
        (part,) = found_in(inner)
        if depth < 3:
            assert part == Part(" ".join(["picture 1"] * (depth + 1)), pdq=hash_of(photograph(0)))
        else:
            assert part.unreadable is Unreadable.TOO_DEEP


@pytest.mark.parametrize("how", DRAWINGS)
def test_a_picture_in_a_drawing_is_hashed(how: str) -> None:
    (part,) = found_in(DRAWINGS[how])
    assert part == Part("picture 1", pdq=hash_of(photograph(0)))


def test_it_is_what_a_browser_shows() -> None:
    marked = [bytes(content) for content in DRAWINGS.values()]
    with running_browser() as browser:
        images = shown(browser, marked, "image/svg+xml")
    seen = [image is not None and alike(hash_of(image), hash_of(photograph(0))) for image in images]
    assert seen[0]
    assert seen.count(True) >= 3


def test_what_is_damaged_or_too_much_is_not_passed_over_in_silence() -> None:
    cut = base64.b64encode(PNG[: len(PNG) // 2]).decode()
    (part,) = found_in(drawing(f"data:image/png;base64,{cut}"))
    assert part.unreadable is Unreadable.ENDS_EARLY
    many = drawing(f"data:image/png;base64,{BASE64}") * 3
    assert [each.unreadable for each in found_in(many, Limits(frames=2))] == [
        None,
        None,
        Unreadable.TOO_MANY,
    ]
    (part,) = found_in(many, Limits(seconds=0))
    assert part.unreadable is Unreadable.TOO_SLOW


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"only words, and data:image/png;base64,AAAA",
        drawing("https://forum.example/a.png"),
        drawing("data:text/plain;base64,d29yZHM="),
        drawing("data:image/png;base64,A"),
    ],
)
def test_what_holds_no_picture_has_no_parts(content: bytes) -> None:
    assert found_in(content) == []
