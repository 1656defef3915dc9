"""Paint: colours, noise, and the few strokes that every landscape is made of.

A canvas is an array of height x width x 3 floats from 0 to 1 (sRGB). Pictures are painted at twice
their size and halved at the end, which makes every edge smooth. Positions are fractions of the
canvas from its top left corner, so that a picture can be painted at any size.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Canvas = NDArray[Any]
Plane = NDArray[Any]
Line = NDArray[Any]

FINER = 2
"""How many times larger than its final size a picture is painted."""


def colour(text: str) -> Line:
    """The colour ``"ffcc00"`` as three floats."""
    return np.frombuffer(bytes.fromhex(text), np.uint8).astype(np.float32) / 255


def sky(width: int, height: int, stops: Sequence[tuple[float, str]]) -> Canvas:
    """A new canvas of ``width`` x ``height`` final pixels, shaded from top to bottom."""
    rows, columns = height * FINER, width * FINER
    shade = gradient(np.linspace(0, 1, rows, dtype=np.float32), stops)
    return np.repeat(shade[:, None, :], columns, axis=1)


def gradient(at: Line, stops: Sequence[tuple[float, str]]) -> Canvas:
    """The colours at the positions ``at`` on a scale of ``(position, colour)`` stops."""
    positions = [position for position, _ in stops]
    colours = np.stack([colour(text) for _, text in stops])
    channels = [np.interp(at, positions, colours[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def across(canvas: Canvas) -> tuple[Plane, Plane]:
    """The columns' and rows' positions, as planes that broadcast to the canvas."""
    rows, columns = canvas.shape[:2]
    x = (np.arange(columns, dtype=np.float32) + 0.5) / columns
    y = (np.arange(rows, dtype=np.float32) + 0.5) / rows
    return x[None, :], y[:, None]


def noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[float, float], octaves: int = 5
) -> Plane:
    """Clouds between 0 and 1: ``cells`` is how many puffs fit down and across."""
    rows, columns = shape
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        grid = tuple(max(2, round(count * 2**octave) + 1) for count in cells)
        puffs = Image.fromarray(rng.random(grid, dtype=np.float32))
        spread = puffs.resize((columns, rows), Image.Resampling.BICUBIC)
        total += np.asarray(spread, np.float32) / 2**octave
    low, high = float(total.min()), float(total.max())
    return (total - low) / (high - low)


def ridge(
    rng: np.random.Generator, columns: int, peaks: float, roughness: float, octaves: int = 8
) -> Line:
    """A mountain range's outline: one height from 0 to 1 for each column."""
    x = np.linspace(0, 1, columns)
    line = np.zeros(columns)
    for octave in range(octaves):
        knots = max(3, round(peaks * 2**octave) + 2)
        heights = rng.random(knots)
        line += np.interp(x, np.linspace(0, 1, knots), heights) * roughness**octave
    return _stretched(line)


def swell(rng: np.random.Generator, columns: int, waves: float, octaves: int = 3) -> Line:
    """A soft outline, for hills and dunes: one height from 0 to 1 for each column."""
    x = np.linspace(0, 2 * np.pi, columns)
    parts: list[Line] = [
        np.sin(x * waves * 1.7**octave + rng.random() * 2 * np.pi) / 2.3**octave
        for octave in range(octaves)
    ]
    line = reduce(np.add, parts)
    return _stretched(line)


def blend(canvas: Canvas, paint: Canvas | Line, cover: Plane) -> None:
    """Lay paint over the canvas where ``cover`` (0 to 1) says so."""
    canvas += (paint - canvas) * np.clip(cover, 0, 1)[..., None]


def land(
    canvas: Canvas,
    top: Line,
    stops: Sequence[tuple[float, str]],
    depth: float = 0.3,
) -> Plane:
    """Fill everything below an outline, shaded by how far below it a point lies.

    The shade follows a softened outline: small teeth would draw stripes down the slope.

    Args:
        canvas: What is painted on.
        top: The outline's position for each column, 0 at the top of the canvas.
        stops: Colours, from 0 at the outline to 1 at ``depth`` below it.
        depth: Distance over which the colours change.

    Returns:
        Which part of the canvas is covered, 0 or 1.
    """
    _, y = across(canvas)
    cover = (y > top[None, :]).astype(np.float32)
    below = y - _softened(top)[None, :]
    blend(canvas, gradient(np.clip(below / depth, 0, 1), stops), cover)
    return cover


def glow(
    canvas: Canvas, centre: tuple[float, float], radius: float, tint: str, strength: float
) -> None:
    """Light around a point, fading with distance; the radius is a fraction of the height."""
    light = np.exp(-((_distance(canvas, centre) / radius) ** 2)) * strength
    canvas += (1 - canvas) * light[..., None] * colour(tint)


def disc(
    canvas: Canvas, centre: tuple[float, float], radius: float, tint: str, strength: float = 1
) -> None:
    """A sun or a moon."""
    blend(canvas, colour(tint), (_distance(canvas, centre) < radius) * np.float32(strength))


def fog(canvas: Canvas, cover: Plane, tint: str, strength: float) -> None:
    """A veil of one colour, as thick as ``cover`` says."""
    blend(canvas, colour(tint), cover * np.float32(strength))


def band(canvas: Canvas, middle: float, thickness: float) -> Plane:
    """A soft horizontal band, 1 in its middle, for fog."""
    _, y = across(canvas)
    return np.exp(-(((y - middle) / thickness) ** 2)) * np.ones_like(canvas[..., 0])


def stencil(canvas: Canvas) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty mask of the canvas's size and a pen to draw on it."""
    mask = Image.new("L", (canvas.shape[1], canvas.shape[0]), 0)
    return mask, ImageDraw.Draw(mask)


def cut(mask: Image.Image) -> Plane:
    """A drawn mask as a cover from 0 to 1."""
    return np.asarray(mask, np.float32) / 255


def finish(canvas: Canvas, grain: float = 0) -> Image.Image:
    """Halve a canvas to its final size.

    Args:
        canvas: A finished painting.
        grain: Strength of a fine grain, which keeps skies from showing steps.
    """
    rows, columns = canvas.shape[0] // FINER, canvas.shape[1] // FINER
    small = canvas.reshape(rows, FINER, columns, FINER, 3).mean(axis=(1, 3))
    if grain:
        small = small + np.random.default_rng(1).normal(0, grain, (rows, columns, 1))
    return Image.fromarray((np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8))


def _stretched(line: Line) -> Line:
    low, high = line.min(), line.max()
    stretched: Line = ((line - low) / (high - low)).astype(np.float32)
    return stretched


def _softened(line: Line) -> Line:
    reach = len(line) // 10
    window = np.hanning(2 * reach + 1)
    padded = np.pad(line, reach, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid").astype(np.float32)


def _distance(canvas: Canvas, centre: tuple[float, float]) -> Plane:
    x, y = across(canvas)
    aspect = canvas.shape[1] / canvas.shape[0]
    distance: Plane = np.hypot((x - centre[0]) * aspect, y - centre[1]).astype(np.float32)
    return distance
