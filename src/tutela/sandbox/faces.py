"""Finding faces, so that they stay hidden. Runs in a cell, on pixels that are decoded already.

It needs OpenCV (the extra ``faces``), whose detectors of 2001 come with it. They find most faces
that are upright and look at the camera, and miss many others: they spare people, they promise
nothing.
"""

from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageOps

cv2: Any
try:
    import cv2
except ImportError:
    cv2 = None

_DETECTORS = ("haarcascade_frontalface_default.xml", "haarcascade_profileface.xml")
_SEARCHED_SIDE = 480
_SMALLEST_FACE = 20
_AGREEING = 4
_STEP = 1.1
# A face is more than what the detectors frame: hair, chin and ears belong to it.
_MARGIN = 0.3

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""


def can_find() -> bool:
    """Whether faces can be looked for here."""
    return bool(_detectors())


def faces_in(image: Image.Image) -> list[Box]:
    """Where faces are in a picture, each with a margin."""
    grey = ImageOps.grayscale(image)
    grey.thumbnail((_SEARCHED_SIDE, _SEARCHED_SIDE))
    scale = image.width / grey.width
    pixels = np.asarray(grey)
    found: list[Box] = []
    for detector in _detectors():
        found += [_box(face, scale, image) for face in _detected(detector, pixels)]
    # The detector of profiles knows but one side.
    for left, top, width, height in _detected(
        _detectors()[-1], np.ascontiguousarray(pixels[:, ::-1])
    ):
        found.append(_box((grey.width - left - width, top, width, height), scale, image))
    return found


def hide(image: Image.Image, boxes: list[Box]) -> None:
    """Cover places of a picture, each by its own average."""
    for box in boxes:
        average = image.crop(box).resize((1, 1), Image.Resampling.BOX)
        image.paste(average.resize((box[2] - box[0], box[3] - box[1])), box)


@cache
def _detectors() -> tuple[Any, ...]:
    if cv2 is None:
        return ()
    # Cells run side by side, one for each core.
    cv2.setNumThreads(1)
    loaded = [cv2.CascadeClassifier(cv2.data.haarcascades + name) for name in _DETECTORS]
    return tuple(loaded) if not any(each.empty() for each in loaded) else ()


def _detected(detector: Any, pixels: Any) -> list[tuple[int, int, int, int]]:
    boxes = detector.detectMultiScale(
        pixels,
        scaleFactor=_STEP,
        minNeighbors=_AGREEING,
        minSize=(_SMALLEST_FACE, _SMALLEST_FACE),
    )
    return [(int(left), int(top), int(width), int(height)) for left, top, width, height in boxes]


def _box(face: tuple[int, int, int, int], scale: float, image: Image.Image) -> Box:
    left, top, width, height = face
    return (
        max(0, int((left - _MARGIN * width) * scale)),
        max(0, int((top - _MARGIN * height) * scale)),
        min(image.width, int((left + (1 + _MARGIN) * width) * scale) + 1),
        min(image.height, int((top + (1 + _MARGIN) * height) * scale) + 1),
    )
