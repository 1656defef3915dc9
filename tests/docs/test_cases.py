"""What the page of cases says is what is enforced."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = runpy.run_path(str(DOCS / "write_cases.py"))


def test_the_tables_are_up_to_date() -> None:
    text = (DOCS / "cases.md").read_text(encoding="utf-8")
    assert WRITTEN["page"](text) == text, "run: make docs"


def test_the_diagram_is_up_to_date() -> None:
    drawn = (DOCS / "assets" / "cases.svg").read_text(encoding="utf-8")
    assert drawn == WRITTEN["picture"](), "run: make docs"
