"""Running both sides over the same folder, in turn, and comparing what they say."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.house import LIST, TUTELA, command, environment_of
from benchmarks.known import KnownList
from benchmarks.machine import busy_seconds

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one side.

    Attributes:
        seconds: The whole command, from start to end.
        steady_seconds: From the first answer to the last.
        processor_seconds: What it and the processes it started took of the cores.
        others_seconds: What everything else on the machine took of them meanwhile.
        answers: What it printed, by path.
    """

    seconds: float
    steady_seconds: float
    processor_seconds: float
    others_seconds: float
    answers: Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Side:
    """A contender.

    Attributes:
        name: As it is shown.
        command: What is run.
        environment: What it finds around it.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


def tutela_side(photos: Path, known: KnownList, data: Path) -> Side:
    """Tutela, with a data folder that holds the list."""
    environment = environment_of(data)
    command(environment, "list", "create", LIST)
    command(environment, "list", "import", LIST, str(known.csv))
    return Side("Tutela", [TUTELA, "scan", "--json", str(photos)], environment)


def peer_side(photos: Path, known: KnownList) -> Side:
    """The peer, with its index made."""
    arguments = [str(photos), str(known.peer), LIST]
    return Side("peer", [sys.executable, "-m", "benchmarks.peer", *arguments], os.environ)


def run(side: Side) -> Run:
    """Run one side once, as its own process.

    Raises:
        RuntimeError: It failed.
    """
    answers: dict[str, dict[str, Any]] = {}
    busy = busy_seconds()
    first = last = begin = time.perf_counter()
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            side.command,
            env=side.environment,
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=complaints,
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            last = time.perf_counter()
            first = last if not answers else first
            answer = json.loads(line)
            answers[answer.pop("path")] = answer
        _, status, usage = os.wait4(process.pid, 0)
        end = time.perf_counter()
        process.returncode = os.waitstatus_to_exitcode(status)
        # Tutela answers 1 where something was found.
        if process.returncode not in (0, 1):
            complaints.seek(0)
            raise RuntimeError(f"{side.name} failed: {complaints.read().decode()}")
    own = usage.ru_utime + usage.ru_stime
    others = max(0.0, busy_seconds() - busy - own)
    return Run(end - begin, last - first, own, others, answers)


def disagreements(one: Run, other: Run) -> list[str]:
    """The photos that the two sides do not say the same of, matches and distances included."""
    return sorted(
        path
        for path in one.answers.keys() | other.answers.keys()
        if _essence(one.answers.get(path)) != _essence(other.answers.get(path))
    )


def _essence(answer: Mapping[str, Any] | None) -> object:
    """What does not differ from run to run, as case numbers do."""
    if answer is None:
        return None
    matches = [(m["list"], m["kind"], m["distance"]) for m in answer.get("matches", ())]
    return answer["verdict"], sorted(matches)
