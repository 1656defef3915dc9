"""Fingerprints over HTTP, against a service like Meta's HMA on the same cores."""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, cycle
from pathlib import Path
from statistics import median

from benchmarks import matcher
from benchmarks.house import WORKERS, House, open_house
from benchmarks.load import Load, ask, drive, request
from benchmarks.results import Findings, Goal, Table
from benchmarks.scale import Scale
from benchmarks.sets import QUERY_SEED, Hashes, queries, uniform
from benchmarks.timing import percentile

_ASKED_SINGLE = 8.0
_ASKED_BATCH = 50.0
_BATCH = 100
_CONNECTIONS = 8
_PREPARED = 50_000
_SEED = 20270
_SINGLE, _NEW, _MANY, _PEER = (
    "Tutela, /v1/screen",
    "Tutela, /v1/screen, a new connection for each",
    f"Tutela, /v1/screen/batch of {_BATCH}",
    "as HMA, /m/lookup",
)
_ROOT = Path(__file__).parent.parent


def measure(scale: Scale) -> Findings:
    """Hashes a second that match nothing, as nearly all do.

    Raises:
        RuntimeError: The verdicts differ.
    """
    size, seconds, rounds = scale.pick((2_000, 0.5, 1), (1_000_000, 5.0, 3))
    values = uniform(size)
    loads: dict[str, list[Load]] = {name: [] for name in (_PEER, _SINGLE, _NEW, _MANY)}
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as name:
        folder = Path(name)
        matcher.prepare(folder / "matcher", values)
        with open_house(folder, values) as house, _open_matcher(folder) as peer:
            _check(house, peer, queries(values, uniform(100, QUERY_SEED)))
            seeds = count(_SEED)
            for _ in range(rounds):
                for each, (port, prepare) in _kinds(house, peer).items():
                    sent = prepare(uniform(scale.pick(2_000, _PREPARED), next(seeds)))
                    loads[each].append(drive(port, sent, _CONNECTIONS, seconds))
    rates = {
        each: median(load.rate for load in found) * (_BATCH if each == _MANY else 1)
        for each, found in loads.items()
    }
    goals = [
        Goal(
            f"{what} over HTTP, {size:,} entries, {WORKERS} workers, against HMA's way",
            f"{rates[ours]:,.0f}/s",
            f"{rates[_PEER]:,.0f}/s",
            rates[ours] / rates[_PEER],
            asked,
        )
        for what, ours, asked in (
            ("single hashes", _SINGLE, _ASKED_SINGLE),
            (f"hashes in batches of {_BATCH}", _MANY, _ASKED_BATCH),
        )
    ]
    return Findings(goals, [_table(loads, rates)], [_NOTE])


_NOTE = (
    f"Two workers on each side, {_CONNECTIONS} connections, the client on the same two cores; "
    "medians of rounds in turn, every request with a hash of its own that matches nothing. "
    "gunicorn's synchronous workers close the connection after each answer; Tutela's stay open, so "
    "it is also given with a new connection for each request. The peer's service does for each "
    "call what HMA's matcher does, with SQLite in place of PostgreSQL (see "
    "benchmarks/matcher.py). Both sides gave the same verdicts on 100 hashes, half of them near "
    "an entry."
)

_Prepare = Callable[[Hashes], Iterator[bytes]]


def _kinds(house: House, peer: int) -> dict[str, tuple[int, _Prepare]]:
    def batches(hashes: Hashes) -> Iterator[bytes]:
        return cycle(
            [house.screen_batch(hashes[at : at + _BATCH]) for at in range(0, len(hashes), _BATCH)]
        )

    return {
        _PEER: (peer, lambda hashes: cycle(map(_look_up, hashes))),
        _SINGLE: (house.port, lambda hashes: cycle(map(house.screen, hashes))),
        _NEW: (
            house.port,
            lambda hashes: cycle(_closing(house.screen(each)) for each in hashes),
        ),
        _MANY: (house.port, batches),
    }


def _look_up(value: Hashes) -> bytes:
    return request("GET", f"/m/lookup?signal_type=pdq&signal={value.tobytes().hex()}")


def _closing(sent: bytes) -> bytes:
    return sent.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def _check(house: House, peer: int, asked: Hashes) -> None:
    for value in asked:
        ours = json.loads(ask(house.port, _closing(house.screen(value))))["verdict"] == "match"
        theirs = bool(json.loads(ask(peer, _look_up(value))))
        if ours != theirs:
            raise RuntimeError(f"the verdicts on {value.tobytes().hex()} differ")


@contextmanager
def _open_matcher(folder: Path) -> Iterator[int]:
    """The peer's service; gives its port."""
    said = folder / "matcher.log"
    command = [
        *(sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0"),
        *("--workers", str(WORKERS), "--worker-class", "sync", "--timeout", "600"),
        f"benchmarks.matcher:create({str(folder / 'matcher')!r})",
    ]
    with said.open("w") as log, subprocess.Popen(command, cwd=_ROOT, stderr=log) as running:
        try:
            yield _port_of(said, running)
        finally:
            running.terminate()


def _port_of(said: Path, running: subprocess.Popen[bytes]) -> int:
    while (found := re.search(r"Listening at: \S+:(\d+)", said.read_text())) is None:
        if running.poll() is not None:
            raise RuntimeError(f"the peer's service did not start: {said.read_text()}")
        time.sleep(0.05)
    port = int(found[1])
    ask(port, _look_up(uniform(1)[0]))
    return port


def _table(loads: dict[str, list[Load]], rates: dict[str, float]) -> Table:
    rows: list[list[str | float | None]] = []
    for name, found in loads.items():
        latencies = [each for load in found for each in load.latencies]
        rows.append(
            [
                name,
                len(latencies),
                rates[name],
                1e3 * median(latencies),
                1e3 * percentile(latencies, 99),
            ]
        )
    return Table(
        "Both services in turn", ("", "requests", "hashes a second", "p50 ms", "p99 ms"), rows
    )
