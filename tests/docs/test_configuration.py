"""The configuration reference says what the settings are."""

import runpy
import tomllib
from pathlib import Path

from tutela.storage.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_up_to_date() -> None:
    written = (DOCS / "configuration.md").read_text(encoding="utf-8")
    page = runpy.run_path(str(DOCS / "write_configuration.py"))["page"]()
    assert written == page, "run: make docs"


def test_every_example_in_the_reference_is_a_valid_configuration() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    examples = text.split("```toml\n")[1:]
    assert examples
    for example in examples:
        Settings(**tomllib.loads(example.split("```")[0]))
