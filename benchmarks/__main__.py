"""``python -m benchmarks``: measure both sides, print the tables and write ``RESULTS.md``."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from benchmarks.known import make_list
from benchmarks.machine import keep_to_two_cores
from benchmarks.parts import measure_hashing, measure_looking_up
from benchmarks.photos import make_photos
from benchmarks.reporting import Workload, parts_table, scan_table, write_page
from benchmarks.scanning import Run, disagreements, peer_side, run, tutela_side

_PAGE = Path(__file__).with_name("RESULTS.md")
_HASHES_OF_EACH_KIND = 100_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="100 photos, once: shows that it runs, not how fast; RESULTS.md stays as it is",
    )
    quick = parser.parse_args().quick
    photos, rounds = (100, 1) if quick else (1_000, 3)
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as name:
        folder = Path(name)
        _say(f"Making {photos:,} photos ...")
        files = make_photos(folder / "photos", photos)
        _say("Making a list, and importing it ...")
        known = make_list(folder, files, 1_000 if quick else _HASHES_OF_EACH_KIND)
        workload = Workload(
            photos=len(files),
            size=sum(file.stat().st_size for file in files),
            pixels=sum(map(_pixels, files)),
            entries=known.entries,
            known=known.of_photos,
            cores=keep_to_two_cores(),
        )
        tutela = tutela_side(folder / "photos", known, folder / "data")
        peer = peer_side(folder / "photos", known)
        ours: list[Run] = []
        theirs: list[Run] = []
        for number in range(1, rounds + 1):
            for side, runs in ((tutela, ours), (peer, theirs)):
                runs.append(run(side))
                _say(f"Round {number} of {rounds}, {side.name}: {runs[-1].seconds:.1f} s")
            if differing := disagreements(ours[-1], theirs[-1]):
                _say(f"Not the same for {len(differing)} photos, the first: {differing[0]}")
                return 1
    print(f"Both say the same of all {len(files):,} photos.\n")
    print(scan_table(workload, ours, theirs), end="\n\n")
    _say("Measuring the parts ...")
    parts = measure_hashing(2 if quick else 7)
    parts += measure_looking_up((10_000,) if quick else (100_000, 1_000_000), queries=40)
    print(parts_table(parts))
    if not quick:
        write_page(_PAGE, workload, ours, theirs, parts)
    return 0


def _pixels(file: Path) -> int:
    with Image.open(file) as image:
        return image.width * image.height


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
