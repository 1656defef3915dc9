"""The pages of a house that has worked for a year, on both databases, and 100 people at work."""

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from benchmarks.filling import Filled, fill
from benchmarks.house import WORKERS, environment_of, served
from benchmarks.load import ask, request
from benchmarks.machine import await_quiet, busy_seconds, describe, own_seconds
from benchmarks.pages import pages
from benchmarks.results import Findings, Goal, Table
from benchmarks.reviewing import Diary, review, visit, work
from benchmarks.scale import Scale
from benchmarks.timing import percentile
from tests import postgresql
from tutela.application import build
from tutela.cases.counting_days import count_days
from tutela.cases.states import State
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings

_PAGE_MS = 100.0
_REVIEWERS_MS = 300.0
_THINK = (2.0, 8.0)
_LONGEST_WAIT = 1800.0
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class _Measured:
    """What one database gave.

    Attributes:
        times: Seconds by page.
        diary: The reviewers' day.
        bare: The same of a page that does nothing.
        seconds: How long filling took.
        others: What part of the cores' time went to other programs meanwhile, the database's
            server among them.
    """

    times: Mapping[str, Sequence[float]]
    diary: Diary
    bare: Diary
    seconds: float
    others: float


@dataclass(frozen=True, slots=True)
class _House:
    """A filled house.

    Attributes:
        settings: Where it is.
        filled: What is in it.
        seconds: How long filling took.
    """

    settings: Settings
    filled: Filled
    seconds: float


def measure(scale: Scale) -> Findings:
    """Fill a house, ask for each page, and have reviewers work in it: SQLite, then PostgreSQL.

    Raises:
        RuntimeError: A page is not answered.
    """
    count, people, times, seconds = scale.pick((400, 5, 3, 3.0), (1_000_000, 100, 40, 60.0))
    houses: dict[str, _House] = {}
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as name, ExitStack() as running:
        folder = Path(name)
        houses["SQLite"] = _fill(folder / "sqlite", None, count, people)
        programs = postgresql.find_server()
        if programs is not None:
            address = running.enter_context(postgresql.running_server(programs, durable=True))
            houses["PostgreSQL"] = _fill(folder / "postgresql", address, count, people)
        print("The houses are filled. Waiting for a quiet machine.", file=sys.stderr, flush=True)
        await_quiet(scale.pick(0, _LONGEST_WAIT))
        found = {each: _measure(house, times, seconds) for each, house in houses.items()}
    goals = [
        goal for each, measured in found.items() for goal in _goals(each, measured, count, people)
    ]
    return Findings(
        goals,
        [_pages_table(found, count), _people_table(found, people)],
        [_note(found, times, seconds)],
    )


def _fill(data: Path, address: str | None, count: int, people: int) -> _House:
    settings = load_settings(data=data, database_url=address)
    begin = time.perf_counter()
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    filled = fill(database, system_clock, count, reviewers=people)
    count_days(database, system_clock)
    database.close()
    return _House(settings, filled, time.perf_counter() - begin)


def _measure(house: _House, times: int, seconds: float) -> _Measured:
    settings, filled = house.settings, house.filled
    environment = environment_of(settings.data) | {"TUTELA_STATISTICS__PUBLIC": "true"}
    if settings.database_url is not None:
        environment["TUTELA_DATABASE_URL"] = settings.database_url
    begin, busy, own = time.perf_counter(), busy_seconds(), own_seconds()
    with served(environment) as (_, port):
        asked = pages(build(settings, system_clock), filled, system_clock)
        taken = {page: _time(port, filled.keeper[1], page, times) for page in asked}
        for what, text in _searches(filled).items():
            taken[f"/search, {what}"] = _time(
                port, filled.keeper[1], "/search", times, {"text": text}
            )
        tokens = [token for _, token in filled.reviewers]
        diary = work(port, tokens, review, think=_THINK, warm=min(10.0, seconds), seconds=seconds)
    with _bare() as bare_port:
        bare = work(
            bare_port, tokens, visit, think=_THINK, warm=min(10.0, seconds), seconds=seconds
        )
    passed = (time.perf_counter() - begin) * describe().cores
    others = max(0.0, busy_seconds() - busy - (own_seconds() - own)) / passed
    return _Measured(taken, diary, bare, house.seconds, others)


def _searches(filled: Filled) -> Mapping[str, str]:
    return {
        "case": filled.cases[State.CLOSED],
        "subject": filled.subject,
        "absent hash": "0123456789abcdef" * 2,
    }


def _time(
    port: int, token: str, page: str, times: int, form: Mapping[str, str] | None = None
) -> list[float]:
    headers = {
        "Host": f"127.0.0.1:{port}",
        "Origin": f"http://127.0.0.1:{port}",
        "Accept": "text/html",
        "Cookie": f"tutela={token}",
        "Connection": "close",
    }
    body = b""
    if form is not None:
        body = urlencode(form).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    sent = request("POST" if form is not None else "GET", page, body, headers)
    taken = []
    for number in range(times + 2):
        begin = time.perf_counter()
        status = _status(port, sent)
        if number >= 2:
            taken.append(time.perf_counter() - begin)
        if status not in (200, 204, 303):
            raise RuntimeError(f"{page} was answered with {status}")
    return taken


def _status(port: int, sent: bytes) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(sent)
        received = b""
        while part := connection.recv(1 << 16):
            received += part
    return int(received[9:12])


@contextmanager
def _bare() -> Iterator[int]:
    """A page that does nothing, served as ours are; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "uvicorn", "benchmarks.bare:create", "--factory"),
        *("--port", str(port), "--workers", str(WORKERS), "--log-level", "warning"),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log"),
    ]
    with subprocess.Popen(command, cwd=_ROOT) as running:
        try:
            until = time.monotonic() + 60
            while True:
                try:
                    ask(port, request("GET", "/", headers={"Connection": "close"}))
                    break
                except OSError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.1)
            yield port
        finally:
            running.terminate()


def _goals(name: str, measured: _Measured, count: int, people: int) -> list[Goal]:
    slowest = max(measured.times, key=lambda page: percentile(measured.times[page], 95))
    page = 1e3 * percentile(measured.times[slowest], 95)
    ours, bare = (1e3 * percentile(each.all, 99) for each in (measured.diary, measured.bare))
    return [
        Goal(
            f"the slowest of {len(measured.times)} pages with {count:,} cases on {name} "
            f"({_shown(slowest)}), 95 of 100 times",
            f"{page:.0f} ms",
            "",
            page,
            _PAGE_MS,
            "ms",
            at_most=True,
        ),
        Goal(
            f"{people} reviewers at once in a house of {count:,} cases on {name}, p99, beside "
            "a bare FastAPI page asked as often",
            f"{ours:.0f} ms",
            f"{bare:.1f} ms",
            ours,
            _REVIEWERS_MS,
            "ms",
            at_most=True,
        ),
    ]


def _pages_table(found: Mapping[str, _Measured], count: int) -> Table:
    pages_asked = list(dict.fromkeys(page for each in found.values() for page in each.times))
    rows: list[list[str | float | None]] = []
    for page in pages_asked:
        row: list[str | float | None] = [_shown(page)]
        for each in found.values():
            taken = each.times.get(page)
            row += [1e3 * median(taken), 1e3 * percentile(taken, 95)] if taken else [None, None]
        rows.append(row)
    columns = [f"{name} {what}" for name in found for what in ("p50", "p95")]
    return Table(f"Pages with {count:,} cases, in milliseconds", ("", *columns), rows)


def _people_table(found: Mapping[str, _Measured], people: int) -> Table:
    rows: list[list[str | float | None]] = []
    for name, each in found.items():
        for diary in (each.diary, each.bare):
            for kind, taken in sorted(diary.times.items()):
                rows.append(
                    [
                        f"{name}, {_KINDS[kind]}",
                        len(taken),
                        1e3 * median(taken),
                        1e3 * percentile(taken, 99),
                        1e3 * max(taken),
                    ]
                )
    return Table(
        f"{people} reviewers at once, in milliseconds",
        ("", "requests", "p50", "p99", "longest"),
        rows,
    )


_KINDS = {
    "next": "take the next case",
    "case": "read it",
    "decide": "decide on it",
    "queue": "the queue again",
    "bare": "a bare FastAPI page instead",
}


def _note(found: Mapping[str, _Measured], times: int, seconds: float) -> str:
    filling = ", ".join(f"{each.seconds:.0f} s on {name}" for name, each in found.items())
    rates = ", ".join(
        f"{len(each.diary.times.get('decide', ())) / seconds:.1f} decisions a second on {name}"
        for name, each in found.items()
    )
    ratios = ", ".join(
        f"{percentile(each.diary.all, 99) / percentile(each.bare.all, 99):.0f} x on {name}"
        for name, each in found.items()
    )
    others = ", ".join(
        f"{each.others:.0%} of the cores' time on {name}"
        + (" (its server among them)" if name == "PostgreSQL" else "")
        for name, each in found.items()
    )
    odd = {
        f"{name}: {kind} {status}": often
        for name, each in found.items()
        for (kind, status), often in each.diary.odd.items()
    }
    return (
        f"Two workers, the client on the same two cores. Each page is asked for {times} times over "
        "a new connection, by somebody with every role, with nothing else going on. The reviewers "
        f"look at each case and at the queue for {_THINK[0]:.0f} to {_THINK[1]:.0f} seconds, which "
        f"is several times faster than people work: together {rates}. Every one of them takes its "
        "case from one queue, and every decision is committed to the disk and in the ledger. The "
        f"p99 against that of the bare page: {ratios}. Both databases run as they come, with their "
        f"durability on. Filling took {filling}. Meanwhile other programs took {others}. "
        + (f"Answered otherwise: {json.dumps(odd)}." if odd else "Everything was answered.")
    )


def _shown(page: str) -> str:
    """A page's address without numbers of this very house."""
    page = re.sub(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", "CASE", page)
    return re.sub(r"(?<=ledger/)\d+|(?<=before=)\d+|(?<=person:)\d+", "N", page)
