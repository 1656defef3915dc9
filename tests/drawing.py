"""Landscapes drawn by code: pictures for tests that need one of their own."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def landscape(width: int = 320, height: int = 240, seed: int = 1) -> Image.Image:
    """Hills under a sky with a sun; another seed is another landscape."""
    random = np.random.default_rng(seed)
    x = np.linspace(0, 1, width)
    y = np.linspace(0, 1, height)[:, np.newaxis]
    colours: NDArray[np.float64] = np.stack(
        [90 + 120 * y + 0 * x, 140 + 80 * y + 0 * x, 235 - 40 * y + 0 * x], axis=2
    )
    sun = (x - random.uniform(0.2, 0.8)) ** 2 + (y - random.uniform(0.1, 0.3)) ** 2
    colours[sun < random.uniform(0.002, 0.008)] = (255, 240, 170)
    for hill in range(5):
        ridge = 0.35 + 0.13 * hill
        for wave in range(1, 6):
            ridge = ridge + random.normal(0, 0.06) / wave * np.sin(
                2 * np.pi * (wave * x * random.uniform(0.6, 1.4) + random.uniform())
            )
        shade = random.uniform(0.5, 1.1)
        colours[y > ridge] = np.array([60 + 25 * hill, 120 - 8 * hill, 50 + 5 * hill]) * shade
    colours += random.normal(0, 3, colours.shape)
    return Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))
