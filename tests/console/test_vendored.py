"""What others wrote is what they published, and nothing reaches out to another server."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

import tutela.console

CONSOLE = Path(tutela.console.__file__).parent
STATIC = CONSOLE / "static"
VENDORED = tomllib.loads((STATIC / "vendored.toml").read_text(encoding="utf-8"))
OURS = [
    path
    for path in [
        *STATIC.glob("*"),
        *(STATIC / "js").rglob("*"),
        *(CONSOLE / "templates").rglob("*"),
    ]
    if path.suffix in {".html", ".css", ".js", ".svg"}
]


@pytest.mark.parametrize("name", sorted(VENDORED))
def test_vendored_files_are_unchanged_and_all_recorded(name: str) -> None:
    recorded = VENDORED[name]["sha256"]
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (STATIC / name).iterdir()
    }
    assert found == recorded


def test_every_vendored_folder_is_recorded_with_its_licence() -> None:
    folders = {folder.name for folder in STATIC.iterdir() if folder.is_dir()}
    assert folders - {"js"} == set(VENDORED)
    for name, record in VENDORED.items():
        assert "LICENSE" in record["sha256"], name
        assert record["version"]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_our_own_files_load_nothing_from_another_server(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|url\(", text)
