"""What is said of the layers was tried, also on machines that lack one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import missing
from tutela.errors import SettingsError
from tutela.sandbox.model import NEEDED_LAYERS, Layer, Limits, Seal, Worn
from tutela.sandbox.probing import probe, require

_PROBING = """
import json
from tests.sandbox.lacking import lose
lose({})
from tutela.errors import SettingsError
from tutela.sandbox.model import Keeping, Limits
from tutela.sandbox.pool import CellPool
from tutela.sandbox.probing import probe
import os
seal = probe(Limits())
def opened(keeping):
    try:
        with CellPool(1, keeping=keeping) as cells:
            return cells.fingerprint(os.memfd_create("nothing")).picture.reason
    except SettingsError as error:
        return error.message
print(json.dumps({{
    "holds": [each.layer for each in seal.layers if each.holds],
    "reasons": [each.reason for each in seal.layers if not each.holds],
    "whole": seal.is_whole,
    "gaps": seal.gaps,
    "strict": opened(Keeping(strict=True)),
    "lenient": opened(Keeping()),
}}))
"""


def probed_without(layers: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", _PROBING.format(layers)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def seal() -> Seal:
    found = probe(Limits())
    if not found.is_whole:
        missing(f"a kernel that seals cells whole: {found.words}")
    return found


def test_every_layer_is_told_of(seal: Seal) -> None:
    assert [each.layer for each in seal.layers] == list(Layer)
    assert {each.layer for each in seal.layers if each.needed} == NEEDED_LAYERS
    assert seal.gaps == ()
    require(seal)


def test_a_kernel_without_landlock_is_found_out_and_nothing_is_opened_if_it_must_not(
    seal: Seal,
) -> None:
    found = probed_without("landlock=True")
    assert Layer.LANDLOCK not in found["holds"]
    assert {Layer.LIMITS, Layer.PRIVILEGES, Layer.SECCOMP} <= set(found["holds"])
    assert found["reasons"][-1] == "the kernel has no Landlock, or has it switched off"
    assert found["whole"] is False
    # The others still refuse all that is tried.
    assert found["gaps"] == []
    assert found["lenient"] == "the file is empty"
    assert found["strict"].startswith("sandbox.strict is set, but cells cannot be sealed here")
    assert "landlock: the kernel has no Landlock" in found["strict"]


def test_namespaces_are_good_to_have_and_not_needed(seal: Seal) -> None:
    found = probed_without("namespaces=True")
    assert Layer.NAMESPACES not in found["holds"]
    assert found["whole"] is True
    assert found["strict"] == "the file is empty"


def test_whoever_requires_a_seal_is_told_what_is_lacking_and_what_to_do() -> None:
    worn = (
        Worn(Layer.LANDLOCK, holds=False, needed=True, reason="there is none"),
        Worn(Layer.SECCOMP, holds=True, needed=True),
    )
    with pytest.raises(SettingsError, match=r"landlock: there is none\).*sandbox\.strict to false"):
        require(Seal(worn))
    with pytest.raises(SettingsError, match="a cell can still run a program"):
        require(Seal(worn[1:], gaps=("run a program",)))
    assert Seal(worn).words == "landlock: there is none; seccomp: holds"
