"""Synthetic PDQ hashes: lists of them, and what is looked up in a list.

Everything reported is drawn with the seeds below. A layout or a parameter that is chosen by
measuring has to be chosen on hashes of other seeds.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint8]
"""n x 32 bytes."""

LIST_SEED = 20264
QUERY_SEED = 20265
SKEW_SEED = 20266

MAX_DISTANCE = 31

RUN_IN = 20_000
"""How many other queries an index has answered before it is measured."""

RUN_IN_SEED = 20272

_BITS = 256
_CHUNKS = 16
_CHUNK_VALUES = 1 << 16
_COLLISIONS = (2.0, 7.0)
"""How many times as often as uniform ones a skewed list's 16-bit chunks are equal, least and most;
real photos' lie in between."""

_FULL_CHUNK = 5
FULL_BUCKET = 1_000
"""How many times the average the fullest bucket of a skewed list holds."""

_ROWS_AT_ONCE = 1 << 20


def uniform(count: int, seed: int = LIST_SEED) -> Hashes:
    """Hashes of random bits."""
    return _bytes(count, np.random.default_rng(seed))


def skewed(count: int, seed: int = SKEW_SEED) -> Hashes:
    """Hashes whose chunks collide as those of real photos do, one bucket far too full.

    In every chunk small values, after some bits are turned over, are more frequent than large
    ones, which makes some of its bits uneven too, so that no way to cut the bits escapes it.

    Args:
        count: How many.
        seed: Which ones. The distribution is the same for all seeds.
    """
    tables = _chunk_tables()
    chance = np.random.default_rng(seed)
    hashes = np.empty((count, _CHUNKS), np.uint16)
    for begin in range(0, count, _ROWS_AT_ONCE):
        part = hashes[begin : begin + _ROWS_AT_ONCE]
        for chunk, table in enumerate(tables):
            part[:, chunk] = table[chance.integers(0, len(table), len(part))]
    crowd = min(count, count * FULL_BUCKET // _CHUNK_VALUES)
    hashes[chance.choice(count, crowd, replace=False), _FULL_CHUNK] = _crowded_value()
    return hashes.view(np.uint8)


def in_full_bucket(hashes: Hashes) -> NDArray[np.bool_]:
    """Which of skewed hashes are in the bucket that is too full."""
    return np.equal(hashes.view(np.uint16)[:, _FULL_CHUNK], _crowded_value())


def with_pile(hashes: Hashes, share: int = 100) -> Hashes:
    """The same, but every hash of the last ``1 / share`` of them is that of the first of these."""
    piled = hashes.copy()
    size = len(hashes) // share
    piled[len(hashes) - size :] = piled[len(hashes) - size]
    return piled


def queries(hashes: Hashes, others: Hashes, seed: int = QUERY_SEED) -> Hashes:
    """As many distinct queries as ``others``, every second one of them near an entry of a list.

    Args:
        hashes: The list.
        others: Hashes of the same distribution that are not on it.
        seed: Chooses the entries, the distances (0 to 31) and the bits.
    """
    chance = np.random.default_rng(seed)
    asked = others.copy()
    near = asked[1::2]
    distances = chance.integers(0, MAX_DISTANCE + 1, len(near))
    near[:] = scattered(hashes[chance.integers(0, len(hashes), len(near))], distances, chance)
    return asked


def scattered(
    hashes: Hashes, distances: NDArray[np.integer], chance: np.random.Generator
) -> Hashes:
    """Turn random bits over, so many in each hash."""
    order = chance.permuted(np.tile(np.arange(_BITS), (len(hashes), 1)), axis=1)
    return _turned(hashes, order, distances)


def spread_over(
    chunks: int,
) -> Callable[[Hashes, NDArray[np.integer], np.random.Generator], Hashes]:
    """A way to turn bits over: spread as evenly as may be over so many equal parts of the hash.

    What looks for hashes by equal or nearly equal parts has it hardest where no part is more
    equal than another.
    """

    def spread(
        hashes: Hashes, distances: NDArray[np.integer], chance: np.random.Generator
    ) -> Hashes:
        bits = chance.permuted(np.tile(np.arange(_BITS), (len(hashes), 1)), axis=1)
        part = bits * chunks // _BITS
        # The n-th bit of each part, in random order, then the parts in random order.
        by_part = np.take_along_axis(bits, np.argsort(part, axis=1, kind="stable"), axis=1)
        sizes = np.bincount(np.arange(_BITS) * chunks // _BITS)
        turn = np.concatenate([np.arange(size) for size in sizes])
        jitter = np.repeat(chance.random((len(hashes), chunks)), sizes, axis=1)
        order = np.argsort(turn + jitter, axis=1)
        return _turned(hashes, np.take_along_axis(by_part, order, axis=1), distances)

    return spread


def two_in_each_chunk(
    hashes: Hashes, distances: NDArray[np.integer], chance: np.random.Generator
) -> Hashes:
    """Turn two bits over in one 16-bit chunk after another, in random order."""
    chunk_order = chance.permuted(np.tile(np.arange(_CHUNKS), (len(hashes), 1)), axis=1)
    order = np.empty((len(hashes), 2 * _CHUNKS), np.intp)
    for turn in range(_CHUNKS):
        pair = chance.permuted(np.tile(np.arange(16), (len(hashes), 1)), axis=1)[:, :2]
        order[:, 2 * turn : 2 * turn + 2] = chunk_order[:, turn : turn + 1] * 16 + pair
    return _turned(hashes, order, distances)


def in_one_run(
    hashes: Hashes, distances: NDArray[np.integer], chance: np.random.Generator
) -> Hashes:
    """Turn bits over that follow each other, so that they fill as few chunks as may be."""
    begins = chance.integers(0, _BITS, (len(hashes), 1))
    return _turned(hashes, (begins + np.arange(MAX_DISTANCE + 1)) % _BITS, distances)


PATTERNS: Mapping[str, Callable[[Hashes, NDArray[np.integer], np.random.Generator], Hashes]] = {
    "at random": scattered,
    "even over 16 chunks": spread_over(16),
    "even over 13 chunks": spread_over(13),
    "even over 12 chunks": spread_over(12),
    "even over 11 chunks": spread_over(11),
    "even over 8 chunks": spread_over(8),
    "two in each 16-bit chunk": two_in_each_chunk,
    "in one run": in_one_run,
}
"""How the bits are chosen in which a planted neighbour differs."""


def _turned(hashes: Hashes, order: NDArray[np.intp], distances: NDArray[np.integer]) -> Hashes:
    """Turn over the first bits of each row's order, as many as its distance."""
    bits = np.unpackbits(hashes, axis=1)
    chosen = np.arange(order.shape[1]) < distances[:, None]
    flips = np.zeros_like(bits)
    np.put_along_axis(flips, order, chosen.astype(np.uint8), axis=1)
    return np.packbits(bits ^ flips, axis=1)


def _bytes(count: int, chance: np.random.Generator) -> Hashes:
    return np.frombuffer(chance.bytes(32 * count), np.uint8).reshape(count, 32)


@lru_cache(maxsize=1)
def _chunk_tables() -> tuple[NDArray[np.uint16], ...]:
    """For each chunk so many values that one taken at random has its distribution."""
    masks = np.random.default_rng(SKEW_SEED).integers(0, _CHUNK_VALUES, _CHUNKS)
    even = (np.arange(1 << 20) + 0.5) / (1 << 20)
    tables = []
    for mask, collisions in zip(masks, np.linspace(*_COLLISIONS, _CHUNKS), strict=True):
        values = (even ** _power(collisions) * _CHUNK_VALUES).astype(np.int64)
        tables.append((values ^ mask).astype(np.uint16))
    return tuple(tables)


def _power(collisions: float) -> float:
    """The power of a uniform number whose 65,536ths are equal so many times as often as its own."""
    edges = np.arange(_CHUNK_VALUES + 1) / _CHUNK_VALUES
    low, high = 1.0, 8.0
    for _ in range(30):
        power = (low + high) / 2
        shares = np.diff(edges ** (1 / power))
        low, high = (power, high) if shares @ shares * _CHUNK_VALUES < collisions else (low, power)
    return low


def _crowded_value() -> int:
    """The value of the chunk in the bucket that is too full: one that is rare otherwise."""
    masks = np.random.default_rng(SKEW_SEED).integers(0, _CHUNK_VALUES, _CHUNKS)
    return int(masks[_FULL_CHUNK] ^ (_CHUNK_VALUES - 1))
