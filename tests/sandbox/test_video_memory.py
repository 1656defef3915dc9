"""A long video takes no more memory than a short one, neither in the cell nor in the house."""

import os
import tracemalloc
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from tests.moving import write_long_clip
from tutela.fingerprints.model import PictureState
from tutela.sandbox.model import Limits
from tutela.sandbox.pool import CellPool

SOAK = "TUTELA_TEST_SOAK" in os.environ
MIB = 1 << 20
# What two runs of the same differ in is far below.
MARGIN = 16 * MIB
# Up to this, a file is held in memory.
WHOLE_BYTES = 64 * MIB


def peaks(form: str, frames: int, size: tuple[int, int]) -> tuple[int, int, int]:
    """The most bytes that a cell and the house took for a video, and how long its file is."""
    with (
        CellPool(1, Limits(whole_seconds=3600, cpu_seconds=3600)) as cells,
        NamedTemporaryFile() as file,
    ):
        write_long_clip(file, frames, form=form, size=size, rate=25, still=10)
        file.flush()
        tracemalloc.start()
        try:
            found = cells.fingerprint(file)
            house = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert found.picture.state is PictureState.NONE
        assert sum(not part.is_between for part in found.parts) == frames // 25
        (pid,) = cells.process_ids
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        (cell,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(cell) * 1024, house, found.digests.size


@pytest.mark.parametrize("form", ["mp4", "mpegts"])
@pytest.mark.timeout(3600 if SOAK else 120)
def test_ten_times_as_long_takes_the_same_memory(form: str) -> None:
    minutes, size = (6, (1280, 720)) if SOAK else (3, (48, 48))
    short = peaks(form, minutes * 60 * 25, size)
    long = peaks(form, 10 * minutes * 60 * 25, size)
    assert long[2] > 8 * short[2]
    held = 0 if long[2] > WHOLE_BYTES else long[2]
    assert long[0] <= short[0] + held + MARGIN
    # Of each frame the house keeps its hash.
    assert long[1] <= short[1] + 4 * MIB
