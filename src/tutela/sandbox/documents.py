"""What is in a PDF: its pages as they are shown, the pictures on them, the files attached to it.

Runs in a cell, since the bytes are not trusted. A page is hashed whole, and so are pieces of it: a
known picture may be cut into strips, turned, or drawn by lines, and be shown with words around it.
"""

import io
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tutela.fingerprints.model import Part, Pdq, Unreadable
from tutela.fingerprints.pdq import pdq_of
from tutela.sandbox.decoding import Room, check_size, what_failed
from tutela.sandbox.embedded import pictures_within
from tutela.sandbox.formats import HEAD_BYTES, PDF
from tutela.sandbox.model import Limits, UnreadableError
from tutela.sandbox.pdfium import Attached, Box, Document, Drawn, Page, Pixels, can_open, opened
from tutela.sandbox.sights import Sight
from tutela.sandbox.unpacking import Budget

WITHOUT_MARGINS = "without its margins"
WITH_THOSE_BESIDE = "with those beside it"

_HEADER = b"%PDF-1.7\n"
_OBJECT = re.compile(rb"\d\s+\d+\s+obj\b")
# What is drawn at the very size that a picture has differs in no bit from it; else in up to 20, and
# the least at a multiple of what the hash divides a picture into.
_USUAL_SIDE, _LEAST_DRAWN, _MOST_DRAWN = 640, 256, 1024
# Smaller pictures are symbols, or strips of a larger one; no list knows them.
_LEAST_SIDE = 64
# A look of the same thing that differs in no more bits than this is found by the other one.
_SAME_LOOK = 10
_MARGIN_TOLERANCE = 16
# Margins that take up less of a page than this are not cut off.
_LEAST_MARGINS = 0.1
_LEAST_PIECE = 32
# Of a page drawn at its usual size, in pixels: between two blocks there is more than this, and none
# is smaller; and so much of it at least is not the colour of the page. Words are less.
_LEAST_GAP, _LEAST_BLOCK, _LEAST_DENSE = 2, 48, 0.5
# Two pictures that are no farther apart than this much of a page are side by side.
_GAP = 0.004
_SEARCHED = 1 << 26
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


class Around(Protocol):
    """What opens up the file that a document is."""

    limits: Limits
    budget: Budget
    most_held: int

    def is_wanted(self, place: str) -> bool:
        """Whether this place, or something in it, is looked for."""

    def file(self, content: bytes, place: str) -> Iterator[Part]:
        """A file within it, and all that is in that."""

    def shows(self, content: bytes) -> bool:
        """Whether some bytes begin as a file that may have something to see."""

    def placed(self, part: Part, place: str) -> Part:
        """What was found in something within it, with that one's place in front."""

    def called(self, place: str, name: str, number: int) -> str:
        """The place of a file within it that has a name."""


def may_be_pdf(head: bytes, tail: bytes) -> bool:
    """Whether some viewer takes a file for a PDF.

    Args:
        head: Its beginning.
        tail: Its end. There are viewers that heed no more than that.
    """
    return b"%PDF" in head or b"startxref" in tail[-1024:]


def parts_of_pdf(
    file: io.BytesIO | io.BufferedReader, place: str, around: Around
) -> Iterator[Part]:
    """What is in a PDF.

    Args:
        file: Need not begin as one: viewers pass over what comes before it, up to a kibibyte.
        place: Its own.
        around: What opens it up.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not can_open():
        if head.startswith(b"%PDF"):
            yield Part(place, unreadable=Unreadable.NOT_SUPPORTED, decoder=PDF)
        return
    content: bytes | io.BufferedReader = file.getvalue() if isinstance(file, io.BytesIO) else file
    if b"%PDF" not in head and isinstance(content, bytes):
        content = _HEADER + content
    try:
        with opened(content) as document:
            yield from _Leafing(document, place, around).parts()
    except UnreadableError as error:
        if error.unreadable is not Unreadable.DAMAGED or head.startswith(b"%PDF") or _is_one(file):
            yield Part(place, unreadable=error.unreadable, decoder=PDF)
        if isinstance(content, bytes) and error.unreadable is Unreadable.DAMAGED:
            # What lies in it as a file can be found all the same.
            late = around.budget.deadline
            for part in pictures_within(content, around.limits, Room(), late):
                yield around.placed(part, place)


def _is_one(file: io.BytesIO | io.BufferedReader) -> bool:
    """Whether what says somewhere that it is a PDF has anything that is in each of them."""
    file.seek(0)
    return _OBJECT.search(file.read(_SEARCHED)) is not None


@dataclass(frozen=True, slots=True)
class _Look:
    """Something that is to be hashed."""

    place: str
    pixels: Pixels
    pdq: Pdq

    def part(self) -> Sight:
        pixels = self.pixels
        return Sight(self.place, pdq=self.pdq, picture=lambda: Image.fromarray(pixels))


class _Leafing:
    """Going through one document."""

    def __init__(self, document: Document, place: str, around: Around) -> None:
        self._document = document
        self._place = place
        self._around = around
        self._limits = around.limits
        self._known: set[tuple[bytes, int, int]] = set()

    def parts(self) -> Iterator[Part]:
        files = 0
        for attached in self._document.files():
            files += 1
            yield from self._attached(attached, files)
        for number in range(self._document.pages):
            where = f"{self._place} page {number + 1}".strip()
            self._around.budget.begin()
            try:
                with self._document.page(number) as page:
                    pictures = list(page.pictures())
                    yield from self._page(page, pictures, where)
                    for attached in page.files:
                        files += 1
                        yield from self._attached(attached, files)
            except (UnreadableError, MemoryError) as error:
                failure = what_failed(error, self._limits)
                yield Part(where, unreadable=failure.unreadable, decoder=PDF)
        if not self._document.pages and not files:
            yield Part(self._place, unreadable=Unreadable.DAMAGED, decoder=PDF)

    def _attached(self, attached: Attached, number: int) -> Iterator[Part]:
        where = self._around.called(self._place, attached.name, number)
        failure = Unreadable.DAMAGED
        try:
            content = attached.content(self._around.most_held)
        except UnreadableError as error:
            content, failure = None, error.unreadable
        if content is None:
            yield Part(where, unreadable=failure, decoder=PDF)
        else:
            yield from self._around.file(content, where)

    def _page(self, page: Page, pictures: list[Drawn], where: str) -> Iterator[Part]:
        """A page as it is shown, the pictures on it, and what else of it makes a picture."""
        if not self._around.is_wanted(where):
            yield Part(where)
        for drawn in pictures:
            try:
                check_size((max(drawn.width, 1), max(drawn.height, 1)), self._limits)
            except UnreadableError as error:
                # To draw the page would take as much as to decode it.
                yield Part(where, unreadable=error.unreadable, decoder=PDF)
                return
        looks = _Looks(page, pictures, self._around)
        pieces = list(_in_pieces(pictures))
        strips = {
            number
            for group, _ in pieces
            for number in group
            if min(pictures[number].width, pictures[number].height) < _LEAST_SIDE
        }
        if self._around.is_wanted(where):
            yield from looks.of_page(where)
        for number, drawn in enumerate(pictures, 1):
            # There may be thousands of them, which are nothing by themselves.
            if number - 1 in strips:
                continue
            spot = f"{where} picture {number}"
            if self._is_new(drawn):
                yield from self._picture(drawn, spot, looks)
            elif self._around.is_wanted(spot):
                yield from looks.of_piece(f"{spot} as shown", drawn)
        if self._around.is_wanted(where):
            for group, box in pieces:
                yield from looks.of_box(f"{where} picture {group[0] + 1} {WITH_THOSE_BESIDE}", box)
            yield from looks.of_blocks(where)

    def _is_new(self, drawn: Drawn) -> bool:
        """Whether this picture was on no page before."""
        key = (sha256(drawn.stored).digest(), drawn.width, drawn.height)
        if key in self._known:
            return False
        self._known.add(key)
        return True

    def _picture(self, drawn: Drawn, spot: str, looks: "_Looks") -> Iterator[Part]:
        content = drawn.file(self._around.most_held)
        if content is not None:
            for part in self._around.file(content, spot):
                looks.heard_of(part.pdq)
                yield part
        elif not self._around.is_wanted(spot):
            yield Part(spot)
        else:
            self._around.budget.begin()
            pixels = drawn.pixels()
            if pixels is not None:
                self._around.budget.spend(pixels.size)
                look = _Look(spot, pixels, pdq_of(pixels))
                looks.heard_of(look.pdq)
                yield look.part()
            elif min(drawn.width, drawn.height) >= _LEAST_SIDE:
                yield Part(spot, unreadable=Unreadable.DAMAGED, decoder=PDF)
        if self._around.is_wanted(spot):
            yield from looks.of_piece(f"{spot} as shown", drawn)


class _Looks:
    """What is shown of one page, each look of it once."""

    def __init__(self, page: Page, pictures: list[Drawn], around: Around) -> None:
        self._page = page
        self._pictures = pictures
        self._budget = around.budget
        self._told: list[Pdq] = []
        self._whole: Pixels | None = None

    def heard_of(self, pdq: Pdq | None) -> None:
        """This was told of otherwise."""
        if pdq is not None:
            self._told.append(pdq)

    def of_page(self, where: str) -> Iterator[Part]:
        """The page, and what is left of it without its margins."""
        pixels = self._drawn(_WHOLE)
        if pixels is None:
            yield Part(where, unreadable=Unreadable.TOO_SLOW, decoder=PDF)
            return
        self._whole = pixels
        yield from self._told_of(where, pixels)
        yield from self._without_margins(where, pixels, _WHOLE)

    def of_blocks(self, where: str) -> Iterator[Part]:
        """What stands by itself on the page and is no words, however it is drawn."""
        known = [each.box for each in self._pictures]
        blocks = [] if self._whole is None else _blocks(self._whole)
        number = 0
        for box in blocks:
            if not any(_is_in(box, each) and _is_in(each, box) for each in known):
                number += 1
                yield from self.of_box(f"{where} block {number}", box)

    def _without_margins(self, place: str, pixels: Pixels, box: Box) -> Iterator[Part]:
        if (inner := _smallest(pixels, box)) is not None:
            without = self._drawn(inner)
            if without is not None and min(without.shape[:2]) >= _LEAST_PIECE:
                yield from self._told_of(f"{place} {WITHOUT_MARGINS}", without)

    def _drawn(self, box: Box) -> Pixels | None:
        """A piece of the page, as large as the largest picture of those in it was made."""
        side = _USUAL_SIDE
        within = [each for each in self._pictures if _is_in(each.box, box)]
        if within:
            largest = max(within, key=lambda each: self._page.side(each.box))
            shown = self._page.side(largest.box)
            stored = max(largest.width, largest.height)
            if shown > 0:
                side = round(stored * self._page.side(box) / shown)
        return self._page.drawn(
            min(max(side, _LEAST_DRAWN), _MOST_DRAWN), self._budget.deadline, box
        )

    def of_piece(self, place: str, drawn: Drawn) -> Iterator[Part]:
        """A picture as it is shown, which may be turned, cut or seen through."""
        if min(drawn.width, drawn.height) >= _LEAST_SIDE:
            yield from self.of_box(place, drawn.box)

    def of_box(self, place: str, box: Box) -> Iterator[Part]:
        """A piece of the page."""
        left, top, right, bottom = box
        if right <= left or bottom <= top:
            return
        pixels = self._drawn(box)
        if pixels is None:
            yield Part(place, unreadable=Unreadable.TOO_SLOW, decoder=PDF)
        elif min(pixels.shape[:2]) >= _LEAST_PIECE:
            yield from self._told_of(place, pixels)
            yield from self._without_margins(place, pixels, box)

    def _told_of(self, place: str, pixels: Pixels) -> Iterator[Part]:
        look = _Look(place, pixels, pdq_of(pixels))
        if all(_differ(look.pdq, each) > _SAME_LOOK for each in self._told):
            self._told.append(look.pdq)
            yield look.part()


def _is_in(box: Box, other: Box) -> bool:
    return (
        box[0] >= other[0] - _GAP
        and box[1] >= other[1] - _GAP
        and box[2] <= other[2] + _GAP
        and box[3] <= other[3] + _GAP
    )


def _differ(one: Pdq, other: Pdq) -> int:
    return (int.from_bytes(one.value) ^ int.from_bytes(other.value)).bit_count()


def _blocks(pixels: Pixels) -> list[Box]:
    """The dense pieces of a page with nothing around them, cut out along empty rows and columns."""
    height, width, _ = pixels.shape
    differs = _unlike_the_corner(pixels)
    shown = differs[:, 0::3] | differs[:, 1::3] | differs[:, 2::3]
    found = []
    left_to_cut = [(0, 0, width, height)]
    while left_to_cut:
        left, top, right, bottom = left_to_cut.pop()
        piece = shown[top:bottom, left:right]
        rows, columns = _runs(piece.any(axis=1)), _runs(piece.any(axis=0))
        if rows == [(0, bottom - top)] and columns == [(0, right - left)]:
            if piece.mean() >= _LEAST_DENSE:
                found.append((left / width, top / height, right / width, bottom / height))
            continue
        left_to_cut += [
            (left + first, top + upper, left + last, top + lower)
            for upper, lower in rows
            for first, last in columns
        ]
    return found


def _runs(shown: Any) -> list[tuple[int, int]]:
    """From where to where there is something, without what is too short for a picture."""
    places = np.flatnonzero(shown)
    if not places.size:
        return []
    gaps = np.flatnonzero(np.diff(places) > _LEAST_GAP)
    starts = [places[0], *places[gaps + 1]]
    ends = [*places[gaps] + 1, places[-1] + 1]
    return [
        (int(start), int(end))
        for start, end in zip(starts, ends, strict=True)
        if end - start >= _LEAST_BLOCK
    ]


def _unlike_the_corner(pixels: Pixels) -> NDArray[np.bool_]:
    """Which numbers of each row are not what they are in the corner."""
    height, width, _ = pixels.shape
    corner = np.tile(pixels[0, 0], width)
    # Whole rows at once, and no larger numbers, which is forty times quicker.
    differs: NDArray[np.bool_] = (
        pixels.reshape(height, -1) - corner + _MARGIN_TOLERANCE > 2 * _MARGIN_TOLERANCE
    )
    return differs


def _smallest(pixels: Pixels, box: Box) -> Box | None:
    """The smallest box with everything that has not the colour of the corner in it.

    Args:
        pixels: What is drawn in a box.
        box: This one.

    Returns:
        ``None`` if there are no margins worth it, or nothing else.
    """
    height, width, colours = pixels.shape
    differs = _unlike_the_corner(pixels)
    rows = np.flatnonzero(differs.any(axis=1))
    columns = np.flatnonzero(differs.any(axis=0)) // colours
    if not rows.size:
        return None
    top, bottom, left, right = (
        int(each) for each in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)
    )
    if (bottom - top) * (right - left) > (1 - _LEAST_MARGINS) * height * width:
        return None
    across, down = (box[2] - box[0]) / width, (box[3] - box[1]) / height
    return (
        box[0] + left * across,
        box[1] + top * down,
        box[0] + right * across,
        box[1] + bottom * down,
    )


def _in_pieces(pictures: list[Drawn]) -> Iterator[tuple[list[int], Box]]:
    """Pictures that lie edge to edge, as those do that were cut into strips or tiles.

    Yields:
        The numbers of those that do, and what they cover together.
    """
    boxes = [each.box for each in pictures]
    together = list(range(len(boxes)))

    def root(number: int) -> int:
        while together[number] != number:
            together[number] = together[together[number]]
            number = together[number]
        return number

    for across in (0, 1):
        # Those in one column, or row, from one end to the other.
        lines: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for number, box in enumerate(boxes):
            lines[round(box[across] / _GAP), round(box[across + 2] / _GAP)].append(number)
        down = 1 - across
        for line in lines.values():
            line.sort(key=lambda number: boxes[number][down])
            for one, next_one in pairwise(line):
                if abs(boxes[next_one][down] - boxes[one][down + 2]) <= _GAP:
                    together[root(next_one)] = root(one)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for number in range(len(boxes)):
        groups[root(number)].append(number)
    for group in groups.values():
        if len(group) > 1:
            edges = list(zip(*(boxes[number] for number in group), strict=True))
            yield group, (min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3]))
