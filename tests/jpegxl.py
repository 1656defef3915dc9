"""JPEG XL files for tests, written and read by the reference's own programs."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.requirements import missing


def can_pack() -> bool:
    """Whether this machine has the programs."""
    return shutil.which("cjxl") is not None and shutil.which("djxl") is not None


@cache
def packed(file: bytes, *options: str, kind: str = "png") -> bytes:
    """A picture file as JPEG XL.

    Args:
        file: A PNG (also a moving one), a JPEG, or a PFM.
        options: Of ``cjxl``.
        kind: What the name of such a file ends in.
    """
    return _run("cjxl", file, kind, "jxl", *options)


def unpacked(file: bytes, kind: str = "png") -> bytes:
    """A JPEG XL as another picture file."""
    return _run("djxl", file, "jxl", kind)


def _run(program: str, file: bytes, kind: str, other: str, *options: str) -> bytes:
    if not can_pack():
        missing(program, "install it with: apt-get install libjxl-tools")
    with tempfile.TemporaryDirectory() as name:
        one, two = Path(name, f"one.{kind}"), Path(name, f"two.{other}")
        one.write_bytes(file)
        subprocess.run([program, one, two, *options], check=True, capture_output=True)
        return two.read_bytes()
