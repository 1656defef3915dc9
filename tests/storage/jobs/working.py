"""What the tests of jobs share: small steps with names."""

from collections.abc import Callable, Mapping

from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import JSON, Job, JobId, Kind, Kinds, kinds_by_name


def nothing(job: Job) -> None:
    """What a handler does that does nothing."""


def kind_called(name: str, run: Callable[[Job], None] = nothing, **limits: object) -> Kind:
    return Kind(name, run, **limits)  # type: ignore[arg-type]


def kinds(*names: str, **limits: object) -> Kinds:
    return kinds_by_name(kind_called(name, **limits) for name in names)


def enqueued(
    database: Database,
    clock: Clock,
    kind: str = "mail",
    payload: Mapping[str, JSON] | None = None,
    **options: object,
) -> JobId:
    with database.writing() as connection:
        return enqueue(connection, kind, payload or {}, clock, **options)  # type: ignore[arg-type]


def claimed(
    database: Database, clock: Clock, known: Kinds | None = None, most: int = 100
) -> list[Job]:
    return claim(database, known or kinds("mail", at_once=100), clock, most=most, worker="test:1")
