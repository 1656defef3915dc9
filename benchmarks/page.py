"""The tables, on the terminal and on the page that keeps them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.parts import PARTS
from benchmarks.results import Goal, Record, Table

PAGE = Path(__file__).with_name("RESULTS.md")

_PAGE = """\
# Results

Written by `make bench`, which measures anew and writes this page over; on another machine trust the
ratios more than the numbers. `make bench BENCH="--only NAME"` measures one part and leaves the
others as they were.

COLD is what a server sees that does other work between two calls: everything that all contenders
are asked is put in one random order, so that each call finds in the caches what the others left
there. (For the uneven list, where only we are measured, and for the plot over picture sizes, where
all read the same picture, 64 MiB of other memory are written before each call.) HOT is one
contender alone in a tight loop, which flatters. One thread, unless said otherwise; two cores.
Photographs are harmless ones, never enlarged; hashes are synthetic.

Layouts and parameters were chosen on other data than this: Tutela's on random lists of another
seed, from six ways to read ahead and four sizes of buckets
([0018](../docs/decisions/0018-exact-probing-with-sixteen-tables.md)). Of faiss's multi-hash and of
usearch one each was tried: the first set up as Meta does it (16 x 16 bits, 1 flip), the other as it
comes.

## What was asked, and what was reached

{goals}

{plots}
"""

_PLOTS = {
    "lookups": "Time of one look-up against the length of the list",
    "hashing": "Pictures a second against their size",
}


def write_page(records: Mapping[str, Record]) -> None:
    """Write the results page from the parts' records.

    Args:
        records: Those that there are, by part.
    """
    plots = "\n\n".join(
        f"![{title}](results/{name}.svg)"
        for name, title in _PLOTS.items()
        if any(name in each.findings.plots for each in records.values())
    )
    goals = goals_table([goal for each in records.values() for goal in each.findings.goals])
    page = _PAGE.format(goals=goals, plots=plots)
    page += "".join(f"\n{part_text(each)}\n" for each in records.values())
    PAGE.write_text(page, encoding="utf-8")


def goals_table(goals: Sequence[Goal]) -> str:
    """Every goal, in one table."""
    rows = [
        f"| {goal.what} | {goal.ours} | {goal.peer or '-'} | {_figure(goal.reached)} {goal.unit} "
        f"| {'at most ' if goal.at_most else ''}{goal.asked:g} {goal.unit} "
        f"| {'yes' if goal.met else '**no**'} |"
        for goal in goals
    ]
    return "\n".join(
        ["| | Tutela | peer | reached | asked | met |", "|---|--:|--:|--:|--:|---|", *rows]
    )


def part_text(kept: Record) -> str:
    """One part's tables and notes, and where they were measured."""
    blocks = [f"## {PARTS[kept.part].title}"]
    blocks += [_table(table) for table in kept.findings.tables]
    blocks += kept.findings.notes
    scale = "" if kept.scale == "full" else f" (`--{kept.scale}`)"
    blocks.append(
        f"*Measured on {kept.measured} in {kept.seconds:.0f} s{scale}; other programs took "
        f"{kept.others:.0%} of the cores' time. {kept.machine.sentence}.*"
    )
    return "\n\n".join(blocks)


def _table(table: Table) -> str:
    head = "| " + " | ".join(table.columns) + " |"
    line = "|---|" + "--:|" * (len(table.columns) - 1)
    rows = ["| " + " | ".join(map(_cell, row)) + " |" for row in table.rows]
    return "\n".join([f"{table.caption}:", "", head, line, *rows])


def _cell(value: str | float | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else _figure(value)


def _figure(value: float) -> str:
    """Three digits that count."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"
