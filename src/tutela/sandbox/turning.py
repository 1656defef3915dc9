"""Which way up a picture is shown. Runs in a cell, since the bytes are not trusted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tutela.fingerprints.model import DIHEDRALS, Pdq
from tutela.fingerprints.pdq import PdqSums

AS_SHOWN = "as shown"
"""The place of a picture that is turned as its own data says."""

_ORIENTATION = 0x0112
_TRANSPOSED = DIHEDRALS.index("flip_plus1")
# Where Pillow keeps what a file says of itself, if it says anything.
_SAYS_WHICH_WAY_UP = ("exif", "xmp", "Raw profile type exif")


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done to a picture so that it is the right way up, in this order.

    Attributes:
        rows: The last row becomes the first.
        columns: The last column becomes the first.
        swap: Rows become columns.
    """

    rows: bool
    columns: bool
    swap: bool


# By the value of EXIF's field.
_TURNS = {
    2: Turn(rows=False, columns=True, swap=False),
    3: Turn(rows=True, columns=True, swap=False),
    4: Turn(rows=True, columns=False, swap=False),
    5: Turn(rows=False, columns=False, swap=True),
    6: Turn(rows=True, columns=False, swap=True),
    7: Turn(rows=True, columns=True, swap=True),
    8: Turn(rows=False, columns=True, swap=True),
}


def turn_of(image: Image.Image) -> Turn | None:
    """What is to be done to a picture so that it is the right way up; ``None`` if it is so already.

    Args:
        image: Loaded, unless its data comes before its pixels, as in a JPEG.
    """
    if not any(each in image.info for each in _SAYS_WHICH_WAY_UP):
        return None
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        # Viewers, too, show a picture as it is stored where its EXIF data makes no sense.
        return None


def turned(picture: Image.Image, turn: Turn | None) -> Image.Image:
    """A picture after a turn, if there is one."""
    if turn is None:
        return picture
    for is_done, how in (
        (turn.rows, Image.Transpose.FLIP_TOP_BOTTOM),
        (turn.columns, Image.Transpose.FLIP_LEFT_RIGHT),
        (turn.swap, Image.Transpose.TRANSPOSE),
    ):
        if is_done:
            picture = picture.transpose(how)
    return picture


class TurnedSums:
    """As ``PdqSums``, of the picture after a turn; its rows come as they are before it.

    To turn the pixels costs less than it seems, and is exact: to turn the coefficients instead is
    so only where the filter is symmetrical, which it is not at half of all sizes. Swapping rows and
    columns of the coefficients is exact.
    """

    def __init__(self, height: int, width: int, turn: Turn) -> None:
        self._height = height
        self._turn = turn
        self._sums = PdqSums(height, width)

    def add(self, first_row: int, strip: NDArray[np.uint8]) -> None:
        """As ``PdqSums.add``."""
        if self._turn.rows:
            strip = strip[::-1]
            first_row = self._height - first_row - len(strip)
        if self._turn.columns:
            strip = strip[:, ::-1]
        self._sums.add(first_row, strip)

    def pdq(self) -> Pdq:
        """As ``PdqSums.pdq``."""
        return self._sums.dihedrals()[_TRANSPOSED] if self._turn.swap else self._sums.pdq()
