"""Benign pictures for tests, drawn by code."""

import io

import numpy as np
from PIL import Image


def drawn(seed: int = 0, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Coloured waves that differ with every seed, rich enough for a good PDQ quality."""
    random = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    channels = []
    for _ in range(3):
        waves = np.zeros_like(x)
        for _ in range(12):
            across, down = random.uniform(-25, 25, 2)
            waves += random.uniform(0.5, 1) * np.sin(
                across * x + down * y + random.uniform(0, 2 * np.pi)
            )
        channels.append((waves - waves.min()) / np.ptp(waves) * 255)
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The picture as a file's bytes."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
