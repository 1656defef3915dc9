"""Looking hashes up in a list that is as uneven as real ones, and worse."""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.contenders import (
    answer_of_ours,
    answers_of_faiss,
    ask_faiss,
    ask_ours,
    build_flat,
    build_index,
    folder_bytes,
    run_in,
)
from benchmarks.results import Findings, Goal
from benchmarks.scale import Scale
from benchmarks.sets import (
    FULL_BUCKET,
    MAX_DISTANCE,
    QUERY_SEED,
    RUN_IN,
    RUN_IN_SEED,
    SKEW_SEED,
    Hashes,
    in_full_bucket,
    queries,
    scattered,
    skewed,
    uniform,
    with_pile,
)
from benchmarks.timing import Arena, table_of
from tutela.matching.index import Index

_AT_MOST = 3.0
_PILE_SHARE = 100
_OF_PILE = 20
_UNIFORM, _SKEWED = "uniform list", "skewed list"


def measure(scale: Scale) -> Findings:
    """The same number of entries, uniform and skewed, each asked about its own like.

    Raises:
        RuntimeError: The answers are not those of a linear scan.
    """
    size, count, run_in_by = scale.pick((20_000, 20, 100), (10_000_000, 300, RUN_IN))
    even = uniform(size)
    uneven = with_pile(skewed(size), _PILE_SHARE)
    # In the pile, and in what was drawn for it and not kept, nothing is planted near.
    outside = uneven[: size - size // _PILE_SHARE]
    crowd = outside[in_full_bucket(outside)]
    like = skewed(scale.pick(2_000, 50_000), SKEW_SEED + 1)
    with (
        tempfile.TemporaryDirectory(prefix="tutela-bench-") as name,
        build_index(Path(name) / "uniform", even) as even_index,
        build_index(Path(name) / "skewed", uneven) as uneven_index,
    ):
        asked = queries(outside, like[: 2 * count])
        asked_crowd = queries(crowd, like[in_full_bucket(like)][:count])
        asked_pile = _near(uneven[-1], scale.pick(3, _OF_PILE))
        _check(uneven_index, uneven, np.concatenate([asked[:30], asked_crowd[:10], asked_pile[:2]]))
        both = Arena[tuple[Hashes, Hashes]](
            {
                _UNIFORM: lambda pair: ask_ours(even_index, pair[0]),
                _SKEWED: lambda pair: ask_ours(uneven_index, pair[1]),
            },
            evicting=True,
        )
        run_in(even_index, uniform(run_in_by, RUN_IN_SEED))
        run_in(uneven_index, skewed(run_in_by, SKEW_SEED + 2))
        pairs = list(zip(queries(even, uniform(2 * count, QUERY_SEED)), asked, strict=True))
        times = both.compare(pairs[:count], hot=pairs[count:])
        alone = Arena({_SKEWED: partial(ask_ours, uneven_index)}, evicting=True)
        of_crowd = alone.compare(list(asked_crowd))[_SKEWED]
        of_pile = alone.compare(list(asked_pile))[_SKEWED]
        bytes_each = folder_bytes(Path(name) / "skewed") / size
    goal = Goal(
        f"look-up among {size:,} skewed hashes, COLD p50, against as many uniform ones",
        f"{1e3 * times[_SKEWED].p50:.3f} ms",
        f"{1e3 * times[_UNIFORM].p50:.3f} ms",
        times[_SKEWED].p50 / times[_UNIFORM].p50,
        _AT_MOST,
        at_most=True,
    )
    table = table_of(
        f"Look-up of one hash among {size:,}",
        {
            **times,
            f"{_SKEWED}, queries of the bucket that is too full": of_crowd,
            f"{_SKEWED}, queries of the pile of identical ones": of_pile,
        },
    )
    notes = [
        "The skewed list's 16-bit chunks are equal 2 to 7 times as often as uniform ones, one "
        f"bucket of one chunk holds {FULL_BUCKET:,} times the average, and "
        f"{size // _PILE_SHARE:,} entries are identical. Its queries have the same distribution; "
        f"those of the pile are told apart, since each has {size // _PILE_SHARE:,} hits to give. "
        f"It takes {bytes_each:.0f} bytes an entry. Answers were compared with a linear scan's.",
    ]
    return Findings([goal], [table], notes)


def _near(hash_of_pile: Hashes, count: int) -> Hashes:
    chance = np.random.default_rng(QUERY_SEED)
    distances = chance.integers(0, MAX_DISTANCE + 1, count)
    return scattered(np.tile(hash_of_pile, (count, 1)), distances, chance)


def _check(index: Index, values: Hashes, asked: Hashes) -> None:
    scan = answers_of_faiss(ask_faiss(build_flat(values), asked))
    for query, expected in zip(asked, scan, strict=True):
        if answer_of_ours(ask_ours(index, query)) != expected:
            raise RuntimeError(f"the answer to {query.tobytes().hex()} is not a linear scan's")
