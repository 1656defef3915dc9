"""Writes docs/schemas from the models themselves: ``make docs``."""

from pathlib import Path

from tutela.reporting.packages.document import FORMAT, schema

PAGE = Path(__file__).parent / "schemas" / f"report-package-{FORMAT}.json"

if __name__ == "__main__":
    PAGE.write_bytes(schema())
