"""A list of PDQ hashes that holds everything that is hard for tables, and queries for it."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

_SEED = 20261
_RANDOM = 6000

Hashes = npt.NDArray[np.uint8]


@lru_cache(maxsize=1)
def hard_list() -> Hashes:
    """Random hashes, neighbours at every distance, equal ones, crowds, and a crowded chunk."""
    chance = np.random.default_rng(_SEED)
    plain = chance.integers(0, 256, (_RANDOM, 32), dtype=np.uint8)
    near = [_flip(plain[row], distance, chance) for row in range(100) for distance in range(66)]
    spread = [
        _flip_evenly(plain[row], each, chance) for row in range(100, 160) for each in (1, 2, 3, 4)
    ]
    equal = np.repeat(plain[200:203], 700, axis=0)
    crowd = np.array([_flip(plain[300], chance.integers(0, 40), chance) for _ in range(2500)])
    alike = chance.integers(0, 256, (2500, 32), dtype=np.uint8)
    alike[:, 10:14] = plain[301, 10:14]
    flat = np.zeros((1500, 32), np.uint8)
    flat[:, 30] = chance.integers(0, 256, 1500)
    parts = [plain, np.array(near), np.array(spread), equal, crowd, alike, flat]
    return chance.permutation(np.concatenate(parts))


@lru_cache(maxsize=1)
def hard_queries() -> Hashes:
    """Listed hashes of each sort, some of them turned a little, and strangers."""
    chance = np.random.default_rng(_SEED)
    plain = chance.integers(0, 256, (_RANDOM, 32), dtype=np.uint8)
    chosen = [
        *plain[:12],
        *plain[100:112],
        *plain[200:203],
        *plain[300:302],
        np.zeros(32, np.uint8),
    ]
    turned = [_flip(each, distance, chance) for each in chosen for distance in (2, 17)]
    strangers = chance.integers(0, 256, (12, 32), dtype=np.uint8)
    return np.array([*chosen, *turned, *strangers])


def _flip(value: Hashes, bits: int, chance: np.random.Generator) -> Hashes:
    """The hash with some bits turned over, wherever."""
    turned = np.unpackbits(value)
    turned[chance.choice(256, bits, replace=False)] ^= 1
    return np.packbits(turned)


def _flip_evenly(value: Hashes, each: int, chance: np.random.Generator) -> Hashes:
    """The hash with so many bits of each 16 turned over."""
    turned = np.unpackbits(value)
    for start in range(0, 256, 16):
        turned[start + chance.choice(16, each, replace=False)] ^= 1
    return np.packbits(turned)
