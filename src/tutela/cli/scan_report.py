"""What a scan shows while it runs: a line for each find, how far it is, and a summary."""

import sys
import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tutela.cases.model import Match
from tutela.cli.output import print_json, print_line, to_people
from tutela.screening.checkpoint import Scan
from tutela.screening.model import Screened, Verdict
from tutela.screening.scanning import Scanned
from tutela.storage.settings import OnUnreadable

_BECAME = {
    OnUnreadable.REFUSE: "",
    OnUnreadable.PASS: " (let pass)",
    OnUnreadable.QUEUE: " (for a person)",
}
# What a file costs beside its bytes, so that the time left is right for small files too.
_FILE_COST = 100_000


class ScanReport:
    """Tells of a scan while it runs. A context: on leaving it, sums up.

    Attributes:
        verdicts: How many files of the whole scan were given each verdict, also before it was
            interrupted.
        passed: How many of the unreadable ones the policy lets pass.
    """

    def __init__(self, scan: Scan, *, json: bool, every: bool) -> None:
        self.verdicts = Counter(scan.verdicts)
        self.passed = scan.passed
        self._scan = scan
        self._json = json
        self._every = every
        self._begin = time.monotonic()
        self._bytes = scan.size_done
        self._files_before = self._files
        self._progress = Progress(
            TextColumn("{task.fields[files]:,} of {task.fields[total_files]:,} files"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[rate]:,.0f}/s  {task.fields[size]}"),
            TextColumn("[red]{task.fields[matches]} matches"),
            TextColumn("[yellow]{task.fields[errors]} errors"),
            TimeRemainingColumn(compact=True),
            console=to_people,
            transient=True,
            disable=not to_people.is_terminal,
            redirect_stdout=False,
        )
        self._task = self._progress.add_task(
            "",
            total=self._cost(scan.files, scan.size),
            # What was done before is not to be taken for speed.
            completed=self._cost(self._files, self._bytes),
        )

    def __enter__(self) -> Self:
        self._update()
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()
        seconds = time.monotonic() - self._begin
        resumed = " since it was resumed" if self._files_before else ""
        to_people.print(
            f"{self._files:,} {'file' if self._files == 1 else 'files'}, "
            f"{decimal(self._bytes)} in {seconds:,.1f} s{resumed}: "
            f"{self.verdicts[Verdict.MATCH]:,} matched, "
            f"{self.verdicts[Verdict.UNREADABLE]:,} unreadable, "
            f"{self.verdicts[Verdict.CLEAR]:,} clear."
        )
        if self.verdicts[Verdict.MATCH]:
            to_people.print("See what was found: tutela case ls")

    def tell(self, scanned: Scanned) -> None:
        """Tell of one file."""
        self.verdicts[scanned.screened.verdict] += 1
        self.passed += scanned.screened.is_let_pass
        self._bytes += scanned.file.size
        if self._json:
            print_json(_fields(scanned))
        elif self._every or scanned.screened.verdict is not Verdict.CLEAR or scanned.screened.case:
            self._print(_line(scanned))
        self._update()

    @property
    def _files(self) -> int:
        return self.verdicts.total()

    @staticmethod
    def _cost(files: int, size: int) -> int:
        return files * _FILE_COST + size

    def _update(self) -> None:
        self._progress.update(
            self._task,
            completed=self._cost(self._files, self._bytes),
            files=self._files,
            total_files=self._scan.files,
            rate=(self._files - self._files_before) / max(time.monotonic() - self._begin, 0.001),
            size=decimal(self._bytes),
            matches=self.verdicts[Verdict.MATCH],
            errors=self.verdicts[Verdict.UNREADABLE],
        )

    def _print(self, line: str) -> None:
        # On one terminal the line has to go above the progress display, not into it.
        if to_people.is_terminal and sys.stdout.isatty():
            shown = line.encode("utf-8", "backslashreplace").decode("utf-8")
            self._progress.console.print(shown, markup=False, soft_wrap=True)
        else:
            print_line(line)


def _line(scanned: Scanned) -> str:
    screened = scanned.screened
    path = scanned.file.path
    if screened.verdict is Verdict.UNREADABLE:
        became = _BECAME[screened.answer] if screened.answer else ""
        return f"{path}: unreadable{became}: {screened.reason}{_found(screened)}"
    return f"{path}: {screened.verdict}{_found(screened)}"


def _found(screened: Screened) -> str:
    if not screened.matches:
        return f" case {screened.case}" if screened.case else ""
    matches = ", ".join(
        f"{match.list_name} by {match.kind}"
        + (f" at distance {match.distance}" if match.distance else "")
        + (f" in {match.place}" if match.place else "")
        + _shares(match)
        for match in screened.matches
    )
    cut_short = f", not looked at {screened.cut_short}" if screened.cut_short else ""
    return f" ({matches}{cut_short})" + (f" case {screened.case}" if screened.case else "")


def _shares(match: Match) -> str:
    if match.query_percent is None:
        return ""
    return f" ({match.query_percent} % of it, {match.compared_percent} % of the listed video)"


def _fields(scanned: Scanned) -> dict[str, object]:
    screened = scanned.screened
    fields: dict[str, object] = {"path": scanned.file.path, "verdict": screened.verdict}
    if screened.case:
        fields["case"] = screened.case
    if screened.matches:
        fields["matches"] = [match.as_fields() for match in screened.matches]
        if screened.cut_short:
            fields["cut_short"] = screened.cut_short
    if screened.verdict is Verdict.UNREADABLE:
        fields["reason"] = screened.reason
        if screened.failure and screened.answer:
            fields |= {"unreadable": screened.failure.cause, "action": screened.answer}
    return fields
