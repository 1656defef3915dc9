"""The nouns: a job, the kind of job it is, and how a handler says what is to become of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType, TypeAlias

from cronsim import CronSim, CronSimError

JobId = NewType("JobId", int)
"""A job's number. Never given twice, not even after the job has gone."""

JSON: TypeAlias = "str | int | float | bool | Sequence[JSON] | Mapping[str, JSON] | None"
"""What a payload may be made of."""


class State(StrEnum):
    """Where a job stands. One that is done is gone: nothing of use remains of it."""

    READY = "ready"
    """It waits for its time or for a worker."""
    LEASED = "leased"
    """A worker is at it."""
    DEAD = "dead"
    """It is not tried again unless a person says so."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its handler gets it.

    Attributes:
        id: Its number.
        kind: The name of its kind.
        payload: What it is about: ids only, never what a person wrote or a file's name.
        attempt: Which attempt this is, from 1. Being released or put off uses none up.
        token: The fencing token: greater with each lease of this job. Only who holds the newest
            one can finish the job or have it fail.
        enqueued_at: When it was enqueued.
    """

    id: JobId
    kind: str
    payload: Mapping[str, JSON]
    attempt: int
    token: int
    enqueued_at: datetime


@dataclass(frozen=True, slots=True)
class KeptJob:
    """A job as it stands in the table, for people who look after it.

    Attributes:
        id: Its number.
        kind: The name of its kind.
        state: Where it stands.
        payload: What it is about.
        dedupe: The key by which there is only one of it, if it has one.
        attempts: How many attempts have been begun.
        due_at: If ready, the moment from which it may be begun; if leased, the moment at which its
            lease ends unless it is extended; if dead, the moment at which it died.
        enqueued_at: When it was enqueued.
        worker: Who leased it last, as ``machine:process``.
        error: Why its last attempt failed.
        failed_at: When that was.
    """

    id: JobId
    kind: str
    state: State
    payload: Mapping[str, JSON]
    dedupe: str | None
    attempts: int
    due_at: datetime
    enqueued_at: datetime
    worker: str | None
    error: str | None
    failed_at: datetime | None

    def as_fields(self) -> dict[str, object]:
        """The job as the faces show it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "payload": self.payload,
            "dedupe": self.dedupe,
            "attempts": self.attempts,
            "due_at": self.due_at.isoformat(),
            "enqueued_at": self.enqueued_at.isoformat(),
            "worker": self.worker,
            "error": self.error,
            "failed_at": self.failed_at.isoformat() if self.failed_at else None,
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job: what is done, and how often it is tried.

    Attributes:
        name: Its name, as ``room.verb``.
        run: Does the work. It may be called more than once for one job, so it either does its
            effect and ``finish`` in one transaction, or can be repeated without harm. Returning
            finishes the job.
        at_once: How many jobs of this kind run at once, over all workers of all machines.
        attempts: How many times it is tried before it is dead; ``None``: for ever.
        lease_seconds: How long a worker that says nothing any more keeps the job. Running
            handlers' leases are extended, so this is no limit on how long the work takes.
        first_wait: About how long to wait after the first failure, in seconds; it doubles with
            each further one.
        longest_wait: The most that is waited between two attempts, in seconds.
        schedule: When to do it by itself, as five fields of cron, in UTC; ``None``: never.

    Raises:
        ValueError: The schedule cannot be understood, or a number is out of its range.
    """

    name: str
    run: Callable[[Job], None]
    at_once: int = 1
    attempts: int | None = 10
    lease_seconds: float = 60.0
    first_wait: float = 10.0
    longest_wait: float = 3600.0
    schedule: str | None = None

    def __post_init__(self) -> None:
        if self.at_once < 1 or (self.attempts is not None and self.attempts < 1):
            raise ValueError(f"{self.name}: at_once and attempts are 1 or more")
        if self.lease_seconds <= 0 or self.first_wait < 0 or self.longest_wait < 0:
            raise ValueError(f"{self.name}: the lease and the waits are times")
        if self.schedule is not None:
            try:
                next(CronSim(self.schedule, datetime(2026, 1, 1)))  # noqa: DTZ001 - any will do
            except (CronSimError, StopIteration):
                raise ValueError(f"{self.name}: {self.schedule!r} is no schedule") from None


Kinds: TypeAlias = Mapping[str, Kind]
"""What a worker can do, by name."""


def kinds_by_name(kinds: Iterable[Kind]) -> Kinds:
    """The kinds as a worker wants them.

    Raises:
        ValueError: Two kinds have one name.
    """
    found: dict[str, Kind] = {}
    for kind in kinds:
        if kind.name in found:
            raise ValueError(f"there are two kinds of job called {kind.name}")
        found[kind.name] = kind
    return found


class Later(Exception):  # noqa: N818 - it is what a handler decides, not what went wrong
    """Raised by a handler: try this again at a moment of its choice. Uses no attempt up.

    Args:
        at: The moment.
        reason: Why, for people: no personal data.
    """

    def __init__(self, at: datetime, reason: str = "put off by its handler") -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason


class Never(Exception):  # noqa: N818 - as above
    """Raised by a handler: trying again will not help, so a person has to look at it.

    Args:
        reason: Why, for people: no personal data.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
