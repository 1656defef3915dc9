"""``python -m benchmarks``: measure all sides, print the tables and write ``RESULTS.md``."""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import busy_seconds, describe, keep_to_two_cores, own_seconds
from benchmarks.page import goals_table, part_text, write_page
from benchmarks.parts import PARTS
from benchmarks.plots import draw_plots
from benchmarks.results import FOLDER, Record, read_record, today, write_record
from benchmarks.scale import Scale

_ROOT = Path(__file__).parent.parent


def main() -> int:
    options = _options()
    keep_to_two_cores()
    if options.into:
        _measure(options.only[0], options.scale, options.into)
        return 0
    if options.draw:
        _publish()
        return 0
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as name:
        folder = Path(name) if options.scale is Scale.QUICK else FOLDER
        done = [_measure_apart(part, options.scale, folder) for part in options.only or PARTS]
    print(goals_table([goal for each in done for goal in each.findings.goals]))
    if options.scale is not Scale.QUICK:
        _publish()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    scales = parser.add_mutually_exclusive_group()
    scales.add_argument(
        "--quick",
        dest="scale",
        action="store_const",
        const=Scale.QUICK,
        default=Scale.FULL,
        help="small sizes: shows that it runs, not how fast; RESULTS.md stays as it is",
    )
    scales.add_argument(
        "--large",
        dest="scale",
        action="store_const",
        const=Scale.LARGE,
        help="longer lists, for hours: 50 million hashes, usearch and a live list of 10 million",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=list(PARTS),
        help="this part only; may be repeated. The others' results stay as they are",
    )
    parser.add_argument(
        "--draw", action="store_true", help="write RESULTS.md anew, measure nothing"
    )
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure_apart(part: str, scale: Scale, folder: Path) -> Record:
    """Measure a part in a process of its own."""
    _say(f"{PARTS[part].title} ({part}) ...")
    path = folder / f"{part}.json"
    arguments = ["--only", part, "--into", str(path)]
    if scale is not Scale.FULL:
        arguments.append(f"--{scale}")
    subprocess.run([sys.executable, "-m", "benchmarks", *arguments], cwd=_ROOT, check=True)
    kept = read_record(path)
    assert kept is not None
    print(part_text(kept), end="\n\n", flush=True)
    return kept


def _measure(part: str, scale: Scale, into: Path) -> None:
    begin, busy, own = time.perf_counter(), busy_seconds(), own_seconds()
    findings = PARTS[part].measure(scale)
    seconds = time.perf_counter() - begin
    others = busy_seconds() - busy - (own_seconds() - own)
    machine = describe()
    write_record(
        Record(
            part=part,
            scale=scale,
            measured=today(),
            seconds=seconds,
            others=max(0.0, others) / (seconds * machine.cores),
            machine=machine,
            findings=findings,
        ),
        into,
    )


def _publish() -> None:
    """Draw the plots and write the page from what was last measured in full."""
    found = {part: read_record(FOLDER / f"{part}.json") for part in PARTS}
    records = {part: each for part, each in found.items() if each is not None}
    draw_plots(records.values(), FOLDER)
    write_page(records)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
