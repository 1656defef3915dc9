"""Whatever is done in whatever order, each report is where a far simpler model has it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.conftest import TurnedClock
from tutela.testing.authority.forms import Arrived
from tutela.testing.authority.model import Code, Refused
from tutela.testing.authority.registry import Registry

REPORTS = st.integers(0, 5)
FILE = Arrived("lake.jpg", 6, "0" * 32, "0" * 64)


@dataclass
class Known:
    number: int
    hours_open: float = 0
    hours_still: float = 0
    end: Code | None = None
    files: int = 0

    @property
    def answer(self) -> Code:
        if self.end is None and self.hours_open >= 24 and self.hours_still >= 1:
            return Code.NO_SUCH_REPORT
        return self.end or Code.SUCCESS


class Reports(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = TurnedClock()
        self.registry = Registry(Path(self.folder.name), self.clock)
        self.known: list[Known] = []

    def teardown(self) -> None:
        self.registry.close()
        self.folder.cleanup()

    @rule()
    def open(self) -> None:
        self.known.append(Known(self.registry.open_report("sandbox", "<report/>")))

    @rule(chosen=REPORTS)
    def add(self, chosen: int) -> None:
        report = self._report(chosen)
        if self._tried(report, lambda: self.registry.add_file(report.number, FILE)):
            report.files += 1
            report.hours_still = 0

    @rule(chosen=REPORTS)
    def finish(self, chosen: int) -> None:
        report = self._report(chosen)
        if self._tried(report, lambda: self.registry.finish(report.number)):
            report.end = Code.ALREADY_FINISHED

    @rule(chosen=REPORTS)
    def retract(self, chosen: int) -> None:
        report = self._report(chosen)
        if self._tried(report, lambda: self.registry.retract(report.number)):
            report.end = Code.ALREADY_RETRACTED

    @rule(halves=st.sampled_from([1, 2, 46, 48]))
    def wait(self, halves: int) -> None:
        self.clock.turn(minutes=30 * halves)
        for report in self.known:
            report.hours_open += halves / 2
            report.hours_still += halves / 2

    @rule()
    def start_anew(self) -> None:
        self.registry.close()
        self.registry = Registry(Path(self.folder.name), self.clock)

    @invariant()
    def tells_what_is_so(self) -> None:
        found = [len(each.files) for each in self.registry.reports()]
        assert found == [each.files for each in self.known]

    def _report(self, chosen: int) -> Known:
        unknown = Known(1, end=Code.NO_SUCH_REPORT)
        return self.known[chosen] if chosen < len(self.known) else unknown

    @staticmethod
    def _tried(report: Known, act) -> bool:
        expected = report.answer
        try:
            act()
        except Refused as refused:
            assert refused.code is expected
            return False
        assert expected is Code.SUCCESS
        return True


TestReports = Reports.TestCase
TestReports.settings = hypothesis_settings(max_examples=60, stateful_step_count=30)
