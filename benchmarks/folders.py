"""Scanning a folder of mixed photos: the whole command against a program around the peers."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from PIL import Image

from benchmarks.known import make_list
from benchmarks.photos import make_photos
from benchmarks.results import Findings, Table
from benchmarks.scale import Scale
from benchmarks.scanning import Run, disagreements, peer_side, run, tutela_side


def measure(scale: Scale) -> Findings:
    """Both sides scan the same folder in turn.

    Raises:
        RuntimeError: They do not say the same of every photo.
    """
    photos, rounds, hashes = scale.pick((24, 1, 1_000), (1_000, 3, 100_000))
    ours: list[Run] = []
    theirs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as name:
        folder = Path(name)
        files = make_photos(folder / "photos", photos)
        known = make_list(folder, files, hashes)
        size = sum(file.stat().st_size for file in files)
        pixels = sum(map(_pixels, files))
        tutela = tutela_side(folder / "photos", known, folder / "data")
        peer = peer_side(folder / "photos", known)
        for _ in range(rounds):
            for side, runs in ((tutela, ours), (peer, theirs)):
                runs.append(run(side))
            if differing := disagreements(ours[-1], theirs[-1]):
                raise RuntimeError(
                    f"not the same for {len(differing)} photos, the first: {differing[0]}"
                )
    notes = [
        _WORKLOAD.format(
            photos=len(files),
            megabytes=size / 1e6,
            megapixels=pixels / len(files) / 1e6,
            entries=known.entries,
            known=known.of_photos,
            matches=sum(answer["verdict"] == "match" for answer in ours[0].answers.values()),
        ),
        _SIDES,
        _MEASURES,
        _MORE,
    ]
    return Findings(tables=[_table(len(files), size / 1e6, ours, theirs)], notes=notes)


_WORKLOAD = (
    "{photos:,} photos, {megabytes:,.0f} MB, {megapixels:.1f} megapixels on average: cut, shrunk "
    "and encoded (never enlarged) from harmless photographs of scikit-image, scikit-learn and "
    "Debian's wallpaper packages; most are JPEG, some PNG, WebP and GIF. They are looked up on a "
    "list of {entries:,} hashes: half PDQ, half MD5, all random but for those of {known} of the "
    "photos. Both gave the same verdict, lists, kinds and distances for every photo in every "
    "round: {matches} matched."
)
_SIDES = (
    "Tutela is `tutela scan --json FOLDER`, the real command with a data folder that holds the "
    "list; the peer is `python -m benchmarks.peer`: Pillow, pdqhash, faiss's `IndexBinaryFlat`, "
    "hashlib and a dictionary of digests in a `ProcessPoolExecutor` of two, printing the same "
    "lines. The files were in memory."
)
_MEASURES = (
    "Whole command is from start to end, steady rate from the first verdict line to the last. "
    "Medians; the ratio is the median of the rounds' ratios, with the least and the greatest."
)
_MORE = (
    "What Tutela does here and the peer does not: it opens every file in a separate process that "
    "can be killed and replaced, with limits on time and memory; it writes a checkpoint, so that "
    "the scan can be resumed; it opens a case in a database, flushed to disk, for each match; and "
    "it asks the database before every group of verdicts whether the lists have changed."
)


def _table(files: int, megabytes: float, ours: Sequence[Run], theirs: Sequence[Run]) -> Table:
    measures: tuple[tuple[str, Callable[[Run], float], bool], ...] = (
        ("whole command, files/s", lambda run: files / run.seconds, True),
        ("whole command, MB/s", lambda run: megabytes / run.seconds, True),
        ("steady rate, files/s", lambda run: (files - 1) / run.steady_seconds, True),
        ("whole command, s", lambda run: run.seconds, False),
        ("processor time, s", lambda run: run.processor_seconds, False),
    )
    rows: list[list[str | float | None]] = []
    for name, measure_of, more_is_better in measures:
        mine, peer = [measure_of(each) for each in ours], [measure_of(each) for each in theirs]
        ratios = [a / b if more_is_better else b / a for a, b in zip(mine, peer, strict=True)]
        reached = f"{median(ratios):.1f} x ({min(ratios):.1f} to {max(ratios):.1f})"
        rows.append([name, median(mine), median(peer), reached])
    return Table(
        "`tutela scan` and the peer in turn", ("", "Tutela", "peer", "Tutela is better by"), rows
    )


def _pixels(file: Path) -> int:
    with Image.open(file) as image:
        return image.width * image.height
