"""What Prometheus is told of reports, with the scope ``metrics:read``: numbers and times only."""

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import Connection

from tutela.reporting.following.finding import count_open
from tutela.reporting.following.levels import Waits, read_levels
from tutela.storage.clock import Clock

_DAYS = 30


def add_report_series(registry: CollectorRegistry, connection: Connection, clock: Clock) -> None:
    """Add how long authorities wait for reports, as it was counted last, and what they want.

    Args:
        registry: What is told.
        connection: Where to read.
        clock: The time.
    """
    seconds = Gauge(
        "tutela_report_seconds",
        "From a case's opening, or its confirmation, to the authority's having it: of the reports "
        f"that were sent in the last {_DAYS} days.",
        ["authority", "environment", "since", "quantile"],
        registry=registry,
    )
    waiting = Gauge(
        "tutela_report_cases_waiting",
        "Cases that wait to be reported; without an authority: of which no report is begun.",
        ["authority"],
        registry=registry,
    )
    oldest = Gauge(
        "tutela_report_oldest_case_seconds",
        "For how long the oldest of them is confirmed.",
        ["authority"],
        registry=registry,
    )
    Gauge(
        "tutela_report_feedback_open",
        "What authorities said that waits for a person.",
        registry=registry,
    ).set(count_open(connection))
    levels = read_levels(connection, _DAYS, clock)
    for level in levels.authorities:
        for since, waits in (("opened", level.from_opened), ("confirmed", level.from_confirmed)):
            for quantile, value in _quantiles(waits):
                seconds.labels(level.authority, level.environment, since, quantile).set(value)
    for each in levels.waiting:
        waiting.labels(each.authority or "").set(each.count)
        age = (clock() - each.oldest_at).total_seconds()
        oldest.labels(each.authority or "").set(max(0.0, age))


def _quantiles(waits: Waits) -> list[tuple[str, int]]:
    both = (("0.5", waits.median), ("0.95", waits.slow))
    return [(name, value) for name, value in both if value is not None]
