"""What Prometheus is told.

The series without a key hold nothing that moves with a verdict: a counter of matches that anyone
may read, or a longer time where a case was opened, would tell whoever sends a file whether it is
known (``docs/decisions/0011``).
"""

import os
import time
from collections.abc import Collection, Iterable, Iterator
from http import HTTPMethod

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Receive, Scope, Send

from tutela.api.report_metrics import add_report_series
from tutela.api.service import Service
from tutela.hashlists.lists import live_lists
from tutela.reporting.delivery.backlog import Backlog, backlog
from tutela.screening.counts import FILES, totals
from tutela.screening.unreadable import totals_unreadable
from tutela.streams.listing import Tally, tallies

CONTENT_TYPE = CONTENT_TYPE_LATEST

_METHODS = frozenset(HTTPMethod)
_registry = CollectorRegistry()
_requests = Counter(
    "tutela_http_requests",
    "Requests answered, by route.",
    ["method", "route"],
    registry=_registry,
)
_seconds = Histogram(
    "tutela_http_request_seconds",
    "Time from request to answer, by route.",
    ["method", "route"],
    registry=_registry,
)


class Measured:
    """Middleware that counts and times every request."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        # Looked up once: the labels of a request take longer than its count.
        self._series: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        begin = time.perf_counter()
        try:
            await self._application(scope, receive, send)
        finally:
            # The pattern of the path, never the path: it may name a case or a list.
            route = getattr(scope.get("route"), "path", "unknown")
            requests, seconds = self._series_of(scope["method"], route)
            requests.inc()
            seconds.observe(time.perf_counter() - begin)

    def _series_of(self, method: str, route: str) -> tuple[Counter, Histogram]:
        # Any word may stand for a method, and each would be kept for good.
        labels = (method if method in _METHODS else "other", route)
        series = self._series.get(labels)
        if series is None:
            series = _requests.labels(*labels), _seconds.labels(*labels)
            self._series[labels] = series
        return series


def health_series(service: Service) -> bytes:
    """The series that anyone may read."""
    registry = CollectorRegistry()
    registry.register(_Requests({"tutela_http_requests"}))
    Gauge("tutela_list_entries", "Live entries of all lists.", registry=registry).set(
        len(service.screening.index)
    )
    return generate_latest(registry)


def verdict_series(service: Service) -> bytes:
    """The series for keys with the scope ``metrics:read``: times and verdicts.

    The verdicts are read from the database, so they are the same whichever process answers, and go
    on after a restart.
    """
    service.screening.counts.save(service.database)
    registry = CollectorRegistry()
    registry.register(_Requests({"tutela_http_request_seconds"}))
    files = Counter(
        "tutela_screened_files", "Files screened, by verdict.", ["verdict"], registry=registry
    )
    matched = Counter(
        "tutela_matched_files",
        "Files that matched a list, by the verdict that they were given.",
        ["list", "verdict"],
        registry=registry,
    )
    unreadable = Counter(
        "tutela_unreadable_files",
        "Files that could not be looked at and match nothing, by the reason, the format that could "
        "not be decoded, and what became of them.",
        ["reason", "decoder", "answer"],
        registry=registry,
    )
    with service.database.reading() as connection:
        names: dict[int, str] = {
            number: each.name for number, each in live_lists(connection).items()
        }
        for (verdict, number), count in sorted(totals(connection).items()):
            if number == FILES:
                files.labels(verdict).inc(count)
            elif number in names:
                matched.labels(names[number], verdict).inc(count)
        for labels, count in sorted(totals_unreadable(connection).items()):
            unreadable.labels(*labels).inc(count)
        add_report_series(registry, connection, service.clock)
        _tell_of_reports(registry, backlog(connection, service.clock()))
        _tell_of_streams(registry, tallies(connection))
    return generate_latest(registry)


def _tell_of_reports(registry: CollectorRegistry, waiting: Backlog) -> None:
    # With the verdicts, since how many reports there are moves with them.
    for name, meaning, value in (
        ("waiting", "Reports that wait to be sent.", waiting.queued),
        ("oldest_waiting_seconds", "How long the oldest of them waits.", waiting.oldest_seconds),
        ("stopped", "Reports that need a person before they can be sent.", waiting.stopped),
    ):
        Gauge(f"tutela_reports_{name}", meaning, registry=registry).set(value)
    failing = Gauge(
        "tutela_report_channel_failing_seconds",
        "How long no report has got through to an authority.",
        ["authority", "channel"],
        registry=registry,
    )
    stopped = Gauge(
        "tutela_report_channel_stopped",
        "Whether nothing is sent to an authority until its operator acts.",
        ["authority", "channel"],
        registry=registry,
    )
    for each in waiting.channels:
        since = (waiting.at - each.failing_since).total_seconds() if each.failing_since else 0
        failing.labels(each.authority, each.channel).set(since)
        stopped.labels(each.authority, each.channel).set(each.stopped_at is not None)


def _tell_of_streams(registry: CollectorRegistry, found: Iterable[Tally]) -> None:
    # Of those that are not over: what came of the others is in their cases.
    by_state = {
        name: Gauge(f"tutela_{name}", meaning, ["state"], registry=registry)
        for name, meaning in (
            ("streams", "Live streams that are not over, by how they stand."),
            ("stream_frames", "Frames of these streams that were looked at."),
            ("stream_dropped_frames", "Frames of these streams that were dropped."),
            ("stream_skipped_seconds", "Seconds of these streams that were left out besides."),
            ("stream_lag_seconds", "How late the latest of these streams is seen."),
            (
                "stream_key_frames_seconds",
                "Seconds of these streams of which only key frames were looked at, in want of room "
                "for more.",
            ),
        )
    }
    for each in found:
        values = (
            each.streams,
            each.frames,
            each.dropped,
            each.skipped,
            each.lag,
            each.by_key_frames,
        )
        for gauge, value in zip(by_state.values(), values, strict=True):
            gauge.labels(each.state).set(value)


class _Requests(Collector):
    """Some of the measurements of requests, added up over all server processes."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def collect(self) -> Iterator[Metric]:
        # With several server processes each writes its numbers to files that any can add up.
        shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        source = MultiProcessCollector(None) if shared else _registry  # type: ignore[no-untyped-call]
        return (metric for metric in source.collect() if metric.name in self._names)
