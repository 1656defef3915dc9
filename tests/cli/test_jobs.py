"""``tutela job`` lets people look after jobs, and its worker and the service stop with grace."""

import json
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, select, text

from tests.cli.command import TUTELA, environment
from tests.cli.test_serving import serving
from tests.waiting import comes_true
from tutela.cli.main import run
from tutela.ledger.tables import ledger_entries
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.finishing import fail
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import JobId, KeptJob, Never, State
from tutela.storage.jobs.tending import kept_jobs
from tutela.storage.settings import Settings, load_settings
from tutela.work import REHEARSAL, all_kinds


def rehearsal(database: Database, seconds: float) -> JobId:
    with database.writing() as connection:
        return enqueue(connection, REHEARSAL, {"seconds": seconds}, system_clock)


def left(database: Database) -> list[KeptJob]:
    """The rehearsals that are left: whatever the hour has begun beside them."""
    with database.reading() as connection:
        return [job for job in kept_jobs(connection) if job.kind == REHEARSAL]


def is_begun(database: Database) -> bool:
    return [job.state for job in left(database)] == [State.LEASED]


@contextmanager
def working(settings: Settings, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(
        [TUTELA, "job", "work", *arguments],
        env=environment(settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stderr
        assert any("Working" in line for line in running.stderr)
        yield running
    finally:
        running.kill()
        running.communicate()


class Commands:
    """Commands in this process: each is quick, and as people call it."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Gives the exit code, the answer, and what is said besides."""
        self._capfd.readouterr()
        code = run(list(words))
        said = self._capfd.readouterr()
        return code, said.out, said.err.replace("Making the database ...\n", "")


@pytest.fixture
def command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Commands:
    monkeypatch.setenv("TUTELA_DATA", str(settings.data))
    if settings.database_url:
        monkeypatch.setenv("TUTELA_DATABASE_URL", settings.database_url)
    return Commands(capfd)


def acts(database: Database) -> list[tuple[str, str]]:
    told = select(ledger_entries.c.act, ledger_entries.c.thing).order_by(ledger_entries.c.number)
    with database.reading() as connection:
        return [(act, thing) for act, thing in connection.execute(told)]


def test_a_dead_job_is_seen_mended_and_retried_and_the_ledger_tells_of_it(
    settings: Settings, database: Database, command: Commands
) -> None:
    number = rehearsal(database, 0)
    kinds = all_kinds(settings, database, system_clock)
    (job,) = claim(database, kinds, system_clock, most=1, worker="test:1")
    with database.writing() as connection:
        fail(connection, job, kinds[REHEARSAL], Never("no stage"), system_clock, chance=0)

    code, listed, _ = command("job", "ls", "--state", "dead", "--json")
    assert code == 0
    fields = json.loads(listed)
    assert (fields["id"], fields["state"], fields["error"]) == (number, "dead", "no stage")
    assert "no stage" in command("job", "show", str(number))[1]
    assert "no stage" in command("job", "ls")[1]

    payload = '{"seconds": 0.5}'
    mended = command("job", "mend", str(number), "--payload", payload, "--reason", "new", "--json")
    assert mended == (0, f'{{"id": {number}, "mended": true}}\n', "")
    retried = command("job", "retry", str(number))
    assert retried == (0, "", f"Job {number} will be tried again right away.\n")
    (kept,) = left(database)
    assert (kept.state, kept.payload, kept.attempts) == (State.READY, {"seconds": 0.5}, 0)

    dropped = command("job", "drop", str(number), "--reason", "not needed")
    assert dropped == (0, "", f"Job {number} is gone and will not be done.\n")
    assert left(database) == []
    thing = f"job:{number}"
    assert acts(database) == [("job.mended", thing), ("job.retried", thing), ("job.dropped", thing)]


def test_what_cannot_be_done_is_said_in_one_line_and_leaves_no_trace(
    database: Database, command: Commands
) -> None:
    unknown = 'error: there is no job 7, or it is done: see "tutela job ls"\n'
    assert command("job", "drop", "7", "--reason", "a try") == (2, "", unknown)
    assert command("job", "show", "7") == (2, "", unknown)
    assert command("job", "retry", "7") == (2, "", unknown)
    assert command("job", "mend", "7", "--payload", "{}") == (2, "", unknown)
    code, _, said = command("job", "mend", "7", "--payload", "{seconds: 1}")
    assert code == 2
    assert said.startswith("error: --payload is not JSON: ")
    code, _, said = command("job", "mend", "7", "--payload", "[1]")
    assert said.startswith("error: a job's payload is a JSON object")
    assert command("job", "drop", "7", "--reason", " ")[0] == 2
    assert command("job", "ls") == (0, "", "ready: 0, leased: 0, dead: 0\n")
    assert acts(database) == []


def test_a_worker_that_would_do_nothing_says_so(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTELA_JOB_THREADS", "0")
    said = "error: job_threads is 0 here: say how many with --threads\n"
    assert command("job", "work") == (2, "", said)


def test_a_rehearsal_is_done_by_any_worker(database: Database, command: Commands) -> None:
    code, number, _ = command("job", "rehearse")
    assert code == 0
    assert [job.id for job in left(database)] == [int(number)]
    code, answer, _ = command("job", "rehearse", "--seconds", "2.5", "--json")
    assert json.loads(answer) == {"id": int(number) + 1}
    assert left(database)[1].payload == {"seconds": 2.5}


def test_a_worker_that_is_told_to_stop_ends_what_it_does_and_takes_nothing_more(
    settings: Settings, database: Database
) -> None:
    with working(settings, "--threads", "1") as running:
        rehearsal(database, 1.5)
        assert comes_true(lambda: is_begun(database))
        second = rehearsal(database, 0)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 0
    assert said.splitlines() == [
        "Waiting for jobs to end, 20 seconds at most: 1",
        "The worker has stopped.",
    ]
    assert [(job.id, job.state) for job in left(database)] == [(second, State.READY)]


def test_a_worker_gives_back_at_ctrl_c_what_does_not_end_in_time(
    settings: Settings, database: Database
) -> None:
    with working(settings, "--drain-seconds", "0") as running:
        number = rehearsal(database, 600)
        assert comes_true(lambda: is_begun(database))
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert running.returncode == 0
    (job,) = left(database)
    assert (job.id, job.state, job.attempts) == (number, State.READY, 0)
    assert job.due_at <= system_clock()


def test_the_service_ends_the_jobs_that_it_does_before_it_stops(
    settings: Settings, database: Database
) -> None:
    with serving(settings, "--workers", "2") as (running, _):
        rehearsal(database, 1.5)
        assert comes_true(lambda: is_begun(database))
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
    assert left(database) == []


def test_the_service_gives_back_what_does_not_end_in_time(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTELA_DRAIN_SECONDS", "0")
    with serving(settings) as (running, _):
        rehearsal(database, 600)
        assert comes_true(lambda: is_begun(database))
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
    assert [(job.state, job.attempts) for job in left(database)] == [(State.READY, 0)]


def test_a_service_without_threads_for_jobs_leaves_them_to_others(
    data, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(data=data)
    database = Database.open(settings)
    monkeypatch.setenv("TUTELA_JOB_THREADS", "0")
    with serving(settings):
        number = rehearsal(database, 0)
        assert not comes_true(lambda: not left(database), seconds=1.5)
        monkeypatch.delenv("TUTELA_JOB_THREADS")
        with working(settings):
            assert comes_true(lambda: not left(database))
    assert number == 1
    database.close()


def test_a_worker_says_that_the_disk_is_full_and_goes_on_when_it_is_not(data) -> None:
    settings = load_settings(data=data)
    with working(settings) as running:
        database = Database.open(settings)
        _, hard = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (1, hard))
        number = rehearsal(database, 0)
        assert running.stderr
        said = running.stderr.readline()
        (job,) = left(database)
        assert (job.id, job.state, job.attempts) == (number, State.READY, 0)
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert comes_true(lambda: not left(database))
        running.send_signal(signal.SIGTERM)
        _, more = running.communicate(timeout=60)
        database.close()
    assert said.startswith(("error: jobs: the disk is full", "error: jobs: the disk failed"))
    assert more == "The worker has stopped.\n"


def test_a_worker_says_that_the_database_is_read_only_and_goes_on_when_it_is_not(
    data, postgresql_server: str, postgresql_url: str
) -> None:
    settings = load_settings(data=data, database_url=postgresql_url)
    with working(settings) as running:
        database = Database.open(settings)
        set_read_only(postgresql_server, database, True)
        with database.writing() as connection:
            connection.execute(text("SET TRANSACTION READ WRITE"))
            enqueue(connection, REHEARSAL, {"seconds": 0}, system_clock)
        assert running.stderr
        said = running.stderr.readline()
        assert [(job.state, job.attempts) for job in left(database)] == [(State.READY, 0)]
        set_read_only(postgresql_server, database, False)
        assert comes_true(lambda: not left(database))
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
        database.close()
    assert said.startswith("error: jobs: the database ")
    assert "is read-only" in said


def set_read_only(server: str, database: Database, read_only: bool) -> None:
    """For every connection to come; those that are open are ended."""
    name = database.engine.url.database
    engine = create_engine(
        server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(
            text(f"ALTER DATABASE {name} SET default_transaction_read_only = {read_only}")
        )
        connection.execute(
            text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        )
    engine.dispose()
