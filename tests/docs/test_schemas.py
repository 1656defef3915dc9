"""The schemas that are published are those of what is sent."""

import runpy
from pathlib import Path

import jsonschema

from tutela.reporting.packages.document import schema

DOCS = Path(__file__).parents[2] / "docs"


def test_the_schema_of_packages_is_up_to_date() -> None:
    page: Path = runpy.run_path(str(DOCS / "write_schemas.py"))["PAGE"]
    assert page.read_bytes() == schema(), "run: make docs"


def test_it_is_a_schema() -> None:
    import json

    jsonschema.Draft202012Validator.check_schema(json.loads(schema()))
