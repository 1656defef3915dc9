"""What stands in a landscape: trees, stars, waves, a balloon, a boat, a lighthouse."""

import numpy as np

from samples.drawing import canvas as paint
from samples.drawing.canvas import Canvas, Line


def streaks(rng: np.random.Generator, view: Canvas, flatness: float) -> Line:
    """Long thin clouds, the thinner the smaller ``flatness`` is."""
    return paint.noise(rng, view.shape[:2], (1.2 / flatness, 2), 5)


def waves(rng: np.random.Generator, view: Canvas, horizon: float) -> Line:
    """Noise drawn out towards the beholder, as waves are by perspective."""
    rows, columns = view.shape[:2]
    _, y = paint.across(view)
    near = np.clip((y[:, 0] - horizon) / (1 - horizon), 0, 1)
    flat = paint.noise(rng, (rows, columns), (90, 14), 4)
    far = (near**0.45 * (rows - 1)).astype(int)
    drawn_out: Line = flat[far]
    return drawn_out


def ripples(rng: np.random.Generator, view: Canvas) -> Line:
    """The wind's ripples on sand."""
    x, y = paint.across(view)
    bend = paint.noise(rng, view.shape[:2], (3, 3), 3)
    ridges = np.sin(y * 190 + bend * 22 + x * 9) * 0.5 + 0.5
    seen: Line = (ridges * np.clip((y - 0.5) * 2, 0, 1)).astype(np.float32)
    return seen


def pines(
    view: Canvas,
    ground: Line,
    rng: np.random.Generator,
    count: int,
    *,
    sizes: tuple[float, float],
    tint: str,
) -> None:
    """A row of pines along an outline, their ``sizes`` fractions of the height."""
    rows, columns = view.shape[:2]
    mask, pen = paint.stencil(view)
    for at_x in np.sort(rng.random(count)) * columns:
        foot = float(ground[min(columns - 1, int(at_x))]) * rows + 4
        tall = rng.uniform(*sizes) * rows
        half = tall * rng.uniform(0.17, 0.25)
        pen.rectangle((at_x - tall * 0.02, foot - tall * 0.2, at_x + tall * 0.02, foot), fill=255)
        tiers = 7
        for tier in range(tiers):
            tip = foot - tall + tall * 0.9 * tier / tiers
            low = foot - tall + tall * 0.9 * (tier + 1.6) / tiers
            wide = half * (tier + 1.2) / tiers
            ragged = rng.uniform(0.85, 1.15, 2)
            pen.polygon(
                [
                    (at_x, tip),
                    (at_x - wide * ragged[0], min(low, foot)),
                    (at_x + wide * ragged[1], min(low, foot)),
                ],
                fill=255,
            )
    paint.blend(view, paint.colour(tint), paint.cut(mask))


def stars(view: Canvas, rng: np.random.Generator, count: int, lowest: float) -> None:
    """Stars above ``lowest``."""
    rows, columns = view.shape[:2]
    mask, pen = paint.stencil(view)
    for _ in range(count):
        at_x, at_y = rng.random() * columns, rng.random() ** 1.3 * lowest * rows
        size = rng.choice([0.8, 1.1, 1.5, 2.4], p=[0.5, 0.3, 0.15, 0.05])
        pen.ellipse(
            (at_x - size, at_y - size, at_x + size, at_y + size), fill=int(rng.uniform(90, 255))
        )
    paint.blend(view, paint.colour("fdfbf0"), paint.cut(mask))


def birches(view: Canvas, rng: np.random.Generator, base: float, count: int, thick: float) -> None:
    """A row of birches whose feet stand around ``base``."""
    rows, columns = view.shape[:2]
    trunks, pen = paint.stencil(view)
    marks, knife = paint.stencil(view)
    twigs, brush = paint.stencil(view)
    for number in range(count):
        foot_x = (number + rng.uniform(0.1, 0.9)) / count * columns
        foot_y = (base + rng.uniform(0.0, 0.06)) * rows
        wide = thick * rng.uniform(0.7, 1.3) * rows
        lean = rng.uniform(-0.04, 0.04) * columns
        flare = [(-wide * 1.35, 0), (wide * 1.35, 0), (wide, -wide * 3)]
        outline = [(foot_x + dx, foot_y + dy) for dx, dy in flare]
        top = [(foot_x + lean + wide * 0.6, -5), (foot_x + lean - wide * 0.6, -5)]
        pen.polygon([*outline, *top, (foot_x - wide, foot_y - wide * 3)], fill=255)
        for _ in range(int(rng.uniform(14, 26))):
            high = rng.random()
            at_x = foot_x + lean * high + rng.uniform(-0.9, 0.9) * wide
            at_y = foot_y * (1 - high)
            long, tall = wide * rng.uniform(0.3, 0.8), wide * rng.uniform(0.05, 0.16)
            knife.ellipse((at_x - long, at_y - tall, at_x + long, at_y + tall), fill=230)
        for _ in range(7):
            high = rng.uniform(0.35, 0.98)
            at_x, at_y = foot_x + lean * high, foot_y * (1 - high)
            reach = rng.uniform(0.04, 0.13) * columns * rng.choice([-1, 1])
            for part in (0.0, 0.45):
                start = (at_x + reach * part, at_y - abs(reach) * part * 1.1)
                end = (at_x + reach, at_y - abs(reach) * rng.uniform(0.8, 2.0))
                brush.line([start, end], fill=200, width=max(2, int(wide * (0.26 - part * 0.3))))
    shape = paint.cut(trunks)
    away = max(2, int(thick * rows * 0.5))
    inside = (np.roll(shape, away, axis=1) + np.roll(shape, 2 * away, axis=1)) / 2
    paint.blend(view, paint.colour("6b6068"), paint.cut(twigs))
    paint.blend(view, paint.gradient(inside, [(0, "98a5b3"), (1, "f8f4ee")]), shape)
    paint.blend(view, paint.colour("4a4550"), paint.cut(marks) * shape)


def round_trees(
    view: Canvas, ground: Line, rng: np.random.Generator, tint: str, size: float
) -> None:
    """Groves of round trees along an outline, lit from the upper left."""
    rows, columns = view.shape[:2]
    mask, pen = paint.stencil(view)
    for grove in rng.random(9):
        for at_x in (grove + rng.normal(0, 0.022, 12)) * columns:
            radius = size * rng.uniform(0.5, 1.1) * rows
            at_y = float(ground[int(np.clip(at_x, 0, columns - 1))]) * rows - radius * 0.4
            pen.ellipse((at_x - radius, at_y - radius, at_x + radius, at_y + radius), fill=255)
    shape = paint.cut(mask)
    lit = shape * np.clip(shape - np.roll(shape, (9, 9), axis=(0, 1)), 0, 1)
    paint.blend(view, paint.colour(tint), shape)
    paint.fog(view, lit, "f2efa0", 0.4)


def balloon(
    view: Canvas, centre: tuple[float, float], radius: float, tints: tuple[str, str]
) -> None:
    """A striped hot-air balloon."""
    x, y = paint.across(view)
    aspect = view.shape[1] / view.shape[0]
    across, down = (x - centre[0]) * aspect / radius, (y - centre[1]) / radius
    width = np.where(
        down < 0.1,
        np.sqrt(np.clip(1 - down**2, 0, 1)),
        np.clip(1.02 - 0.28 * down - 0.42 * down**2, 0, 1),
    )
    sail = (np.abs(across) < width) & (down > -1) & (down < 1.15)
    turn = np.arcsin(np.clip(across / np.maximum(width, 1e-3), -1, 1))
    stripes = (np.floor((turn / np.pi + 0.5) * 9) % 2)[..., None]
    shade = (0.68 + 0.42 * np.cos(turn + 0.55))[..., None]
    cloth = (paint.colour(tints[0]) * (1 - stripes) + paint.colour(tints[1]) * stripes) * shade
    paint.blend(view, np.clip(cloth, 0, 1).astype(np.float32), sail.astype(np.float32))
    ropes = (
        (np.abs(np.abs(across) - (0.3 - 0.16 * (down - 1.1) / 0.35)) < 0.012)
        & (down > 1.1)
        & (down < 1.45)
    )
    basket = (np.abs(across) < 0.15) & (down > 1.42) & (down < 1.66)
    paint.blend(view, paint.colour("5f3b22"), (basket | ropes).astype(np.float32))


def sailing_boat(view: Canvas, foot: tuple[float, float], tall: float, tint: str) -> None:
    """The outline of a small sailing boat."""
    rows, columns = view.shape[:2]
    at_x, at_y, unit = foot[0] * columns, foot[1] * rows, tall * rows
    mask, pen = paint.stencil(view)
    hull = [(-0.42, -0.12), (0.46, -0.12), (0.3, 0.03), (-0.32, 0.03)]
    main = [(0.02, -1.0), (0.02, -0.17), (0.42, -0.17)]
    jib = [(-0.03, -0.9), (-0.03, -0.19), (-0.36, -0.19)]
    for outline in (hull, main, jib):
        pen.polygon([(at_x + dx * unit, at_y + dy * unit) for dx, dy in outline], fill=255)
    paint.blend(view, paint.colour(tint), paint.cut(mask))


def lighthouse(view: Canvas, foot: tuple[float, float], tall: float) -> None:
    """A red and white lighthouse with its lamp lit."""
    rows, columns = view.shape[:2]
    at_x, at_y, unit = foot[0] * columns, foot[1] * rows, tall * rows
    for tint, strength, outline in _LIGHTHOUSE:
        mask, pen = paint.stencil(view)
        pen.polygon([(at_x + dx * unit, at_y + dy * unit) for dx, dy in outline], fill=255)
        paint.fog(view, paint.cut(mask), tint, strength)
    paint.glow(view, (foot[0], foot[1] - 0.85 * tall), 0.05, "fff4c0", 0.7)


def _stripe(low: float) -> tuple[tuple[float, float], ...]:
    lower, upper = (0.126 - 0.063 * high for high in (low, low + 0.16))
    return (-lower, -low), (lower, -low), (upper, -low - 0.16), (-upper, -low - 0.16)


# The parts from the ground up: colour, strength, outline around the foot.
_LIGHTHOUSE = (
    ("f7f3ea", 1.0, ((-0.13, 0.03), (0.13, 0.03), (0.08, -0.76), (-0.08, -0.76))),
    ("c8402f", 1.0, _stripe(0.1)),
    ("c8402f", 1.0, _stripe(0.42)),
    ("2f3440", 1.0, ((-0.12, -0.75), (0.12, -0.75), (0.12, -0.79), (-0.12, -0.79))),
    ("ffe9a8", 1.0, ((-0.06, -0.79), (0.06, -0.79), (0.06, -0.9), (-0.06, -0.9))),
    ("c8402f", 1.0, ((-0.085, -0.9), (0.085, -0.9), (0.0, -1.02))),
    # The side that lies in shadow.
    ("20242e", 0.22, ((0.02, 0.03), (0.14, 0.03), (0.085, -0.76), (0.05, -0.76))),
)
