"""A house is looked over without being changed, and what is amiss comes with what to do."""

from pathlib import Path

import pytest

from tests.requirements import missing
from tutela.examination import Finding, How, examine
from tutela.kernel.library import VARIABLE, variant
from tutela.sandbox.model import Layer, Limits
from tutela.sandbox.probing import probe
from tutela.storage.settings import Settings, load_settings


def named(settings: Settings) -> dict[str, Finding]:
    return {each.name: each for each in examine(settings)}


def test_a_house_that_is_not_there_is_told_of_and_not_made(new_settings: Settings) -> None:
    found = named(new_settings)
    assert not new_settings.data.exists()
    assert found["data"].how is How.WARNING
    assert "--data" in found["data"].advice
    if new_settings.database_url is None:
        assert found["database"].detail == "there is none yet"
    assert {"machine", "kernel", "settings", "disk", "clock", "decoders", "cells"} <= found.keys()
    assert all(each.advice for each in found.values() if each.how is not How.WELL)


def test_a_house_that_is_well_says_so_of_each_part(settings: Settings) -> None:
    settings.data.mkdir(mode=0o700, exist_ok=True)
    found = named(settings)
    assert [name for name, each in found.items() if each.how is How.WRONG] == []
    assert found["data"] == Finding("data", How.WELL, str(settings.data.absolute()))
    assert found["database"].how is How.WELL
    assert found["cells"].detail == "a picture is opened"
    assert "pillow" in found["decoders"].detail
    assert "libarchive 3" in found["decoders"].detail
    assert "libjxl 0." in found["decoders"].detail
    assert [name for name in found if name.startswith("sandbox: ")] == [
        f"sandbox: {layer}" for layer in Layer
    ]
    if not probe(Limits()).is_whole:
        missing("a kernel that seals cells whole")
    assert all(
        found[f"sandbox: {layer}"].how is How.WELL for layer in Layer if layer != "namespaces"
    )


def test_what_is_amiss_is_found(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.data.mkdir(exist_ok=True)
    settings.data.chmod(0o755)
    assert named(settings)["data"].advice == (
        f"lists and cases are for nobody else: chmod go= '{settings.data.absolute()}'"
    )
    gone = load_settings(
        data=settings.data,
        database_url="postgresql://me:hunter2@127.0.0.1:1/none",
        decode_memory_mib=1 << 40,
    )
    monkeypatch.setenv(VARIABLE, "numpy")
    variant.cache_clear()
    try:
        found = named(gone)
    finally:
        monkeypatch.undo()
        variant.cache_clear()
    assert found["database"].how is How.WRONG
    assert "hunter2" not in str(found)
    assert found["machine"].how is How.WARNING
    assert found["kernel"].how is How.WARNING
