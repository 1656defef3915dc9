"""Telling a running authority what to do, and asking what it took: the other end of ``control``."""

from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import TypeAdapter

from tutela.testing.authority.control import Counts, Ordered, Time
from tutela.testing.authority.model import Fault, Made, Report, State

_REPORTS = TypeAdapter(list[Report])
_CALLS = TypeAdapter(list[Made])
_FAULTS = TypeAdapter(list[Ordered])


class Control:
    """A line to an authority's control interface.

    Every method raises ``httpx.HTTPError`` where the authority does not answer.

    Args:
        address: Of the server, such as ``http://127.0.0.1:8100``.
    """

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=f"{address}/control", timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def reports(self, state: State | None = None) -> list[Report]:
        """All reports, or those in one state, in the order in which they were opened."""
        found = _REPORTS.validate_json(self._ask("GET", "/reports"))
        return [each for each in found if state in (None, each.state)]

    def report(self, number: int) -> Report:
        """One report."""
        return Report.model_validate_json(self._ask("GET", f"/reports/{number}"))

    def calls(self) -> list[Made]:
        """All calls, in their order."""
        return _CALLS.validate_json(self._ask("GET", "/calls"))

    def counts(self) -> Counts:
        """How many reports there are in each state, and how many calls of each kind."""
        return Counts.model_validate_json(self._ask("GET", "/counts"))

    def fail(self, fault: Fault) -> None:
        """Order a fault."""
        self._ask("POST", "/faults", fault.model_dump(mode="json"))

    def faults(self) -> list[Ordered]:
        """What was ordered, and how often it was done."""
        return _FAULTS.validate_json(self._ask("GET", "/faults"))

    def stop_failing(self) -> None:
        """Lift all faults."""
        self._ask("DELETE", "/faults")

    def now(self) -> datetime:
        """What the authority takes for the time."""
        return Time.model_validate_json(self._ask("GET", "/clock")).now

    def turn_clock(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Let so much time go by for the authority; gives its new time."""
        by = {"seconds": hours * 3600 + minutes * 60 + seconds}
        return Time.model_validate_json(self._ask("POST", "/clock", by)).now

    def forget_all(self) -> None:
        """Let it forget reports, files, calls and faults; numbers go on."""
        self._ask("DELETE", "/reports")

    def _ask(self, method: str, path: str, content: Any = None) -> bytes:
        return self._client.request(method, path, json=content).raise_for_status().content
