"""The two plots, as SVG."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.results import Curve, Record

# An opaque light ground, so that the lines can be told apart on dark pages too.
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    # The same lines give the same file.
    "svg.hashsalt": "tutela",
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8f98",
    "axes.labelcolor": "#30343b",
    "text.color": "#30343b",
    "xtick.color": "#565b63",
    "ytick.color": "#565b63",
}
_COLOURS = ("#0b6e4f", "#c2410c", "#1d4ed8", "#86198f")
_REFERENCE = "#6b7280"
_SIZE = (8.4, 4.9)
# Of the height of the axes: less, and labels run into each other.
_LABEL_GAP = 0.062


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands around the lines of a plot."""

    title: str
    across: str
    up: str


_FRAMES = {
    "lookups": _Frame(
        "One look-up within distance 31, COLD median", "hashes on the list", "milliseconds"
    ),
    "hashing": _Frame(
        "PDQ of an RGB picture, one thread, COLD median",
        "pixels of the picture",
        "pictures a second",
    ),
}


def draw_plots(records: Iterable[Record], folder: Path) -> None:
    """Draw every plot that there are lines for."""
    for each in records:
        for name, curves in each.findings.plots.items():
            with mpl.rc_context(_STYLE):
                _draw(_FRAMES[name], [curve for curve in curves if curve.points]).savefig(
                    folder / f"{name}.svg", metadata={"Date": None}
                )


def _draw(frame: _Frame, curves: Sequence[Curve]) -> Figure:
    figure = Figure(figsize=_SIZE)
    axes = figure.add_axes((0.112, 0.125, 0.62, 0.78))
    axes.set_title(frame.title, loc="left", fontsize=12.5, fontweight="bold", pad=12)
    axes.set_xlabel(frame.across)
    axes.set_ylabel(frame.up)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.grid(visible=True, which="major", color="#e3e5e8", linewidth=0.8)
    axes.set_axisbelow(True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))
        axis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=2, color="#c3c7cd")
    colours = iter(_COLOURS)
    coloured = []
    for number, curve in enumerate(curves):
        colour = _REFERENCE if curve.reference else next(colours)
        coloured.append((curve, colour))
        axes.plot(
            *zip(*curve.points, strict=True),
            color=colour,
            linewidth=2.6 if number == 0 else 1.8,
            linestyle=(0, (4, 3)) if curve.reference else "-",
            marker=None if curve.reference else "o",
            markersize=4.5,
        )
    _label(axes, coloured)
    return figure


def _label(axes: Axes, curves: Sequence[tuple[Curve, str]]) -> None:
    """Write each line's name beside its end, with room between the names."""
    low, high = (math.log10(limit) for limit in axes.get_ylim())
    heights = [(math.log10(curve.points[-1][1]) - low) / (high - low) for curve, _ in curves]
    order = sorted(range(len(curves)), key=heights.__getitem__)
    lines = [curves[index][0].name.count("\n") + 1 for index in order]
    gaps = [_LABEL_GAP * (below + above) / 2 for below, above in pairwise(lines)]
    placed: list[float] = []
    for index, gap in zip(order, (0.0, *gaps), strict=True):
        placed.append(max(heights[index], placed[-1] + gap) if placed else heights[index])
    # Pushed over the top, they all move down as far as is needed.
    limit = 1.0
    for place, gap in reversed(list(enumerate((*gaps, 0.0)))):
        limit -= gap
        placed[place] = limit = min(placed[place], limit)
    for index, height in zip(order, placed, strict=True):
        curve, colour = curves[index]
        axes.annotate(
            curve.name,
            xy=curve.points[-1],
            xytext=(1.03, height),
            textcoords="axes fraction",
            color=colour,
            va="center",
            fontweight="bold" if index == 0 else "normal",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.5},
        )


def _number(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g} million"
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
