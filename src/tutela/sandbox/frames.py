"""What a picture file has besides its first picture: frames, pages, sizes.

Runs in a cell, since the bytes are not trusted.
"""

import time
from collections.abc import Iterator
from typing import Any

from PIL import Image

from tutela.fingerprints.model import Part, Pdq, Unreadable
from tutela.sandbox.appearance import looks_at
from tutela.sandbox.decoding import as_unreadable, check_size, hashes_of, pixels_of
from tutela.sandbox.model import Limits

# What the pictures of one file are called; and whether the decoder has to go through all of them to
# get to the last.
_KINDS = {
    "GIF": ("frame", True),
    "WEBP": ("frame", True),
    "PNG": ("frame", True),
    "AVIF": ("frame", True),
    "JXL": ("frame", True),
    "TIFF": ("page", False),
    "HEIF": ("picture", False),
}
# A frame that differs from the last one told of in more bits than this shows something else: a
# list that has the frame itself would not find it by the other.
_SAME_SCENE = 31


def other_pictures(image: Image.Image, limits: Limits, deadline: float) -> Iterator[Part]:
    """The frames, pages or sizes of a picture file after the first.

    Up to ``limits.frames`` all are told of. Of more, so many that are evenly spread, the last among
    them, and besides those as many that begin something else, where the decoder comes by them
    anyway.

    Args:
        image: Opened.
        limits: What they may cost.
        deadline: When to stop, by ``time.monotonic``: the next one is then a part that nobody could
            look at.
    """
    if image.format in ("ICO", "CUR"):
        yield from _sizes(image, limits)
        return
    noun, in_order = _KINDS.get(image.format or "", ("", False))
    count = _count(image) if noun else 1
    chosen = _spread(count - 1, limits.frames)
    told: Pdq | None = None
    left = 2 * limits.frames
    for number in range(1, count) if in_order else sorted(chosen):
        place = f"{noun} {number + 1}"
        if time.monotonic() > deadline:
            yield Part(place, unreadable=Unreadable.TOO_SLOW)
            return
        try:
            image.seek(number)
            check_size(image.size, limits)
            hashes, shown = hashes_of(image, pixels_of(image, limits))
            if number in chosen or told is None or _differ(hashes[0], told) > _SAME_SCENE:
                if left == 0:
                    yield Part(place, unreadable=Unreadable.TOO_MANY)
                    return
                told, left = hashes[0], left - 1
                yield from looks_at(image, place, hashes[0], shown)
        except Exception as error:
            # What comes after it is drawn on it, or cannot be found.
            yield Part(place, unreadable=as_unreadable(error, "", limits).unreadable)
            return


def _count(image: Image.Image) -> int:
    try:
        return getattr(image, "n_frames", 1)
    except Exception:
        # As many as can be reached; the one that cannot be says so.
        return 1 << 16


def _spread(count: int, most: int) -> frozenset[int]:
    """Which of so many after the first are told of in any case: evenly spread, and the last."""
    if count <= most:
        return frozenset(range(1, count + 1))
    return frozenset(round((place + 1) * count / most) for place in range(most))


def _differ(one: Pdq, other: Pdq) -> int:
    return (int.from_bytes(one.value) ^ int.from_bytes(other.value)).bit_count()


def _sizes(image: Image.Image, limits: Limits) -> Iterator[Part]:
    """The pictures of an icon: which of them is shown depends on where."""
    # Pillow reads but one of a cursor's.
    icon: Any = getattr(image, "ico", None)
    if icon is None:
        return
    for number, entry in enumerate(icon.entry):
        place = f"size {entry.width} x {entry.height}"
        try:
            check_size((entry.width, entry.height), limits)
            size = icon.frame(number)
            check_size(size.size, limits)
            hashes, shown = hashes_of(size, pixels_of(size, limits))
            yield from looks_at(size, place, hashes[0], shown)
        except Exception as error:
            yield Part(place, unreadable=as_unreadable(error, "", limits).unreadable)
