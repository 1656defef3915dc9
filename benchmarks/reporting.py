"""The tables, and the page that keeps them."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.machine import describe
from benchmarks.parts import Part
from benchmarks.scanning import Run

_PAGE = """\
# Results

Written by `make bench` on {date}. It measures anew and writes this page over; on another machine
trust the ratios more than the numbers.

{machine}.

## Scanning a folder on {cores} cores

{photos:,} photos, {megabytes:,.0f} MB, {megapixels:.1f} megapixels on average: cut, shrunk and
encoded (never enlarged) from harmless photographs of scikit-image, scikit-learn and Debian's
wallpaper packages; most are JPEG, some PNG, WebP and GIF. They are looked up on a list of
{entries:,} hashes: half PDQ, half MD5, all random but for those of {known} of the photos.

- **Tutela**: `tutela scan --json FOLDER`, the real command with a data folder that holds the list.
- **peer**: `python -m benchmarks.peer`: Pillow, pdqhash, faiss's `IndexBinaryFlat` (radius 31),
  hashlib and a dictionary of digests in one `ProcessPoolExecutor` of {cores}, printing the same
  lines.

Both did so {rounds} times in turn, on files that were in memory. Both gave the same verdict, lists,
kinds and distances for every photo in every round: {matches} matched.

{scanning}

Medians; the ratio is the median of the rounds' ratios, with the least and the greatest.

- *Whole command* is from start to end: starting Python, importing, finding the files, the verdicts,
  ending. For both sides the list was taken in and its index built beforehand; reading the built
  index is included.
- *Steady rate* is from the first verdict line to the last: without start-up, as in a large
  folder.
- Other programs took {others:.0%} of the machine's processor time while this ran. Processor time
  suffers less from them than the clock does.

What Tutela does here and the peer does not: it opens every file in a separate process that can be
killed and replaced, with limits on time and memory; it writes a checkpoint, so that the scan can be
resumed; it opens a case in a database, flushed to disk, for each match; and it asks the database
before every group of verdicts whether the lists have changed. Both decode with Pillow, which is the
greater part of Tutela's time, so the whole gains less than PDQ alone.

## The parts

One thread, both sides in turn, each call finding the processor's caches cold; the same hashes and
the same hits, checked. Median milliseconds:

{parts}

{remark}
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """What was scanned.

    Attributes:
        photos: How many.
        size: Their bytes.
        pixels: Their pixels.
        entries: Hashes on the list.
        known: Of how many of the photos it holds a hash.
        cores: How many both sides were kept to.
    """

    photos: int
    size: int
    pixels: int
    entries: int
    known: int
    cores: int


def scan_table(workload: Workload, ours: Sequence[Run], theirs: Sequence[Run]) -> str:
    """Both sides' throughput, and the ratio."""
    files, megabytes = workload.photos, workload.size / 1e6
    measures: tuple[tuple[str, Callable[[Run], float], bool], ...] = (
        ("whole command, files/s", lambda run: files / run.seconds, True),
        ("whole command, MB/s", lambda run: megabytes / run.seconds, True),
        ("steady rate, files/s", lambda run: (files - 1) / run.steady_seconds, True),
        ("whole command, s", lambda run: run.seconds, False),
        ("processor time, s", lambda run: run.processor_seconds, False),
    )
    rows = []
    for name, measure, more_is_better in measures:
        mine, peer = [measure(run) for run in ours], [measure(run) for run in theirs]
        ratios = [a / b if more_is_better else b / a for a, b in zip(mine, peer, strict=True)]
        rows.append(
            f"| {name} | {median(mine):.1f} | {median(peer):.1f} "
            f"| {median(ratios):.1f} x ({min(ratios):.1f} to {max(ratios):.1f}) |"
        )
    return "\n".join(["| | Tutela | peer | Tutela is better by |", "|---|--:|--:|--:|", *rows])


def parts_table(parts: Sequence[Part]) -> str:
    """Each part's times, and the ratio."""
    rows = [
        f"| {part.name} | {part.ours:.2f} | {part.theirs:.2f} | {part.theirs / part.ours:.1f} x |"
        for part in parts
    ]
    return "\n".join(["| | Tutela | peer | Tutela is quicker by |", "|---|--:|--:|--:|", *rows])


def write_page(
    page: Path,
    workload: Workload,
    ours: Sequence[Run],
    theirs: Sequence[Run],
    parts: Sequence[Part],
) -> None:
    """Write the results down."""
    runs = [*ours, *theirs]
    others = sum(run.others_seconds for run in runs)
    lost = [part.name for part in parts if part.theirs < part.ours]
    page.write_text(
        _PAGE.format(
            date=datetime.datetime.now(tz=datetime.UTC).date(),
            machine=describe(),
            cores=workload.cores,
            photos=workload.photos,
            megabytes=workload.size / 1e6,
            megapixels=workload.pixels / workload.photos / 1e6,
            entries=workload.entries,
            known=workload.known,
            rounds=len(ours),
            matches=sum(answer["verdict"] == "match" for answer in ours[0].answers.values()),
            scanning=scan_table(workload, ours, theirs),
            others=others / (others + sum(run.processor_seconds for run in runs)),
            parts=parts_table(parts),
            remark=f"The peer is quicker at: {'; '.join(lost)}."
            if lost
            else "The peer is quicker at none of these.",
        )
    )
