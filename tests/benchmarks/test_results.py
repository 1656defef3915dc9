"""What was measured is kept, and told as it was."""

from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.page import goals_table
from benchmarks.results import Curve, Findings, Goal, Record, Table, read_record, write_record

_MACHINE = Machine("a processor", 2, 24.0, "Linux", "avx2", {"tutela": "0.1.0"})
_FINDINGS = Findings(
    goals=[Goal("a look-up", "1 ms", "40 ms", 40.0, 35.0)],
    tables=[Table("Look-ups", ["", "n", "p50"], [["Tutela", 3, 1.0], ["peer", 3, None]])],
    notes=["A note."],
    plots={"lookups": [Curve("Tutela", [[10.0, 1.0]])]},
)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    kept = Record("lookups", "full", "2026-01-01", 1.5, 0.0, _MACHINE, _FINDINGS)
    write_record(kept, tmp_path / "new" / "lookups.json")
    assert read_record(tmp_path / "new" / "lookups.json") == kept


def test_a_part_that_was_never_measured_has_no_record(tmp_path: Path) -> None:
    assert read_record(tmp_path / "lookups.json") is None


def test_a_goal_that_was_missed_is_told_as_plainly_as_one_that_was_met() -> None:
    rows = goals_table(
        [
            Goal("more is better", "1 ms", "40 ms", 40.0, 35.0),
            Goal("more is better, too little", "1 ms", "30 ms", 30.0, 35.0),
            Goal("less is better", "2 s", "", 2.0, 15.0, "s", at_most=True),
            Goal("less is better, too much", "20 s", "", 20.0, 15.0, "s", at_most=True),
        ]
    ).splitlines()[2:]
    assert [row.split("|")[-2].strip() for row in rows] == ["yes", "**no**", "yes", "**no**"]
