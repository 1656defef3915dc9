"""Record what the reference makes of the photographs in wheels, for machines that lack it.

Run with ``python -m tests.fingerprints.record_golden`` when their pictures change.
"""

import json

from tests.corpus import wheel_photographs
from tests.fingerprints.test_pdq import GOLDEN, opened
from tests.oracle import reference_pdq


def record() -> None:
    """Write golden.json: for each picture [hash, quality] of every 1st, 2nd and 3rd pixel."""
    golden = {}
    for name, path in wheel_photographs().items():
        hashes = [reference_pdq(opened(path)[::step, ::step]) for step in (1, 2, 3)]
        golden[name] = [[pdq.text, pdq.quality] for pdq in hashes]
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    record()
