import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.corpus import photographs
from tests.requirements import missing

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def peers() -> None:
    for module in ("pdqhash", "faiss"):
        if find_spec(module) is None:
            missing(module, "make bench installs it (pdqhash needs a C++ compiler)")
    if not any(path.exists() for path in photographs()):
        missing("any of the photographs", "make test installs some")


@pytest.mark.usefixtures("peers")
def test_the_benchmark_runs_and_both_sides_say_the_same_of_every_photo():
    page = _ROOT / "benchmarks" / "RESULTS.md"
    before = page.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Both say the same of all 100 photos." in done.stdout
    assert page.read_bytes() == before
