"""``/jobs``: the work that waits, and what failed for good."""

import json
from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from tutela.accounts.permissions import Permission
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError
from tutela.storage.jobs.model import JobId, State
from tutela.storage.jobs.tending import MOST_COUNTED, count_by_kind, find_job, kept_jobs
from tutela.work import all_kinds, drop_job, mend_job, retry_job

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.JOBS_READ))]
Writer = Annotated[Visitor, Depends(visitor(Permission.JOBS_WRITE))]
# To try again does only what was wanted before; to change or to drop it needs a recent proof.
Proved = Annotated[Visitor, Depends(visitor(Permission.JOBS_WRITE, proved=True))]
Reason = Annotated[str, Form(max_length=2000)]

_A_PAGE = 50


@router.get("/jobs")
def show_jobs(
    request: Request,
    house: Here,
    reader: Reader,
    state: Annotated[State, Query()] = State.DEAD,
    kind: Annotated[str, Query(pattern=r"^[!-~]{0,100}$")] = "",
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> HTMLResponse:
    """How many jobs of each kind stand how, and a page of them."""
    kinds = all_kinds(house.settings, house.database, house.clock)
    with house.database.reading() as connection:
        counts = count_by_kind(connection, kinds)
        found = kept_jobs(
            connection, state=state, kind=kind or None, limit=_A_PAGE + 1, after=after
        )
    return show(
        request,
        reader,
        "jobs.html",
        kinds=kinds,
        counts=counts,
        totals={each: sum(count[each] for count in counts.values()) for each in State},
        most=MOST_COUNTED,
        states=list(State),
        state=state,
        kind=kind,
        jobs=found[:_A_PAGE],
        next_page=found[_A_PAGE - 1].id if len(found) > _A_PAGE else None,
    )


@router.get("/jobs/{job}")
def show_job(request: Request, house: Here, reader: Reader, job: Number) -> HTMLResponse:
    """One job, and what can be done about it."""
    with house.database.reading() as connection:
        found = find_job(connection, JobId(job))
    return show(
        request,
        reader,
        "job.html",
        job=found,
        payload=json.dumps(found.payload, indent=2, ensure_ascii=False),
    )


@router.post("/jobs/{job}/retry")
def retry(house: Here, writer: Writer, job: Number, reason: Reason = "") -> Response:
    """Have it tried again."""
    with house.database.writing() as connection:
        retry_job(connection, JobId(job), writer.caller.actor, house.clock, reason=reason)
    return go(house, "/jobs", "said_job_retried", str(job))


@router.post("/jobs/{job}/mend")
def mend(
    house: Here,
    writer: Proved,
    job: Number,
    payload: Annotated[str, Form(max_length=1 << 17)],
    reason: Reason = "",
) -> Response:
    """Give it another payload."""
    try:
        new = json.loads(payload)
    except ValueError as error:
        raise InvalidInputError("what the job is about is not JSON: {error}", error=error) from None
    with house.database.writing() as connection:
        mend_job(connection, JobId(job), new, writer.caller.actor, house.clock, reason=reason)
    return go(house, f"/jobs/{job}", "said_job_mended", str(job))


@router.post("/jobs/{job}/drop")
def drop(house: Here, writer: Proved, job: Number, reason: Reason) -> Response:
    """Have it never done."""
    with house.database.writing() as connection:
        drop_job(connection, JobId(job), writer.caller.actor, house.clock, reason=reason)
    return go(house, "/jobs", "said_job_dropped", str(job))
