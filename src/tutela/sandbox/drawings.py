"""Pictures that are written out in a drawing or a page: SVG, XML, HTML.

Browsers show them as if they were files of their own. What is drawn by lines and words is no
picture here. Runs in a cell, since the bytes are not trusted.
"""

import binascii
import codecs
import html
import io
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from tutela.fingerprints.model import Part, Unreadable
from tutela.sandbox.decoding import Room, as_unreadable
from tutela.sandbox.embedded import looks_within
from tutela.sandbox.formats import HEAD_BYTES, recognise
from tutela.sandbox.model import Limits

_BEGINNING = re.compile(rb"(\xef\xbb\xbf)?\s*<")
_IN_TWO_BYTES = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
# In a sealed cell they could not be loaded any more.
for _name in _IN_TWO_BYTES.values():
    codecs.lookup(_name)
# In what does not begin as a page, as styles, scripts and pages without a beginning do not.
_ANYWHERE = re.compile(rb"data:[ -+\--~]{0,200}?;base64,", re.IGNORECASE)
_MAY_BE_BETWEEN = re.compile(rb">\s*[A-Za-z0-9+/]{40}")
# Documents in one file of XML (ODF, Word of 2003) write their pictures out between two tags.
_BETWEEN_TAGS = re.compile(r">\s*([A-Za-z0-9+/][A-Za-z0-9+/\s]{300,}={0,2})\s*<")
# https://www.rfc-editor.org/rfc/rfc2397: what it is, and the data, as far as an attribute's or a
# style's quotes can reach.
_DATA = re.compile(r"data:([^,\"'<>]{0,200}),([^\"'<>)]*)", re.IGNORECASE)
_MAY_HAVE_DATA = re.compile(rb"data:|&#", re.IGNORECASE)
_SPACE = re.compile(rb"\s+")


def pictures_in_drawing(
    content: bytes, limits: Limits, room: Room, deadline: float, depth: int = 1
) -> Iterator[Part]:
    """The pictures that are written out in a drawing or a page; none if the file is neither.

    Also those in a drawing that is written out in it.

    Args:
        content: The file.
        limits: What each may cost.
        room: Where to put pixels.
        deadline: When to stop, by ``time.monotonic``: the next one is then a part that nobody could
            look at.
        depth: How many drawings there are around it, with itself.
    """
    number = 0
    for data in _written_out(content):
        picture_format = recognise(data[:HEAD_BYTES])
        is_drawing = _BEGINNING.match(data) and _MAY_HAVE_DATA.search(data)
        if picture_format is None and not is_drawing:
            continue
        number += 1
        place = f"picture {number}"
        if time.monotonic() > deadline or number > limits.frames:
            late = time.monotonic() > deadline
            yield Part(place, unreadable=Unreadable.TOO_SLOW if late else Unreadable.TOO_MANY)
            return
        if picture_format is None:
            if depth == limits.depth:
                yield Part(place, unreadable=Unreadable.TOO_DEEP)
                continue
            for part in pictures_in_drawing(data, limits, room, deadline, depth + 1):
                yield replace(part, place=f"{place} {part.place}")
            continue
        try:
            yield from looks_within(io.BytesIO(data), picture_format, place, limits, room)
        except Exception as error:
            yield Part(
                place, unreadable=as_unreadable(error, picture_format.name, limits).unreadable
            )


def _written_out(content: bytes) -> Iterator[bytes]:
    """What is written out in a page, or in another text."""
    if encoding := _IN_TWO_BYTES.get(content[:2]):
        content = content[2:].decode(encoding, "replace").encode()
    is_page = _BEGINNING.match(content) is not None
    marks = (_MAY_HAVE_DATA, _MAY_BE_BETWEEN) if is_page else (_ANYWHERE,)
    if not any(mark.search(content) for mark in marks):
        return
    # Letters may be written as numbers, also those of "data:".
    text = html.unescape(content.decode("utf-8", "replace"))
    for found in _DATA.finditer(text):
        yield _decoded(found[1], found[2])
    if is_page:
        for found in _BETWEEN_TAGS.finditer(text):
            yield _decoded("base64", found[1])


def _decoded(kind: str, data: str) -> bytes:
    plain = unquote_to_bytes(data)
    if not kind.rstrip().lower().endswith("base64"):
        return plain
    letters = _SPACE.sub(b"", plain).rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:
        return b""
