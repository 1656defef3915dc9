"""The synthetic hashes are what the benchmark says they are."""

import numpy as np
import pytest

from benchmarks.sets import (
    FULL_BUCKET,
    MAX_DISTANCE,
    PATTERNS,
    in_full_bucket,
    queries,
    skewed,
    uniform,
    with_pile,
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_planted_neighbour_is_exactly_as_far_away_as_asked(pattern: str) -> None:
    hashes = uniform(320)
    distances = np.arange(320) % (MAX_DISTANCE + 1)
    planted = PATTERNS[pattern](hashes, distances, np.random.default_rng(1))
    differing = np.unpackbits(hashes ^ planted, axis=1).sum(axis=1)
    assert differing.tolist() == distances.tolist()


@pytest.mark.parametrize("chunks", [8, 11, 12, 13, 16])
def test_bits_spread_evenly_leave_no_part_much_fuller_than_another(chunks: int) -> None:
    hashes = uniform(50)
    turn_over = PATTERNS[f"even over {chunks} chunks"]
    planted = turn_over(hashes, np.full(50, MAX_DISTANCE), np.random.default_rng(1))
    bits = np.unpackbits(hashes ^ planted, axis=1)
    part = np.arange(256) * chunks // 256
    counts = np.stack([bits[:, part == each].sum(axis=1) for each in range(chunks)], axis=1)
    assert counts.min() >= MAX_DISTANCE // chunks
    assert counts.max() <= MAX_DISTANCE // chunks + 1


def test_skewed_chunks_collide_two_to_seven_times_as_often_and_one_bucket_is_too_full() -> None:
    hashes = skewed(400_000)
    chunks = hashes.view(np.uint16)
    collisions = []
    for chunk in range(16):
        counts = np.bincount(chunks[:, chunk], minlength=1 << 16).astype(float)
        # Of two different rows: not each with itself.
        equal = (counts * (counts - 1)).sum() / (len(hashes) * (len(hashes) - 1))
        collisions.append(equal * (1 << 16))
    crowded = collisions.pop(5)
    assert min(collisions) == pytest.approx(2, rel=0.1)
    assert max(collisions) == pytest.approx(7, rel=0.1)
    assert crowded > 10
    average = len(hashes) / (1 << 16)
    assert in_full_bucket(hashes).sum() == pytest.approx(FULL_BUCKET * average, rel=0.01)


def test_a_pile_is_one_hash_many_times_at_the_end() -> None:
    piled = with_pile(uniform(1_000), 100)
    assert len(np.unique(piled, axis=0)) == 991
    assert (piled[990:] == piled[999]).all()


def test_queries_are_distinct_and_every_second_one_is_near_an_entry() -> None:
    hashes = uniform(200)
    asked = queries(hashes, uniform(40, 7))
    assert len(np.unique(asked, axis=0)) == 40
    distances = np.unpackbits(asked[:, None] ^ hashes[None], axis=2).sum(axis=2).min(axis=1)
    assert (distances[1::2] <= MAX_DISTANCE).all()
    assert (distances[::2] > MAX_DISTANCE).all()
