"""``/v1/jobs``: the work that waits, and what failed."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, actor_of
from tutela.storage.jobs.model import JobId, KeptJob, State
from tutela.storage.jobs.tending import MOST_COUNTED, count_by_kind, find_job, kept_jobs
from tutela.work import all_kinds, drop_job, mend_job, retry_job

router = APIRouter(
    prefix="/v1/jobs",
    tags=["jobs"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.JOBS_READ))]
Writer = Annotated[ApiKey, Security(Permitted(Permission.JOBS_WRITE))]

_GREATEST = 2**63 - 1
Number = Annotated[int, Path(ge=1, le=_GREATEST, description="The job's number.")]
Reason = Annotated[str, Field(max_length=2000, description="Why. The ledger keeps it.")]


class JobAnswer(BaseModel):
    """A job that is not done. Those that are done are gone."""

    id: int
    kind: str = Field(examples=["ledger.timestamp"])
    state: State = Field(
        description="`ready`: it waits. `leased`: a worker is at it. `dead`: it failed for good, "
        "and a person has to look at it."
    )
    payload: dict[str, Any] = Field(description="What it is about: ids.")
    dedupe: str | None = Field(description="The key by which there is only one of it.")
    attempts: int
    due_at: datetime
    enqueued_at: datetime
    worker: str | None = Field(description="Who was at it last, as machine and process.")
    error: str | None = Field(description="Why its last attempt failed.")
    failed_at: datetime | None


class JobsAnswer(BaseModel):
    """Jobs, the oldest first."""

    jobs: list[JobAnswer]
    after: int | None = Field(description="Ask with this for the next page; `null` at the end.")


class KindAnswer(BaseModel):
    """How many jobs of a kind stand how; `1001` means more than 1000."""

    kind: str
    ready: int = Field(le=MOST_COUNTED + 1)
    leased: int = Field(le=MOST_COUNTED + 1)
    dead: int = Field(le=MOST_COUNTED + 1)


class KindsAnswer(BaseModel):
    """Every kind of job."""

    kinds: list[KindAnswer]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Retry(_Sent):
    """That a job is to be tried again."""

    reason: Reason = ""


class Mending(_Sent):
    """What a job is to be about instead."""

    payload: dict[str, Any] = Field(description="The whole new payload.")
    reason: Reason = ""


class Drop(_Sent):
    """That a job is never to be done."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)] = Field(
        description="Why. The ledger keeps it."
    )


@router.get("", summary="The jobs that are not done")
def list_jobs(
    service: Here,
    _key: Reader,
    state: Annotated[
        State | None, Query(description="Only those that stand so: `dead` for dead letters.")
    ] = None,
    kind: Annotated[
        str | None,
        Query(pattern=r"^[!-~]{1,100}$", description="Only those of this kind."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
    after: Annotated[int, Query(ge=0, le=_GREATEST, description="From the page before.")] = 0,
) -> JobsAnswer:
    """The oldest first."""
    with service.database.reading() as connection:
        found = kept_jobs(connection, state=state, kind=kind, limit=limit + 1, after=after)
    shown = found[:limit]
    return JobsAnswer(
        jobs=[_answer(each) for each in shown], after=shown[-1].id if len(found) > limit else None
    )


@router.get("/kinds", summary="How many jobs of each kind there are")
def list_kinds(service: Here, _key: Reader) -> KindsAnswer:
    """Of every kind, also of those that have none just now."""
    kinds = all_kinds(service.settings, service.database, service.clock)
    with service.database.reading() as connection:
        counts = count_by_kind(connection, kinds)
    return KindsAnswer(
        kinds=[
            KindAnswer(
                kind=kind,
                ready=count[State.READY],
                leased=count[State.LEASED],
                dead=count[State.DEAD],
            )
            for kind, count in counts.items()
        ]
    )


@router.get("/{job}", summary="One job", responses=problems(HTTPStatus.NOT_FOUND))
def show_job(service: Here, _key: Reader, job: Number) -> JobAnswer:
    """One that is not done."""
    with service.database.reading() as connection:
        return _answer(find_job(connection, JobId(job)))


@router.post("/{job}/retry", summary="Try a job again", responses=problems(HTTPStatus.NOT_FOUND))
def retry(service: Here, key: Writer, job: Number, wish: Retry) -> JobAnswer:
    """At once, with all its attempts anew. Not while a worker is at it."""
    with service.database.writing() as connection:
        retry_job(connection, JobId(job), actor_of(key), service.clock, reason=wish.reason)
        return _answer(find_job(connection, JobId(job)))


@router.post("/{job}/mend", summary="Mend a job", responses=problems(HTTPStatus.NOT_FOUND))
def mend(service: Here, key: Writer, job: Number, wish: Mending) -> JobAnswer:
    """Give it another payload, then have it tried again. Not while a worker is at it."""
    with service.database.writing() as connection:
        mend_job(
            connection, JobId(job), wish.payload, actor_of(key), service.clock, reason=wish.reason
        )
        return _answer(find_job(connection, JobId(job)))


@router.post(
    "/{job}/drop",
    summary="Drop a job",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(HTTPStatus.NOT_FOUND),
)
def drop(service: Here, key: Writer, job: Number, wish: Drop) -> None:
    """What it was to do is never done. Not while a worker is at it."""
    with service.database.writing() as connection:
        drop_job(connection, JobId(job), actor_of(key), service.clock, reason=wish.reason)


def _answer(job: KeptJob) -> JobAnswer:
    return JobAnswer.model_validate(job.as_fields())
