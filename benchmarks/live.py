"""Lists that change while the service answers."""

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Self

from benchmarks.house import LIST, TUTELA, WORKERS, House, command, open_house, write_csv
from benchmarks.load import ask_over
from benchmarks.results import Findings, Goal, Table
from benchmarks.scale import Scale
from benchmarks.sets import QUERY_SEED, Hashes, uniform
from benchmarks.timing import percentile

_AT_MOST_SECONDS = 1.0
_PAUSE_SECONDS = 0.004
_GIVE_UP_SECONDS = 60
_MOST_CONNECTIONS = 200
_SEED = 20271


def measure(scale: Scale) -> Findings:
    """How soon every worker knows of a change, and how long answers take meanwhile."""
    size, times, seconds, imports, each = scale.pick(
        (2_000, 2, 1.0, 2, 200),
        (1_000_000, 10, 20.0, 20, 10_000),
        (10_000_000, 10, 30.0, 40, 50_000),
    )
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        house = stack.enter_context(open_house(folder, uniform(size)))
        lines = [stack.enter_context(line) for line in _one_to_each_worker(house)]
        added, withdrawn = _time_changes(house, lines, folder, uniform(times, _SEED))
        asked = [house.screen(value) for value in uniform(5_000, QUERY_SEED)]
        end = time.monotonic() + seconds
        at_rest = _paced(lines, asked, lambda: time.monotonic() < end)
        with _Importing(house, folder, imports, each) as importing:
            meanwhile = _paced(lines, asked, importing.goes_on)
    slowest = max(*added, *withdrawn)
    goal = Goal(
        f"from the end of a command until each of {WORKERS} workers answers accordingly, "
        f"{size:,} entries, the longest of {len(added)} additions and {len(withdrawn)} withdrawals",
        f"{1e3 * slowest:.0f} ms",
        "",
        slowest,
        _AT_MOST_SECONDS,
        "s",
        at_most=True,
    )
    changes = Table(
        "Until every worker knows, in milliseconds from the end of the command",
        ("", "n", "p50", "most"),
        [
            ["added", len(added), 1e3 * median(added), 1e3 * max(added)],
            ["withdrawn", len(withdrawn), 1e3 * median(withdrawn), 1e3 * max(withdrawn)],
        ],
    )
    answers = Table(
        "Answers of /v1/screen, in milliseconds",
        ("", "n", "p50", "p99", "most"),
        [
            [
                what,
                len(found),
                *(1e3 * figure for figure in (median(found), percentile(found, 99), max(found))),
            ]
            for what, found in (
                ("at rest", at_rest),
                ("while lists are imported and the index compacts", meanwhile),
            )
        ],
    )
    note = (
        f"A list of {size:,} in SQLite. Meanwhile {imports} files of {each:,} hashes are imported, "
        "one after another, by commands on the same two cores, and each is taken up by the "
        f"workers. Workers are asked in turn, with {1e3 * _PAUSE_SECONDS:.0f} ms between."
    )
    return Findings([goal], [changes, answers], [note])


def _one_to_each_worker(house: House) -> list[socket.socket]:
    """An open connection to every worker: which one takes it is up to the system."""
    found: dict[int, socket.socket] = {}
    for _ in range(_MOST_CONNECTIONS):
        line = socket.create_connection(("127.0.0.1", house.port), timeout=_GIVE_UP_SECONDS)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ask_over(line, house.screen(uniform(1, _SEED - 1)[0]))
        worker = _worker_of(line.getsockname()[1], house)
        if worker in found:
            line.close()
        else:
            found[worker] = line
        if len(found) == WORKERS:
            return list(found.values())
    raise RuntimeError("not every worker takes connections")


def _worker_of(our_port: int, house: House) -> int:
    """The worker that holds the other end of a connection."""
    server, client = (f":{port:04X}" for port in (house.port, our_port))
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[1].endswith(server) and words[2].endswith(client):
            return _holder(f"socket:[{words[9]}]", house.process_id)
    raise RuntimeError("the connection is gone")


def _holder(inode: str, parent: int) -> int:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for child in children:
        for descriptor in Path(f"/proc/{child}/fd").iterdir():
            if descriptor.is_symlink() and str(descriptor.readlink()) == inode:
                return int(child)
    raise RuntimeError("no worker holds the connection")


def _time_changes(
    house: House, lines: Sequence[socket.socket], folder: Path, hashes: Hashes
) -> tuple[list[float], list[float]]:
    added = []
    withdrawn = []
    file = folder / "one.csv"
    for number in range(len(hashes)):
        sent = house.screen(hashes[number])
        write_csv(file, hashes[number : number + 1])
        command(house.environment, "list", "import", LIST, str(file))
        added.append(_until(lines, sent, "match"))
        text = hashes[number].tobytes().hex()
        withdraw = ("list", "withdraw", LIST, text, "--kind", "pdq", "--reason", "benchmark")
        command(house.environment, *withdraw)
        withdrawn.append(_until(lines, sent, "clear"))
    return added, withdrawn


def _until(lines: Sequence[socket.socket], sent: bytes, verdict: str) -> float:
    """Seconds until a request is answered so by everyone."""
    begin = time.monotonic()
    for line in lines:
        while json.loads(ask_over(line, sent))["verdict"] != verdict:
            if time.monotonic() - begin > _GIVE_UP_SECONDS:
                raise RuntimeError(f"a worker does not say {verdict}")
    return time.monotonic() - begin


def _paced(
    lines: Sequence[socket.socket], asked: Sequence[bytes], goes_on: Callable[[], bool]
) -> list[float]:
    """Ask the workers in turn, and give how long each answer took."""
    latencies = []
    turns: Iterator[tuple[socket.socket, bytes]] = zip(cycle(lines), cycle(asked), strict=False)
    while goes_on():
        line, sent = next(turns)
        begin = time.perf_counter()
        ask_over(line, sent)
        latencies.append(time.perf_counter() - begin)
        time.sleep(_PAUSE_SECONDS)
    return latencies


class _Importing:
    """Commands that import files, one after another."""

    def __init__(self, house: House, folder: Path, files: int, each: int) -> None:
        self._house = house
        self._files = []
        for number in range(files):
            path = folder / f"more-{number}.csv"
            write_csv(path, uniform(each, _SEED + 1 + number))
            self._files.append(path)
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def goes_on(self) -> bool:
        """Whether there is still something to import; starts the next command if one has ended."""
        if self._running is not None and self._running.poll() is None:
            return True
        if self._running is not None and self._running.returncode:
            raise RuntimeError("an import failed")
        if not self._files:
            return False
        self._running = subprocess.Popen(
            [TUTELA, "list", "import", LIST, str(self._files.pop(0))],
            env=self._house.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return True
