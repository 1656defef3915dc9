import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.corpus import photographs
from tests.requirements import missing

_ROOT = Path(__file__).parents[2]
_PEERS = ("pdqhash", "faiss", "usearch", "flask", "gunicorn", "matplotlib")


@pytest.fixture
def peers() -> None:
    for module in _PEERS:
        if find_spec(module) is None:
            missing(module, "make bench installs it (pdqhash needs a C++ compiler)")
    if not any(path.exists() for path in photographs()):
        missing("any of the photographs", "make test installs some")


def _kept() -> dict[str, bytes]:
    folder = _ROOT / "benchmarks"
    files = [folder / "RESULTS.md", *(folder / "results").glob("*")]
    return {file.name: file.read_bytes() for file in files if file.exists()}


# The other two parts measure a running service, which has tests of its own.
_PARTS = (
    "hashing",
    "cells",
    "verdicts",
    "lookups",
    "skew",
    "footprint",
    "recall",
    "folders",
    "ledger",
    "vault",
    "reports",
)


# Each part raises if the sides do not say the same.
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("peers")
def test_a_quick_run_measures_its_parts_and_leaves_the_results_as_they_are():
    before = _kept()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", *(f"--only={part}" for part in _PARTS)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for title in (
        *("From pixels to PDQ", "From the bytes of a JPEG", "Looking hashes up", "An uneven list"),
        *("What an index takes", "Nothing is missed", "Scanning a folder", "The ledger"),
        *("Sealing evidence", "Reports to the CyberTipline"),
    ):
        assert f"## {title}" in done.stdout
    found = [line for line in done.stdout.splitlines() if line.startswith("| planted neighbours")]
    assert len(found) == 3
    assert all(line.endswith("| 100 % | 100 % | yes |") for line in found)
    assert _kept() == before
