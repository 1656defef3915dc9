"""Ornaments: flat colours and repeated shapes."""

import numpy as np
from PIL import Image, ImageDraw

_SCALE = 3


def waves() -> Image.Image:
    """Overlapping fans, as on Japanese cloth, in blues that wander."""
    rng = np.random.default_rng(102)
    width, height, radius = 960 * _SCALE, 720 * _SCALE, 80 * _SCALE
    sheet = Image.new("RGB", (width, height), "#f4efe2")
    pen = ImageDraw.Draw(sheet)
    palettes = [
        ("#16324f", "#f4efe2"),
        ("#2a628f", "#f4efe2"),
        ("#3e92cc", "#fdf8ec"),
        ("#13a3a0", "#f4efe2"),
        ("#e07a5f", "#fdf3e4"),
        ("#f2cc8f", "#7a4f2a"),
    ]
    weights = [0.26, 0.27, 0.2, 0.13, 0.07, 0.07]
    for row in range(-1, height * 2 // radius + 3):
        for column in range(-1, width // (2 * radius) + 2):
            x = column * 2 * radius + (row % 2) * radius
            y = row * radius // 2 + radius // 2
            dark, light = palettes[rng.choice(len(palettes), p=weights)]
            for ring, share in enumerate((1.0, 0.9, 0.72, 0.64, 0.46, 0.38, 0.2)):
                size = radius * share
                pen.ellipse((x - size, y - size, x + size, y + size), fill=(light, dark)[ring % 2])
    return _smooth(sheet)


def stars() -> Image.Image:
    """Eight-pointed stars and crosses, as on a tiled wall."""
    rng = np.random.default_rng(118)
    width, height, unit = 900 * _SCALE, 900 * _SCALE, 75 * _SCALE
    sheet = Image.new("RGB", (width, height), "#efe3c8")
    pen = ImageDraw.Draw(sheet)
    glazes = ["#0f4c5c", "#1b6f7f", "#2a9d8f", "#b5532b", "#e9a23b", "#7b2d3b"]
    for row in range(-1, height // (2 * unit) + 2):
        for column in range(-1, width // (2 * unit) + 2):
            x, y = column * 2 * unit + unit, row * 2 * unit + unit
            away = np.hypot(x / width - 0.42, y / height - 0.55)
            glaze = glazes[int(np.clip(away * 7 + rng.normal(0, 0.9), 0, 5))]
            _star(pen, (x, y), unit * 0.96, glaze)
            _star(pen, (x, y), unit * 0.66, "#efe3c8")
            _star(pen, (x, y), unit * 0.56, glazes[int(rng.integers(6))])
            pen.ellipse(
                (x - unit * 0.2, y - unit * 0.2, x + unit * 0.2, y + unit * 0.2), fill="#efe3c8"
            )
            _star(pen, (x + unit, y + unit), unit * 0.3, glazes[int(rng.integers(4))])
    return _smooth(sheet)


def quilt() -> Image.Image:
    """Triangles in a patchwork, light on one side and dark on the other."""
    rng = np.random.default_rng(131)
    columns, rows, side = 12, 9, 80 * _SCALE
    sheet = Image.new("RGB", (columns * side, rows * side), "#ffffff")
    pen = ImageDraw.Draw(sheet)
    warm = ["#f9c74f", "#f9844a", "#f3722c", "#f94144", "#f8b195"]
    cold = ["#277da1", "#577590", "#43aa8b", "#355070", "#6d597a"]
    for row in range(rows):
        for column in range(columns):
            x, y = column * side, row * side
            corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
            turn = int(rng.integers(4))
            first = [corners[(turn + step) % 4] for step in range(3)]
            second = [corners[(turn + 2 + step) % 4] for step in range(3)]
            pen.polygon(first, fill=warm[int(rng.integers(5))])
            pen.polygon(second, fill=cold[int(rng.integers(5))])
    return _smooth(sheet)


def ribbons() -> Image.Image:
    """Quarter circles that join into wandering ribbons."""
    rng = np.random.default_rng(149)
    columns, rows, side = 10, 8, 100 * _SCALE
    night = "#1d2438"
    sheet = Image.new("RGB", (columns * side, rows * side), night)
    # Symmetric about the middle of a tile's edge, so that neighbours join whichever way they turn.
    bands = [
        (0.86, "#f4845f"),
        (0.78, night),
        (0.70, "#ffd166"),
        (0.58, night),
        (0.55, "#8ecae6"),
        (0.45, night),
        (0.42, "#ffd166"),
        (0.30, night),
        (0.22, "#f4845f"),
        (0.14, night),
    ]
    for row in range(rows):
        for column in range(columns):
            tile = Image.new("RGB", (side, side), night)
            corners = [(0, 0), (side, side)] if rng.random() < 0.5 else [(side, 0), (0, side)]
            for x, y in corners:
                ring = Image.new("L", (side, side), 0)
                near = (x - side * 0.86, y - side * 0.86, x + side * 0.86, y + side * 0.86)
                ImageDraw.Draw(ring).ellipse(near, fill=255)
                quarter = Image.new("RGB", (side, side), night)
                brush = ImageDraw.Draw(quarter)
                for share, fill in bands:
                    size = side * share
                    brush.ellipse((x - size, y - size, x + size, y + size), fill=fill)
                tile.paste(quarter, (0, 0), ring)
            sheet.paste(tile, (column * side, row * side))
    return _smooth(sheet)


def _star(pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, fill: str) -> None:
    turns = np.arange(16) * np.pi / 8
    reach = np.where(np.arange(16) % 2 == 0, radius, radius * 0.765)
    points = zip(centre[0] + reach * np.cos(turns), centre[1] + reach * np.sin(turns), strict=True)
    pen.polygon([(float(x), float(y)) for x, y in points], fill=fill)


def _smooth(sheet: Image.Image) -> Image.Image:
    size = (sheet.width // _SCALE, sheet.height // _SCALE)
    return sheet.resize(size, Image.Resampling.BOX)
