"""``tutela doctor`` says what holds here, and its exit code whether Tutela works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import TUTELA, environment, json_lines, tutela
from tutela.examination import How
from tutela.storage.settings import Settings, load_settings

_LOSING = "import sys; from tests.sandbox.lacking import *; run_without_landlock(*sys.argv[1:])"


@pytest.fixture
def settings(data: Path) -> Settings:
    """A house on SQLite: what is looked at here is the machine."""
    return load_settings(data=data)


def without_landlock(settings: Settings, *words: str, **variables: str) -> tuple[int, str, str]:
    """How a command goes on a machine whose kernel has no Landlock."""
    done = subprocess.run(
        [sys.executable, "-c", _LOSING, TUTELA, *words],
        cwd=Path(__file__).parents[2],
        env=environment(settings) | {"PYTHONPATH": "."} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_doctor_tells_people_and_programs(settings: Settings) -> None:
    told = tutela(settings, "doctor")
    assert told.returncode == 0, told.stdout
    assert "✓ cells: a picture is opened" in told.stdout
    findings = json_lines(tutela(settings, "doctor", "--json"))
    assert {each["how"] for each in findings} <= set(How)
    assert {"name": "cells", "how": "well", "detail": "a picture is opened", "advice": None} in (
        findings
    )


def test_without_a_layer_nothing_starts_if_that_is_wanted_and_else_it_is_said(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("words")
    scan = ("scan", str(tmp_path / "a.txt"))
    strict = {"TUTELA_SANDBOX__STRICT": "true"}
    for words in (scan, ("serve", "--port", "0")):
        code, _, said = without_landlock(settings, *words, **strict)
        assert code == 2
        assert "error: sandbox.strict is set, but cells cannot be sealed here (landlock:" in said
    code, _, said = without_landlock(settings, *scan)
    assert code == 0
    assert "warning: cells are not sealed whole on this machine" in said
    code, out, _ = without_landlock(settings, "doctor", "--json", **strict)
    assert code == 2
    found = {each["name"]: each for each in map(json.loads, out.splitlines())}
    assert found["sandbox: landlock"]["how"] == "wrong"
    assert "docs/sandbox.md" in found["sandbox: landlock"]["advice"]
    assert os.environ.get("TUTELA_SANDBOX__STRICT") is None
