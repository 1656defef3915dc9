"""``tutela job``: the work that waits, what became of it, and a worker to do it."""

import json as json_text
import threading
from typing import Annotated, Any

import typer
from rich.table import Table

from tutela import work as work_to_do
from tutela.accounts.permissions import Permission
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_error, print_json, print_line, print_table, to_people
from tutela.cli.stopping import asked_to_stop
from tutela.errors import InvalidInputError, TutelaError
from tutela.storage.clock import system_clock
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import JobId, State
from tutela.storage.jobs.retrying import words_for
from tutela.storage.jobs.tending import count_by_state, find_job, kept_jobs
from tutela.work import LONGEST_REHEARSAL_SECONDS, REHEARSAL, make_worker

app = typer.Typer(
    help="See the work that waits, look after what failed, and run a worker.",
    no_args_is_help=True,
)

JobNumber = Annotated[int, typer.Argument(metavar="ID", help="The job's number.", min=1)]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, for the ledger.", show_default=False)
]


@app.command("ls")
@needs(Permission.JOBS_READ)
def list_jobs(
    state: Annotated[State | None, typer.Option(help="Only those that stand so.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only those of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the oldest first.")] = 50,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List the jobs that are not done. Those that are done are gone."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = kept_jobs(connection, state=state, kind=kind, limit=limit)
        counts = count_by_state(connection)
    if json:
        for job in found:
            print_json(job.as_fields())
        return
    if found:
        table = Table("job", "kind", "state", "due", "attempts", "last error")
        for job in found:
            due = f"{job.due_at:%Y-%m-%d %H:%M:%S}" if job.state != State.DEAD else "-"
            table.add_row(
                str(job.id), job.kind, job.state, due, str(job.attempts), job.error or "-"
            )
        print_table(table)
    to_people.print(", ".join(f"{state}: {count}" for state, count in counts.items()))


@app.command("show")
@needs(Permission.JOBS_READ)
def show_job(job: JobNumber, json: JsonLines = False, data: DataFolder = None) -> None:
    """Show one job with its payload and its last error."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        fields = find_job(connection, JobId(job)).as_fields()
    if json:
        print_json(fields)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in fields.items():
        if value is not None:
            text = json_text.dumps(value) if name == "payload" else str(value)
            table.add_row(name.replace("_", " "), text)
    print_table(table)


@app.command("retry")
@needs(Permission.JOBS_WRITE)
def retry_job(
    job: JobNumber, reason: Reason = "", json: JsonLines = False, data: DataFolder = None
) -> None:
    """Have a job that is dead or waits tried at once, with all its attempts anew."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        work_to_do.retry_job(connection, JobId(job), local_actor(), system_clock, reason=reason)
    _answer(json, f"Job {job} will be tried again right away.", id=job, retried=True)


@app.command("mend")
@needs(Permission.JOBS_WRITE)
def mend_job(
    job: JobNumber,
    payload: Annotated[
        str, typer.Option("--payload", metavar="JSON", help="The whole new payload.")
    ],
    reason: Reason = "",
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Give a job that is dead or waits another payload. Then have it tried with "retry"."""
    try:
        new = json_text.loads(payload)
    except ValueError as error:
        raise InvalidInputError(f"--payload is not JSON: {error}") from None
    with open_house(data) as (_settings, database), database.writing() as connection:
        work_to_do.mend_job(connection, JobId(job), new, local_actor(), system_clock, reason=reason)
    _answer(json, f"Job {job} has the new payload.", id=job, mended=True)


@app.command("drop")
@needs(Permission.JOBS_WRITE)
def drop_job(
    job: JobNumber,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why it is never to be done.")
    ],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Remove a job that is dead or waits. What it was to do is never done."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        work_to_do.drop_job(connection, JobId(job), local_actor(), system_clock, reason=reason)
    _answer(json, f"Job {job} is gone and will not be done.", id=job, dropped=True)


@app.command("rehearse")
@needs(Permission.JOBS_WRITE)
def rehearse(
    seconds: Annotated[
        float,
        typer.Option(min=0, max=LONGEST_REHEARSAL_SECONDS, help="How long it takes its worker."),
    ] = 0.0,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Enqueue a job that does nothing, to see that some worker takes it."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        job = enqueue(connection, REHEARSAL, {"seconds": seconds}, system_clock)
    if json:
        print_json({"id": job})
        return
    print_line(str(job))
    to_people.print(f'It is done once "tutela job show {job}" says that there is none.')


@app.command("work")
@needs(Permission.HOUSE_KEEP)
def work(
    threads: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many jobs it does at once.")
    ] = None,
    drain_seconds: Annotated[
        int | None, typer.Option(min=0, help="How long it waits, at the end, for what runs.")
    ] = None,
    data: DataFolder = None,
) -> None:
    """Do jobs until Ctrl-C or SIGTERM. The service does so too; this is for more of it."""
    with open_house(data, job_threads=threads, drain_seconds=drain_seconds) as (
        settings,
        database,
    ):
        if settings.job_threads == 0:
            raise InvalidInputError("job_threads is 0 here: say how many with --threads")
        worker = make_worker(settings, database, system_clock, _tell)
        stop = threading.Event()
        with asked_to_stop(stop.set):
            with worker:
                to_people.print("Working (Ctrl-C stops it)")
                stop.wait()
                if worker.running:
                    to_people.print(
                        f"Waiting for jobs to end, {settings.drain_seconds} seconds at most: "
                        f"{worker.running}"
                    )
            to_people.print("The worker has stopped.")


def _tell(what: str, failure: Exception) -> None:
    words = failure.message if isinstance(failure, TutelaError) else words_for(failure)
    print_error(f"{what}: {words}")


def _answer(json: bool, words: str, **fields: Any) -> None:
    if json:
        print_json(fields)
    else:
        to_people.print(words)
