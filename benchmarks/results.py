"""What a part of the benchmark found, and the files that keep it until it is measured again."""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.machine import Machine

FOLDER = Path(__file__).with_name("results")
"""One JSON file for each part, as it was last measured in full."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that was asked of Tutela, beside what it reached.

    Attributes:
        what: What was measured.
        ours: Tutela's figure, with its unit, as it is shown.
        peer: The figure it is held against, likewise; empty where there is none.
        reached: The ratio to the peer, or the figure itself.
        asked: What it should have been.
        unit: What both are counted in, such as ``x`` or ``s``.
        at_most: Whether less is better.
    """

    what: str
    ours: str
    peer: str
    reached: float
    asked: float
    unit: str = "x"
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is as good as asked."""
        return self.reached <= self.asked if self.at_most else self.reached >= self.asked


@dataclass(frozen=True, slots=True)
class Table:
    """Figures that belong together.

    Attributes:
        caption: What they are, with their unit.
        columns: The columns' names; the first is that of the contenders.
        rows: A contender's name and its figures; ``None`` where there is none.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | None]]


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a plot.

    Attributes:
        name: What it is called there, in one line or more.
        points: Pairs of x and y.
        reference: Whether it is no contender, but there to hold the others against.
    """

    name: str
    points: Sequence[tuple[float, float]]
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a part found.

    Attributes:
        goals: What was asked.
        tables: The figures behind it.
        notes: What one has to know to read them, a sentence or a few each.
        plots: The lines of each plot it gives, by the plot's name.
    """

    goals: Sequence[Goal] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    plots: Mapping[str, Sequence[Curve]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """Findings, and where they come from.

    Attributes:
        part: The part's name.
        scale: ``quick``, ``full`` or ``large``.
        measured: The day.
        seconds: How long it took.
        others: What share of the cores' time other programs took meanwhile.
        machine: What it ran on.
        findings: What it found.
    """

    part: str
    scale: str
    measured: str
    seconds: float
    others: float
    machine: Machine
    findings: Findings


def today() -> str:
    """The day, as a record has it."""
    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()


def write_record(kept: Record, path: Path) -> None:
    """Write a record as JSON."""
    text = json.dumps(asdict(kept), indent=1, ensure_ascii=False, default=float)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def read_record(path: Path) -> Record | None:
    """A record as it was written; ``None`` if this part was never measured."""
    if not path.exists():
        return None
    fields = json.loads(path.read_text(encoding="utf-8"))
    found = fields["findings"]
    findings = Findings(
        goals=[Goal(**goal) for goal in found["goals"]],
        tables=[Table(**table) for table in found["tables"]],
        notes=found["notes"],
        plots={name: [Curve(**line) for line in lines] for name, lines in found["plots"].items()},
    )
    return Record(**{**fields, "machine": Machine(**fields["machine"]), "findings": findings})
