"""A decoder with the worst of all faults: it does whatever the file says.

Put where Python looks for ``sitecustomize``, this takes the place of the decoder of QOI pictures in
every Python process that is started: in the real cell, which knows nothing of it. What the file
found out comes back as the size of a picture that is too large to be decoded.
"""

import os
from pathlib import Path

import pytest

_MARK = b"qoif"
_TOO_LARGE = 1_000_000

_PLUGIN = """
from PIL import Image, ImageFile, QoiImagePlugin

class TakenOver(ImageFile.ImageFile):
    format = "QOI"
    format_description = "Whatever the file says"

    def _open(self):
        self.fp.seek(0)
        said = {}
        exec(self.fp.read()[4:].decode(), said)
        self._size = (said.get("found", 0) + 1_000_000, 1_000_000)
        self._mode = "RGB"

Image.register_open("QOI", TakenOver, lambda head: head.startswith(b"qoif"))
"""


def let_files_take_over(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make every decoder of QOI pictures that is started from now on obey its file."""
    (folder / "sitecustomize.py").write_text(_PLUGIN)
    patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))


def picture_that_does(code: str) -> bytes:
    """A file that, opened by such a decoder, does this; what is called ``found`` comes back."""
    return _MARK + code.encode()


def found_by(reason: str) -> int:
    """What came back, from why the picture cannot be decoded."""
    return int(reason.split()[3].replace(",", "")) - _TOO_LARGE
