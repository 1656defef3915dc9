"""Mountains, seas, deserts and winters."""

import numpy as np
from PIL import Image

from samples.drawing import canvas as paint
from samples.drawing import scenery


def mountains_at_dawn() -> Image.Image:
    """Blue ranges one behind the other, the sun just over the farthest."""
    rng = np.random.default_rng(11)
    view = paint.sky(
        1200,
        800,
        [(0, "2b3a67"), (0.25, "6a6fa3"), (0.42, "e8a598"), (0.56, "ffd9a0"), (1, "fff1d0")],
    )
    columns = view.shape[1]
    paint.fog(view, scenery.streaks(rng, view, 0.28) * paint.band(view, 0.26, 0.13), "ffd0b8", 0.75)
    paint.glow(view, (0.66, 0.38), 0.4, "ffc070", 0.75)
    paint.disc(view, (0.66, 0.37), 0.052, "fff6dc")
    paint.glow(view, (0.66, 0.37), 0.1, "fff0c8", 0.6)
    ranges = [
        (0.40, 0.17, "b993ae", "f2c6ae"),
        (0.47, 0.20, "8d7ba6", "d3a6ae"),
        (0.55, 0.20, "64618f", "a58dae"),
        (0.64, 0.20, "434a78", "77739d"),
        (0.73, 0.20, "293459", "4d5482"),
        (0.85, 0.16, "141c36", "232d52"),
    ]
    for nearness, (base, rise, near, far) in enumerate(ranges):
        line = paint.ridge(rng, columns, 2.2 + nearness * 0.5, 0.52)
        top = base + rise * (0.5 - line)
        cover = paint.land(view, top, [(0, near), (1, far)], 0.22)
        if nearness < 5:
            mist = paint.band(view, base + rise * 0.75, 0.05) * cover
            paint.fog(view, mist * scenery.streaks(rng, view, 0.1), "ffdcc0", 0.5 - nearness * 0.06)
        else:
            scenery.pines(view, top, rng, 260, sizes=(0.02, 0.07), tint="0b1226")
    return paint.finish(view, 0.004)


def pine_valley() -> Image.Image:
    """Wooded slopes that fade into the morning mist."""
    rng = np.random.default_rng(23)
    view = paint.sky(1000, 750, [(0, "a9c4cc"), (0.3, "d3e0dd"), (0.6, "eef1e6"), (1, "f6f3e4")])
    x, _ = paint.across(view)
    paint.glow(view, (0.3, 0.16), 0.45, "fffbe8", 0.8)
    slopes = [
        (0.28, 0.26, "a9c2be", 0.035, 170),
        (0.40, 0.30, "7fa39d", 0.05, 150),
        (0.54, 0.30, "547f78", 0.075, 120),
        (0.69, 0.26, "315b55", 0.11, 90),
        (0.86, 0.20, "173a37", 0.17, 64),
    ]
    for index, (base, rise, tint, tallest, count) in enumerate(slopes):
        line = paint.swell(rng, view.shape[1], 0.6 + 0.22 * index, 4)
        lean = (x[0] - 0.5) * (0.24 if index % 2 else -0.24)
        top = (base + rise * (0.5 - line) + lean).astype(np.float32)
        paint.land(view, top, [(0, tint), (1, tint)])
        scenery.pines(view, top + 0.004, rng, count, sizes=(tallest * 0.5, tallest), tint=tint)
        mist = paint.band(view, base + rise * 0.62, 0.085)
        paint.fog(
            view,
            mist * (0.45 + 0.55 * scenery.streaks(rng, view, 0.2)),
            "f3f3e8",
            0.92 - 0.14 * index,
        )
    return paint.finish(view, 0.004)


def sea_at_sunset() -> Image.Image:
    """The sun goes down behind small clouds, and its road lies on the water."""
    rng = np.random.default_rng(31)
    view = paint.sky(
        1200,
        800,
        [(0, "31305f"), (0.2, "7d4b7f"), (0.38, "d96f6a"), (0.52, "ffb15e"), (0.58, "ffe09a")],
    )
    x, y = paint.across(view)
    shape = view.shape[:2]
    horizon = 0.58
    paint.glow(view, (0.4, 0.54), 0.5, "ffb060", 0.7)
    paint.disc(view, (0.4, 0.515), 0.075, "fff3c4")
    clouds = paint.noise(rng, shape, (9, 3), 6)
    deck = np.clip((clouds - 0.53) * 4, 0, 1) * np.clip((horizon - 0.03 - y) * 9, 0, 1)
    lit = paint.gradient(
        np.clip(y / horizon, 0, 1) * np.ones(shape, np.float32),
        [(0, "4a3767"), (0.55, "a8506f"), (1, "ff9d6b")],
    )
    paint.blend(view, lit, deck * 0.85)
    sea = paint.gradient(
        np.clip((y - horizon) / (1 - horizon), 0, 1) * np.ones(shape, np.float32),
        [(0, "e79a72"), (0.12, "a9617a"), (0.45, "4f3a68"), (1, "1b1a3d")],
    )
    below = np.clip((y - horizon) / (1 - horizon), 1e-4, 1)
    waves = scenery.waves(rng, view, horizon)
    road = np.exp(-(((x - 0.4) / (0.03 + 0.13 * below)) ** 2))
    paint.fog(sea, np.clip((waves - 0.52) * 5, 0, 1) * road, "fff0b8", 0.95)
    paint.fog(sea, np.clip((waves - 0.62) * 4, 0, 1) * (1 - road), "ffb98a", 0.35)
    paint.fog(sea, np.clip((0.42 - waves) * 4, 0, 1) * below, "14143a", 0.55)
    paint.blend(view, sea, (y > horizon) * np.ones(shape, np.float32))
    scenery.sailing_boat(view, (0.73, horizon + 0.045), 0.105, "241c3d")
    return paint.finish(view, 0.004)


def dunes() -> Image.Image:
    """Dunes in the evening light, one side bright and one in shadow."""
    rng = np.random.default_rng(45)
    view = paint.sky(1100, 733, [(0, "3f7f9f"), (0.3, "8fc0c4"), (0.5, "f3dfb6"), (1, "f7e3bd")])
    x, y = paint.across(view)
    paint.glow(view, (0.1, 0.33), 0.5, "fff2c8", 0.8)
    paint.disc(view, (0.1, 0.33), 0.04, "fffbe6")
    # Where the peak is, how wide the dune, how its crest runs to the front, and its colours.
    crests = [
        ((0.86, 0.44), 0.42, 0.2, ("ecc894", "d9ad78"), "b98a6a"),
        ((0.26, 0.45), 0.36, 0.2, ("efc688", "dca968"), "b07c5d"),
        ((0.58, 0.47), 0.40, -0.5, ("f2c27a", "dd9f58"), "a0684d"),
        ((0.93, 0.60), 0.45, -0.9, ("f0b468", "d98f4d"), "8a5140"),
        ((0.20, 0.62), 0.62, 0.42, ("efac5c", "cd7f40"), "753f36"),
    ]
    for (peak, height), wide, bend, (light, warm), shadow in crests:
        away = (x[0] - peak) / wide
        fall = np.where(away < 0, 1 - np.exp(away * 1.5), 1 - np.exp(-away * 2.4))
        top = height + 0.34 * fall + 0.008 * paint.swell(rng, view.shape[1], 3)
        cover = paint.land(view, top.astype(np.float32), [(0, light), (1, warm)], 0.34)
        down = np.clip(y - height, 0, 1)
        crest = peak + bend * down * (1 - 0.7 * down) + 0.09 * np.sin(down * 15) * down
        lee = np.clip((x - crest) * 240, 0, 1) * np.exp(-(((x - crest) / (0.1 + 0.5 * down)) ** 2))
        paint.fog(view, cover * scenery.ripples(rng, view) * (1 - lee), "fff0c4", 0.26)
        paint.fog(view, cover * lee, shadow, 0.92)
    paint.fog(view, paint.band(view, 0.52, 0.05), "ffe9c0", 0.25)
    return paint.finish(view, 0.004)


def lake_at_night() -> Image.Image:
    """Northern lights over a lake that doubles them."""
    rng = np.random.default_rng(52)
    view = paint.sky(1200, 800, [(0, "050a1f"), (0.4, "0c2242"), (0.62, "1d4a5e"), (1, "1d4a5e")])
    shore = 0.6
    x, y = paint.across(view)
    for reach, tint, low, phase in [
        (0.34, "3fe0a0", 0.44, 0.4),
        (0.3, "49d6c0", 0.36, 2.1),
        (0.22, "8f7be0", 0.27, 4.0),
    ]:
        foot = low + 0.06 * np.sin(x * 7 + phase) + 0.03 * np.sin(x * 17 + 2 * phase)
        rays = paint.noise(rng, (1, view.shape[1]), (1, 26), 4)
        above = np.clip((foot - y) / reach, 0, 1)
        curtain = np.where(y < foot, (1 - above) ** 2, np.exp(-(((y - foot) / 0.02) ** 2)))
        paint.fog(
            view, curtain * (0.25 + 0.75 * rays) * np.exp(-(((x - 0.52) / 0.42) ** 4)), tint, 0.62
        )
    scenery.stars(view, rng, 900, shore)
    columns = view.shape[1]
    for base, rise, tint in [(0.54, 0.2, "12304a"), (0.585, 0.1, "0a1e33")]:
        top = base + rise * (0.5 - paint.ridge(rng, columns, 2.6, 0.5))
        paint.land(view, np.minimum(top, shore).astype(np.float32), [(0, tint), (1, tint)])
    scenery.pines(
        view,
        np.full(columns, shore + 0.003, np.float32),
        rng,
        220,
        sizes=(0.012, 0.055),
        tint="050f1f",
    )
    water = int(shore * view.shape[0])
    depth = view.shape[0] - water
    mirror = view[water - depth : water][::-1] if depth <= water else view[:water][::-1]
    sway = ((paint.noise(rng, (len(mirror), 1), (60, 1), 3) - 0.5) * 40).astype(int)
    for row in range(len(mirror)):
        grow = 0.3 + row / len(mirror)
        view[water + row] = np.roll(mirror[row], int(sway[row, 0] * grow), axis=0) * (
            0.8 - 0.3 * row / depth
        )
    paint.fog(view, paint.band(view, shore + 0.004, 0.008), "7fd8c8", 0.35)
    return paint.finish(view, 0.003)


def winter_wood() -> Image.Image:
    """Birches in the snow on a grey-blue afternoon."""
    rng = np.random.default_rng(61)
    view = paint.sky(800, 1000, [(0, "a7bacb"), (0.45, "d6dfe6"), (0.75, "f0e6df"), (1, "ffffff")])
    columns = view.shape[1]
    paint.glow(view, (0.72, 0.5), 0.35, "ffdcb8", 0.8)
    back = 0.66 - 0.07 * paint.ridge(rng, columns, 9, 0.75)
    paint.land(view, back, [(0, "b4c3cf"), (1, "d5dee5")])
    scenery.pines(view, back + 0.02, rng, 120, sizes=(0.05, 0.15), tint="a5b7c4")
    for base, rise, light, shade in [
        (0.70, 0.06, "f4f1f0", "cfdbe6"),
        (0.79, 0.06, "fbf8f5", "c2d2e2"),
        (0.91, 0.08, "ffffff", "b7cadd"),
    ]:
        top = base + rise * (0.5 - paint.swell(rng, columns, 0.8))
        paint.land(view, top.astype(np.float32), [(0, light), (1, shade)], 0.14)
        scenery.birches(view, rng, base, max(3, int(9 - (base - 0.7) * 30)), (base - 0.6) * 0.062)
    mask, pen = paint.stencil(view)
    for _ in range(380):
        at_x, at_y, size = rng.random() * columns, rng.random() * view.shape[0], rng.uniform(1.5, 5)
        pen.ellipse(
            (at_x - size, at_y - size, at_x + size, at_y + size), fill=int(rng.uniform(120, 230))
        )
    paint.blend(view, paint.colour("ffffff"), paint.cut(mask))
    return paint.finish(view, 0.004)


def canyon() -> Image.Image:
    """Table mountains with layers of red stone at noon."""
    rng = np.random.default_rng(76)
    view = paint.sky(1200, 675, [(0, "2f86c4"), (0.4, "8cc6e6"), (0.62, "e4eee6"), (1, "f0dcc0")])
    shape = view.shape[:2]
    x, y = paint.across(view)
    clouds = np.clip((paint.noise(rng, shape, (5, 4), 6) - 0.55) * 4, 0, 1)
    paint.fog(view, clouds * np.clip((0.5 - y) * 4, 0, 1), "ffffff", 0.9)
    strata = paint.noise(rng, (shape[0], 1), (26, 1), 3)
    for base, mesas, tint, haze in [
        (0.6, [(0.08, 0.14, 0.2), (0.93, 0.12, 0.16)], ("c99484", "a56e68"), 0.42),
        (0.7, [(0.7, 0.13, 0.38), (0.26, 0.045, 0.3)], ("cf6f45", "8f3f33"), 0.14),
        (0.8, [(0.42, 0.075, 0.44), (1.0, 0.1, 0.33), (0.02, 0.1, 0.5)], ("d2622f", "7c2c24"), 0.0),
    ]:
        top = np.full(shape[1], base, np.float32)
        wear = paint.ridge(rng, shape[1], 30, 0.7) * 0.02
        for centre, half, tall in mesas:
            away = np.abs(x[0] - centre) + wear
            wall = np.clip((half - away) / 0.016, 0, 1) * tall * 0.72
            skirt = np.clip(1 - (away - half) / 0.11, 0, 1) ** 1.6 * tall * 0.28
            top = np.minimum(top, base - wall - skirt)
        shadow = paint.noise(rng, shape, (3, 50), 3)
        cover = paint.land(view, top, [(0, tint[0]), (1, tint[0])])
        paint.fog(view, cover * np.clip(strata * 1.6 - 0.4, 0, 1), tint[1], 0.75)
        paint.fog(view, cover * np.clip(shadow * 2 - 0.9, 0, 1), "3d1520", 0.45)
        paint.fog(view, cover, "dfe3dc", haze)
    ground = paint.swell(rng, shape[1], 1.2) * 0.03
    cover = paint.land(view, 0.8 - ground, [(0, "d98a55"), (0.3, "c8703f"), (1, "8d4328")], 0.2)
    scrub = (paint.noise(rng, shape, (60, 90), 2) > 0.66) * np.clip((y - 0.8) * 6, 0, 1)
    paint.fog(view, cover * scrub, "55612f", 0.8)
    return paint.finish(view, 0.004)


def balloons() -> Image.Image:
    """Seven balloons over green hills."""
    rng = np.random.default_rng(87)
    view = paint.sky(1000, 800, [(0, "4f9bd0"), (0.45, "b4dcea"), (0.75, "fdf0d2"), (1, "fdf0d2")])
    shape = view.shape[:2]
    _, y = paint.across(view)
    clouds = np.clip((paint.noise(rng, shape, (4, 3), 6) - 0.5) * 3, 0, 1)
    paint.fog(view, clouds * np.clip((0.68 - y) * 3, 0, 1), "ffffff", 0.85)
    for base, rise, light, shade in [
        (0.70, 0.10, "a9cfb2", "8cb89a"),
        (0.77, 0.13, "8fc07e", "5e9a5c"),
        (0.89, 0.14, "78ad4e", "3b7038"),
    ]:
        top = base + rise * (0.5 - paint.swell(rng, shape[1], 1.1))
        cover = paint.land(view, top.astype(np.float32), [(0, light), (1, shade)], 0.2)
        fields = np.clip((paint.noise(rng, shape, (50, 5), 2) - 0.45) * 3, 0, 1)
        paint.fog(view, cover * fields, "e9dc82", 0.28)
        scenery.round_trees(
            view, top, rng, "2f5f3c" if base > 0.8 else "4f8560", 0.014 + (base - 0.7) * 0.1
        )
    sails = [
        (0.24, 0.3, 0.15, ("d8433b", "fff3dc")),
        (0.62, 0.2, 0.1, ("f0a92e", "7b3f8f")),
        (0.82, 0.42, 0.12, ("2f6db3", "f7d154")),
        (0.46, 0.53, 0.07, ("e8743b", "ffe9c2")),
        (0.68, 0.58, 0.05, ("c23b6b", "f7e0e6")),
        (0.09, 0.56, 0.05, ("3d8f6e", "f2f0d8")),
        (0.41, 0.13, 0.05, ("5b4fa3", "f2d9f0")),
    ]
    for centre_x, centre_y, radius, tints in sails:
        scenery.balloon(view, (centre_x, centre_y), radius, tints)
    return paint.finish(view, 0.004)


def island() -> Image.Image:
    """A lighthouse on its rock in a bright bay."""
    rng = np.random.default_rng(93)
    view = paint.sky(1000, 700, [(0, "3a94cf"), (0.35, "9ed4ea"), (0.52, "eaf6f2"), (1, "eaf6f2")])
    shape = view.shape[:2]
    x, y = paint.across(view)
    horizon = 0.52
    clouds = np.clip((paint.noise(rng, shape, (3, 2.4), 7) - 0.52) * 3.4, 0, 1)
    paint.fog(view, clouds * np.clip((horizon - y) * 6, 0, 1), "ffffff", 0.95)
    coast = horizon - 0.05 * np.clip(paint.ridge(rng, shape[1], 3, 0.5) - 0.45, 0, 1)
    paint.land(view, coast.astype(np.float32), [(0, "8fb4c0"), (1, "8fb4c0")])
    below = np.clip((y - horizon) / (1 - horizon), 0, 1)
    sea = paint.gradient(
        below * np.ones(shape, np.float32),
        [(0, "2e8fb5"), (0.3, "1f9fb0"), (0.65, "3fc0b4"), (0.85, "9fe0c8"), (1, "f2e6c0")],
    )
    waves = scenery.waves(rng, view, horizon)
    paint.fog(sea, np.clip((waves - 0.6) * 5, 0, 1) * (1 - 0.5 * below), "ffffff", 0.5)
    paint.fog(sea, np.clip((0.4 - waves) * 4, 0, 1) * (1 - below), "0d5f8a", 0.6)
    paint.blend(view, sea, (y > horizon) * np.ones(shape, np.float32))
    rock = (
        0.70
        - 0.2 * np.exp(-(((x[0] - 0.72) / 0.15) ** 2))
        - 0.035 * paint.ridge(rng, shape[1], 14, 0.6)
    )
    cover = (y > rock[None, :]) & (y < 0.655 + 0.012 * waves) & (np.abs(x - 0.72) < 0.23)
    stone = paint.gradient(
        paint.noise(rng, shape, (16, 22), 5), [(0, "3c3a42"), (0.5, "6f675f"), (1, "b3a48c")]
    )
    paint.blend(view, stone, cover.astype(np.float32))
    grass = cover & (y < rock[None, :] + 0.03 + 0.02 * waves) & (rock[None, :] < 0.56)
    paint.fog(view, grass.astype(np.float32), "5f8f45", 0.85)
    paint.fog(
        view, paint.band(view, 0.66, 0.008) * (np.abs(x - 0.72) < 0.22) * waves, "ffffff", 0.9
    )
    scenery.lighthouse(view, (0.72, 0.51), 0.34)
    return paint.finish(view, 0.004)
